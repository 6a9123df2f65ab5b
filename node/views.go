package node

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// views is how old this node's view of each partner is. It is kept in memory
// alone: after a start every partner is stale until it answers a nonce. Every
// decision reads it, and waits for nobody.
type views struct {
	mu sync.Mutex                                    // of who changes something
	of atomic.Pointer[map[trust.ParticipantID]*view] // another one where a partner is new
}

// view is what one partner has proven.
type view struct {
	told    atomic.Pointer[dates]
	waiting []answer // oldest first; under the lock
}

// dates are what is known of a partner. They never change. Age runs from when the
// nonce was sent, and counts only once everything up to the head it proved is
// applied here.
type dates struct {
	proven clock.Mark
	known  bool
	// the statement's dates, renewed without an entry of their own
	statementIssued, statementEnds int64
	// the time it signed, Unix seconds, and the time since boot when it was asked
	signed int64
	asked  time.Duration
	// up is since when, by the time since boot, it has answered without a gap
	up time.Duration
}

// answer is a proven head that is not applied yet.
type answer struct {
	sent  clock.Mark
	heads heads
}

// heads are the numbers of the newest message on each lane.
type heads map[edge.Lane]uint64

func newViews() *views {
	v := &views{}
	v.of.Store(&map[trust.ParticipantID]*view{})
	return v
}

// change lets one goroutine after another change what is known of p.
func (v *views) change(p trust.ParticipantID, by func(*view, *dates)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	of := *v.of.Load()
	if of[p] == nil {
		of = maps.Clone(of)
		of[p] = &view{}
		of[p].told.Store(&dates{})
		v.of.Store(&of)
	}
	of[p].change(by)
}

func (w *view) change(by func(*view, *dates)) {
	next := *w.told.Load()
	by(w, &next)
	w.told.Store(&next)
}

// answered notes that a partner answered a nonce sent at sent with its heads.
func (v *views) answered(p trust.ParticipantID, sent clock.Mark, h heads, s *state.Snapshot) {
	v.change(p, func(w *view, d *dates) {
		if len(w.waiting) == maxWaiting {
			// The oldest is the one that may be reached first; of the others the
			// newest says most.
			w.waiting[maxWaiting-1] = answer{sent, h}
		} else {
			w.waiting = append(w.waiting, answer{sent, h})
		}
		w.reach(d, p, s)
	})
}

// applied notes what has been applied of a partner's messages.
func (v *views) applied(p trust.ParticipantID, s *state.Snapshot) {
	v.change(p, func(w *view, d *dates) { w.reach(d, p, s) })
}

// reach takes the answers up to whose heads everything is applied.
func (w *view) reach(d *dates, p trust.ParticipantID, s *state.Snapshot) {
	for len(w.waiting) > 0 && reached(w.waiting[0].heads, p, s) {
		d.proven, d.known = w.waiting[0].sent, true
		w.waiting = w.waiting[1:]
	}
}

// maxWaiting bounds the heads remembered while a partner's messages lag.
const maxWaiting = 16

func reached(h heads, p trust.ParticipantID, s *state.Snapshot) bool {
	for lane, head := range h {
		if _, n := s.Edge.Position(p, lane); n < head {
			return false
		}
	}
	return true
}

// age gives the age of the view of p; false if p has proven nothing since the
// start.
func (v *views) age(p trust.ParticipantID, c Clock) (time.Duration, bool) {
	d := v.dates(p)
	if !d.known {
		return 0, false
	}
	return c.Since(d.proven), true
}

// forget drops every word that was asked for at a time of day after now, which
// only a demo can come to: how old it is by the time that counts now, nobody knows.
func (v *views) forget(now clock.Mark) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, w := range *v.of.Load() {
		w.change(func(w *view, d *dates) {
			d.known = d.known && !d.proven.Wall.After(now.Wall)
			w.waiting = slices.DeleteFunc(w.waiting, func(a answer) bool { return a.sent.Wall.After(now.Wall) })
		})
	}
}

// nothing is what is known of somebody who is no partner.
var nothing dates

// dates gives all that is known of p.
func (v *views) dates(p trust.ParticipantID) *dates {
	if w := (*v.of.Load())[p]; w != nil {
		return w.told.Load()
	}
	return &nothing
}

// stated notes the dates of p's newest statement.
func (v *views) stated(p trust.ParticipantID, issued, ends int64) {
	v.change(p, func(_ *view, d *dates) {
		if ends > d.statementEnds {
			d.statementIssued, d.statementEnds = issued, ends
		}
	})
}

// timed notes the time that p signed in answer to a nonce sent at sent. Where its
// last answer lies further back than gap, the link was down between them.
func (v *views) timed(p trust.ParticipantID, sent clock.Mark, signed int64, gap time.Duration) {
	v.change(p, func(_ *view, d *dates) {
		if d.signed == 0 || sent.Boot-d.asked > gap {
			d.up = sent.Boot
		}
		d.signed, d.asked = signed, sent.Boot
	})
}

// time gives what p's clock says at now, by the last time it signed and the time
// since boot, which nobody sets; false before its first.
func (v *views) time(p trust.ParticipantID, now clock.Mark) (int64, bool) {
	w := v.dates(p)
	return w.signed + int64((now.Boot-w.asked)/time.Second), w.signed != 0
}

// late gives how many seconds ago, by p's own clock, it signed something at at,
// and for how many the link with it has been up; false before its first time.
func (v *views) late(p trust.ParticipantID, at int64, now clock.Mark) (late, up int64, ok bool) {
	theirs, ok := v.time(p, now)
	return theirs - at, int64((now.Boot - v.dates(p).up) / time.Second), ok
}
