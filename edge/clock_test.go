package edge_test

import (
	"testing"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/trust"
)

// The median is of the partners' times; of two in the middle the later counts.
func TestAhead(t *testing.T) {
	for _, c := range []struct {
		name  string
		times []int64
		want  int64
	}{
		{"one partner", []int64{900}, 100},
		{"one of two is behind", []int64{1000, 100}, 0},
		{"both are behind", []int64{100, 900}, 100},
		{"one of three is behind", []int64{1000, 100, 999}, 1},
		{"two of three are", []int64{1000, 100, 940}, 60},
		{"this node is behind", []int64{1100}, -100},
		{"two of four are behind", []int64{100, 1000, 100, 1000}, 0},
	} {
		if got := edge.Ahead(1000, c.times); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name       string
		clock      edge.Clock
		ahead      int64
		heard, all int
		want       edge.Agreement
	}{
		{"the limit", edge.Clock{}, edge.FarAhead, 1, 1, edge.Agrees},
		{"a second more", edge.Clock{}, edge.FarAhead + 1, 1, 1, edge.TooFar},
		{"far behind", edge.Clock{}, -3600, 1, 1, edge.Agrees},
		{"one of two was heard", edge.Clock{}, 31, 1, 2, edge.Unclear},
		{"two of three were", edge.Clock{}, 31, 2, 3, edge.TooFar},
		{"one of three agrees", edge.Clock{}, 0, 1, 3, edge.Agrees},
		{"as far as was accepted", edge.Clock{Accepted: 100}, 130, 1, 1, edge.Agrees},
		{"farther", edge.Clock{Accepted: 100}, 131, 1, 1, edge.TooFar},
	} {
		if got := c.clock.Compare(c.ahead, c.heard, c.all); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// What denies ends with an operator's act alone. A ledger that was stamped later
// than the time that was accepted is none to go on from until that has caught up.
func TestTheClocksState(t *testing.T) {
	var s edge.State
	apply := func(at int64, e trust.Event) { s = s.Apply(e, trust.Stamp{At: at}) }
	apply(1000, edge.ClockAhead{Seconds: 60})
	apply(1000, edge.ClockAgreed{})
	if !s.Clock.Denies {
		t.Error("agreeing again ends deny mode")
	}
	if got := s.Clock.GoOn(1000); got != 1000 {
		t.Errorf("before it was accepted a start goes on from %d", got)
	}
	apply(1000, edge.ClockAccepted{Time: 400, By: "op"})
	if s.Clock.Denies {
		t.Error("accepting does not end it")
	}
	for newest, want := range map[int64]int64{900: 400, 1000: 400, 1001: 1001} {
		if got := s.Clock.GoOn(newest); got != want {
			t.Errorf("a ledger stamped %d goes on from %d, want %d", newest, got, want)
		}
	}
	apply(1001, edge.ClockAhead{Seconds: 60})
	apply(1001, edge.ClockAccepted{Time: 1061, Seconds: 60, By: "op"})
	if s.Clock != (edge.Clock{Accepted: 60}) || s.Clock.GoOn(1001) != 1001 {
		t.Errorf("an accepted lead is %+v", s.Clock)
	}
	apply(1100, edge.ClockAgreed{})
	if s.Clock != (edge.Clock{}) {
		t.Errorf("once they agree it is %+v", s.Clock)
	}
}
