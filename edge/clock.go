package edge

import (
	"slices"

	"github.com/entente-id/entente/trust"
)

// FarAhead is how many seconds above the median of its partners' signed times a
// node's own time may be.
const FarAhead = 30

// Clock is what partners' signed times say of this node's own. In the zero value
// nothing speaks against it.
type Clock struct {
	// Denies is set once it was far ahead, until an operator accepts it.
	Denies bool `json:"denies,omitzero"`
	// Accepted is how many seconds above the median an operator accepted.
	Accepted int64 `json:"accepted,omitzero"`
	// Since is the time that was accepted where the ledger was stamped later
	// already, and Stamped that stamp: until the time has caught up with it, it
	// is none to go on from. In Unix seconds; 0 where the ledger is behind.
	Since   int64 `json:"since,omitzero"`
	Stamped int64 `json:"stamped,omitzero"`
}

// ClockAhead: this node's time is far above the median of its partners' signed
// times. Everything is denied until an operator accepts a time.
type ClockAhead struct {
	Seconds int64 `json:"seconds"` // above the median
}

// ClockAccepted: an operator accepted a time.
type ClockAccepted struct {
	Time    int64  `json:"time"`             // Unix seconds
	Seconds int64  `json:"seconds,omitzero"` // above the median, where that is far
	By      string `json:"by"`
}

// ClockAgreed: this node's time agrees with its partners' again, so that what an
// operator accepted counts no more.
type ClockAgreed struct{}

// EventKind is edge.clock_ahead.
func (ClockAhead) EventKind() trust.Kind { return trust.Kind{Name: "edge.clock_ahead", Version: 1} }

// EventKind is edge.clock_accepted.
func (ClockAccepted) EventKind() trust.Kind {
	return trust.Kind{Name: "edge.clock_accepted", Version: 1}
}

// EventKind is edge.clock_agreed.
func (ClockAgreed) EventKind() trust.Kind { return trust.Kind{Name: "edge.clock_agreed", Version: 1} }

func (c Clock) apply(e trust.Event, at trust.Stamp) Clock {
	switch e := e.(type) {
	case ClockAhead:
		c.Denies = true
	case ClockAccepted:
		c = Clock{Accepted: e.Seconds}
		if at.At > e.Time {
			c.Since, c.Stamped = e.Time, at.At
		}
	case ClockAgreed:
		c.Accepted = 0
	}
	return c
}

// GoOn gives the time from which a start goes on, by the newest stamp of the
// ledger, both in Unix seconds.
func (c Clock) GoOn(newest int64) int64 {
	if newest <= c.Stamped {
		return c.Since
	}
	return newest
}

// Ahead gives by how many seconds now is above the median of the partners' times,
// of which there is one at least. Of two in the middle the later counts: no
// single partner's clock stops a node that another one agrees with.
func Ahead(now int64, times []int64) int64 {
	sorted := slices.Sorted(slices.Values(times))
	return now - sorted[len(sorted)/2]
}

// Agreement is what is to be made of a node's own time.
type Agreement string

const (
	Agrees  Agreement = "agrees"  // it is confirmed
	Unclear Agreement = "unclear" // far ahead of the few that were heard; the others may say otherwise
	TooFar  Agreement = "ahead"   // far ahead
)

// Compare judges a time that is this many seconds ahead of the median of those
// partners that were heard, out of all.
func (c Clock) Compare(ahead int64, heard, all int) Agreement {
	switch {
	case ahead <= c.Accepted+FarAhead:
		return Agrees
	case 2*heard <= all:
		return Unclear
	default:
		return TooFar
	}
}
