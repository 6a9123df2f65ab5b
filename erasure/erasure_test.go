package erasure_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/erasure"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

const now = 1_780_000_000

var (
	rxw, _ = trust.ParseParticipantID("https://trust.rxw.example")
	nurse  = trust.SubjectKey{1}
	clerk  = trust.SubjectKey{2}
	alias  = trust.SubjectKey{3}
	list   = trust.SubjectKey{4}
)

// free is a subject that nothing keeps from being erased. op-1b is the person
// behind op-1; op-gone serves no more.
func free() erasure.Facts {
	person := func(id string) string { return strings.TrimSuffix(id, "b") }
	return erasure.Facts{
		Reason: func(h erasure.Hold) string { return "reason of " + h.ID() },
		Self:   func(string) bool { return false },
		Same:   func(a, b string) bool { return person(a) == person(b) },
		Serves: func(id string) bool { return id != "op-gone" },
	}
}

func fold(s erasure.State, at int64, events ...trust.Event) erasure.State {
	for i, e := range events {
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: uint64(i)}, At: at})
	}
	return s
}

func held(until int64) erasure.HoldPlaced {
	return erasure.HoldPlaced{N: 1, Participant: rxw, Subject: nurse, Until: until, By: "op-1"}
}

func askedBy(who string) erasure.Asked {
	return erasure.Asked{Participant: rxw, Subject: nurse, By: who, Until: now + 86400}
}

var erased = erasure.Erased{Participant: rxw, Subject: nurse, Also: []trust.SubjectKey{alias}, Lists: []trust.SubjectKey{list}, Asked: "op-1", By: "op-2"}

// What each command comes to in each state a subject can be in. A refusal is named
// by the rule that is recorded, or by the kind of error where nothing is.
func TestEveryCommandInEveryState(t *testing.T) {
	states := []struct {
		name   string
		events []trust.Event
		facts  func(*erasure.Facts)
		at     int64
		hold   string // placing another
		end    string // ending the first
		erase  string // by op-1, op-1b and op-2
	}{
		{"nothing was done", nil, nil, now, "hold_placed", "not_found", "asked asked asked"},
		{"engaged", nil, func(f *erasure.Facts) { f.Engaged = true }, now, "hold_placed", "not_found", "engaged engaged engaged"},
		{"needed", nil, func(f *erasure.Facts) { f.Needed = "dispute 7 is not settled" }, now, "hold_placed", "not_found", "needed needed needed"},
		{
			"one of the operators", nil, func(f *erasure.Facts) { f.Self = func(by string) bool { return by == "op-2" } }, now,
			"hold_placed", "not_found", "asked asked self",
		},
		{"held", []trust.Event{held(0)}, nil, now, "hold_placed", "hold_ended", "hold hold hold"},
		{"held for a time", []trust.Event{held(now + 1)}, nil, now, "hold_placed", "hold_ended", "hold hold hold"},
		{"held, and the time is over", []trust.Event{held(now + 1)}, nil, now + 1, "hold_placed", "conflict", "asked asked asked"},
		{"the hold was ended", []trust.Event{held(0), erasure.HoldEnded{N: 1, By: "op-2"}}, nil, now, "hold_placed", "conflict", "asked asked asked"},
		{
			"held twice, one was ended", []trust.Event{held(0), erasure.HoldPlaced{N: 2, Participant: rxw, Subject: nurse, By: "op-1"}, erasure.HoldEnded{N: 1, By: "op-2"}},
			nil, now, "hold_placed", "conflict", "hold hold hold",
		},
		{
			"somebody else is held", []trust.Event{erasure.HoldPlaced{N: 1, Participant: rxw, Subject: clerk, By: "op-1"}}, nil, now,
			"hold_placed", "hold_ended", "asked asked asked",
		},
		{"asked", []trust.Event{askedBy("op-1")}, nil, now, "hold_placed", "not_found", "person person erased"},
		{"asked, and engaged since", []trust.Event{askedBy("op-1")}, func(f *erasure.Facts) { f.Engaged = true }, now, "hold_placed", "not_found", "engaged engaged engaged"},
		{"asked too long ago", []trust.Event{askedBy("op-1")}, nil, now + 86400, "hold_placed", "not_found", "asked asked asked"},
		{"asked by somebody who has gone", []trust.Event{askedBy("op-gone")}, nil, now, "hold_placed", "not_found", "asked asked asked"},
		{"asked, then held", []trust.Event{askedBy("op-1"), held(0)}, nil, now, "hold_placed", "hold_ended", "hold hold hold"},
		{
			"asked, held, and the hold was ended", []trust.Event{askedBy("op-1"), held(0), erasure.HoldEnded{N: 1, By: "op-1"}}, nil, now,
			"hold_placed", "conflict", "asked asked asked",
		},
		{"erased", []trust.Event{askedBy("op-1"), erased}, nil, now, "hold_placed", "not_found", "asked asked asked"},
	}
	for _, c := range states {
		s := fold(erasure.State{}, now, c.events...)
		f := free()
		if c.facts != nil {
			c.facts(&f)
		}
		if got := came(s.PlaceHold(erasure.HoldPlaced{Participant: rxw, Subject: nurse, By: "op-1"}, c.at)); got != c.hold {
			t.Errorf("%s: placing a hold comes to %s, want %s", c.name, got, c.hold)
		}
		if got := came(s.EndHold(1, "op-1", c.at)); got != c.end {
			t.Errorf("%s: ending the hold comes to %s, want %s", c.name, got, c.end)
		}
		var got []string
		for _, by := range []string{"op-1", "op-1b", "op-2"} {
			got = append(got, came(s.Erase(f, erasure.Erased{Participant: rxw, Subject: nurse, By: by}, c.at)))
		}
		if strings.Join(got, " ") != c.erase {
			t.Errorf("%s: erasing comes to %v, want %s", c.name, got, c.erase)
		}
	}
}

