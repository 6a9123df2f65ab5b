package node

import (
	"context"

	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// keepSuspensions records until ctx ends whose suspension ended by itself.
func (n *Node) keepSuspensions(ctx context.Context) {
	for ctx.Err() == nil {
		if err := n.lapseSuspensions(ctx); err != nil && ctx.Err() == nil {
			n.Log.Error("a suspension ended by itself, and that is not on record", "error", err)
		}
		wait(ctx, nil, n.Config.Heartbeat)
	}
}

// lapseSuspensions records what has ended since the last look, at most a page of
// it. By a time that is in doubt, or that nobody confirmed since the start, nothing
// ends.
func (n *Node) lapseSuspensions(ctx context.Context) error {
	mark := n.Clock.Mark()
	if !mark.Sure {
		return nil
	}
	now := mark.Wall.Unix()
	over := n.State().Suspension.Over(now, readAtOnce)
	if len(over) == 0 {
		return nil
	}
	targets := make([]suspension.Target, len(over))
	for i, at := range over {
		e, _, err := n.stopAt(ctx, at)
		if err != nil {
			return err
		}
		targets[i] = e.Target
	}
	_, err := n.change(ctx, func(c *change) error {
		var all []trust.Event
		for i, at := range over {
			all = append(all, c.Suspension.Lapse(targets[i], at, now)...)
		}
		return c.add(all...)
	})
	return err
}
