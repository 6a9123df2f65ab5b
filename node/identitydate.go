package node

import (
	"context"

	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/identity"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// keepIdentities records until ctx ends whose owner has left, and stops whom a date
// stops.
func (n *Node) keepIdentities(ctx context.Context) {
	for ctx.Err() == nil {
		if err := n.dateIdentities(ctx); err != nil && ctx.Err() == nil {
			n.Log.Error("a date of an identity has come, and that is not on record", "error", err)
		}
		wait(ctx, nil, n.Config.Heartbeat)
	}
}

// dateIdentities records what time has brought about since the last look, at most a
// page of it. By a time that is in doubt, or that nobody confirmed since the start,
// nothing is stopped.
func (n *Node) dateIdentities(ctx context.Context) error {
	mark := n.Clock.Mark()
	if !mark.Sure {
		return nil
	}
	now := mark.Wall.Unix()
	if len(n.looking(ctx).dated(now)) == 0 {
		return nil
	}
	_, err := n.change(ctx, func(c *change) error {
		for _, i := range c.dated(now) {
			if err := c.date(i, now); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// dated are the identities to which time has brought something, few at once. Each
// owner is looked for once.
func (c *change) dated(now int64) (due []identity.Identity) {
	facts := c.datedFacts()
	for _, i := range c.Identity.Identities.All() {
		if len(c.Identity.Date(facts, i, now)) > 0 {
			if due = append(due, i); len(due) == readAtOnce {
				break
			}
		}
	}
	return due
}

func (c *change) datedFacts() identity.Facts {
	facts := c.identityFacts()
	serves, seen := facts.Serves, map[identity.Owner]bool{}
	facts.Serves = func(o identity.Owner) bool {
		there, known := seen[o]
		if !known {
			there = serves(o)
			seen[o] = there
		}
		return there
	}
	return facts
}

// date records what time brought about of one identity: who has to look, and where
// a date has come, that its accounts are stopped.
func (c *change) date(i identity.Identity, now int64) error {
	for _, e := range c.Identity.Date(c.identityFacts(), i, now) {
		if err := c.add(e); err != nil {
			return err
		}
		switch e := e.(type) {
		case identity.Flagged:
			events, err := c.Finding.Raise(c.unowned(i.N), string(operator.Admin), c.now)
			if err != nil {
				return err
			}
			if err := c.add(events...); err != nil {
				return err
			}
		case identity.Owned:
			return c.closeUnowned(i.N, suspension.ByRule(identity.RuleOwner), "its owner is back")
		case identity.Stopped:
			return c.suspendAccounts(i, Why{Reason: stopReason[e.Rule]}, suspension.ByRule(e.Rule))
		}
	}
	return nil
}

// stopReason says in words why a date stops an identity.
var stopReason = map[string]string{
	identity.RuleOwner: "its owner has left, and nobody took it over in time",
	identity.RuleEnd:   "its end has passed",
}

// unowned is what the finding of an identity without an owner is about.
func (c *change) unowned(number uint32) finding.Subject {
	n := uint64(number)
	return finding.Subject{Partner: c.n.self, Side: finding.Home, Kind: finding.Unowned, From: n, To: n}
}

// closeUnowned ends the finding that an identity has no owner, if there is one.
func (c *change) closeUnowned(number uint32, by, came string) error {
	f, ok := c.Finding.On(c.unowned(number))
	if !ok {
		return nil
	}
	return c.closeFinding(f.ID, by, came)
}

// heldByDate says why a subject of ours does not go on: a date of its identity has
// passed.
func (c *change) heldByDate(t suspension.Target) string {
	i, ok := c.Identity.ByAccount(t.Subject)
	if !ok || t.Kind != suspension.Subject || i.Activated == 0 {
		return ""
	}
	switch rule := i.Overdue(c.now); {
	case rule == identity.RuleOwner, i.NonHuman() && !c.identityFacts().Serves(c.Identity.OwnerOf(i)):
		return "nobody owns " + i.ID() + "; it is handed over first"
	case rule == identity.RuleEnd:
		return i.ID() + " ended at " + trust.Instant(i.Until).String() + "; it is given another end first"
	default:
		return ""
	}
}
