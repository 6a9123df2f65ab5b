package denial_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// ruled puts an alert in force that is to act once, or never.
func ruled(t *testing.T, n *nodetest.Node, r node.RuleText) {
	t.Helper()
	r.Do = incident.Alert
	_, err := n.SetRule(t.Context(), n.Admin, r)
	check(t, err)
}

// acted sees how often a rule did.
func acted(t *testing.T, n *nodetest.Node, rule string, want int) {
	t.Helper()
	count := 0
	for i := range n.State().Incident.All() {
		if i.Rule.Name == rule {
			count++
		}
	}
	if count != want {
		t.Errorf("rule %s acted %d times, not %d", rule, count, want)
	}
}

// refuses sees an error of a kind.
func refuses(t *testing.T, what string, err error, kind trust.ErrorKind) {
	t.Helper()
	if trust.KindOf(err) != kind {
		t.Errorf("%s: %v", what, err)
	}
}

var nobody = node.Actor{ID: "x", Roles: []trust.Role{operator.Auditor}}

// R74, R70: who may report a leak, what counts of it, and for whom.
func TestLeaks(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.Found(nil)
	ward := w.NewWard(home, host, nil)
	ctx, why := t.Context(), node.Why{Reason: "in a paste"}
	report := func(n *nodetest.Node, leaked string) node.Leak {
		t.Helper()
		l, err := n.ReportLeak(ctx, n.Admin, node.LeakRequest{Leaked: leaked, Why: why})
		check(t, err)
		return l
	}
	show := func(subject string, change func(*node.Ask)) (hash string) {
		t.Helper()
		token := w.Token(ward.Issuer, subject, ward.Audience, nil)
		ask := ward.Ask(token)
		change(&ask)
		host.Decide(ctx, ask)
		sum := sha256.Sum256(token)
		return hex.EncodeToString(sum[:])
	}
	same := func(*node.Ask) {}
	ruled(t, host, node.RuleText{Name: "two", When: incident.Leak, Per: incident.PerParticipant, Count: 2, Within: 3600})
	ruled(t, host, node.RuleText{Name: "two-of-one", When: incident.Leak, Per: incident.PerSubject, Count: 2, Within: 3600})
	ruled(t, host, node.RuleText{Name: "soon", When: incident.Leak, Per: incident.PerParticipant, Count: 2, Within: 60})
	ruled(t, host, node.RuleText{Name: "agents", When: incident.Leak, Per: incident.PerParticipant, Count: 1, Within: 3600, Class: trust.Agent})
	ruled(t, home, node.RuleText{Name: "own", When: incident.Leak, Per: incident.PerParticipant, Count: 1, Within: 3600})

	first := show("nurse-1", same)
	show("nurse-3", same) // which is not what leaks
	_, err := host.ReportLeak(ctx, nobody, node.LeakRequest{Leaked: first, Why: why})
	refuses(t, "an auditor's report", err, trust.Denied)
	_, err = host.ReportLeak(ctx, host.Admin, node.LeakRequest{Leaked: first})
	refuses(t, "a report without a reason", err, trust.Invalid)
	_, err = host.ReportLeak(ctx, host.Admin, node.LeakRequest{Leaked: hex.EncodeToString(make([]byte, 32)), Why: why})
	refuses(t, "a leak of nothing", err, trust.NotFound)
	for range 2 {
		report(host, first)
	}
	acted(t, host, "leaked-credential", 1)
	acted(t, host, "two", 0)
	host.Clock.Shift(61 * time.Second)
	home.Clock.Shift(61 * time.Second)
	denied := show("nurse-2", func(a *node.Ask) { a.Action = "burn" })
	if l := report(host, denied); l.Report.Permits != 0 || len(l.Services) != 0 {
		t.Errorf("denials are permits: %+v", l)
	}
	for rule, want := range map[string]int{"two": 1, "two-of-one": 0, "soon": 0, "agents": 0} {
		acted(t, host, rule, want)
	}
	nodetest.Eventually(t, "the receipts at home", func() bool {
		entries, _, err := home.Entries(ctx, home.Admin, "decisions", 0, 512)
		check(t, err)
		count := 0
		for _, e := range entries {
			if e.Kind == "receipt.counter/v1" {
				count++
			}
		}
		return count == 3
	})
	if l := report(home, first); l.Report.Permits != 1 {
		t.Errorf("at home it is %+v", l)
	}
	acted(t, home, "own", 0)
	for _, l := range []revocation.LeakReported{{Home: home.ID, By: "op-1"}, {Home: home.ID, By: "op-1", Credential: "c", Token: "00112233445566778899aabbccddeeff"}} {
		_, err := (revocation.State{}).ReportLeak(l)
		refuses(t, "a leak of neither or both", err, trust.Invalid)
	}
}

