package node_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"testing"

	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// owned sees that both sides of the ward's agreement are named, with the local
// people of this one.
func owned(t *testing.T, n *nodetest.Node, ward *nodetest.Ward, l *node.Leak) {
	t.Helper()
	if len(l.Owners) != 2 || l.Owners[0].Side != "home" || l.Owners[1].Side != "host" {
		t.Fatalf("owners are %+v", l.Owners)
	}
	for i, of := range []*nodetest.Node{ward.Home, ward.Host} {
		o := l.Owners[i]
		if o.Agreement != ward.Agreement || o.Participant != of.ID || o.Owner == "" || (len(o.Operators) > 0) != (of == n) {
			t.Errorf("the %s side is %+v", o.Side, o)
		}
	}
}

// A leaked token names its owners on both sides, and where it was accepted, at the
// host and at home; so does a credential of the host's own. The report is an entry,
// and ends what leaked in the same commit (R74).
func TestALeakNamesItsOwners(t *testing.T) {
	ward := wardOf(t, nil)
	home, host, ctx := ward.Home, ward.Host, t.Context()
	token := nurse(ward, "nurse-1")
	first := answer(t, host, ward.Ask(token))
	for range 2 {
		want(t, ward, token, trust.Permit) // given again
	}
	issued := exchange(t, ward, order(ward, nurse(ward, "nurse-2")))
	want(t, ward, []byte(issued.Token), trust.Permit)
	sum := sha256.Sum256(token)
	hash := base64.RawURLEncoding.EncodeToString(sum[:])
	why := node.Why{Reason: "in a paste", Incident: "INC-1"}
	_, err := host.ReportLeak(ctx, node.Actor{ID: "op-x"}, node.LeakRequest{Leaked: hash, Why: why})
	refused(t, "by nobody in particular", err, trust.Denied)
	_, err = host.ReportLeak(ctx, host.Admin, node.LeakRequest{Leaked: hash})
	refused(t, "without a reason", err, trust.Invalid)
	for _, unknown := range []string{"x", hash[1:] + "A", hex.EncodeToString(make([]byte, 32))} {
		_, err = host.ReportLeak(ctx, host.Admin, node.LeakRequest{Leaked: unknown, Why: why})
		refused(t, "a leak of "+unknown, err, trust.NotFound)
	}
	for _, name := range []string{hash, hex.EncodeToString(sum[:]), first.Reference} {
		l, err := host.ReportLeak(ctx, host.Admin, node.LeakRequest{Leaked: name, Why: why})
		if done(t, err); l.Report.Permits != 3 || len(l.Services) != 1 || l.Services[0].EnforcementPoint != "pep" || l.Report.Home != home.ID || l.Report.Credential != "" || l.Ended != nil || l.Suspended || l.First == 0 {
			t.Errorf("by %s it is %+v", name, l)
		}
		owned(t, host, ward, &l)
		if e, _ := newest[revocation.LeakReported](t, host); e.Permits != 3 || e.Token != l.Report.Token || len(e.Agreements) != 1 || e.By != host.Admin.ID {
			t.Errorf("on record is %+v", e)
		}
	}
	nodetest.Eventually(t, "receipts at home", func() bool {
		l, err := home.ReportLeak(ctx, home.Admin, node.LeakRequest{Leaked: hash, Why: why})
		if err != nil || l.Report.Permits < 3 {
			return false
		}
		if len(l.Abroad) != 1 || l.Abroad[0].Host != host.ID || l.Abroad[0].Permits != 3 || len(l.Report.Hosts) != 1 {
			t.Errorf("at home it is %+v", l)
		}
		owned(t, home, ward, &l)
		return true
	})
	nodetest.Eventually(t, "the host's reference to be known at home", func() bool {
		l, err := home.ReportLeak(ctx, home.Admin, node.LeakRequest{Leaked: first.Reference, Why: why})
		return err == nil && l.Report.Token != "" && l.Report.Permits == 3
	})
	_, err = home.ReportLeak(ctx, home.Admin, node.LeakRequest{Leaked: hash, Revoke: true, Why: why})
	refused(t, "an end of somebody who is not known by name", err, trust.Conflict)

	l, err := host.ReportLeak(ctx, host.Admin, node.LeakRequest{Leaked: hash, Revoke: true, Why: why})
	if done(t, err); !l.Suspended || l.Ended != nil {
		t.Errorf("it ended nothing: %+v", l)
	}
	want(t, ward, token, trust.SubjectSuspended)
	want(t, ward, []byte(issued.Token), trust.Permit)
	for _, name := range []string{issued.ID, issued.Reference} {
		l, err = host.ReportLeak(ctx, host.Admin, node.LeakRequest{Leaked: name, Revoke: true, Why: why})
		if done(t, err); l.Report.Credential != issued.ID || l.Ended == nil || l.Ended.Credential != issued.ID || l.Report.Permits != 2 || l.Suspended {
			t.Errorf("the credential by %s is %+v", name, l)
		}
		owned(t, host, ward, &l)
		want(t, ward, []byte(issued.Token), trust.CredentialEnded)
	}
}

