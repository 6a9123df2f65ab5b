package node

import (
	"context"
	"time"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// goForward lets the time go on from the newest entry: what was forgotten by then,
// such as a single-use value, would count again at an earlier time. Where there
// are partners, one of them has to confirm the time before it is relied on.
func (n *Node) goForward() {
	newest := n.State().Edge.Clock.GoOn(max(n.trust.At(), n.decisions.At()))
	if behind := newest - n.Now(); behind > 0 {
		n.Log.Warn("the clock is behind the newest entry of the ledger; time stands still until it has caught up", "seconds", behind)
	}
	n.Clock.NotBefore(newest)
	now := n.Clock.Mark()
	if _, _, partners := n.aheadOfPartners(n.State(), now); partners > 0 {
		n.Clock.Await()
		return
	}
	n.Clock.Confirm(now)
}

// compare takes a partner's signed time, which answers a nonce sent at sent, and
// judges this node's own by all there are. Far ahead is recorded, and denies
// everything until an operator accepts a time.
func (n *Node) compare(ctx context.Context, id trust.ParticipantID, sent clock.Mark, signed int64) error {
	n.views.timed(id, sent, signed, linkGap*max(n.Config.Heartbeat, time.Second))
	now := n.Clock.Mark()
	ahead, heard, all := n.aheadOfPartners(n.State(), now)
	if heard == 0 {
		return nil // nobody in good standing
	}
	switch own := n.State().Edge.Clock; own.Compare(ahead, heard, all) {
	case edge.Agrees:
		n.Clock.Confirm(now)
		if own.Accepted == 0 || ahead > edge.FarAhead {
			return nil
		}
		return n.noteClock(ctx, edge.ClockAgreed{}, func(c edge.Clock) bool { return c.Accepted != 0 })
	case edge.TooFar:
		n.Clock.Doubt()
		if own.Denies {
			return nil
		}
		n.Log.Error("this node's time is far ahead of its partners'; everything is denied until an operator accepts it", "seconds", ahead)
		return n.noteClock(ctx, edge.ClockAhead{Seconds: ahead}, func(c edge.Clock) bool { return !c.Denies && c.Accepted == own.Accepted })
	case edge.Unclear:
		n.Clock.Doubt()
	}
	return nil
}

// noteClock records an event while the clock still stands as when it was judged.
func (n *Node) noteClock(ctx context.Context, e trust.Event, still func(edge.Clock) bool) error {
	_, err := n.change(ctx, func(c *change) error {
		if !still(c.Edge.Clock) {
			return nil
		}
		return c.add(e)
	})
	return err
}

// aheadOfPartners gives by how many seconds the time at now is above the median of
// the times of those partners that were heard, out of all in good standing. An
// offset that a demo's time was moved by does not count.
func (n *Node) aheadOfPartners(s *state.Snapshot, now clock.Mark) (ahead int64, heard, all int) {
	var times []int64
	for p := range s.Participant.Partners() {
		if _, broken := s.Edge.Broken(p.Card.ID); broken || p.Suspended {
			continue
		}
		all++
		if at, ok := n.views.time(p.Card.ID, now); ok {
			times = append(times, at)
		}
	}
	if len(times) == 0 {
		return 0, 0, all
	}
	return edge.Ahead(now.Wall.Add(-now.Shifted).Unix(), times), len(times), all
}

// ClockStatus is how this node's time stands. Ahead is in seconds above the median
// of the partners' signed times, negative below it; 0 before any was heard.
type ClockStatus struct {
	Stage    ClockStage `json:"stage"`
	Ahead    int64      `json:"ahead"`
	Heard    int        `json:"heard"` // partners whose time is known
	Accepted int64      `json:"accepted,omitzero"`
}

// ClockStage is whether this node's time may be relied on.
type ClockStage string

const (
	ClockConfirmed ClockStage = "confirmed"
	ClockUnsure    ClockStage = "unconfirmed" // a partner has to confirm it
	ClockDenies    ClockStage = "ahead"       // everything is denied until an operator accepts it
)

func (n *Node) clockStatus(s *state.Snapshot) ClockStatus {
	now := n.Clock.Mark()
	out := ClockStatus{Stage: ClockConfirmed, Accepted: s.Edge.Clock.Accepted}
	out.Ahead, out.Heard, _ = n.aheadOfPartners(s, now)
	switch {
	case s.Edge.Clock.Denies:
		out.Stage = ClockDenies
	case !now.Sure:
		out.Stage = ClockUnsure
	}
	return out
}

// clockText is the sealed part of an accepted time.
type clockText struct {
	Reason string `json:"reason"`
}

// AcceptClock takes the machine's time as it is now for the right one, and leaves
// deny mode. It fails with Conflict where nothing speaks against the time.
func (n *Node) AcceptClock(ctx context.Context, a Actor, reason string) (ClockStatus, error) {
	_, err := n.write(ctx, a, func(c *change) error {
		if reason == "" {
			return trust.Errorf(trust.Invalid, "accepting a time has a reason; this has none")
		}
		if now := n.Clock.Mark(); now.Sure && !c.Edge.Clock.Denies {
			return trust.Errorf(trust.Conflict, "the time is confirmed; an operator accepts one that is not")
		}
		machine := n.Clock.Machine()
		accepted := edge.ClockAccepted{Time: machine.Unix(), By: a.ID}
		now := n.Clock.Mark()
		now.Wall = machine
		if ahead, _, _ := n.aheadOfPartners(c.Snapshot, now); ahead > edge.FarAhead {
			accepted.Seconds = ahead
		}
		return c.addSealed(accepted, sealed{text: clockText{reason}})
	})
	if err != nil {
		return ClockStatus{}, err
	}
	n.Clock.Accept()
	return n.clockStatus(n.State()), nil
}

// SetClock moves the time of day of a demo node by an offset from the
// machine's. It exists only where the first entry of the ledger says demo.
func (n *Node) SetClock(ctx context.Context, a Actor, offset time.Duration) error {
	return n.moveClock(ctx, a, func(c movable) { c.Shift(offset) })
}

// SetMachineClock sets the machine's own clock of a demo node ahead of the true
// time, or back, as a person or a broken time server would.
func (n *Node) SetMachineClock(ctx context.Context, a Actor, ahead time.Duration) error {
	return n.moveClock(ctx, a, func(c movable) { c.Jump(ahead) })
}

// movable is a demo's clock.
type movable interface {
	Shift(offset time.Duration)
	Jump(ahead time.Duration)
}

func (n *Node) moveClock(ctx context.Context, a Actor, move func(movable)) error {
	c, ok := n.Clock.(movable)
	if !n.demo || !ok {
		return trust.Errorf(trust.Denied, "this ledger is no demo; its time is the machine's")
	}
	_, err := n.write(ctx, a, func(*change) error {
		move(c)
		n.views.forget(n.Clock.Mark())
		return nil
	})
	return err
}
