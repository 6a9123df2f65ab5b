package incident_test

import (
	"strconv"
	"testing"

	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

const now = 1_780_000_000

var rxw = must(trust.ParseParticipantID("https://trust.rxw.example"))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func odd() incident.Rule {
	return incident.Rule{
		Name: "odd-queries", When: incident.Volume, Per: incident.PerSubject, Count: 40, Within: 600, Do: incident.Suspend, What: incident.Subject,
	}
}

func figure(count uint64) incident.Figure {
	return incident.Figure{Participant: rxw, Subject: trust.SubjectKey{7}, Count: count}
}

func set(t *testing.T, s incident.State, r incident.Rule) incident.State {
	t.Helper()
	events, err := s.SetRule(r, "op-1")
	if err != nil || len(events) != 1 {
		t.Fatalf("rule %s: %v, %v", r.Name, events, err)
	}
	return s.Apply(events[0], trust.Stamp{})
}

func nothing(suspension.Target) bool { return false }

// What a rule may say: each shape that cannot be meant is refused.
func TestCheck(t *testing.T) {
	for what, change := range map[string]func(*incident.Rule){
		"no name":                          func(r *incident.Rule) { r.Name = "" },
		"an unknown trigger":               func(r *incident.Rule) { r.When = "weather" },
		"nobody's count":                   func(r *incident.Rule) { r.Per = "" },
		"drills per subject":               func(r *incident.Rule) { r.When, r.What = incident.Breach, incident.Participant },
		"no count":                         func(r *incident.Rule) { r.Count = 0 },
		"too high a count":                 func(r *incident.Rule) { r.Count = incident.MaxCount + 1 },
		"no time":                          func(r *incident.Rule) { r.Within = 0 },
		"too long a time":                  func(r *incident.Rule) { r.Within = incident.MaxWithin + 1 },
		"an unknown class":                 func(r *incident.Rule) { r.Class = "king" },
		"an unknown marking":               func(r *incident.Rule) { r.TLP = "blue" },
		"an unknown act":                   func(r *incident.Rule) { r.Do = "revoke" },
		"an alert that stops":              func(r *incident.Rule) { r.Do = incident.Alert },
		"nothing to stop":                  func(r *incident.Rule) { r.What = "" },
		"something unknown to stop":        func(r *incident.Rule) { r.What = "client" },
		"a subject of many":                func(r *incident.Rule) { r.Per = incident.PerParticipant },
		"a class of whichever was last":    func(r *incident.Rule) { r.What = incident.Class },
		"a service likewise":               func(r *incident.Rule) { r.What = incident.Service },
		"an agreement likewise":            func(r *incident.Rule) { r.What = incident.Agreement },
		"a reduction by a subject":         func(r *incident.Rule) { r.Do, r.Agreement = incident.Reduce, "a1" },
		"a reduction of no agreement":      func(r *incident.Rule) { r.Do, r.What, r.Class = incident.Reduce, incident.Class, trust.Human },
		"late ends under one agreement":    func(r *incident.Rule) { *r = late(); r.Agreement = "a1" },
		"late ends of a class":             func(r *incident.Rule) { *r = late(); r.Class = trust.Human },
		"drills at a service":              func(r *incident.Rule) { *r = slow(); r.Service = "https://records.example" },
		"drills that stop a subject":       func(r *incident.Rule) { *r = slow(); r.What = incident.Subject },
		"leaks of nobody":                  func(r *incident.Rule) { r.When, r.Per = incident.Leak, "" },
		"leaks at a service":               func(r *incident.Rule) { r.When, r.Service = incident.Leak, "https://records.example" },
		"posture of a subject":             func(r *incident.Rule) { r.When, r.What = incident.Posture, incident.Participant },
		"posture of a class":               func(r *incident.Rule) { *r = lapsed(); r.Do, r.What, r.Class = incident.Alert, "", trust.Human },
		"posture at a service":             func(r *incident.Rule) { *r = lapsed(); r.Service = "https://records.example" },
		"posture that stops an agreement":  func(r *incident.Rule) { *r = lapsed(); r.What = incident.Agreement },
		"late ends that stop a class":      func(r *incident.Rule) { *r = late(); r.What = incident.Class },
		"late ends that stop an agreement": func(r *incident.Rule) { *r = late(); r.What = incident.Agreement },
	} {
		r := odd()
		change(&r)
		if err := r.Check(); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s: %v", what, err)
		}
		if events, err := (incident.State{}).SetRule(r, "op-1"); trust.KindOf(err) != trust.Invalid || events != nil {
			t.Errorf("%s is set: %v, %v", what, events, err)
		}
	}
	for _, r := range append(incident.Standing(), odd(), late(), slow(), lapsed()) {
		if err := r.Check(); err != nil {
			t.Error(err)
		}
	}
	for _, r := range incident.Standing() {
		if r.Do != incident.Alert {
			t.Errorf("standing rule %s does %s", r.Name, r.Do)
		}
	}
}

