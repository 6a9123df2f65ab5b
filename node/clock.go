package node

import (
	"context"
	"time"

	"github.com/entente-id/entente/trust"
)

// SetClock moves the time of day of a demo node by an offset from the
// machine's. It exists only where the first entry of the ledger says demo.
func (n *Node) SetClock(ctx context.Context, a Actor, offset time.Duration) error {
	movable, ok := n.Clock.(interface{ Shift(time.Duration) })
	if !n.demo || !ok {
		return trust.Errorf(trust.Denied, "this ledger is no demo; its time is the machine's")
	}
	_, err := n.write(ctx, a, func(*change) error {
		movable.Shift(offset)
		return nil
	})
	return err
}
