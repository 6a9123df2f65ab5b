package edge_test

import (
	"slices"
	"testing"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/trust"
)

// The life of an edge in a recovery of this node: what moves it at each stage. What
// does not is refused with Conflict.
func TestStagesOfARecovery(t *testing.T) {
	type command struct {
		name string
		do   func(edge.State) ([]trust.Event, error)
	}
	commands := []command{
		{"restore", func(s edge.State) ([]trust.Event, error) {
			return s.Restore(edge.Restored{From: rje(t), Heads: edge.Numbers{Safety: 9, Governance: 4}})
		}},
		{"take the epoch", func(s edge.State) ([]trust.Event, error) {
			return s.TakeEpoch(edge.EpochTaken{From: rje(t), Epoch: 2})
		}},
		{"take another epoch", func(s edge.State) ([]trust.Event, error) {
			return s.TakeEpoch(edge.EpochTaken{From: rje(t), Epoch: 3})
		}},
		{"resume", func(s edge.State) ([]trust.Event, error) {
			return []trust.Event{edge.Resumed{From: rje(t), By: "o1"}}, s.MayResume(rje(t))
		}},
	}
	reopened := edge.State{}.Apply(edge.Reopened{Epoch: 2, Partners: []trust.ParticipantID{rje(t), rxw(t)}}, trust.Stamp{})
	forgone := reopened.Apply(edge.WentOnWithout{From: rje(t), Epoch: 2, Asked: "o1", By: "o2"}, trust.Stamp{})
	fetched := reopened.Apply(edge.Restored{From: rje(t), Heads: edge.Numbers{Safety: 9, Governance: 4}}, trust.Stamp{})
	accepted := fetched.Apply(edge.EpochTaken{From: rje(t), Epoch: 2}, trust.Stamp{})
	for _, c := range []struct {
		stage edge.Stage
		state edge.State
		legal map[string]edge.Stage // the command to the stage after it
	}{
		{"", edge.State{}, map[string]edge.Stage{"resume": ""}},
		{edge.Opened, reopened, map[string]edge.Stage{"restore": edge.Fetched}},
		{edge.Forgone, forgone, map[string]edge.Stage{"restore": edge.Fetched}},
		{edge.Fetched, fetched, map[string]edge.Stage{"take the epoch": edge.Accepted}},
		{edge.Accepted, accepted, map[string]edge.Stage{"resume": ""}},
		{"", accepted.Apply(edge.Resumed{From: rje(t), By: "o1"}, trust.Stamp{}), map[string]edge.Stage{"resume": ""}},
	} {
		if got := c.state.Stage(rje(t)); got != c.stage {
			t.Fatalf("the stage is %q, not %q", got, c.stage)
		}
		for _, do := range commands {
			events, err := do.do(c.state)
			after, legal := c.legal[do.name]
			if legal != (err == nil) || !legal && trust.KindOf(err) != trust.Conflict {
				t.Errorf("%s at %q: %v", do.name, c.stage, err)
				continue
			}
			s := c.state
			if legal {
				for _, e := range events {
					s = s.Apply(e, trust.Stamp{})
				}
			}
			if want := c.stage; legal && s.Stage(rje(t)) != after || !legal && s.Stage(rje(t)) != want {
				t.Errorf("%s at %q leads to %q", do.name, c.stage, s.Stage(rje(t)))
			}
		}
	}
	if reopened.Recovery.Waiting != 2 || fetched.Recovery.Waiting != 1 {
		t.Errorf("waiting for %d, then for %d", reopened.Recovery.Waiting, fetched.Recovery.Waiting)
	}
	for name, s := range map[string]edge.State{"reopened": reopened, "fetched": fetched, "accepted": accepted} {
		if rule, broken := s.Broken(rje(t)); !broken || rule != edge.RuleRecovery {
			t.Errorf("once %s the edge is broken %t by %q", name, broken, rule)
		}
	}
}

