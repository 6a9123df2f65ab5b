package node

import (
	"context"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/trust"
)

// owes reports whether the trust log has to say something before a decision is
// recorded.
func (n *Node) owes(v *verdict) bool {
	switch d := &v.decision; d.Duty {
	case decision.AskApproval:
		return !d.Permit
	case decision.OpenBreakGlass:
		return !d.Permit
	case decision.SpendApproval, decision.UseBreakGlass:
		return d.Permit
	case decision.NoDuty:
	}
	return false
}

// discharge appends what a decision brings about, before it is recorded, and
// gives the entry that it is to cite; zero where there was nothing to append. It
// fails with Conflict where somebody else was first.
func (n *Node) discharge(ctx context.Context, v *verdict, a *Ask) (trust.Position, error) {
	return n.change(ctx, func(c *change) error {
		switch v.decision.Duty {
		case decision.AskApproval:
			return c.askApproval(v, a)
		case decision.SpendApproval:
			return c.take(c.Approval.Spend(v.decision.Approval, c.now))
		case decision.OpenBreakGlass:
			return c.breakGlass(v, a)
		case decision.UseBreakGlass:
			return c.take(c.BreakGlass.Use(v.decision.BreakGlass, c.now))
		case decision.NoDuty:
		}
		return nil
	})
}
