package suspension_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

const now = 1_780_000_000

func id(t *testing.T, s string) trust.ParticipantID {
	t.Helper()
	p, err := trust.ParseParticipantID("https://" + s + ".example")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func subject(t *testing.T, n byte) suspension.Target {
	t.Helper()
	return suspension.Target{Kind: suspension.Subject, Participant: id(t, "rxw"), Subject: trust.SubjectKey{n}}
}

func apply(s suspension.State, at int64, events ...trust.Event) suspension.State {
	for i, e := range events {
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: uint64(at-now) + uint64(i) + 1}, At: at})
	}
	return s
}

func wants(t *testing.T, what string, kind trust.ErrorKind, err error) {
	t.Helper()
	if trust.KindOf(err) != kind {
		t.Errorf("%s: %v, a %q; want %q", what, err, trust.KindOf(err), kind)
	}
}

// people are two operators who are one person, a, and another, b.
func people() suspension.Standing {
	return suspension.Standing{
		Same:   func(x, y string) bool { return x[0] == y[0] },
		Serves: func(id string) bool { return id != "gone" },
	}
}

// R36: whoever asks first does not let it go on, nor does the same person by
// another account; a second person does.
func TestResumingTakesTwoPeople(t *testing.T) {
	f, target := people(), subject(t, 1)
	s := apply(suspension.State{}, now, suspension.Suspended{Target: target, By: "a"})
	_, err := s.Resume(f, target, "", now)
	wants(t, "nobody", trust.Invalid, err)
	events, err := s.Resume(f, target, "a", now)
	wants(t, "the first", "", err)
	asked, ok := events[0].(suspension.ResumeAsked)
	if !ok || asked.By != "a" || asked.Until != now+24*3600 {
		t.Fatalf("the first word is %+v", events)
	}
	s = apply(s, now+1, events...)
	if !s.SubjectSuspended(target.Subject, now+1) {
		t.Error("one word let it go on")
	}
	for _, again := range []string{"a", "a2"} {
		events, err := s.Resume(f, target, again, now+2)
		wants(t, "the same person", trust.Denied, err)
		if r, ok := events[0].(suspension.Refused); !ok || r.Rule != suspension.RulePerson || r.By != again {
			t.Errorf("recorded is %+v", events)
		}
	}
	events, err = s.Resume(f, target, "b", asked.Until)
	wants(t, "too late", "", err)
	if again, ok := events[0].(suspension.ResumeAsked); !ok || again.By != "b" {
		t.Errorf("what came too late is %+v", events)
	}
	events, err = s.Resume(f, target, "b", asked.Until-1)
	wants(t, "the second", "", err)
	if r, ok := events[0].(suspension.Resumed); !ok || r.Asked != "a" || r.By != "b" {
		t.Fatalf("the second word is %+v", events)
	}
	if s = apply(s, now+3, events...); s.SubjectSuspended(target.Subject, now+3) {
		t.Error("two words did not let it go on")
	}
	_, err = s.Resume(f, target, "b", now+4)
	wants(t, "what goes on", trust.Conflict, err)
}

// A word counts for the stop that it was about, and from an operator who still
// is one.
func TestAWordDoesNotOutliveItsStop(t *testing.T) {
	f, target := people(), subject(t, 1)
	first := apply(suspension.State{}, now, suspension.Suspended{Target: target, By: "a", Expires: now + 100})
	asked := suspension.ResumeAsked{Target: target, Of: trust.Position{Epoch: 1, N: 1}, By: "a", Until: now + 50}
	edge := suspension.Target{Kind: suspension.Edge, Participant: id(t, "rxw")}
	for what, c := range map[string]struct {
		s      suspension.State
		target suspension.Target
		of     uint64
	}{
		"stopped for longer":       {apply(first, now+1, asked, suspension.Suspended{Target: target, By: "b", Expires: now + 200}), target, 0},
		"asked by whoever is gone": {apply(first, now+1, suspension.ResumeAsked{Target: target, Of: asked.Of, By: "gone", Until: now + 50}), target, 0},
		"broken anew":              {apply(first, now+1, suspension.ResumeAsked{Target: edge, Of: trust.Position{Epoch: 1, N: 5}, By: "a", Until: now + 50}), edge, 6},
	} {
		f.Stopped, f.Of = c.of != 0, trust.Position{Epoch: 1, N: c.of}
		events, err := c.s.Resume(f, c.target, "b", now+2)
		wants(t, what, "", err)
		if again, ok := events[0].(suspension.ResumeAsked); !ok || again.By != "b" {
			t.Errorf("%s: the second word is %+v", what, events)
		}
	}
}

