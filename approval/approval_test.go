package approval_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/approval"
	"github.com/entente-id/entente/trust"
)

const now = 1_780_000_000

func id(s string) trust.ParticipantID {
	p, err := trust.ParseParticipantID("https://" + s + ".example")
	if err != nil {
		panic(err)
	}
	return p
}

// need is a contractor of rxw who asks for a firewall, which takes two people.
func need() approval.Need {
	return approval.Need{
		Agreement: "a", Participant: id("rxw"), Subject: trust.SubjectKey{1}, Service: "https://firewall.example", Action: "firewall:write", ResourceType: "Firewall",
		Resource: trust.SubjectKey{9}, Role: "approver", People: 2, TTL: 900,
	}
}

// people are operators, each named by a letter for the person and a number for
// the account. c is the contractor, f is of another organisation; z holds no role.
func people() approval.Facts {
	return approval.Facts{
		Holds:    func(by, role string) bool { return role == "approver" && !strings.HasPrefix(by, "z") },
		Local:    func(by string, _ trust.ParticipantID) bool { return !strings.HasPrefix(by, "f") },
		IsCaller: func(by string, _ trust.SubjectKey) bool { return strings.HasPrefix(by, "c") },
		Same:     func(a, b string) bool { return a[0] == b[0] },
		Stands:   func(agreement string) bool { return agreement == "a" },
	}
}

func apply(s approval.State, at int64, events ...trust.Event) approval.State {
	for i, e := range events {
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: uint64(at-now)*10 + uint64(i) + 1}, At: at})
	}
	return s
}

func asked(t *testing.T, change func(*approval.Need)) approval.State {
	t.Helper()
	n := need()
	if change != nil {
		change(&n)
	}
	events, err := approval.State{}.Ask(n, now)
	if err != nil || len(events) != 1 {
		t.Fatalf("asked: %v, %v", events, err)
	}
	return apply(approval.State{}, now, events...)
}

func wants(t *testing.T, what string, kind trust.ErrorKind, err error) {
	t.Helper()
	if trust.KindOf(err) != kind {
		t.Errorf("%s: %v, a %q; want %q", what, err, trust.KindOf(err), kind)
	}
}

const one = "approval-1"

// granted is what two people approved.
func granted(t *testing.T, change func(*approval.Need)) approval.State {
	t.Helper()
	s := asked(t, change)
	for _, by := range []string{"a1", "b1"} {
		events, err := s.Approve(people(), one, by, now+1)
		wants(t, by, "", err)
		s = apply(s, now+1, events...)
	}
	return s
}

// R60: it takes two people, neither of whom asks; one person with two accounts is
// one.
func TestFourEyes(t *testing.T) {
	f, s := people(), asked(t, nil)
	for by, rule := range map[string]string{"z1": approval.RuleRole, "c1": approval.RuleCaller, "c2": approval.RuleCaller, "f1": approval.RuleLocal} {
		events, err := s.Approve(f, one, by, now)
		wants(t, by, trust.Denied, err)
		if len(events) != 1 || events[0] != (approval.Refused{ID: one, By: by, Rule: rule}) {
			t.Errorf("%s: recorded is %+v, want the rule %s", by, events, rule)
		}
		if next := apply(s, now, events...); next.Approvals.Len() != 1 {
			t.Error("a refusal changed something")
		}
	}
	events, err := s.Approve(f, one, "a1", now)
	wants(t, "the first", "", err)
	if len(events) != 1 || events[0] != (approval.Said{ID: one, By: "a1"}) {
		t.Fatalf("the first yes is %+v", events)
	}
	s = apply(s, now, events...)
	for _, by := range []string{"a1", "a2"} {
		events, err := s.Approve(f, one, by, now)
		wants(t, by, trust.Denied, err)
		if events[0] != (approval.Refused{ID: one, By: by, Rule: approval.RulePerson}) {
			t.Errorf("%s: recorded is %+v", by, events)
		}
	}
	events, err = s.Approve(f, one, "b1", now+5)
	wants(t, "the second", "", err)
	if events[0] != (approval.Granted{ID: one, By: "b1", Ends: now + 905}) {
		t.Fatalf("the second yes is %+v", events)
	}
	a, _ := apply(s, now+5, events...).Get(one)
	if !slices.Equal(a.Said, []string{"a1", "b1"}) || a.Stage(now+904, trust.Position{}) != approval.Approved || a.Stage(now+905, trust.Position{}) != approval.Expired {
		t.Errorf("approved is %+v", a)
	}
}

