package node_test

import (
	"context"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/drill"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// setRule puts a rule in force at a node.
func setRule(t *testing.T, n *nodetest.Node, r node.RuleText) {
	t.Helper()
	_, err := n.SetRule(t.Context(), n.Admin, r)
	done(t, err)
}

// incidents gives a node's incidents under a rule.
func incidents(t *testing.T, n *nodetest.Node, rule string) []node.IncidentText {
	t.Helper()
	all, err := n.Incidents(t.Context(), n.Admin)
	done(t, err)
	return slices.DeleteFunc(all, func(i node.IncidentText) bool { return i.Rule.Name != rule })
}

// foundAt gives the open findings about incidents.
func foundAt(n *nodetest.Node) (all []finding.Finding) {
	for f := range n.State().Finding.All() {
		if f.Kind == finding.Incident && f.Open() {
			all = append(all, f)
		}
	}
	return all
}

func oddQueries(count uint64) node.RuleText {
	return node.RuleText{
		Name: "odd-queries", When: incident.Volume, Per: incident.PerSubject, Count: count, Within: 3600,
		Do: incident.Suspend, What: incident.Subject, Class: trust.Human, Service: "ward-records", TLP: suspension.Amber,
	}
}

// R70, scenario 10: forty queries of one person within the time stop that person
// and nobody else; the partner has a signed notice that names the incident; two
// people let it go on, and a start lifts nothing.
func TestVolumeStopsASubject(t *testing.T) {
	ward := vouching(t)
	home, host, ctx := ward.Home, ward.Host, t.Context()
	other := second(t, host, "L. Marsh")
	const most = 40
	setRule(t, host, oddQueries(most))
	token := nurse(ward, "nurse-1")
	for range most - 2 { // by memory, most of them
		want(t, ward, token, trust.Permit)
	}
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	if n := len(incidents(t, host, "odd-queries")); n != 0 {
		t.Fatalf("%d incidents before the count is reached", n)
	}
	stream := watch(t, host, "pep", "")
	session := open(t, ward, nurse(ward, "nurse-1")) // the last that is answered
	want(t, ward, token, trust.SubjectSuspended)
	if end := stream.end(t, session.Reference); end.Reason != trust.SubjectSuspended {
		t.Errorf("the session ends for %s", end.Reason)
	}
	want(t, ward, nurse(ward, "nurse-2"), trust.Permit)

	all := incidents(t, host, "odd-queries")
	if len(all) != 1 || all[0].Count != most || all[0].Subject != "nurse-1" || all[0].Stopped != suspension.Subject || !all[0].Still || all[0].Participant != home.ID {
		t.Fatalf("the incidents are %+v", all)
	}
	if f := foundAt(host); len(f) != 1 || f[0].Partner != home.ID || f[0].Owner != "records" || f[0].Side != finding.Host {
		t.Errorf("the findings are %+v", f)
	}
	notice := told(t, home, 1)[0]
	if notice.What.Subject != "nurse-1" || notice.What.Incident != all[0].ID || notice.What.TLP != suspension.Amber ||
		notice.What.Reason != "rule odd-queries: 40 decisions within 3600 s" {
		t.Errorf("the notice says %+v", notice.What)
	}
	if e, _ := newest[suspension.Suspended](t, host); e.By != "rule:odd-queries" && e.By != "rule:alias" {
		t.Errorf("suspended by %q", e.By)
	}

	host.Stop()
	host.Start()
	againLive(t, ward)
	want(t, ward, nurse(ward, "nurse-1"), trust.SubjectSuspended)
	_, err := home.Resume(ctx, home.Admin, subjectAt(ward, "nurse-1"), "she is fine")
	refused(t, "resumed by the home", err, trust.Denied)
	for range most + 5 { // what is stopped counts for nothing
		want(t, ward, nurse(ward, "nurse-1"), trust.SubjectSuspended)
	}
	resume(t, host, other, subjectAt(ward, "nurse-1"), func() { want(t, ward, nurse(ward, "nurse-1"), trust.SubjectSuspended) })
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	for range most - 1 {
		want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	}
	want(t, ward, nurse(ward, "nurse-1"), trust.SubjectSuspended)
	if again := incidents(t, host, "odd-queries"); len(again) != 2 {
		t.Errorf("counted anew, there are %d incidents", len(again))
	}
}

// Nobody is stopped by what others show in their name: a token that fails its
// check counts for nobody.
func TestAForgedTokenCountsForNobody(t *testing.T) {
	ward := wardOf(t, nil)
	setRule(t, ward.Host, oddQueries(2))
	token := nurse(ward, "nurse-1")
	broken := slices.Clone(token)
	broken[len(broken)-5] ^= 1
	for range 5 {
		if got := read(t, ward, broken); got == trust.Permit {
			t.Fatal("a broken token is let in")
		}
	}
	want(t, ward, token, trust.Permit)
	want(t, ward, token, trust.Permit)
	want(t, ward, token, trust.SubjectSuspended)
}

// What a rule does, it does to what it says: a partner's people counted together,
// a class out of an agreement, everything of a partner.
func TestWhatRulesStop(t *testing.T) {
	for _, tt := range []struct {
		rule   node.RuleText
		reason trust.Reason
		told   bool
	}{
		{node.RuleText{Do: incident.Alert}, trust.Permit, false},
		{node.RuleText{Do: incident.Reduce, What: incident.Class, Class: trust.Human, Agreement: "staff"}, trust.Reduced, true},
		{node.RuleText{Do: incident.Reduce, What: incident.Service, Service: "ward-records", Agreement: "staff"}, trust.Reduced, true},
		{node.RuleText{Do: incident.Suspend, What: incident.Class, Class: trust.Human}, trust.ClassSuspended, false},
		{node.RuleText{Do: incident.Suspend, What: incident.Service, Service: "ward-records"}, trust.ServiceSuspended, false},
		{node.RuleText{Do: incident.Suspend, What: incident.Agreement, Agreement: "staff", TLP: suspension.Green}, trust.AgreementSuspended, true},
		{node.RuleText{Do: incident.Suspend, What: incident.Participant, TLP: suspension.Green}, trust.ParticipantSuspended, true},
	} {
		t.Run(string(tt.rule.Do)+" "+string(tt.rule.What), func(t *testing.T) {
			ward := wardOf(t, nil)
			r := tt.rule
			r.Name, r.When, r.Per, r.Count, r.Within = "too-many", incident.Volume, incident.PerParticipant, 3, 60
			setRule(t, ward.Host, r)
			for i := range 3 {
				want(t, ward, nurse(ward, "nurse-"+strconv.Itoa(i)), trust.Permit)
			}
			want(t, ward, nurse(ward, "nurse-9"), tt.reason)
			if all := incidents(t, ward.Host, "too-many"); len(all) != 1 || all[0].Count != 3 || len(foundAt(ward.Host)) != 1 {
				t.Errorf("the incidents are %+v", all)
			}
			if tt.told {
				told(t, ward.Home, 1)
			}
		})
	}
}

// An alert says the same once within its time, also over a start.
func TestAnAlertIsSaidOnce(t *testing.T) {
	ward := wardOf(t, nil)
	r := node.RuleText{Name: "busy", When: incident.Volume, Per: incident.PerSubject, Count: 2, Within: 600, Do: incident.Alert}
	setRule(t, ward.Host, r)
	for range 6 {
		want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	}
	ward.Host.Stop()
	ward.Host.Start()
	await(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	for range 6 {
		want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	}
	if all := incidents(t, ward.Host, "busy"); len(all) != 1 {
		t.Errorf("there are %d incidents", len(all))
	}
	if _, err := ward.Host.RemoveRule(t.Context(), ward.Host.Admin, "busy"); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		want(t, ward, nurse(ward, "nurse-2"), trust.Permit)
	}
	if all := incidents(t, ward.Host, "busy"); len(all) != 1 {
		t.Errorf("removed, the rule raised %d incidents", len(all))
	}
}

// R35: attempts to bring back who ended are counted; the partner that makes them
// is reduced.
func TestReissuesAreCounted(t *testing.T) {
	ward := wardOf(t, nil)
	other := second(t, ward.Host, "L. Marsh")
	setRule(t, ward.Host, node.RuleText{
		Name: "brought-back", When: incident.Reissue, Per: incident.PerParticipant, Count: 5, Within: 600,
		Do: incident.Reduce, What: incident.Class, Class: trust.Human, Agreement: "staff",
	})
	revoke(t, ward, "nurse-1")
	await(t, ward, nurse(ward, "nurse-1"), trust.SubjectRevoked)
	for range 4 {
		want(t, ward, nurse(ward, "nurse-2"), trust.Permit) // counts for nothing here
	}
	nodetest.Eventually(t, "the reduction", func() bool {
		return read(t, ward, nurse(ward, "nurse-1")) != trust.SubjectRevoked
	})
	want(t, ward, nurse(ward, "nurse-2"), trust.Reduced)
	if all := incidents(t, ward.Host, "brought-back"); len(all) != 1 || all[0].Count != 5 {
		t.Errorf("the incidents are %+v", all)
	}
	what := node.Stoppable{Kind: suspension.Coverage, Agreement: "staff", Class: trust.Human}
	resume(t, ward.Host, other, what, func() { want(t, ward, nurse(ward, "nurse-2"), trust.Reduced) })
	want(t, ward, nurse(ward, "nurse-2"), trust.Permit)
}

// slowness is what a test makes slow, while it is on: how long a home takes until
// it sends, the way to the host, and how long the host takes to apply.
type slowness struct{ home, way, host atomic.Int64 }

func (s *slowness) configure(n *nodetest.Node, c *node.Config) {
	if n.ID.String() == "https://trust.rxw.example" {
		c.Store, c.Send = slowReads{c.Store, &s.home}, slowWay{c.Send, &s.way}
	} else {
		c.Store = slowAppends{c.Store, &s.host}
	}
}

func linger(d *atomic.Int64) { time.Sleep(time.Duration(d.Load())) }

type slowReads struct {
	store.Store
	by *atomic.Int64
}

func (s slowReads) Read(ctx context.Context, q store.Query) (store.Page, error) {
	if q.Log == store.TrustLog && q.Max > 0 {
		linger(s.by)
	}
	return s.Store.Read(ctx, q)
}

type slowAppends struct {
	store.Store
	by *atomic.Int64
}

func (s slowAppends) Append(ctx context.Context, b store.Batch) error {
	if b.Log == store.TrustLog {
		linger(s.by)
	}
	return s.Store.Append(ctx, b)
}

type slowWay struct {
	node.Sender
	by *atomic.Int64
}

func (s slowWay) Send(ctx context.Context, to participant.Partner, r node.Outgoing) (node.Incoming, error) {
	if r.Path == node.MessagesPath {
		linger(s.by)
	}
	return s.Sender.Send(ctx, to, r)
}

// within is a framework under which an end may take this long.
func within(target trust.Span) func(*framework.Document) {
	return func(d *framework.Document) {
		tier := d.Tiers[trust.Standard]
		tier.RemovalTarget = target
		d.Tiers[trust.Standard] = tier
	}
}

// R54: whoever is slow is named by both, whichever end or the way between them;
// the other end's rule stops for it, and the end whose doing it was stops nobody.
// Both have a finding.
func TestABreachNamesTheSlowSide(t *testing.T) {
	for side, by := range map[drill.Side]func(*slowness) *atomic.Int64{
		drill.Home:    func(s *slowness) *atomic.Int64 { return &s.home },
		drill.Host:    func(s *slowness) *atomic.Int64 { return &s.host },
		drill.Transit: func(s *slowness) *atomic.Int64 { return &s.way },
	} {
		t.Run(string(side), func(t *testing.T) {
			t.Parallel()
			var s slowness
			w := nodetest.NewWorld(t)
			w.Configure = s.configure
			home, host := w.Found(within(2))
			ward := w.NewWard(home, host, nil)
			rule := node.RuleText{Name: "too-slow", When: incident.Breach, Count: 1, Within: 3600, Do: incident.Suspend, What: incident.Agreement, TLP: suspension.Amber}
			setRule(t, home, rule)
			setRule(t, host, rule)
			quiet(t, home, host)
			by(&s).Store(int64(5 * time.Second)) // the most of the time, however slow the rest
			held, err := home.Drill(t.Context(), home.Admin, node.DrillRequest{Partner: host.ID})
			by(&s).Store(0)
			if done(t, err); held.Verdict != drill.Breached || held.Side != side {
				t.Fatalf("the drill came to %s by %q: %+v seen as %+v", held.Verdict, held.Side, held.Measured, held.Seen)
			}
			stops := 0
			for _, n := range []*nodetest.Node{home, host} {
				if all := incidents(t, n, "breached-drill"); len(all) != 1 || all[0].Stopped != "" {
					t.Errorf("%s is alerted by %+v", n.ID, all)
				}
				all := incidents(t, n, "too-slow")
				if own := n == home && side == drill.Home || n == host && side == drill.Host; own != (len(all) == 0) {
					t.Errorf("%s stops %+v", n.ID, all)
				}
				for _, i := range all {
					if stops++; i.Stopped != suspension.Agreement || i.Participant == n.ID || i.Count != 1 {
						t.Errorf("%s stops %+v", n.ID, i)
					}
				}
			}
			if side == drill.Transit && stops != 2 || side != drill.Transit && stops != 1 {
				t.Errorf("%d rules act", stops)
			}
			await(t, ward, nurse(ward, "nurse-1"), trust.AgreementSuspended)
		})
	}
}

// Ends that a home tells later than it agreed are counted by its own clock, while
// the link is up.
func TestLateEndsAreCounted(t *testing.T) {
	t.Parallel()
	var s slowness
	w := nodetest.NewWorld(t)
	w.Configure = s.configure
	home, host := w.Found(within(4))
	ward := w.NewWard(home, host, nil)
	setRule(t, host, node.RuleText{Name: "late", When: incident.Delay, Count: 1, Within: 3600, Do: incident.Suspend, What: incident.Participant})
	quiet(t, home, host)
	revoke(t, ward, "nurse-1") // in time
	await(t, ward, nurse(ward, "nurse-1"), trust.SubjectRevoked)
	if all := incidents(t, host, "late"); len(all) != 0 {
		t.Fatalf("in time is late: %+v", all)
	}
	s.way.Store(int64(9 * time.Second))
	for i := 2; read(t, ward, nurse(ward, "nurse-0")) != trust.ParticipantSuspended; i++ { // a machine that stands still cuts the link too
		if i > 5 {
			t.Fatal("late ends are not counted")
		}
		late := "nurse-" + strconv.Itoa(i)
		nodetest.Eventually(t, "the link to have been up for long enough", func() bool { return host.LinkUp(home.ID) > 6 })
		revoke(t, ward, late)
		nodetest.Eventually(t, "the late end", func() bool { return read(t, ward, nurse(ward, late)) != trust.Permit })
	}
	if all := incidents(t, host, "late"); len(all) != 1 || all[0].Participant != home.ID || all[0].Stopped != suspension.Participant {
		t.Errorf("the incidents are %+v", all)
	}
	if all := incidents(t, host, "late-removal"); len(all) != 1 {
		t.Errorf("the alerts are %+v", all)
	}
}

// Rules are an admin's, and name what is there.
func TestRulesAreAnAdmins(t *testing.T) {
	ward := wardOf(t, nil)
	host, ctx := ward.Host, t.Context()
	auditor := node.Actor{ID: "a.khan", Roles: []trust.Role{operator.Auditor}}
	_, err := host.SetRule(ctx, auditor, oddQueries(40))
	refused(t, "a rule of an auditor", err, trust.Denied)
	_, err = host.RemoveRule(ctx, auditor, "busy-person")
	refused(t, "an auditor's removal", err, trust.Denied)
	stranger := node.Actor{ID: "x"}
	_, err = host.Rules(stranger)
	refused(t, "a stranger's look at rules", err, trust.Denied)
	_, err = host.Incidents(ctx, stranger)
	refused(t, "a stranger's look at incidents", err, trust.Denied)
	for what, change := range map[string]func(*node.RuleText){
		"a participant": func(r *node.RuleText) {
			r.Participant = nodetest.Must(trust.ParseParticipantID("https://nobody.example"))(t)
		},
		"an agreement": func(r *node.RuleText) { r.Agreement = "none" },
		"a service":    func(r *node.RuleText) { r.Service = "none" },
	} {
		r := oddQueries(40)
		change(&r)
		_, err := host.SetRule(ctx, host.Admin, r)
		refused(t, what+" that is not there", err, trust.NotFound)
	}
	setRule(t, host, oddQueries(40))
	rules, err := host.Rules(auditor)
	if done(t, err); len(rules) != 1+len(incident.Standing()) {
		t.Fatalf("the rules are %+v", rules)
	}
	for _, r := range rules {
		if r.Standing == (r.Name == "odd-queries") {
			t.Errorf("of rule %s it is said that standing is %v", r.Name, r.Standing)
		}
	}
	if _, err := canonical.Marshal(rules); err != nil {
		t.Error(err)
	}
}
