package simulation_test

import (
	"time"

	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/node"
)

// fault stands between the nodes and what they rest on. The one that is none
// changes nothing; the others are planted, and the invariants have to find them.
type fault struct {
	syncs   time.Duration
	crashed func(*disk)
	source  func(*machine) clock.Source
	// serve answers a request that arrived at a node; next is the node's own way.
	serve func(w *world, from, to *player, r node.Outgoing, next answers) (node.Incoming, error)
}

type answers func() (node.Incoming, error)

// none leaves everything as it is.
func none() fault {
	return fault{
		syncs: syncs, crashed: func(*disk) {},
		source: func(m *machine) clock.Source { return m },
		serve:  func(_ *world, _, _ *player, _ node.Outgoing, next answers) (node.Incoming, error) { return next() },
	}
}
