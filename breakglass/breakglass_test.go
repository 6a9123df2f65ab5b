package breakglass_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/breakglass"
	"github.com/entente-id/entente/trust"
)

const (
	now = int64(1_780_000_000)
	one = "breakglass-1"
)

func id(name string) trust.ParticipantID {
	p, err := trust.ParseParticipantID("https://" + name + ".example")
	if err != nil {
		panic(err)
	}
	return p
}

// need is a nurse of rxw who breaks the glass to a record, for half an hour.
func need() breakglass.Need {
	return breakglass.Need{
		Agreement: "a", Participant: id("rxw"), Subject: trust.SubjectKey{1}, Service: "https://records.example", Action: "read", ResourceType: "WardRecord",
		Resource: trust.SubjectKey{9}, Role: "guardian", TTL: 1800, ReviewWithin: 3 * 86400,
	}
}

// people are operators, each named by a letter for the person. c broke the glass,
// f is of another organisation; z holds no role.
func people() breakglass.Facts {
	return breakglass.Facts{
		Holds:    func(by, role string) bool { return role == "guardian" && !strings.HasPrefix(by, "z") },
		Local:    func(by string, _ trust.ParticipantID) bool { return !strings.HasPrefix(by, "f") },
		IsCaller: func(by string, _ trust.SubjectKey) bool { return strings.HasPrefix(by, "c") },
	}
}

func apply(s breakglass.State, at int64, events ...trust.Event) breakglass.State {
	for i, e := range events {
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: uint64(at-now)*10 + uint64(i) + 1}, At: at})
	}
	return s
}

func opened(t *testing.T, change func(*breakglass.Need)) breakglass.State {
	t.Helper()
	n := need()
	if change != nil {
		change(&n)
	}
	events, err := breakglass.State{}.Open(n, now)
	if err != nil || len(events) != 1 {
		t.Fatalf("opened: %v, %v", events, err)
	}
	return apply(breakglass.State{}, now, events...)
}

func wants(t *testing.T, what string, kind trust.ErrorKind, err error) {
	t.Helper()
	if trust.KindOf(err) != kind {
		t.Errorf("%s: %v, a %q; want %q", what, err, trust.KindOf(err), kind)
	}
}

// stages are one of each, and when it is looked at.
func stages(t *testing.T) map[string]struct {
	state breakglass.State
	at    int64
	stage breakglass.Stage
} {
	t.Helper()
	s := opened(t, nil)
	bounded := opened(t, func(n *breakglass.Need) { n.Uses = 2 })
	type row = struct {
		state breakglass.State
		at    int64
		stage breakglass.Stage
	}
	return map[string]row{
		"open":        {s, now + 1799, breakglass.Open},
		"used":        {bounded, now + 1, breakglass.Open},
		"used up":     {apply(bounded, now+1, breakglass.Used{ID: one}), now + 2, breakglass.Ended},
		"over":        {s, now + 1800, breakglass.Ended},
		"ended":       {apply(s, now+1, breakglass.Closed{ID: one, By: "a"}), now + 2, breakglass.Ended},
		"overdue":     {s, now + 3*86400, breakglass.Overdue},
		"lapsed":      {apply(s, now+3*86400, breakglass.Lapsed{ID: one}), now + 3*86400, breakglass.Overdue},
		"justified":   {apply(s, now+1, breakglass.Reviewed{ID: one, By: "a", Came: breakglass.Justified}), now + 2, breakglass.Justified},
		"unjustified": {apply(s, now+1, breakglass.Reviewed{ID: one, By: "a", Came: breakglass.Unjustified}), now + 2, breakglass.Unjustified},
	}
}

