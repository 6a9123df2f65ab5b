package suspension_test

import (
	"testing"

	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// R36, R46: what ended by itself is recorded once, by every name, and no longer
// stop with it, nor what a home says of its own.
func TestLapse(t *testing.T) {
	target, alias := subject(t, 1), subject(t, 9)
	ban := suspension.Suspended{Target: target, Alias: alias.Subject, By: "a", Expires: now + 10}
	longer := suspension.Suspended{Target: target, By: "a", Expires: now + 20}
	first, second := trust.Position{Epoch: 1, N: 1}, trust.Position{Epoch: 1, N: 6}
	for what, c := range map[string]struct {
		events []trust.Event // the first at now, others at now+5
		at     int64
		over   []trust.Position
		of     trust.Position
		ended  int64 // 0: nothing is recorded
		left   bool  // a stop of ours stands after that
	}{
		"before its end":          {[]trust.Event{ban}, now + 9, nil, first, 0, true},
		"at its end":              {[]trust.Event{ban}, now + 10, []trust.Position{first}, first, now + 10, false},
		"of another entry":        {[]trust.Event{ban}, now + 10, []trust.Position{first}, second, 0, true},
		"without an end":          {[]trust.Event{suspension.Suspended{Target: target, By: "a"}}, now + 1e9, nil, first, 0, true},
		"by its home alone":       {[]trust.Event{suspension.Suspended{Target: target, From: id(t, "rxw"), Expires: now + 10}}, now + 10, nil, first, 0, false},
		"resumed before":          {[]trust.Event{ban, suspension.Resumed{Target: target, Asked: "a", By: "b"}}, now + 10, nil, first, 0, false},
		"a longer one stands":     {[]trust.Event{ban, longer}, now + 10, []trust.Position{first}, first, now + 10, true},
		"the longer one ended":    {[]trust.Event{longer, ban}, now + 20, []trust.Position{first}, first, now + 20, false},
		"a longer one that ended": {[]trust.Event{suspension.Suspended{Target: target, By: "a", Expires: now + 10}, longer}, now + 20, []trust.Position{second}, second, now + 20, false},
	} {
		t.Run(what, func(t *testing.T) {
			s := apply(suspension.State{}, now, c.events[0])
			s = apply(s, now+5, c.events[1:]...)
			if over := s.Over(c.at, 10); len(over) != len(c.over) || len(over) > 0 && over[0] != c.over[0] {
				t.Errorf("over are %v, want %v", over, c.over)
			}
			events := s.Lapse(target, c.of, c.at)
			if (len(events) == 1) != (c.ended != 0) {
				t.Fatalf("recorded is %+v", events)
			}
			if len(events) == 1 && events[0] != (suspension.Lapsed{Target: target, Of: c.of, Ended: c.ended}) {
				t.Errorf("recorded is %+v", events[0])
			}
			s = apply(s, c.at, events...)
			if again := s.Lapse(target, c.of, c.at); len(events) == 1 && (again != nil || len(s.Over(c.at, 10)) != 0) {
				t.Errorf("recorded, it ends again: %+v, %v", again, s.Over(c.at, 10))
			}
			if s.Stands(target.Subject) != c.left {
				t.Errorf("after it a stop stands: %v, want %v", !c.left, c.left)
			}
		})
	}
	other := suspension.Target{Kind: suspension.Client, Client: "c"}
	s := apply(suspension.State{}, now, suspension.Suspended{Target: other, By: "a", Expires: now + 10})
	if len(s.Over(now+10, 10)) != 0 || s.Lapse(other, first, now+10) != nil {
		t.Error("the end of what is no person's is recorded")
	}
	both := apply(suspension.State{}, now, ban, suspension.Suspended{Target: target, From: id(t, "rxw")}, suspension.Suspended{Target: subject(t, 2), By: "a", Expires: now + 10})
	if len(both.Over(now+10, 1)) != 1 || len(both.Over(now+10, 3)) != 2 {
		t.Errorf("two have ended: %v", both.Over(now+10, 3))
	}
	both = apply(both, now+10, both.Lapse(target, first, now+10)...)
	if both.Stands(target.Subject) || !both.SubjectSuspended(target.Subject, now+11) || both.Stands(alias.Subject) {
		t.Error("the home's own ended with ours, or ours did not")
	}
}
