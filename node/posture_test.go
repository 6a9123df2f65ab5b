package node_test

import (
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// R11, R70: an agreement that nobody reviewed in time has lapsed: that is on
// record once, people are alerted on both sides, and a rule reduces it; what two
// people let go on afterwards goes on.
func TestALapsedReviewReduces(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.Found(nil)
	ward := w.NewWard(home, host, func(d *agreement.Document) { d.ReviewEvery = 3600 })
	other := second(t, host, "L. Marsh")
	what := node.Stoppable{Kind: suspension.Coverage, Agreement: ward.Agreement, Class: trust.Human}
	setRule(t, host, node.RuleText{
		Name: "unreviewed", When: incident.Posture, Count: 1, Within: 600, Agreement: ward.Agreement, Class: trust.Human, Do: incident.Reduce, What: incident.Class,
	})
	setRule(t, host, node.RuleText{Name: "of-many", When: incident.Posture, Count: 2, Within: 600, Do: incident.Suspend, What: incident.Participant})
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	done(t, host.WatchPosture(t.Context(), home.ID))
	if all := incidents(t, host, "unreviewed"); len(all) != 0 {
		t.Fatalf("before its date it lapses: %+v", all)
	}
	home.Clock.Shift(time.Hour)
	host.Clock.Shift(time.Hour)
	nodetest.Eventually(t, "the lapse", func() bool {
		return len(incidents(t, host, "lapsed-posture")) == 1 && len(incidents(t, home, "lapsed-posture")) == 1
	})
	all := incidents(t, host, "unreviewed")
	if len(all) != 1 || all[0].Count != 1 || all[0].Participant != home.ID || !all[0].Still || all[0].Stopped != suspension.Coverage {
		t.Fatalf("the incidents are %+v", all)
	}
	if n := len(incidents(t, host, "of-many")); n != 0 {
		t.Errorf("one lapse counts as two: %d", n)
	}
	for side, n := range map[finding.Side]*nodetest.Node{finding.Host: host, finding.Home: home} {
		for _, f := range foundAt(n) {
			if f.Side != side || f.Owner == "" {
				t.Errorf("the finding is %+v", f)
			}
		}
	}
	resume(t, host, other, what, func() {})
	done(t, host.WatchPosture(t.Context(), home.ID))
	if again := incidents(t, host, "unreviewed"); len(again) != 1 || again[0].Still {
		t.Errorf("resumed, it is stopped again: %+v", again)
	}
}

// A partner whose statement ended, and which gave no other, has lapsed, and with
// it all that is agreed with it; a rule about another partner's agreement is not
// concerned. A start says nothing anew.
func TestALapsedStatementSuspends(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.Found(nil)
	ward := w.NewWard(home, host, nil)
	setRule(t, host, node.RuleText{
		Name: "silent", When: incident.Posture, Count: 1, Within: 3600, Agreement: ward.Agreement, Do: incident.Suspend, What: incident.Agreement, TLP: suspension.Amber,
	})
	w.Cut(home, host)
	home.Clock.Shift(49 * time.Hour)
	host.Clock.Shift(49 * time.Hour)
	nodetest.Eventually(t, "the lapse", func() bool { return len(incidents(t, host, "silent")) == 1 })
	if all := incidents(t, host, "silent"); all[0].Stopped != suspension.Agreement || !all[0].Still {
		t.Errorf("the incident is %+v", all[0])
	}
	e, n := newest[incident.Lapsed](t, host)
	if n != 1 || e.Of != incident.Statement || e.Participant != home.ID || e.Agreement != "" {
		t.Errorf("on record is %+v", e)
	}
	host.Stop()
	host.Start()
	done(t, host.WatchPosture(t.Context(), home.ID))
	if all := incidents(t, host, "lapsed-posture"); len(all) != 1 {
		t.Errorf("after a start it lapses again: %+v", all)
	}
}