// The home's other name for who is stopped, which comes when it comes, is not
// another stop: what was asked before counts.
func TestAWordOutlivesTheOtherName(t *testing.T) {
	f, target := people(), subject(t, 1)
	s := apply(suspension.State{}, now, suspension.Suspended{Target: target, By: "a"})
	events, err := s.Resume(f, target, "a", now)
	wants(t, "the first", "", err)
	s = apply(s, now+1, events...)
	s = apply(s, now+1, suspension.Suspended{Target: target, Alias: subject(t, 2).Subject, By: suspension.ByRule(suspension.RuleAlias)})
	_, err = s.Resume(f, target, "a2", now+2)
	wants(t, "the same person", trust.Denied, err)
	events, err = s.Resume(f, target, "b", now+2)
	wants(t, "the second", "", err)
	if s = apply(s, now+3, events...); s.SubjectSuspended(target.Subject, now+3) || s.SubjectSuspended(subject(t, 2).Subject, now+3) {
		t.Errorf("after %+v one of the names is stopped", events)
	}
}

// Whatever a partner stopped, it alone lets go on; and nothing else.
func TestThePartyThatStoppedLetsGoOn(t *testing.T) {
	rje, rxw := id(t, "rje"), id(t, "rxw")
	ours := subject(t, 1)
	s := apply(suspension.State{}, now, suspension.Suspended{Target: ours, From: rje})
	f := people()
	f.Partner, _ = s.StoppedBy(ours, now)
	events, err := s.Resume(f, ours, "b", now)
	wants(t, "resumed by the side that is suspended", trust.Denied, err)
	if r, ok := events[0].(suspension.Refused); !ok || r.Rule != suspension.RuleParty {
		t.Errorf("recorded is %+v", events)
	}
	if s.SubjectSuspended(ours.Subject, now) || !s.StoppedAbroad(rje, rxw, ours.Subject, now) || s.StoppedAbroad(rxw, rxw, ours.Subject, now) {
		t.Error("what a host stopped is stopped there and nowhere else")
	}
	events, err = s.Lift(suspension.Standing{}, ours, id(t, "r0a"))
	wants(t, "lifted by somebody else", trust.Denied, err)
	if _, ok := events[0].(suspension.Refused); !ok {
		t.Errorf("recorded is %+v", events)
	}
	events, err = s.Lift(suspension.Standing{}, ours, rje)
	wants(t, "lifted by whoever stopped it", "", err)
	if s = apply(s, now, events...); s.StoppedAbroad(rje, rxw, ours.Subject, now) {
		t.Error("it is stopped still")
	}
}

// R46: a ban holds for every name of a subject, by whoever it was, and to the
// second; a shorter one shortens nothing.
func TestSubjects(t *testing.T) {
	rxw, key, alias := id(t, "rxw"), trust.SubjectKey{1}, trust.SubjectKey{9}
	ban := suspension.Suspended{Target: subject(t, 1), By: "a", Expires: now + 10}
	s := apply(suspension.State{}, now, ban)
	for at, want := range map[int64]bool{now: true, now + 9: true, now + 10: false} {
		if got := s.SubjectSuspended(key, at); got != want {
			t.Errorf("at %d: %v", at, got)
		}
	}
	if events, err := s.Suspend(suspension.Facts{}, suspension.Suspended{Target: ban.Target, By: "b", Expires: now + 9}, now); events != nil || err != nil {
		t.Errorf("a shorter one gave %v, %v", events, err)
	}
	events, err := s.Suspend(suspension.Facts{}, suspension.Suspended{Target: ban.Target, Alias: alias, By: suspension.ByRule(suspension.RuleAlias), Expires: ban.Expires}, now)
	wants(t, "another name", "", err)
	s = apply(s, now+1, events...)
	if !s.SubjectSuspended(alias, now+9) || len(s.Here(now+9)) != 1 {
		t.Errorf("by another name: %v, entries %v", s.SubjectSuspended(alias, now+9), s.Here(now+9))
	}
	s = apply(s, now+2, suspension.Suspended{Target: ban.Target, From: rxw})
	s = apply(s, now+3, suspension.Resumed{Target: ban.Target, Asked: "a", By: "b"})
	if !s.SubjectSuspended(key, now+4) || s.SubjectSuspended(alias, now+4) {
		t.Error("the home's own suspension ended with ours, or ours did not")
	}
	if s = apply(s, now+5, suspension.Resumed{Target: ban.Target, From: rxw}); s.SubjectSuspended(key, now+6) || s.Subjects.Len() != 0 {
		t.Error("nothing of it should be left")
	}
}