// R70, R74: what is reported as leaked counts, each thing once; a rule stops whom
// it speaks for, or what the rule names, and says so to the home.
func TestLeaksAreCounted(t *testing.T) {
	ward := vouching(t)
	home, host := ward.Home, ward.Host
	other := second(t, host, "L. Marsh")
	setRule(t, host, node.RuleText{
		Name: "leaked-person", When: incident.Leak, Per: incident.PerSubject, Count: 1, Within: 3600, Agreement: ward.Agreement, Class: trust.Human,
		Do: incident.Suspend, What: incident.Subject, TLP: suspension.Amber,
	})
	setRule(t, host, node.RuleText{
		Name: "leaking", When: incident.Leak, Per: incident.PerParticipant, Count: 2, Within: 3600, Agreement: ward.Agreement, Class: trust.Human,
		Do: incident.Reduce, What: incident.Class,
	})
	setRule(t, host, node.RuleText{
		Name: "of-agents", When: incident.Leak, Per: incident.PerParticipant, Count: 1, Within: 3600, Class: trust.Agent, Do: incident.Suspend, What: incident.Participant,
	})
	setRule(t, host, node.RuleText{
		Name: "of-persons", When: incident.Leak, Per: incident.PerSubject, Count: 2, Within: 3600, Do: incident.Alert,
	})
	report := func(n *nodetest.Node, reference string) {
		t.Helper()
		_, err := n.ReportLeak(t.Context(), n.Admin, node.LeakRequest{Leaked: reference, Why: node.Why{Reason: "in a paste"}})
		done(t, err)
	}
	counted := func(want ...int) {
		t.Helper()
		for i, rule := range []string{"leaked-person", "leaking", "of-agents", "of-persons", "leaked-credential"} {
			if n := len(incidents(t, host, rule)); n != want[i] {
				t.Errorf("rule %s acted %d times, not %d", rule, n, want[i])
			}
		}
	}
	token := nurse(ward, "nurse-1")
	first := answer(t, host, ward.Ask(token))
	later := answer(t, host, ward.Ask(nurse(ward, "nurse-2")))
	report(host, first.Reference)
	counted(1, 0, 0, 0, 1)
	want(t, ward, token, trust.SubjectSuspended)
	want(t, ward, nurse(ward, "nurse-2"), trust.Permit)
	all := incidents(t, host, "leaked-person")
	if all[0].Subject != "nurse-1" || all[0].Participant != home.ID || all[0].Stopped != suspension.Subject || !all[0].Still {
		t.Errorf("the incident is %+v", all[0])
	}
	if notice := told(t, home, 1)[0]; notice.What.Subject != "nurse-1" || notice.What.Incident != all[0].ID || notice.What.Reason != "rule leaked-person: 1 leaked tokens or credentials within 3600 s" {
		t.Errorf("the notice says %+v", notice.What)
	}
	resume(t, host, other, subjectAt(ward, "nurse-1"), func() { want(t, ward, token, trust.SubjectSuspended) })
	report(host, first.Reference) // known already
	counted(1, 0, 0, 0, 1)
	want(t, ward, token, trust.Permit)

	report(host, later.Reference)
	counted(2, 1, 0, 0, 1)
	want(t, ward, nurse(ward, "nurse-2"), trust.Reduced)
	want(t, ward, nurse(ward, "nurse-3"), trust.Reduced)
	nodetest.Eventually(t, "the leak to be known at home", func() bool {
		_, err := home.ReportLeak(t.Context(), home.Admin, node.LeakRequest{Leaked: first.Reference, Why: node.Why{Reason: "in a paste"}})
		return err == nil
	})
	if all := incidents(t, home, "leaked-credential"); len(all) != 0 {
		t.Errorf("a leak of our own people's is no partner's: %+v", all)
	}
}