func late() incident.Rule {
	return incident.Rule{Name: "late", When: incident.Delay, Count: 1, Within: 60, Do: incident.Suspend, What: incident.Participant}
}

func lapsed() incident.Rule {
	return incident.Rule{Name: "lapsed", When: incident.Posture, Count: 1, Within: 60, Do: incident.Suspend, What: incident.Participant}
}

// What a lapse names, and that one is said once for each date.
func TestLapse(t *testing.T) {
	review := incident.Lapsed{Of: incident.Review, Participant: rxw, Agreement: "a1", Ended: now}
	for what, change := range map[string]func(*incident.Lapsed){
		"nothing known":             func(l *incident.Lapsed) { l.Of = "mood" },
		"nobody's":                  func(l *incident.Lapsed) { l.Participant = trust.ParticipantID{} },
		"no date":                   func(l *incident.Lapsed) { l.Ended = 0 },
		"no agreement's":            func(l *incident.Lapsed) { l.Agreement = "" },
		"a statement of agreements": func(l *incident.Lapsed) { l.Of = incident.Statement },
		"an adoption of agreements": func(l *incident.Lapsed) { l.Of = incident.Adoption },
	} {
		l := review
		change(&l)
		if events, err := (incident.State{}).Lapse(l); trust.KindOf(err) != trust.Invalid || events != nil {
			t.Errorf("%s: %v, %v", what, events, err)
		}
	}
	var s incident.State
	for _, tt := range []struct {
		ended int64
		want  int
	}{{now, 1}, {now, 0}, {now - 1, 0}, {now + 1, 1}} {
		l := review
		l.Ended = tt.ended
		events, err := s.Lapse(l)
		if err != nil || len(events) != tt.want {
			t.Errorf("ended at %d: %v, %v", tt.ended, events, err)
		}
		for _, e := range events {
			s = s.Apply(e, trust.Stamp{At: tt.ended})
		}
	}
	other := review
	other.Agreement = "a2"
	if events, _ := s.Lapse(other); len(events) != 1 {
		t.Errorf("one agreement lapses for another: %v", events)
	}
}

func slow() incident.Rule {
	return incident.Rule{Name: "slow", When: incident.Breach, Count: 1, Within: 60, Do: incident.Reduce, What: incident.Class}
}

// What a rule stops follows from the rule, or from the drill.
func TestTarget(t *testing.T) {
	f := incident.Figure{Participant: rxw, Subject: trust.SubjectKey{7}, Agreement: "a9", Class: trust.Agent, Count: 1}
	for _, tt := range []struct {
		rule incident.Rule
		want suspension.Target
	}{
		{odd(), suspension.Target{Kind: suspension.Subject, Participant: rxw, Subject: trust.SubjectKey{7}}},
		{late(), suspension.Target{Kind: suspension.Participant, Participant: rxw}},
		{slow(), suspension.Target{Kind: suspension.Coverage, Agreement: "a9", Class: trust.Agent}},
		{incident.Rule{When: incident.Breach, Do: incident.Suspend, What: incident.Agreement}, suspension.Target{Kind: suspension.Agreement, Agreement: "a9"}},
		{
			incident.Rule{When: incident.Volume, Do: incident.Reduce, What: incident.Class, Agreement: "a1", Class: trust.Human},
			suspension.Target{Kind: suspension.Coverage, Agreement: "a1", Class: trust.Human},
		},
		{
			incident.Rule{When: incident.Volume, Do: incident.Suspend, What: incident.Class, Agreement: "a1", Class: trust.Human},
			suspension.Target{Kind: suspension.Coverage, Participant: rxw, Class: trust.Human},
		},
		{
			incident.Rule{When: incident.Volume, Do: incident.Suspend, What: incident.Service, Service: "https://records.example"},
			suspension.Target{Kind: suspension.Coverage, Participant: rxw, Service: "https://records.example"},
		},
		{
			incident.Rule{When: incident.Reissue, Do: incident.Suspend, What: incident.Agreement, Agreement: "a1"},
			suspension.Target{Kind: suspension.Agreement, Agreement: "a1"},
		},
	} {
		got := tt.rule.Target(&f)
		if got != tt.want {
			t.Errorf("%s %s of %s is %+v, not %+v", tt.rule.Do, tt.rule.What, tt.rule.When, got, tt.want)
		}
		if err := got.Check(); err != nil {
			t.Error(err)
		}
	}
}