// Every command at every stage does what is written here, and nothing else.
func TestEveryCommandAtEveryStage(t *testing.T) {
	const none = trust.ErrorKind("")
	commands := map[string]func(breakglass.State, int64) ([]trust.Event, error){
		"use": func(s breakglass.State, at int64) ([]trust.Event, error) { return s.Use(one, at) },
		"close": func(s breakglass.State, at int64) ([]trust.Event, error) {
			return s.Close(people(), one, "a", false, at)
		},
		"review": func(s breakglass.State, at int64) ([]trust.Event, error) {
			return s.Review(people(), one, "a", breakglass.Justified, at)
		},
		"open": func(s breakglass.State, at int64) ([]trust.Event, error) { return s.Open(need(), at) },
		"lapse": func(s breakglass.State, at int64) ([]trust.Event, error) {
			if events := s.Lapse(at); len(events) > 0 {
				return events, nil
			}
			return nil, trust.Errorf(trust.Conflict, "nothing lapses")
		},
	}
	want := map[string]map[string]trust.ErrorKind{
		"open":        {"use": none, "close": none, "review": none, "open": trust.Conflict, "lapse": trust.Conflict},
		"used":        {"use": none, "close": none, "review": none, "open": trust.Conflict, "lapse": trust.Conflict},
		"used up":     {"use": trust.Conflict, "close": none, "review": none, "open": trust.Conflict, "lapse": trust.Conflict},
		"over":        {"use": trust.Conflict, "close": trust.Conflict, "review": none, "open": none, "lapse": trust.Conflict},
		"ended":       {"use": trust.Conflict, "close": trust.Conflict, "review": none, "open": trust.Conflict, "lapse": trust.Conflict},
		"overdue":     {"use": trust.Conflict, "close": trust.Conflict, "review": none, "open": trust.Conflict, "lapse": none},
		"lapsed":      {"use": trust.Conflict, "close": trust.Conflict, "review": none, "open": trust.Conflict, "lapse": trust.Conflict},
		"justified":   {"use": none, "close": none, "review": trust.Conflict, "open": trust.Conflict, "lapse": trust.Conflict},
		"unjustified": {"use": trust.Conflict, "close": trust.Conflict, "review": trust.Conflict, "open": trust.Conflict, "lapse": trust.Conflict},
	}
	all := stages(t)
	if len(all) != len(want) {
		t.Fatalf("%d stages have %d rows", len(all), len(want))
	}
	for name, s := range all {
		if o, _ := s.state.Get(one); o.Stage(s.at) != s.stage {
			t.Errorf("%s: the stage is %s, want %s", name, o.Stage(s.at), s.stage)
		}
		for verb, command := range commands {
			kind, ok := want[name][verb]
			if !ok {
				t.Errorf("%s has no row for %s", name, verb)
			}
			events, err := command(s.state, s.at)
			wants(t, verb+" at "+name, kind, err)
			if (len(events) == 1) != (kind == none) {
				t.Errorf("%s at %s gives %v", verb, name, events)
			}
		}
	}
}

// Nobody reviews their own, and the home reviews nothing here; each refusal is on
// record and changes nothing.
func TestWhoReviews(t *testing.T) {
	f, s := people(), opened(t, nil)
	for by, rule := range map[string]string{"z1": breakglass.RuleRole, "c1": breakglass.RuleCaller, "c2": breakglass.RuleCaller, "f1": breakglass.RuleLocal} {
		events, err := s.Review(f, one, by, breakglass.Justified, now)
		wants(t, by, trust.Denied, err)
		if len(events) != 1 || events[0] != (breakglass.Refused{ID: one, By: by, Rule: rule}) {
			t.Errorf("%s: recorded is %+v, want the rule %s", by, events, rule)
		}
		if o, _ := apply(s, now, events...).Get(one); o.Came != "" {
			t.Error("a refusal changed something")
		}
	}
	events, err := s.Close(f, one, "z1", false, now)
	wants(t, "ended without the role", trust.Denied, err)
	if len(events) != 1 || events[0] != (breakglass.Refused{ID: one, By: "z1", Rule: breakglass.RuleRole}) {
		t.Errorf("recorded is %+v", events)
	}
	_, err = s.Close(f, one, "z1", true, now)
	wants(t, "ended by a revoker", "", err)
	for what, c := range map[string]struct {
		id, by string
		came   breakglass.Stage
		kind   trust.ErrorKind
	}{
		"nobody": {one, "", breakglass.Justified, trust.Invalid}, "an unknown one": {"breakglass-2", "a", breakglass.Justified, trust.NotFound},
		"no verdict": {one, "a", breakglass.Open, trust.Invalid}, "no outcome": {one, "a", "", trust.Invalid},
	} {
		_, err := s.Review(f, c.id, c.by, c.came, now)
		wants(t, what, c.kind, err)
	}
	_, err = s.Use("breakglass-2", now)
	wants(t, "using an unknown one", trust.NotFound, err)
}