// A yes of somebody who may not say it any more counts no longer.
func TestAYesThatCountsNoLonger(t *testing.T) {
	for what, change := range map[string]func(*approval.Facts){
		"lost the role":   func(f *approval.Facts) { f.Holds = func(by, _ string) bool { return by != "a1" } },
		"is who asks":     func(f *approval.Facts) { f.IsCaller = func(by string, _ trust.SubjectKey) bool { return by == "a1" } },
		"is of the other": func(f *approval.Facts) { f.Local = func(by string, _ trust.ParticipantID) bool { return by != "a1" } },
	} {
		f := people()
		s := asked(t, nil)
		s = apply(s, now, approval.Said{ID: one, By: "a1"})
		change(&f)
		events, err := s.Approve(f, one, "b1", now)
		wants(t, what, "", err)
		if _, ok := events[0].(approval.Said); !ok {
			t.Errorf("%s: the other's yes is %+v, and should be the first", what, events)
		}
	}
}

// Every command at every stage: what is legal, and that all else is refused.
func TestEveryCommandAtEveryStage(t *testing.T) {
	f := people()
	once := func(n *approval.Need) { n.Once = true }
	act := func(s approval.State, e trust.Event) approval.State { return apply(s, now+2, e) }
	stages := map[approval.Stage]struct {
		s  approval.State
		at int64
	}{
		"none":            {approval.State{}, now + 3},
		approval.Pending:  {asked(t, once), now + 3},
		approval.Approved: {granted(t, once), now + 3},
		approval.Declined: {act(asked(t, once), approval.Declination{ID: one, By: "a1"}), now + 3},
		approval.Ended:    {act(granted(t, once), approval.Withdrawn{ID: one, By: "a1"}), now + 3},
		approval.Used:     {act(granted(t, once), approval.Spent{ID: one}), now + 3},
		approval.Expired:  {granted(t, once), now + 901},
		"too late":        {asked(t, once), now + approval.AskedFor},
		"declined before": {act(asked(t, once), approval.Declination{ID: one, By: "a1"}), now + approval.AskedFor},
	}
	type legal = map[string]approval.Stage
	for stage, want := range map[approval.Stage]legal{
		"none":            {"ask": approval.Pending},
		approval.Pending:  {"approve": approval.Pending, "decline": approval.Declined, "ask": ""},
		approval.Approved: {"withdraw": approval.Ended, "spend": approval.Used, "ask": ""},
		approval.Declined: {"ask": ""},
		approval.Ended:    {"ask": approval.Pending},
		approval.Used:     {"ask": approval.Pending},
		approval.Expired:  {"ask": approval.Pending},
		"too late":        {"ask": approval.Pending},
		"declined before": {"ask": approval.Pending},
	} {
		at := stages[stage]
		for command, do := range map[string]func() ([]trust.Event, error){
			"ask":      func() ([]trust.Event, error) { n := need(); return at.s.Ask(n, at.at) },
			"approve":  func() ([]trust.Event, error) { return at.s.Approve(f, one, "a1", at.at) },
			"decline":  func() ([]trust.Event, error) { return at.s.Decline(f, one, "a1", at.at) },
			"withdraw": func() ([]trust.Event, error) { return at.s.Withdraw(f, one, "a1", false, at.at) },
			"spend":    func() ([]trust.Event, error) { return at.s.Spend(one, at.at) },
		} {
			events, err := do()
			to, ok := want[command]
			switch {
			case !ok:
				kind := trust.Conflict
				if stage == "none" {
					kind = trust.NotFound
				}
				wants(t, command+" at "+string(stage), kind, err)
			case err != nil || (to == "") != (len(events) == 0):
				t.Errorf("%s at %s: %v, %v", command, stage, events, err)
			case to != "":
				a, found := apply(at.s, at.at, events...).For(new(need()))
				if got := a.Stage(at.at, trust.Position{}); !found || got != to {
					t.Errorf("%s at %s leads to %s, want %s", command, stage, got, to)
				}
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	f, s := people(), asked(t, nil)
	_, err := s.Approve(f, one, "", now)
	wants(t, "nobody's yes", trust.Invalid, err)
	_, err = s.Approve(f, "approval-2", "a1", now)
	wants(t, "an unknown one", trust.NotFound, err)
	f.Stands = func(string) bool { return false }
	_, err = s.Approve(f, one, "a1", now)
	wants(t, "under an agreement that does not stand", trust.Conflict, err)
	events, err := s.Decline(f, one, "z1", now)
	wants(t, "a no without the role", trust.Denied, err)
	if events[0] != (approval.Refused{ID: one, By: "z1", Rule: approval.RuleRole}) {
		t.Errorf("recorded is %+v", events)
	}
	live := granted(t, nil)
	_, err = live.Withdraw(f, one, "z1", false, now+2)
	wants(t, "taken back without the role", trust.Denied, err)
	_, err = live.Withdraw(f, one, "z1", true, now+2)
	wants(t, "taken back by a revoker", "", err)
	if events, err := live.Spend(one, now+2); len(events) != 0 || err != nil {
		t.Errorf("what is good for its whole time was used up: %v, %v", events, err)
	}
	for what, change := range map[string]func(*approval.Need){
		"no agreement":   func(n *approval.Need) { n.Agreement = "" },
		"no participant": func(n *approval.Need) { n.Participant = trust.ParticipantID{} },
		"no subject":     func(n *approval.Need) { n.Subject = trust.SubjectKey{} },
		"no service":     func(n *approval.Need) { n.Service = "" },
		"no action":      func(n *approval.Need) { n.Action = "" },
		"no type":        func(n *approval.Need) { n.ResourceType = "" },
		"no resource":    func(n *approval.Need) { n.Resource = trust.SubjectKey{} },
		"no role":        func(n *approval.Need) { n.Role = "" },
		"nobody":         func(n *approval.Need) { n.People = 0 },
		"no time":        func(n *approval.Need) { n.TTL = 0 },
	} {
		n := need()
		change(&n)
		_, err := approval.State{}.Ask(n, now)
		wants(t, what, trust.Invalid, err)
	}
}

// Whoever asks for everything fills no ledger; what has run out makes room.
func TestHowManyArePending(t *testing.T) {
	var s approval.State
	ask := func(subject, resource byte, at int64) bool {
		n := need()
		n.Subject, n.Resource = trust.SubjectKey{subject}, trust.SubjectKey{resource}
		events, err := s.Ask(n, at)
		if err != nil {
			t.Fatal(err)
		}
		s = apply(s, at, events...)
		return len(events) == 1
	}
	for i := range byte(approval.MaxOfSubject) {
		if !ask(1, i+1, now) {
			t.Fatalf("number %d was not asked for", i+1)
		}
	}
	if ask(1, 200, now) || !ask(2, 200, now) {
		t.Error("one subject may ask for too much, or keeps another from asking")
	}
	if !ask(1, 200, now+approval.AskedFor) || len(s.Waiting) != 1 {
		t.Errorf("what has run out takes room: %d wait", len(s.Waiting))
	}
}

// An approval is of exactly what was asked.
func TestAnApprovalIsOfOneThing(t *testing.T) {
	s := granted(t, nil)
	for what, change := range map[string]func(*approval.Need){
		"another agreement": func(n *approval.Need) { n.Agreement = "b" },
		"another subject":   func(n *approval.Need) { n.Subject = trust.SubjectKey{2} },
		"another service":   func(n *approval.Need) { n.Service = "https://other.example" },
		"another action":    func(n *approval.Need) { n.Action = "read" },
		"another type":      func(n *approval.Need) { n.ResourceType = "Router" },
		"another resource":  func(n *approval.Need) { n.Resource = trust.SubjectKey{8} },
	} {
		n := need()
		change(&n)
		if _, found := s.For(&n); found {
			t.Errorf("what was approved is of %s too", what)
		}
	}
}

// What an approval was used for by an entry still counts for the decision that
// the entry was appended for, and for no other.
func TestUsedForItsOwnDecision(t *testing.T) {
	s := apply(granted(t, func(n *approval.Need) { n.Once = true }), now+2, approval.Spent{ID: one})
	a, _ := s.Get(one)
	if a.Stage(now+3, a.Spent) != approval.Approved || a.Stage(now+3, trust.Position{}) != approval.Used ||
		a.Stage(now+3, trust.Position{Epoch: 1, N: 99}) != approval.Used || a.Stage(a.Ends, a.Spent) != approval.Used {
		t.Errorf("it counts for others, or not for its own: %+v", a)
	}
}

// However people and time go on: no chain of approvals contains who asks or
// anybody twice, it has as many people as it takes, and nothing outlives its date.
func TestNobodyApprovesForThemselves(t *testing.T) {
	operators := []string{"a1", "a2", "b1", "b2", "c1", "c2", "d1", "f1", "z1"}
	rapid.Check(t, func(t *rapid.T) {
		f, at := people(), int64(now)
		var s approval.State
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			at += rapid.Int64Range(0, 1000).Draw(t, "later")
			n := need()
			n.Resource = trust.SubjectKey{byte(rapid.IntRange(1, 2).Draw(t, "resource"))}
			n.People = rapid.IntRange(1, 3).Draw(t, "people")
			n.Once = rapid.Bool().Draw(t, "once")
			by := rapid.SampledFrom(operators).Draw(t, "by")
			which := "approval-" + rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "which")
			var events []trust.Event
			switch rapid.IntRange(0, 5).Draw(t, "command") {
			case 0:
				events, _ = s.Ask(n, at)
			case 1, 2:
				events, _ = s.Approve(f, which, by, at)
			case 3:
				events, _ = s.Decline(f, which, by, at)
			case 4:
				events, _ = s.Withdraw(f, which, by, false, at)
			case 5:
				events, _ = s.Spend(which, at)
			}
			s = apply(s, at, events...)
			for a := range s.All() {
				checkChain(t, a, at)
			}
		}
	})
}

func checkChain(t *rapid.T, a approval.Approval, at int64) {
	seen := map[byte]bool{}
	for _, by := range a.Said {
		if by[0] == 'c' || by[0] == 'f' || by[0] == 'z' || seen[by[0]] {
			t.Fatalf("%s was approved by %v", a.ID, a.Said)
		}
		seen[by[0]] = true
	}
	stage := a.Stage(at, trust.Position{})
	switch {
	case stage == approval.Approved && (len(a.Said) < a.People || a.Ends > at+a.TTL):
		t.Fatalf("%s is approved by %d of %d people until %d at %d", a.ID, len(a.Said), a.People, a.Ends, at)
	case a.Ends > a.Until+a.TTL:
		t.Fatalf("%s outlives its date: %+v", a.ID, a)
	case a.Stage(a.Until+a.TTL, trust.Position{}) == approval.Approved, a.Stage(a.Until, trust.Position{}) == approval.Pending:
		t.Fatalf("%s never ends: %+v", a.ID, a)
	}
}