// R11, R70: what lapses at its date, and not before, and is said once.
func TestLapses(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.Found(nil)
	w.NewWard(home, host, func(d *agreement.Document) { d.ReviewEvery = 3600 })
	ruled(t, host, node.RuleText{Name: "two", When: incident.Posture, Count: 2, Within: 600})
	lapsed := func(count int) {
		t.Helper()
		nodetest.Eventually(t, "the lapse", func() bool { return host.State().Incident.Lapses.Len() >= count })
		if n := host.State().Incident.Lapses.Len(); n != count {
			t.Errorf("%d things have lapsed, not %d", n, count)
		}
		for _, l := range host.State().Incident.Lapses.All() {
			if l.At < l.Ended {
				t.Errorf("%+v lapsed before its date", l)
			}
		}
	}
	w.Cut(home, host) // it gives no other statement
	home.Clock.Shift(time.Hour)
	host.Clock.Shift(time.Hour)
	lapsed(1)
	acted(t, host, "lapsed-posture", 1)
	home.Clock.Shift(25 * time.Hour)
	host.Clock.Shift(25 * time.Hour)
	lapsed(2)
	acted(t, host, "lapsed-posture", 2)
	acted(t, host, "two", 0)

	l := incident.Lapsed{Of: incident.Statement, Participant: home.ID, Ended: 1}
	if again, err := (incident.State{}).Apply(l, trust.Stamp{At: 1}).Lapse(l); err != nil || again != nil {
		t.Errorf("a lapse is said again: %v, %v", again, err)
	}
	l.Agreement = "a1"
	_, err := (incident.State{}).Lapse(l)
	refuses(t, "a statement of an agreement's", err, trust.Invalid)
}

// R36, R76: who may end a session or a credential, or look at what hangs from
// something, which one ends, and what is counted.
func TestEnds(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.Found(nil)
	ward := w.NewWard(home, host, nil)
	enrollApp(t, ward)
	ctx, why := t.Context(), node.Why{Reason: "left at the terminal"}
	nurse := func(subject string) node.Ask {
		return ward.Ask(w.Token(ward.Issuer, subject, ward.Audience, nil))
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	streaming := make(chan struct{}, 1)
	go host.Watch(watching, "pep", "", func(node.SessionEvent) error { //nolint:errcheck // it ends with the test
		select {
		case streaming <- struct{}{}:
		default:
		}
		return nil
	})
	<-streaming
	ask := nurse("nurse-1")
	ask.Session = true
	session := host.Decide(ctx, ask)
	open := func() bool {
		all, err := host.Sessions(ctx, host.Admin)
		check(t, err)
		return len(all) == 1
	}
	if !open() {
		t.Fatal("there is no session")
	}
	_, err := host.EndSession(ctx, nobody, session.Reference, "x")
	refuses(t, "an auditor's end", err, trust.Denied)
	_, err = host.EndSession(ctx, host.Admin, session.Reference, "")
	refuses(t, "an end without a reason", err, trust.Invalid)
	if !open() {
		t.Error("a refused end ends it")
	}
	_, err = host.EndSession(ctx, host.Admin, session.Reference, "x")
	if check(t, err); open() {
		t.Error("it is open still")
	}
	_, err = (revocation.State{}).StopSession(revocation.SessionStopped{Permit: trust.Position{Epoch: 1, N: 7}})
	refuses(t, "an end by nobody", err, trust.Invalid)

	one, other := orderFor(t, ward, nurse("nurse-2")), orderFor(t, ward, nurse("nurse-3"))
	_, err = host.RevokeCredential(ctx, nobody, one.ID, why)
	refuses(t, "an auditor's revocation", err, trust.Denied)
	_, err = host.RevokeCredential(ctx, host.Admin, one.ID, node.Why{})
	refuses(t, "a revocation without a reason", err, trust.Invalid)
	ended, err := host.RevokeCredential(ctx, host.Admin, one.ID, why)
	if check(t, err); ended.Credential != one.ID {
		t.Errorf("ended is %+v", ended)
	}
	if got := host.Decide(ctx, ward.Ask([]byte(one.Token))).Reason; got != trust.CredentialEnded {
		t.Errorf("it is answered %s", got)
	}
	if got := host.Decide(ctx, ward.Ask([]byte(other.Token))); !got.Permit {
		t.Errorf("another is answered %s", got.Reason)
	}

	burn := nurse("nurse-4")
	burn.Action = "burn"
	host.Decide(ctx, burn)
	root := node.Root{Kind: revocation.RootSubject, Issuer: ward.Issuer.URL, Subject: "nurse-4"}
	reach := func(want int) {
		t.Helper()
		if found, err := host.Reach(ctx, host.Admin, root); err != nil || found.Permits != want || found.Subjects != min(want, 1) {
			t.Errorf("reach is %+v, %v", found, err)
		}
	}
	_, err = host.Reach(ctx, node.Actor{ID: "x"}, root)
	refuses(t, "a stranger's look", err, trust.Denied)
	reach(0) // others were permitted, and this one denied
	for range 2 {
		if got := host.Decide(ctx, nurse("nurse-4")); !got.Permit {
			t.Fatalf("it is answered %s", got.Reason)
		}
	}
	reach(2)
	home.Clock.Shift(25 * time.Hour)
	host.Clock.Shift(25 * time.Hour)
	reach(0)
	for _, id := range []string{other.ID, other.Reference} { // what has expired may be forgotten, its record is not
		_, err = host.RevokeCredential(ctx, host.Admin, id, why)
		refuses(t, "the end of what has expired", err, trust.NotFound)
	}
}
