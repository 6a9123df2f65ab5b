package node

import (
	"context"
	"errors"

	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

// ReceiveFramework takes a signed framework from a local operator. It waits for
// adoption; a refusal is recorded. It gives the document's hash.
func (n *Node) ReceiveFramework(ctx context.Context, a Actor, signed framework.Signed) (string, error) {
	_, err := n.write(ctx, a, func(c *change) error {
		return c.take(refusalOf(c.Framework.Receive(c.frameworkFacts(), signed, trust.ParticipantID{}, c.now)))
	})
	return framework.Hash(signed.Bytes), err
}

// AdoptFramework accepts a received framework, which is in force here from its date
// on or at once, and sends it to every partner: who sends one has adopted it.
func (n *Node) AdoptFramework(ctx context.Context, a Actor, hash string) error {
	_, err := n.write(ctx, a, func(c *change) error {
		if err := c.take(refusalOf(c.Framework.Adopt(c.frameworkFacts(), hash, a.ID, c.now))); err != nil || c.refusal != nil {
			return err
		}
		all := c.Framework.Adopted()
		for p := range c.Participant.Partners() {
			if err := c.sendFramework(p.Card.ID, all[len(all)-1].Signed); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// adoptedBy records that a partner, which sent a framework that is known here, has
// adopted it.
func (c *change) adoptedBy(partner trust.ParticipantID, hash string) error {
	version, known := c.Framework.Version(hash)
	if !known {
		return nil
	}
	events, err := c.Participant.Adopt(partner, hash, version)
	if err != nil {
		return err
	}
	return c.add(events...)
}

// refusalOf gives a refused framework's event beside its error, to be recorded.
func refusalOf(events []trust.Event, err error) ([]trust.Event, error) {
	if refused, ok := errors.AsType[*framework.Refusal](err); ok {
		return []trust.Event{refused.Event}, err
	}
	return events, err
}
