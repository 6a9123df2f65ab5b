package edge_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/trust"
)

func id(t testing.TB, s string) trust.ParticipantID {
	t.Helper()
	p, err := trust.ParseParticipantID(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func rxw(t testing.TB) trust.ParticipantID { return id(t, "https://rxw.example") }
func rje(t testing.TB) trust.ParticipantID { return id(t, "https://rje.example") }

func TestNumbersHaveNoGapsOnEachLane(t *testing.T) {
	var s edge.State
	queue := func(to trust.ParticipantID, lane edge.Lane, want uint64) {
		t.Helper()
		n := s.Next(to, lane)
		if n != want {
			t.Errorf("%s to %s: next is %d, want %d", lane, to, n, want)
		}
		s = s.Apply(edge.Queued{To: to, Lane: lane, N: n, Kind: "k", Hash: "h"}, trust.Stamp{Position: trust.Position{Epoch: 1, N: 10 * n}})
	}
	queue(rje(t), edge.Safety, 1)
	queue(rje(t), edge.Safety, 2)
	queue(rje(t), edge.Governance, 1)
	queue(rxw(t), edge.Safety, 1)
	queue(rje(t), edge.Safety, 3)
	if at, ok := s.Locate(rje(t), edge.Safety, 2); !ok || at != (trust.Position{Epoch: 1, N: 20}) {
		t.Errorf("message 2 is at %s, %t", at, ok)
	}
	if _, ok := s.Locate(rje(t), edge.Governance, 2); ok {
		t.Error("a message that was never queued is somewhere")
	}
	if n := s.Next(rje(t), "express"); n != 0 {
		t.Errorf("a lane that does not exist begins at %d", n)
	}
}

func applied(from trust.ParticipantID, lane edge.Lane, n uint64, hash string) edge.Applied {
	return edge.Applied{From: from, Epoch: 1, Lane: lane, N: n, Kind: "k", Hash: hash}
}

// Scenario 8: lag heals by itself, a contradiction never does.
func TestJudge(t *testing.T) {
	var s edge.State
	for n, hash := range []string{"a", "b", "c"} {
		s = s.Apply(applied(rje(t), edge.Safety, uint64(n+1), hash), trust.Stamp{})
	}
	s = s.Apply(applied(rje(t), edge.Governance, 1, "a"), trust.Stamp{})
	if epoch, n := s.Position(rje(t), edge.Safety); epoch != 1 || n != 3 {
		t.Errorf("at %d/%d", epoch, n)
	}
	for _, c := range []struct {
		what  string
		from  trust.ParticipantID
		epoch uint32
		lane  edge.Lane
		n     uint64
		hash  string
		want  edge.Verdict
	}{
		{"the next", rje(t), 1, edge.Safety, 4, "d", edge.Apply},
		{"the next with known content", rje(t), 1, edge.Safety, 4, "a", edge.Apply},
		{"one too far", rje(t), 1, edge.Safety, 5, "d", edge.Gap},
		{"far ahead", rje(t), 1, edge.Safety, 1 << 63, "d", edge.Gap},
		{"the last again", rje(t), 1, edge.Safety, 3, "c", edge.Duplicate},
		{"the first again", rje(t), 1, edge.Safety, 1, "a", edge.Duplicate},
		{"other content", rje(t), 1, edge.Safety, 2, "x", edge.Break},
		{"content of another number", rje(t), 1, edge.Safety, 2, "a", edge.Break},
		{"no content", rje(t), 1, edge.Safety, 2, "", edge.Break},
		{"number 0", rje(t), 1, edge.Safety, 0, "a", edge.Break},
		{"a lower epoch", rje(t), 0, edge.Safety, 4, "d", edge.Break},
		{"a higher epoch", rje(t), 2, edge.Safety, 4, "d", edge.Hold},
		{"what was applied, in a higher epoch", rje(t), 2, edge.Safety, 3, "c", edge.Hold},
		{"number 0 of a higher epoch", rje(t), 2, edge.Safety, 0, "c", edge.Break},
		{"a higher epoch on the other lane", rje(t), 2, edge.Governance, 2, "d", edge.Hold},
		{"no such lane", rje(t), 1, "express", 1, "a", edge.Break},
		{"the other lane's next", rje(t), 1, edge.Governance, 2, "b", edge.Apply},
		{"the other lane's gap", rje(t), 1, edge.Governance, 4, "b", edge.Gap},
		{"another partner's first", rxw(t), 3, edge.Safety, 1, "a", edge.Apply},
		{"another partner's second", rxw(t), 3, edge.Safety, 2, "a", edge.Gap},
	} {
		if got := s.Judge(c.from, c.epoch, c.lane, c.n, c.hash); got != c.want {
			t.Errorf("%s: got %s, want %s", c.what, got, c.want)
		}
	}
}

func TestLowerEpochIsABreak(t *testing.T) {
	first := applied(rje(t), edge.Safety, 1, "a")
	first.Epoch = 3
	s := edge.State{}.Apply(first, trust.Stamp{})
	for epoch, want := range map[uint32]edge.Verdict{0: edge.Break, 2: edge.Break, 3: edge.Apply, 4: edge.Hold} {
		if got := s.Judge(rje(t), epoch, edge.Safety, 2, "b"); got != want {
			t.Errorf("epoch %d: got %s", epoch, got)
		}
	}
}

// Suspension stops decisions, never delivery.
func TestBrokenEdgeIsStillJudged(t *testing.T) {
	s := edge.State{}.Apply(applied(rje(t), edge.Safety, 1, "a"), trust.Stamp{})
	if _, broken := s.Broken(rje(t)); broken {
		t.Error("broken before anything happened")
	}
	s = s.Apply(edge.Broken{From: rje(t), Lane: edge.Safety, Rule: "content"}, trust.Stamp{})
	if rule, broken := s.Broken(rje(t)); !broken || rule != "content" {
		t.Errorf("got %q, %t", rule, broken)
	}
	if _, broken := s.Broken(rxw(t)); broken {
		t.Error("another edge is broken too")
	}
	s = s.Apply(applied(rje(t), edge.Safety, 2, "b"), trust.Stamp{})
	if _, broken := s.Broken(rje(t)); !broken || s.Judge(rje(t), 1, edge.Safety, 3, "c") != edge.Apply {
		t.Error("delivery on a broken edge healed it or stopped")
	}
}

// Messages lost, reordered and repeated, and sent again until they arrive, are
// each applied once, in order.
func TestEveryMessageIsAppliedOnceInOrder(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var s edge.State
		var order []uint64
		arrivals := rapid.SliceOf(rapid.Uint64Range(1, 9)).Draw(r, "arrivals")
		for n := range uint64(9) {
			arrivals = append(arrivals, n+1)
		}
		for _, n := range arrivals {
			a := applied(rje(t), edge.Safety, n, string(rune('a'+n)))
			switch s.Judge(a.From, a.Epoch, a.Lane, a.N, a.Hash) {
			case edge.Apply:
				s, order = s.Apply(a, trust.Stamp{}), append(order, n)
			case edge.Break, edge.Hold, edge.Past:
				r.Fatalf("message %d breaks the edge after %v", n, order)
			case edge.Duplicate, edge.Gap:
			}
		}
		for i, n := range order {
			if n != uint64(i+1) {
				r.Fatalf("applied %v", order)
			}
		}
		if len(order) != 9 {
			r.Fatalf("applied %v", order)
		}
	})
}
