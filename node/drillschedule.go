package node

import (
	"context"
	"encoding/binary"
	"io"
	"time"

	"github.com/entente-id/entente/trust"
)

// drillLook is how often the schedule looks for links that were put in force.
const drillLook = time.Minute

// keepDrills drills every link by which a partner accepts our callers, each about
// once in Config.DrillEvery until ctx ends, at times that nobody can foresee.
func (n *Node) keepDrills(ctx context.Context) {
	every := n.Config.DrillEvery
	if every <= 0 {
		return
	}
	start := n.Clock.Mark()
	due := map[string]time.Duration{} // by agreement, since start
	for ctx.Err() == nil {
		passed, next := n.Clock.Since(start), min(drillLook, every)
		for _, r := range n.links() {
			at, known := due[r.Agreement]
			switch {
			case !known:
				due[r.Agreement] = passed + n.drawn(every)
			case at <= passed:
				due[r.Agreement] = passed + every/2 + n.drawn(every)
				n.drillAlone(ctx, r)
			}
			next = min(next, max(due[r.Agreement]-n.Clock.Since(start), time.Millisecond))
		}
		wait(ctx, nil, next)
	}
}

// drillAlone holds a drill that nobody asked for.
func (n *Node) drillAlone(ctx context.Context, r DrillRequest) {
	done, err := n.rehearse(ctx, r)
	switch {
	case err != nil && ctx.Err() == nil:
		n.Log.Warn("a scheduled drill could not be held", "partner", r.Partner.String(), "agreement", r.Agreement, "error", err)
	case err == nil:
		n.Log.Info("a scheduled drill was held", "partner", r.Partner.String(), "agreement", r.Agreement, "verdict", string(done.Verdict), "side", string(done.Side), "took_us", done.Took)
	}
}

// links are those that may be drilled from here.
func (n *Node) links() (all []DrillRequest) {
	s, now := n.State(), n.Now()
	for a := range s.Agreement.All() {
		if _, alive := a.Alive(now); alive && a.Home() == n.self {
			all = append(all, DrillRequest{Partner: a.Host(), Agreement: a.Revision.Document.Name})
		}
	}
	return all
}

// drawn is a random time below most, none where no randomness is to be had.
func (n *Node) drawn(most time.Duration) time.Duration {
	var random [8]byte
	if _, err := io.ReadFull(n.Rand, random[:]); err != nil {
		n.Log.Error("drawing the time of a drill", "error", trust.Errorf(trust.Internal, "drawing a time: %w", err))
		return 0
	}
	return time.Duration(binary.BigEndian.Uint64(random[:]) % uint64(most))
}