// came names what a command came to.
func came(events []trust.Event, err error) string {
	kind := string(trust.KindOf(err))
	if len(events) == 0 {
		return strings.ReplaceAll(kind, " ", "_")
	}
	refused, is := events[0].(erasure.Refused)
	if is != (err != nil) {
		return "an event that does not fit " + kind
	}
	if is {
		denied := refused.Rule == erasure.RuleSelf || refused.Rule == erasure.RulePerson
		if (trust.KindOf(err) == trust.Denied) != denied {
			return refused.Rule + " as " + kind
		}
		return refused.Rule
	}
	return strings.TrimPrefix(events[0].EventKind().Name, "erasure.")
}

func TestCommandsThatNameTooLittle(t *testing.T) {
	s := fold(erasure.State{}, now, held(0))
	for name, got := range map[string]string{
		"a hold by nobody":             came(s.PlaceHold(erasure.HoldPlaced{Participant: rxw, Subject: nurse}, now)),
		"a hold of nobody":             came(s.PlaceHold(erasure.HoldPlaced{Participant: rxw, By: "op-1"}, now)),
		"a hold of nobody's":           came(s.PlaceHold(erasure.HoldPlaced{Subject: nurse, By: "op-1"}, now)),
		"a hold that has run out":      came(s.PlaceHold(erasure.HoldPlaced{Participant: rxw, Subject: nurse, By: "op-1", Until: now}, now)),
		"the end of a hold, by nobody": came(s.EndHold(1, "", now)),
		"an erasure by nobody":         came(s.Erase(free(), erasure.Erased{Participant: rxw, Subject: clerk}, now)),
		"an erasure of nobody":         came(s.Erase(free(), erasure.Erased{Participant: rxw, By: "op-1"}, now)),
		"an erasure of nobody's":       came(s.Erase(free(), erasure.Erased{Subject: clerk, By: "op-1"}, now)),
	} {
		if got != "invalid" {
			t.Errorf("%s comes to %s", name, got)
		}
	}
	if events, err := s.PlaceHold(erasure.HoldPlaced{Participant: rxw, Subject: nurse, By: "op-1"}, now); err != nil || events[0].(erasure.HoldPlaced).N != 2 {
		t.Errorf("the second hold is %+v, %v", events, err)
	}
	_, err := s.Erase(free(), erasure.Erased{Participant: rxw, Subject: nurse, By: "op-1"}, now)
	if err == nil || !strings.Contains(err.Error(), "hold-1 until it is ended: reason of hold-1") {
		t.Errorf("refused with %v", err)
	}
}

// A key was destroyed as often as entries say, by whatever name, and somebody who
// was erased is forgotten until a new engagement begins.
func TestWhatIsDestroyed(t *testing.T) {
	s := fold(erasure.State{}, now, erased, erased)
	for _, key := range []trust.SubjectKey{nurse, alias, list} {
		if s.Times(key) != 2 || !s.Forgotten(key) {
			t.Errorf("%x was destroyed %d times", key, s.Times(key))
		}
	}
	if s.Times(clerk) != 0 || s.Forgotten(clerk) {
		t.Error("somebody who was not erased is forgotten")
	}
	if of := s.Subjects(); !slices.Equal(of, []trust.Position{{Epoch: 1, N: 1}}) {
		t.Errorf("erasures are at %v", of)
	}
	s = fold(s, now, revocation.EngagementOpened{Participant: rxw, Subject: nurse, Alias: alias, Engagement: 2})
	if s.Forgotten(nurse) || s.Forgotten(alias) || !s.Forgotten(list) || s.Times(nurse) != 2 {
		t.Error("with a new engagement she is forgotten still")
	}
	if s = fold(s, now, erased); !s.Forgotten(nurse) {
		t.Error("erased again, she is not forgotten")
	}
	if _, kept := s.Kept(list); kept {
		t.Error("a list is kept that nobody made anew")
	}
	s = fold(s, now, erasure.ListKept{List: list, Key: clerk})
	if kept, ok := s.Kept(list); !ok || kept.Key != clerk {
		t.Errorf("the list is kept under %+v", kept)
	}
}

// What the keys remember and the ledger lost is taken over, and nothing else.
func TestFind(t *testing.T) {
	s := fold(erasure.State{}, now, erased)
	events := s.Find([]erasure.Count{{Key: nurse, Times: 1}, {Key: alias, Times: 3}, {Key: clerk, Times: 1}})
	if len(events) != 1 || !slices.Equal(events[0].(erasure.Found).Keys, []erasure.Count{{Key: alias, Times: 3}, {Key: clerk, Times: 1}}) {
		t.Fatalf("found %+v", events)
	}
	s = fold(s, now, events...)
	if s.Times(alias) != 3 || s.Times(clerk) != 1 || s.Times(nurse) != 1 || !s.Forgotten(clerk) {
		t.Error("what was found is not taken over")
	}
	if again := s.Find([]erasure.Count{{Key: alias, Times: 3}}); again != nil {
		t.Errorf("found again %+v", again)
	}
	if s = fold(s, now, erased); s.Times(alias) != 4 {
		t.Errorf("erased after that, it is %d times", s.Times(alias))
	}
	many := make([]erasure.Count, 10_001)
	for i := range many {
		many[i] = erasure.Count{Key: trust.SubjectKey{5, byte(i), byte(i >> 8)}, Times: 1}
	}
	if events := s.Find(many); len(events) != 2 || len(events[1].(erasure.Found).Keys) != 1 {
		t.Errorf("many are found in %d entries", len(events))
	}
}