// R70: the life of a rule: standing or set, changed, taken away.
func TestRules(t *testing.T) {
	var s incident.State
	if _, err := s.RemoveRule("odd-queries", "op-1"); trust.KindOf(err) != trust.NotFound {
		t.Errorf("a rule that was never set is removed: %v", err)
	}
	if _, err := s.SetRule(odd(), ""); trust.KindOf(err) != trust.Invalid {
		t.Errorf("set by nobody: %v", err)
	}
	if _, err := s.RemoveRule("busy-person", ""); trust.KindOf(err) != trust.Invalid {
		t.Errorf("removed by nobody: %v", err)
	}
	s = set(t, s, odd())
	if events, err := s.SetRule(odd(), "op-2"); err != nil || events != nil {
		t.Errorf("the same again gives %v, %v", events, err)
	}
	fewer := odd()
	fewer.Count = 20
	before := s.Changes
	s = set(t, s, fewer)
	if r, ok := s.Rule("odd-queries"); !ok || r.Count != 20 || s.Changes == before {
		t.Errorf("changed, it is %+v", r)
	}
	remove := func(name string) {
		t.Helper()
		events, err := s.RemoveRule(name, "op-1")
		if err != nil {
			t.Fatal(err)
		}
		s = s.Apply(events[0], trust.Stamp{})
		if _, ok := s.Rule(name); ok {
			t.Errorf("removed, %s is in force", name)
		}
	}
	remove("odd-queries")
	standing := len(incident.Standing())
	remove("busy-person")
	if len(s.Rules()) != standing-1 {
		t.Errorf("the rules are %+v", s.Rules())
	}
	own := odd()
	own.Name = "busy-person"
	s = set(t, s, own)
	if r, _ := s.Rule("busy-person"); r != own || len(s.Rules()) != standing {
		t.Errorf("set again, the rules are %+v", s.Rules())
	}
	remove("busy-person")
	for i := range incident.MaxRules - len(s.Rules()) {
		r := odd()
		r.Name = "rule-" + strconv.Itoa(i)
		s = set(t, s, r)
	}
	if _, err := s.SetRule(odd(), "op-1"); trust.KindOf(err) != trust.Conflict {
		t.Errorf("one more than there may be: %v", err)
	}
}

// When a rule acts, and when it does not.
func TestRaise(t *testing.T) {
	alert := odd()
	alert.Name, alert.Do, alert.What = "busy", incident.Alert, ""
	s := set(t, set(t, incident.State{}, odd()), alert)
	fold := func(all []incident.Raised, at int64) {
		t.Helper()
		if len(all) != 1 {
			t.Fatalf("raised is %+v", all)
		}
		s = s.Apply(all[0], trust.Stamp{At: at})
	}
	was := odd()
	was.Count = 30
	other := odd()
	other.Participant = must(trust.ParseParticipantID("https://nobody.example"))
	for what, r := range map[string]incident.Rule{"a rule as it was": was, "a rule that is not there": late(), "a rule about others": other} {
		if all := s.Raise(r, figure(40), nothing, now); len(all) != 0 {
			t.Errorf("%s raises %+v", what, all)
		}
	}
	if all := s.Raise(odd(), figure(39), nothing, now); len(all) != 0 {
		t.Errorf("too few raise %+v", all)
	}
	fold(s.Raise(odd(), figure(40), nothing, now), now)
	if i, ok := s.Get(1); !ok || i.ID() != "incident-1" || i.Target.Kind != suspension.Subject || i.Since != now {
		t.Errorf("the first is %+v", i)
	}
	stopped := func(x suspension.Target) bool {
		return x.Kind == suspension.Subject && x.Subject == trust.SubjectKey{7}
	}
	if all := s.Raise(odd(), figure(40), stopped, now+1); len(all) != 0 {
		t.Errorf("what is stopped is stopped again: %+v", all)
	}
	fold(s.Raise(odd(), figure(40), nothing, now+1), now+1) // somebody let it go on

	fold(s.Raise(alert, figure(40), nothing, now), now)
	if all := s.Raise(alert, figure(40), nothing, now+599); len(all) != 0 {
		t.Errorf("an alert is said again: %+v", all)
	}
	somebody := figure(40)
	somebody.Subject = trust.SubjectKey{8}
	fold(s.Raise(alert, somebody, nothing, now+1), now+1)
	fold(s.Raise(alert, figure(40), nothing, now+600), now+600)
	var ids []string
	for i := range s.All() {
		ids = append(ids, i.ID())
	}
	if len(ids) != 5 || ids[0] != "incident-1" || ids[4] != "incident-5" {
		t.Errorf("the incidents are %v", ids)
	}
}
