package finding_test

import (
	"slices"
	"testing"

	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/trust"
)

const now = 1_780_000_000

var (
	rje = must(trust.ParseParticipantID("https://rje.example"))
	r0a = must(trust.ParseParticipantID("https://r0a.example"))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func missing(from, to uint64) finding.Subject {
	return finding.Subject{Partner: rje, Side: finding.Home, Kind: finding.MissingAtHome, From: from, To: to}
}

// raise raises and folds; it gives the id, empty where nothing was said.
func raise(t *testing.T, s *finding.State, what finding.Subject) string {
	t.Helper()
	events, err := s.Raise(what, "locum_desk", now)
	if err != nil {
		t.Fatal(err)
	}
	if len(events) == 0 {
		return ""
	}
	*s = s.Apply(events[0], trust.Stamp{Position: trust.Position{Epoch: 1, N: 9}, At: now})
	return events[0].(finding.Raised).ID
}

// R43: a finding is raised once, has an owner and a date, and is closed once, by
// somebody.
func TestLife(t *testing.T) {
	var s finding.State
	id := raise(t, &s, missing(4, 6))
	f, ok := s.Get(id)
	if !ok || !f.Open() || f.Owner != "locum_desk" || f.Due != now+finding.Due || f.Since != now || f.At.N != 9 {
		t.Fatalf("raised it is %+v", f)
	}
	for _, known := range []finding.Subject{missing(4, 6), missing(5, 5)} {
		if again := raise(t, &s, known); again != "" {
			t.Errorf("%d to %d is said again as %s", known.From, known.To, again)
		}
	}
	for i, news := range []finding.Subject{
		missing(3, 6), missing(4, 7), {Partner: r0a, Side: finding.Home, Kind: finding.MissingAtHome, From: 4, To: 6},
		{Partner: rje, Side: finding.Host, Kind: finding.MissingAtHome, From: 4, To: 6},
		{Partner: rje, Side: finding.Home, Kind: finding.Altered, From: 4, To: 6},
	} {
		if raise(t, &s, news) == "" {
			t.Errorf("news %d is not said", i)
		}
	}
	if _, err := s.Close(id, ""); trust.KindOf(err) != trust.Invalid {
		t.Errorf("closed by nobody: %v", err)
	}
	if _, err := s.Close("finding-99", "op-1"); trust.KindOf(err) != trust.NotFound {
		t.Errorf("closing what there is not: %v", err)
	}
	events, err := s.Close(id, "op-1")
	if err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	s = s.Apply(events[0], trust.Stamp{Position: trust.Position{Epoch: 1, N: 12}, At: now + 60})
	if f, _ := s.Get(id); f.Open() || f.ClosedBy != "op-1" || f.ClosedAt != now+60 || f.Closing.N != 12 {
		t.Errorf("closed it is %+v", f)
	}
	if _, err := s.Close(id, "op-2"); trust.KindOf(err) != trust.Conflict {
		t.Errorf("closed twice: %v", err)
	}
	if again := raise(t, &s, missing(4, 6)); again != "" {
		t.Error("what was closed is raised again; ledgers do not change")
	}
	if all := slices.Collect(s.All()); len(all) != 6 || all[0].Since != now {
		t.Errorf("all are %+v", all)
	}
}

func TestRaiseRefuses(t *testing.T) {
	for name, change := range map[string]func(*finding.Subject){
		"no partner":    func(s *finding.Subject) { s.Partner = trust.ParticipantID{} },
		"no side":       func(s *finding.Subject) { s.Side = "" },
		"another kind":  func(s *finding.Subject) { s.Kind = "late" },
		"number 0":      func(s *finding.Subject) { s.From = 0 },
		"an empty span": func(s *finding.Subject) { s.From, s.To = 5, 4 },
	} {
		what := missing(4, 6)
		change(&what)
		if events, err := (finding.State{}).Raise(what, "", now); events != nil || trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s: %v, %v", name, events, err)
		}
	}
}

// A partner that contradicts itself all day fills no ledger, and hides no other
// edge's findings.
func TestOpenFindingsAreBounded(t *testing.T) {
	var s finding.State
	for i := range uint64(finding.MaxOpen) {
		if raise(t, &s, missing(2*i+1, 2*i+1)) == "" {
			t.Fatalf("finding %d is not raised", i+1)
		}
	}
	if raise(t, &s, missing(1000, 1000)) != "" {
		t.Error("one more is raised")
	}
	other := missing(1000, 1000)
	other.Partner = r0a
	if raise(t, &s, other) == "" {
		t.Error("another edge's is not raised")
	}
	events, err := s.Close("finding-1", "op-1")
	if err != nil {
		t.Fatal(err)
	}
	s = s.Apply(events[0], trust.Stamp{At: now})
	if raise(t, &s, missing(1000, 1000)) == "" {
		t.Error("there is room, and it is not raised")
	}
}

// What is found about ourselves is found again once it was put right, and there may
// be any number of it.
func TestWhatIsOwnIsFoundAgain(t *testing.T) {
	self, err := trust.ParseParticipantID("https://trust.rxw.example")
	if err != nil {
		t.Fatal(err)
	}
	what := func(n uint64) finding.Subject {
		return finding.Subject{Partner: self, Side: finding.Home, Kind: finding.Unowned, From: n, To: n}
	}
	var s finding.State
	raise := func(n uint64, want int) {
		t.Helper()
		events, err := s.Raise(what(n), "admin", 1)
		if err != nil || len(events) != want {
			t.Fatalf("raising %d gives %v, %v", n, events, err)
		}
		for _, e := range events {
			s = s.Apply(e, trust.Stamp{At: 1})
		}
	}
	for n := range uint64(finding.MaxOpen + 1) {
		raise(n+1, 1)
	}
	raise(1, 0)
	f, ok := s.On(what(1))
	if !ok || f.ID != "finding-1" {
		t.Fatalf("on the first is %+v", f)
	}
	s = s.Apply(finding.Closed{ID: f.ID, By: "op-1"}, trust.Stamp{At: 2})
	if _, open := s.On(what(1)); open {
		t.Error("what was closed is open")
	}
	raise(1, 1)
}
