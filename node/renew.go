package node

import (
	"context"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// CardDraft is a card that waits for the governance key's signature, and the one
// it replaces.
type CardDraft struct {
	Replaces participant.SignedCard `json:"replaces"`
	Card     []byte                 `json:"card"` // the exact bytes to sign
}

// DraftCard makes next online keys and drafts the card that certifies them.
// Nothing is used and nobody is told before the card comes back signed.
func (n *Node) DraftCard(ctx context.Context, a Actor, r participant.Rotation) (CardDraft, error) {
	var out CardDraft
	_, err := n.write(ctx, a, func(c *change) error { // in the writer, so that two drafts do not mix
		own := c.Participant.Self()
		r, err := r.Settle(c.now)
		if err != nil {
			return err
		}
		made, err := n.Keys.Announce(r.Uses, r.Window())
		if err != nil {
			return err
		}
		card, err := own.Card.Next(r, made, c.now)
		if err != nil {
			return err
		}
		out.Replaces = own.Signed
		out.Card, err = participant.DraftCard(card)
		return err
	})
	return out, err
}

// RenewCard puts a newer card of this organisation in force: its keys are used
// by it from now on, and it is sent to every partner with a fresh statement.
func (n *Node) RenewCard(ctx context.Context, a Actor, signed participant.SignedCard) error {
	_, err := n.write(ctx, a, func(c *change) error {
		events, err := c.Participant.Renew(signed, c.now)
		if err != nil || len(events) == 0 {
			return err
		}
		card, err := participant.ParseCard(signed)
		if err != nil {
			return err
		}
		// Before the entry is down, so that a node whose log key has ended can sign it.
		if err := n.Keys.Certify(card.Keys); err != nil {
			return err
		}
		if err := c.add(events...); err != nil {
			return err
		}
		for p := range c.Participant.Partners() {
			if err := c.send(p.Card.ID, edge.Governance, kindCard, trust.SubjectKey{}, cardMessage{Card: signed}); err != nil {
				return err
			}
			if err := c.sendStatement(p.Card.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		if back := n.Keys.Certify(n.State().Participant.Self().Card.Keys); back != nil {
			n.Log.Error("the keys of the card in force could not be taken back into use", "error", back)
		}
	}
	return err
}

// receiveCard: a partner's keys or address changed. Its governance key says so.
func receiveCard(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[cardMessage](content)
	if err != nil {
		return err
	}
	return c.record(c.Participant.Follow(from.Card.ID, m.Card, c.timeOfDay()))
}
