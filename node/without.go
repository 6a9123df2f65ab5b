package node

import (
	"context"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/trust"
)

// GoOnWithout lets a recovered node decide again though a partner never said what
// it holds: the first operator asks, and a second one says so too. The partner is
// suspended by it, and so is what hangs from it: what it alone was told is not taken
// away again. Should it speak later, what it holds is fetched back after all. One
// person twice is refused with Denied, and recorded.
func (n *Node) GoOnWithout(ctx context.Context, a Actor, partner trust.ParticipantID, reason string) (Resumption, error) {
	var out Resumption
	at, err := n.write(ctx, a, func(c *change) error {
		if reason == "" {
			return trust.Errorf(trust.Invalid, "going on without a partner has a reason; this has none")
		}
		p, ok := c.Participant.Partner(partner)
		if !ok {
			return trust.Errorf(trust.NotFound, "participant %s is not a partner here", partner)
		}
		events, err := c.Edge.GoOnWithout(edge.People{Same: c.Operator.SamePerson, Serves: c.Operator.Serves}, partner, a.ID, c.now)
		if trust.KindOf(err) == trust.Denied {
			return c.refuse(err, operator.Refused{ID: a.ID})
		}
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := c.addSealed(e, sealed{text: reasonText{reason}}); err != nil {
				return err
			}
			switch e := e.(type) {
			case edge.WithoutAsked:
				out.Asked, out.Until = e.By, trust.Instant(e.Until)
			case edge.WentOnWithout:
				out.Asked = e.Asked
				if !p.Suspended {
					return c.suspendLost(partner, a.ID, reason)
				}
			}
		}
		return nil
	})
	out.Position = at
	return out, err
}

// suspendLost suspends a partner of which nobody knows what it was told.
func (c *change) suspendLost(partner trust.ParticipantID, by, reason string) error {
	events, err := c.Participant.Suspend(partner, by)
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := c.addSealed(e, sealed{text: reasonText{reason}}); err != nil {
			return err
		}
	}
	return nil
}
