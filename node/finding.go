package node

import (
	"context"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/trust"
)

// raise records where this node and a partner differ; what is known already
// changes nothing.
func (n *Node) raise(ctx context.Context, partner trust.ParticipantID, side finding.Side, found []receipt.Range) error {
	news := func(c *change) (events []trust.Event, err error) {
		owner := c.findingOwner(partner, side)
		state := c.Finding
		for _, r := range found {
			raised, err := state.Raise(finding.Subject{Partner: partner, Side: side, Kind: finding.Kind(r.Kind), Series: r.Series, From: r.From, To: r.To}, owner, c.now)
			if err != nil {
				return nil, err
			}
			for _, e := range raised {
				state, events = state.Apply(e, trust.Stamp{}), append(events, e)
			}
		}
		return events, nil
	}
	if events, err := news(&change{Snapshot: n.State(), now: n.Now(), n: n}); err != nil || len(events) == 0 {
		return err
	}
	_, err := n.change(ctx, func(c *change) error {
		events, err := news(c)
		if err != nil {
			return err
		}
		return c.add(events...)
	})
	return err
}

// findingOwner is the role of this organisation that owns the newest agreement
// which the edge carries in that direction; empty where there is none.
func (c *change) findingOwner(partner trust.ParticipantID, side finding.Side) (role string) {
	home, host := c.n.self, partner
	if side == finding.Host {
		home, host = partner, c.n.self
	}
	for _, a := range c.Agreement.Between(home, host) {
		owners := a.Revision.Document.Owners
		owner := owners.Home.Role
		if side == finding.Host {
			owner = owners.Host.Role
		}
		if role == "" || a.Stage == agreement.Active {
			role = owner
		}
	}
	return role
}

// closingText is the sealed part of finding.Closed.
type closingText struct {
	Reason string `json:"reason"`
}

// CloseFinding ends a finding with what it came to.
func (n *Node) CloseFinding(ctx context.Context, a Actor, id, reason string) error {
	_, err := n.write(ctx, a, func(c *change) error {
		if reason == "" {
			return trust.Errorf(trust.Invalid, "closing finding %s needs a reason: what it came to", id)
		}
		return c.closeFinding(id, a.ID, reason)
	})
	return err
}

// closeFinding ends a finding by an operator or a rule.
func (c *change) closeFinding(id, by, reason string) error {
	events, err := c.Finding.Close(id, by)
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := c.addSealed(e, sealed{text: closingText{reason}}); err != nil {
			return err
		}
	}
	return nil
}