func TestSuspendRefuses(t *testing.T) {
	rxw, rje := id(t, "rxw"), id(t, "rje")
	kind := func(k suspension.Kind) suspension.Target { return suspension.Target{Kind: k} }
	with := func(t suspension.Target, change func(*suspension.Target)) suspension.Target { change(&t); return t }
	part := suspension.Target{Kind: suspension.Coverage, Agreement: "a", Class: trust.Agent}
	for what, c := range map[string]struct {
		want  trust.ErrorKind
		e     suspension.Suspended
		party bool
	}{
		"by nobody":                    {trust.Invalid, suspension.Suspended{Target: subject(t, 1)}, true},
		"by two":                       {trust.Invalid, suspension.Suspended{Target: subject(t, 1), By: "a", From: rxw}, true},
		"ended already":                {trust.Invalid, suspension.Suspended{Target: subject(t, 1), By: "a", Expires: now}, true},
		"of no kind":                   {trust.Invalid, suspension.Suspended{Target: kind("host"), By: "a"}, true},
		"of nobody":                    {trust.Invalid, suspension.Suspended{Target: kind(suspension.Subject), By: "a"}, true},
		"of no client":                 {trust.Invalid, suspension.Suspended{Target: kind(suspension.Client), By: "a"}, true},
		"of everything":                {trust.Invalid, suspension.Suspended{Target: kind(suspension.Coverage), By: "a"}, true},
		"of no class there is":         {trust.Invalid, suspension.Suspended{Target: suspension.Target{Kind: suspension.Coverage, Class: "robot"}, By: "a"}, true},
		"of an agreement and somebody": {trust.Invalid, suspension.Suspended{Target: with(part, func(x *suspension.Target) { x.Participant = rxw }), By: "a"}, true},
		"of a subject and a class":     {trust.Invalid, suspension.Suspended{Target: with(subject(t, 1), func(x *suspension.Target) { x.Class = trust.Human }), By: "a"}, true},
		"somebody else's subject":      {trust.Denied, suspension.Suspended{Target: subject(t, 1), From: id(t, "r0a")}, true},
		"a class, by a partner":        {trust.Denied, suspension.Suspended{Target: suspension.Target{Kind: suspension.Coverage, Class: trust.Human}, From: rxw}, true},
		"of an agreement of others":    {trust.Denied, suspension.Suspended{Target: part, From: rxw}, false},
		"a client, by a partner":       {trust.Denied, suspension.Suspended{Target: suspension.Target{Kind: suspension.Client, Client: "c"}, From: rxw}, true},
		"somebody else, by a partner":  {trust.Denied, suspension.Suspended{Target: suspension.Target{Kind: suspension.Participant, Participant: id(t, "r0a")}, From: rxw}, true},
		"its own subject":              {"", suspension.Suspended{Target: subject(t, 1), From: rxw}, false},
		"part of its agreement":        {"", suspension.Suspended{Target: part, From: rxw}, true},
		"a client, here":               {"", suspension.Suspended{Target: suspension.Target{Kind: suspension.Client, Client: "c"}, By: "a"}, false},
	} {
		events, err := suspension.State{}.Suspend(suspension.Facts{Self: rje, Party: c.party}, c.e, now)
		wants(t, what, c.want, err)
		if (len(events) == 1) != (c.want == "") {
			t.Errorf("%s: gave %v", what, events)
		}
	}
}

// Time and the same word again change nothing; what is over is forgotten.
func TestCoverage(t *testing.T) {
	part := suspension.Target{Kind: suspension.Coverage, Agreement: "a", Class: trust.Agent, Action: "write"}
	q := suspension.Query{Agreement: "a", Class: trust.Agent, Service: "s", Action: "write"}
	s := apply(suspension.State{}, now, suspension.Suspended{Target: part, By: "a", Expires: now + 10})
	if events, err := s.Suspend(suspension.Facts{}, suspension.Suspended{Target: part, By: "a", Expires: now + 10}, now); events != nil || err != nil {
		t.Errorf("again gave %v, %v", events, err)
	}
	if why, until, ok := s.Reduced(q, now+9); !ok || why != trust.Reduced || until != now+10 {
		t.Errorf("%s until %d, %v", why, until, ok)
	}
	if _, _, ok := s.Reduced(q, now+10); ok {
		t.Error("it is over and holds")
	}
	s = apply(s, now+1, suspension.Suspended{Target: part, From: id(t, "rje"), Expires: now + 20})
	s = apply(s, now+2, suspension.Resumed{Target: part, Asked: "a", By: "b"})
	if _, _, ok := s.Reduced(q, now+3); !ok {
		t.Error("resumed here, what the other party took out is in again")
	}
	s = apply(s, now+20, suspension.Suspended{Target: suspension.Target{Kind: suspension.Coverage, Class: trust.Human}, By: "a"})
	if len(s.Coverage) != 1 {
		t.Errorf("what is over stands still: %+v", s.Coverage)
	}
}

func TestTheStateReadsBack(t *testing.T) {
	s := apply(suspension.State{}, now,
		suspension.Suspended{Target: subject(t, 1), By: "a"}, suspension.Suspended{Target: subject(t, 2), From: id(t, "rje")},
		suspension.Suspended{Target: suspension.Target{Kind: suspension.Client, Client: "c"}, By: "a"},
		suspension.Suspended{Target: suspension.Target{Kind: suspension.Coverage, Class: trust.Human}, By: "a"},
		suspension.ResumeAsked{Target: subject(t, 1), By: "a", Until: now + 1},
	)
	data, err := canonical.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var read suspension.State
	if err := canonical.Decode(data, &read); err != nil {
		t.Fatal(err)
	}
	again, err := canonical.Marshal(read)
	if err != nil || !json.Valid(data) || !reflect.DeepEqual(data, again) || !read.ClientSuspended("c", now) || read.ClientSuspended("d", now) {
		t.Errorf("read back it is %s, %v; was %s", again, err, data)
	}
}