// Two people let decisions go on without a partner; it is waited for no more, and
// what it holds is fetched all the same.
func TestGoingOnWithoutAPartner(t *testing.T) {
	opened := edge.State{}.Apply(edge.Reopened{Epoch: 2, Partners: []trust.ParticipantID{rje(t), rxw(t)}}, trust.Stamp{})
	asked := opened.Apply(edge.WithoutAsked{From: rje(t), Epoch: 2, By: "o1", Until: 100}, trust.Stamp{})
	forgone := asked.Apply(edge.WentOnWithout{From: rje(t), Epoch: 2, Asked: "o1", By: "o2"}, trust.Stamp{})
	back := edge.Restored{From: rje(t), Heads: edge.Numbers{Safety: 9}}
	late := forgone.Apply(back, trust.Stamp{})
	people := edge.People{
		Same:   func(a, b string) bool { return a[:2] == b[:2] },
		Serves: func(id string) bool { return id != "o9" },
	}
	left := opened.Apply(edge.WithoutAsked{From: rje(t), Epoch: 2, By: "o9", Until: 100}, trust.Stamp{})
	for _, c := range []struct {
		name  string
		state edge.State
		by    string
		at    int64
		kind  trust.ErrorKind
		event trust.Event
	}{
		{"the first word", opened, "o1", 50, "", edge.WithoutAsked{From: rje(t), Epoch: 2, By: "o1", Until: 50 + 24*3600}},
		{"nobody's word", opened, "", 50, trust.Invalid, nil},
		{"the second word", asked, "o2", 99, "", edge.WentOnWithout{From: rje(t), Epoch: 2, Asked: "o1", By: "o2"}},
		{"the same one twice", asked, "o1", 50, trust.Denied, nil},
		{"another account of the same person", asked, "o1-b", 50, trust.Denied, nil},
		{"a second word too late", asked, "o2", 100, "", edge.WithoutAsked{From: rje(t), Epoch: 2, By: "o2", Until: 100 + 24*3600}},
		{"behind the word of who is no operator any more", left, "o2", 50, "", edge.WithoutAsked{From: rje(t), Epoch: 2, By: "o2", Until: 50 + 24*3600}},
		{"once it went on", forgone, "o3", 50, trust.Conflict, nil},
		{"once the partner has said", asked.Apply(back, trust.Stamp{}), "o2", 50, trust.Conflict, nil},
		{"without a recovery", edge.State{}, "o1", 50, trust.Conflict, nil},
	} {
		events, err := c.state.GoOnWithout(people, rje(t), c.by, c.at)
		if trust.KindOf(err) != c.kind || (err == nil) != (len(events) == 1) || err == nil && events[0] != c.event {
			t.Errorf("%s: %+v, %v", c.name, events, err)
		}
	}
	for name, c := range map[string]struct {
		state   edge.State
		waiting int
		stage   edge.Stage
	}{"asked": {asked, 2, edge.Opened}, "forgone": {forgone, 1, edge.Forgone}, "heard late": {late, 1, edge.Fetched}} {
		rule, _ := c.state.Broken(rje(t))
		if c.state.Recovery.Waiting != c.waiting || c.state.Stage(rje(t)) != c.stage || rule != edge.RuleRecovery || c.state.MayResume(rje(t)) == nil {
			t.Errorf("%s: waits for %d, the stage is %q, broken by %q", name, c.state.Recovery.Waiting, c.state.Stage(rje(t)), rule)
		}
	}
	if late.WithoutOf(rje(t)) != (edge.Without{}) || late.Next(rje(t), edge.Safety) != 10 {
		t.Errorf("heard late: asked %+v, next is %d", late.WithoutOf(rje(t)), late.Next(rje(t), edge.Safety))
	}
}

