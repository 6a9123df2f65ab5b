package node

import (
	"context"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// Invitation is what this organisation hands a partner, and the fingerprint
// that both read to each other over another channel.
func (n *Node) Invitation(context.Context) (participant.Invitation, string, error) {
	s := n.State()
	inv := participant.Invitation{Card: s.Participant.Self().Signed}
	if s.Framework.Current != nil {
		inv.Framework = s.Framework.Current.Hash
	} else if hash, ok := s.Participant.ConfirmedFramework(); ok {
		// A newcomer answers with the framework it was invited into.
		inv.Framework = hash
	}
	print, err := participant.Fingerprint(inv)
	return inv, print, err
}

// Confirm lets a partner in, after a local person compared its fingerprint. The
// framework in force, the own statement and nothing else is sent to it.
func (n *Node) Confirm(ctx context.Context, a Actor, inv participant.Invitation, fingerprint string) (trust.ParticipantID, error) {
	card, err := participant.ParseCard(inv.Card)
	if err != nil {
		return trust.ParticipantID{}, err
	}
	_, err = n.write(ctx, a, func(c *change) error {
		if err := c.take(c.Participant.Confirm(inv, fingerprint, a.ID, c.timeOfDay())); err != nil || c.refusal != nil {
			return err
		}
		return c.greet(card.ID)
	})
	return card.ID, err
}

// greet queues what every new partner needs first.
func (c *change) greet(id trust.ParticipantID) error {
	if err := c.sendHello(id); err != nil {
		return err
	}
	if f := c.Framework.Current; f != nil {
		if err := c.sendFramework(id, f.Signed); err != nil {
			return err
		}
	}
	return c.sendStatement(id)
}

func (c *change) sendFramework(to trust.ParticipantID, s framework.Signed) error {
	return c.send(to, edge.Governance, kindFramework, trust.SubjectKey{}, frameworkMessage{Signed: s})
}