// One is of exactly what the glass was broken for.
func TestOfOneThing(t *testing.T) {
	s := opened(t, nil)
	for what, change := range map[string]func(*breakglass.Need){
		"agreement": func(n *breakglass.Need) { n.Agreement = "b" }, "subject": func(n *breakglass.Need) { n.Subject[0] = 2 },
		"service": func(n *breakglass.Need) { n.Service += "x" }, "action": func(n *breakglass.Need) { n.Action = "write" },
		"type": func(n *breakglass.Need) { n.ResourceType = "Letter" }, "resource": func(n *breakglass.Need) { n.Resource[0] = 8 },
	} {
		n := need()
		change(&n)
		if _, ok := s.For(&n); ok {
			t.Errorf("it is of another %s too", what)
		}
	}
	n := need()
	n.TTL, n.Uses = 60, 3
	if o, ok := s.For(&n); !ok || o.Ends != now+1800 || o.Due != now+3*86400 || o.N != 1 {
		t.Errorf("it is %+v", o)
	}
	for what, change := range map[string]func(*breakglass.Need){
		"no agreement": func(n *breakglass.Need) { n.Agreement = "" }, "no resource": func(n *breakglass.Need) { n.Resource = trust.SubjectKey{} },
		"no end": func(n *breakglass.Need) { n.TTL = 0 }, "no review": func(n *breakglass.Need) { n.ReviewWithin = 0 }, "nobody reviews": func(n *breakglass.Need) { n.Role = "" },
	} {
		n := need()
		change(&n)
		_, err := breakglass.State{}.Open(n, now)
		wants(t, what, trust.Invalid, err)
	}
}

// An overdue review takes the right away under its agreement, and a late one gives
// it back.
func TestOverdue(t *testing.T) {
	s, late := opened(t, nil), now+3*86400
	next := need()
	next.Resource[0] = 8
	if id, due, waits := s.NextReview("a"); !waits || id != one || due != late {
		t.Errorf("%q is reviewed until %d (%v), want %q until %d", id, due, waits, one, late)
	}
	if _, _, waits := s.NextReview("b"); waits {
		t.Error("something of another agreement waits for its review")
	}
	if _, err := s.Open(next, late-1); err != nil {
		t.Errorf("a second before the review is overdue: %v", err)
	}
	_, err := s.Open(next, late)
	wants(t, "opened while a review is overdue", trust.Conflict, err)
	other := next
	other.Agreement = "b"
	_, err = s.Open(other, late)
	wants(t, "opened under another agreement", "", err)
	events, err := s.Review(people(), one, "a", breakglass.Justified, late+7)
	wants(t, "a late review", "", err)
	s = apply(s, late+7, events...)
	_, err = s.Open(next, late+7)
	wants(t, "opened after the late review", "", err)
}

// What waits for its review is bounded, of each person.
func TestWhatWaitsIsBounded(t *testing.T) {
	s, n := breakglass.State{}, need()
	for i := range breakglass.MaxOfSubject {
		n.Resource = trust.SubjectKey{byte(i + 1)}
		events, err := s.Open(n, now)
		wants(t, "opened", "", err)
		s = apply(s, now, events...)
	}
	n.Resource = trust.SubjectKey{99}
	_, err := s.Open(n, now)
	wants(t, "one more of a person", trust.Conflict, err)
	n.Subject = trust.SubjectKey{2}
	_, err = s.Open(n, now)
	wants(t, "one of another", "", err)
	s = apply(s, now, breakglass.Reviewed{ID: one, By: "a", Came: breakglass.Justified})
	if s.Full(trust.SubjectKey{1}) {
		t.Error("what was reviewed waits still")
	}
}