// A recovery goes on behind what the partner proves, and takes no number back.
func TestNumbersAfterARecovery(t *testing.T) {
	var s edge.State
	for n := range uint64(5) {
		s = s.Apply(edge.Queued{To: rje(t), Lane: edge.Safety, N: n + 1}, trust.Stamp{})
	}
	s = s.Apply(edge.LossProven{By: rje(t), Lane: edge.Safety, N: 7}, trust.Stamp{})
	if !s.Recovery.Lost {
		t.Error("a proven loss is not noted")
	}
	if _, err := s.Reopen(2, 2, nil); trust.KindOf(err) != trust.Invalid {
		t.Errorf("opening the epoch that is open: %v", err)
	}
	s = s.Apply(edge.Reopened{Epoch: 2, Partners: []trust.ParticipantID{rje(t)}}, trust.Stamp{})
	if s.Recovery.Lost || s.Base(rje(t)) != (edge.Numbers{Safety: 5}) {
		t.Errorf("reopened: %+v, base %+v", s.Recovery, s.Base(rje(t)))
	}
	s = s.Apply(edge.Queued{To: rje(t), Lane: edge.Safety, N: 6}, trust.Stamp{}) // before the partner has said anything
	for _, c := range []struct {
		name          string
		common, heads uint64
		kind          trust.ErrorKind
		next          uint64
	}{
		{"the partner holds more", 5, 9, "", 10},
		{"the partner holds other ones", 3, 9, "", 10},
		{"the partner holds as much", 5, 5, "", 7},
		{"the partner holds less", 4, 4, "", 7},
		{"more in common than there was", 6, 9, trust.Invalid, 0},
		{"more in common than the partner holds", 5, 4, trust.Invalid, 0},
	} {
		e := edge.Restored{From: rje(t), Common: edge.Numbers{Safety: c.common}, Heads: edge.Numbers{Safety: c.heads}}
		events, err := s.Restore(e)
		if trust.KindOf(err) != c.kind {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, e := range events {
			after := s.Apply(e, trust.Stamp{})
			if next := after.Next(rje(t), edge.Safety); next != c.next || after.Proven(rje(t)).Safety != c.heads {
				t.Errorf("%s: the next is %d, and %+v is proven", c.name, next, after.Proven(rje(t)))
			}
		}
	}
}

// A partner's higher epoch is held until an operator accepts that one, and the edge
// is suspended all the while.
func TestAHeldEpoch(t *testing.T) {
	s := edge.State{}.Apply(applied(rje(t), edge.Safety, 1, "a"), trust.Stamp{})
	hold := func(epoch uint32) []trust.Event { return s.HoldEpoch(edge.EpochHeld{From: rje(t), Epoch: epoch}) }
	accept := func(epoch uint32) ([]trust.Event, error) {
		return s.AcceptEpoch(edge.EpochAccepted{From: rje(t), Epoch: epoch, By: "o1"})
	}
	if _, err := accept(2); trust.KindOf(err) != trust.Conflict {
		t.Errorf("an epoch that nobody speaks in: %v", err)
	}
	for _, epoch := range []uint32{2, 4} {
		events := hold(epoch)
		if len(events) != 1 {
			t.Fatalf("epoch %d is not held", epoch)
		}
		s = s.Apply(events[0], trust.Stamp{Position: trust.Position{Epoch: 1, N: uint64(epoch)}})
	}
	if len(hold(4)) != 0 || len(hold(2)) != 0 {
		t.Error("the same epoch is held again")
	}
	if rule, _ := s.Broken(rje(t)); rule != edge.RuleNewEpoch || s.Held(rje(t)) != 4 || s.BrokenAt(rje(t)).N != 4 {
		t.Errorf("broken by %q at %s with epoch %d held", rule, s.BrokenAt(rje(t)), s.Held(rje(t)))
	}
	for _, c := range []struct {
		what  string
		from  trust.ParticipantID
		epoch uint32
		n     uint64
		hash  string
		want  edge.Verdict
	}{
		{"the next of the old epoch", rje(t), 1, 2, "b", edge.Past},
		{"what was applied of it", rje(t), 1, 1, "a", edge.Past},
		{"other content of it", rje(t), 1, 1, "x", edge.Past},
		{"one too far of it", rje(t), 1, 9, "b", edge.Past},
		{"an epoch that was held before", rje(t), 2, 2, "b", edge.Past},
		{"the one that is held", rje(t), 4, 2, "b", edge.Hold},
		{"one above it", rje(t), 5, 2, "b", edge.Hold},
		{"no epoch", rje(t), 0, 2, "b", edge.Break},
		{"another partner's", rxw(t), 1, 1, "a", edge.Apply},
	} {
		if got := s.Judge(c.from, c.epoch, edge.Safety, c.n, c.hash); got != c.want {
			t.Errorf("while epoch 4 is held, %s: got %s, want %s", c.what, got, c.want)
		}
	}
	if err := s.MayResume(rje(t)); trust.KindOf(err) != trust.Conflict {
		t.Errorf("resuming it: %v", err)
	}
	if _, err := accept(2); trust.KindOf(err) != trust.Conflict {
		t.Errorf("another epoch than the one held: %v", err)
	}
	events, err := accept(4)
	if err != nil || len(events) != 1 {
		t.Fatalf("accepting it: %v", err)
	}
	s = s.Apply(events[0], trust.Stamp{})
	if _, broken := s.Broken(rje(t)); !broken || trust.KindOf(s.MayResume(rje(t))) != trust.Conflict {
		t.Error("accepting the epoch resumes the edge, or lets somebody before anything was said in it")
	}
	if spoken, known := s.Epochs(rje(t)); spoken != 1 || known != 4 {
		t.Errorf("it spoke in epoch %d and is known in %d, want 1 and 4", spoken, known)
	}
	if len(hold(4)) != 0 {
		t.Error("an epoch that was accepted is held again")
	}
	var got []edge.Verdict
	for _, epoch := range []uint32{1, 4, 5} {
		got = append(got, s.Judge(rje(t), epoch, edge.Safety, 2, "b"))
	}
	if !slices.Equal(got, []edge.Verdict{edge.Break, edge.Apply, edge.Hold}) {
		t.Errorf("epochs 1, 4 and 5 are judged %v", got)
	}
	first := applied(rje(t), edge.Safety, 2, "b")
	first.Epoch = 4
	s = s.Apply(first, trust.Stamp{})
	if spoken, _ := s.Epochs(rje(t)); spoken != 4 || s.MayResume(rje(t)) != nil {
		t.Errorf("once it has spoken in epoch %d: %v", spoken, s.MayResume(rje(t)))
	}
}
