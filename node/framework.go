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

// AdoptFramework puts a received framework in force here, and sends it to every
// partner.
func (n *Node) AdoptFramework(ctx context.Context, a Actor, hash string) error {
	_, err := n.write(ctx, a, func(c *change) error {
		if err := c.take(refusalOf(c.Framework.Adopt(c.frameworkFacts(), hash, a.ID, c.now))); err != nil || c.refusal != nil {
			return err
		}
		for p := range c.Participant.Partners() {
			if err := c.sendFramework(p.Card.ID, c.Framework.Current.Signed); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// refusalOf gives a refused framework's event beside its error, to be recorded.
func refusalOf(events []trust.Event, err error) ([]trust.Event, error) {
	if refused, ok := errors.AsType[*framework.Refusal](err); ok {
		return []trust.Event{refused.Event}, err
	}
	return events, err
}