// What a host tells stands under its number; it tells of one person, and what was
// reviewed stays so.
func TestTold(t *testing.T) {
	told := breakglass.Told{
		From: id("rje"), Agreement: "a", Subject: trust.SubjectKey{1}, ID: one, N: 1, Stage: breakglass.Open, Ends: now + 1800, Due: now + 3*86400,
	}
	events, err := breakglass.State{}.Tell(told)
	wants(t, "told", "", err)
	s := apply(breakglass.State{}, now, events...)
	if again, err := s.Tell(told); err != nil || again != nil {
		t.Errorf("told again: %v, %v", again, err)
	}
	late := told
	late.Stage = breakglass.Overdue
	events, err = s.Tell(late)
	wants(t, "told to be late", "", err)
	s = apply(s, now+1, events...)
	late.Stage = breakglass.Justified
	events, err = s.Tell(late)
	wants(t, "told to be right", "", err)
	s = apply(s, now+2, events...)
	if all := slices.Collect(s.AllAbroad()); len(all) != 1 || all[0].Stage != breakglass.Justified || all[0].Since != now || all[0].At.N != 1 {
		t.Errorf("told is %+v", all)
	}
	_, err = s.Tell(told)
	wants(t, "told to be open again", trust.Conflict, err)
	for what, c := range map[string]struct {
		change func(*breakglass.Told)
		kind   trust.ErrorKind
	}{
		"of somebody else": {func(t *breakglass.Told) { t.Subject[0] = 2 }, trust.Conflict}, "of another agreement": {func(t *breakglass.Told) { t.Agreement = "b" }, trust.Conflict},
		"of no stage": {func(t *breakglass.Told) { t.Stage = "fine" }, trust.Invalid}, "without a number": {func(t *breakglass.Told) { t.N = 0 }, trust.Invalid},
		"by another name": {func(t *breakglass.Told) { t.ID = "breakglass-2" }, trust.Invalid}, "without a date": {func(t *breakglass.Told) { t.Due = 0 }, trust.Invalid},
	} {
		other := told
		c.change(&other)
		_, err := s.Tell(other)
		wants(t, what, c.kind, err)
	}
}

// Whatever people do, nobody reviews their own, and nothing outlives its end.
func TestNothingOutlivesItsEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, at := people(), now
		var s breakglass.State
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			at += rapid.Int64Range(0, 86400).Draw(t, "later")
			n := need()
			n.Resource = trust.SubjectKey{byte(rapid.IntRange(1, 3).Draw(t, "resource"))}
			n.Uses = rapid.IntRange(0, 3).Draw(t, "uses")
			by := rapid.SampledFrom([]string{"a", "b", "c", "f", "z"}).Draw(t, "by")
			which := "breakglass-" + rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "which")
			var events []trust.Event
			switch rapid.IntRange(0, 4).Draw(t, "command") {
			case 0:
				events, _ = s.Open(n, at)
			case 1:
				events, _ = s.Use(which, at)
			case 2:
				events, _ = s.Close(f, which, by, false, at)
			case 3:
				events, _ = s.Review(f, which, by, rapid.SampledFrom([]breakglass.Stage{breakglass.Justified, breakglass.Unjustified}).Draw(t, "came"), at)
			case 4:
				events = s.Lapse(at)
			}
			s = apply(s, at, events...)
			for o := range s.All() {
				switch {
				case o.By != "" && o.By != "a" && o.By != "b":
					t.Fatalf("%s was reviewed by %s", o.ID, o.By)
				case o.Live(o.Since + o.TTL), o.Uses > 0 && o.Used > o.Uses:
					t.Fatalf("%s outlives its bounds: %+v", o.ID, o)
				case o.Came == "" && o.Stage(o.Due) != breakglass.Overdue:
					t.Fatalf("%s is never overdue", o.ID)
				}
			}
		}
	})
}
