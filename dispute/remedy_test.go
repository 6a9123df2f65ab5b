package dispute_test

import (
	"testing"

	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// A remedy holds what it names, until the target goes on by its respondent's word.
func TestRemedies(t *testing.T) {
	settle := func(r dispute.Remedy) *world {
		w := in(t, dispute.Direct)
		w.f.Also = trust.SubjectKey{9}
		w.does("proposing", "")(w.s.Propose(told(rxw), "h", r, "", now))
		w.does("accepting", "")(w.s.Accept(w.f, act(rje), "h", now))
		return w
	}
	w := settle(dispute.Remedy{Bar: now + 10, Conditions: 2})
	for at, want := range map[int64]bool{now + 9: true, now + 10: true} {
		if why, since := w.s.Holds(target, at); (why != "") != want || since == (trust.Position{}) {
			t.Errorf("at %d it holds by %q since %s", at-now, why, since)
		}
	}
	for i := 1; i <= 2; i++ {
		w.does("meeting", "")(w.s.Meet(act(rje), i, now+10))
		w.does("meeting again", "")(w.s.Meet(act(rje), i, now+10))
	}
	w.does("a third condition", trust.NotFound)(w.s.Meet(act(rje), 3, now+10))
	w.does("condition 0", trust.NotFound)(w.s.Meet(act(rje), 0, now+10))
	if why, _ := w.s.Holds(target, now+9); why == "" {
		t.Error("the bar does not hold once the plan is met")
	}
	if why, _ := w.s.Holds(target, now+10); why != "" {
		t.Errorf("it holds by %q", why)
	}

	w = settle(dispute.Remedy{Monitor: 100, Limit: 5, Claim: "staff_id", Person: person})
	if !w.s.PersonBarred(person) || w.s.PersonBarred(trust.SubjectKey{8}) || w.s.PersonBarred(trust.SubjectKey{}) {
		t.Error("the person is not the one who is barred")
	}
	if _, on := w.s.Monitored(target.Subject, now); on {
		t.Error("what is stopped is monitored already")
	}
	w.apply(now+1, suspension.Resumed{Target: target, From: rxw})
	if w.stage() != dispute.Decided {
		t.Error("the opener's word that she goes on closed it")
	}
	w.apply(now+1, suspension.Resumed{Target: target, Asked: "a", By: "b"})
	if w.stage() != dispute.Closed || w.s.PersonBarred(person) || len(w.s.Claims) != 0 {
		t.Errorf("gone on, it is %s", w.stage())
	}
	for _, name := range []trust.SubjectKey{target.Subject, {9}} {
		if m, on := w.s.Monitored(name, now+100); !on || m.Limit != 5 {
			t.Errorf("%s is monitored: %t, %+v", name, on, m)
		}
		if _, on := w.s.Monitored(name, now+101); on {
			t.Error("it is monitored after its time")
		}
	}
	w.apply(now+50, suspension.Suspended{Target: target, By: "rule:monitoring"})
	if c, _ := w.s.Get(id); c.Again != now+50 || w.s.Watched.Len() != 0 {
		t.Errorf("stopped again it is %+v, watched %d", c, w.s.Watched.Len())
	}

	for what, r := range map[string]dispute.Remedy{
		"a bar that is over":         {Bar: now},
		"a plan without end":         {Conditions: 21},
		"monitoring without a limit": {Monitor: 10},
		"a limit without monitoring": {Limit: 10},
		"monitoring for ever":        {Monitor: 400 * 86400, Limit: 1},
		"a claim without a person":   {Claim: "staff_id"},
		"a person without a claim":   {Person: person},
		"conditions fewer than none": {Conditions: -1},
	} {
		w := in(t, dispute.Direct)
		if _, err := w.s.Propose(act(rje), "h", r, "", now); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	part := suspension.Target{Kind: suspension.Coverage, Agreement: "a", Class: trust.Agent}
	if err := (dispute.Remedy{Claim: "c", Person: person}).Check(part, now); trust.KindOf(err) != trust.Invalid {
		t.Errorf("a class that is a person: %v", err)
	}
}

func TestExhibits(t *testing.T) {
	w := in(t, dispute.Direct)
	e := dispute.Exhibited{Act: told(rxw), Of: rje, Log: "decisions", N: 3}
	w.does("not proven", trust.Denied)(w.s.Exhibit(e, trust.Errorf(trust.Invalid, "no"), now))
	w.does("proven", "")(w.s.Exhibit(e, nil, now))
	if events, err := w.s.Exhibit(e, nil, now); events != nil || err != nil {
		t.Errorf("again: %v, %v", events, err)
	}
	e.Of = m1
	w.does("somebody else's", trust.Denied)(w.s.Exhibit(e, nil, now))
	e.Of = rje
	for i := range 199 {
		e.N = uint64(10 + i)
		w.apply(now, e)
	}
	e.N = 999
	w.does("too many", trust.Conflict)(w.s.Exhibit(e, nil, now))
}
