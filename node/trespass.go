package node

import (
	"context"
	"sync"
	"time"

	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/trust"
)

// trespassEvery is how often the same trespasser is an entry at most.
const trespassEvery = time.Minute

// trespasses are who asked the admin interface and is no operator: when that was an
// entry, and how often it was since. It holds partners, and one for everybody else.
type trespasses struct {
	mu  sync.Mutex
	all map[trust.ParticipantID]*trespass
}

type trespass struct {
	told  clock.Mark
	count uint64
}

// due counts a request, and gives how many there were if they are to be an entry now.
func (t *trespasses) due(from trust.ParticipantID, now clock.Mark) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.all[from]
	if one == nil {
		if t.all == nil {
			t.all = map[trust.ParticipantID]*trespass{}
		}
		t.all[from] = &trespass{told: now}
		return 1
	}
	one.count++
	if now.Since(one.told) < trespassEvery {
		return 0
	}
	count := one.count
	one.told, one.count = now, 0
	return count
}

// Trespass takes note that somebody who is no operator asked the admin interface
// (R49): a partner, or where from is zero somebody whose credential is nobody's. The
// first time is an entry at once, others are one a minute; of a partner's there is a
// finding too, until somebody closes it.
func (n *Node) Trespass(ctx context.Context, from trust.ParticipantID) {
	count := n.strangers.due(from, n.Clock.Mark())
	if count == 0 {
		return
	}
	n.Log.Error("the admin interface was asked by somebody who is no operator", "participant", from.String(), "count", count)
	_, err := n.change(context.WithoutCancel(ctx), func(c *change) error {
		number := c.next.Position.N
		if err := c.add(operator.Trespassed{From: from, Count: count}); err != nil || from.IsZero() {
			return err
		}
		for f := range c.Finding.All() {
			if f.Open() && f.Kind == finding.Trespass && f.Partner == from {
				return nil
			}
		}
		events, err := c.Finding.Raise(finding.Subject{Partner: from, Side: finding.Host, Kind: finding.Trespass, From: number, To: number}, c.findingOwner(from, finding.Host), c.now)
		if err != nil {
			return err
		}
		return c.add(events...)
	})
	if err != nil {
		n.Log.Error("a trespass could not be recorded", "error", err)
	}
}
