package denial_test

import (
	"testing"

	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// R70: which proofs count against somebody, and when a rule acts on them: those
// that were verified, within the rule's scope, until it has acted; and once.
func TestRulesOnProofs(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.Found(nil)
	ward := w.NewWard(home, host, nil)
	ctx := t.Context()
	set := func(r node.RuleText) {
		t.Helper()
		_, err := host.SetRule(ctx, host.Admin, r)
		check(t, err)
	}
	rule := func(name string, change func(*node.RuleText)) {
		t.Helper()
		r := node.RuleText{Name: name, When: incident.Volume, Per: incident.PerSubject, Count: 3, Within: 3600, Do: incident.Suspend, What: incident.Subject}
		change(&r)
		set(r)
	}
	raised := func(name string) (count int) {
		for i := range host.State().Incident.All() {
			if i.Rule.Name == name {
				count++
			}
		}
		return count
	}
	ask := func(subject string, want trust.Reason, times int) {
		t.Helper()
		for range times {
			if got := host.Decide(ctx, ward.Ask(w.Token(ward.Issuer, subject, ward.Audience, nil))).Reason; got != want {
				t.Fatalf("%s is answered %s, not %s", subject, got, want)
			}
		}
	}
	rule("three", func(*node.RuleText) {})
	rule("alert", func(r *node.RuleText) { r.Do, r.What, r.Count = incident.Alert, "", 1 })
	rule("agents", func(r *node.RuleText) { r.Class, r.Count = trust.Agent, 1 })
	rule("brought-back", func(r *node.RuleText) { r.When, r.Count = incident.Reissue, 2 })

	rule("crowd", func(r *node.RuleText) { r.Per, r.Do, r.What, r.Count = incident.PerParticipant, incident.Alert, "", 5 })
	aged := map[string]any{"iat": host.Now() - 7200, "exp": host.Now() - 3600}
	for range 5 { // expired: nobody vouches that she shows it
		if host.Decide(ctx, ward.Ask(w.Token(ward.Issuer, "nurse-1", ward.Audience, aged))).Permit {
			t.Fatal("an expired token is let in")
		}
	}
	if raised("crowd") != 0 {
		t.Error("what nobody vouches for counts for the participant it names")
	}
	ask("nurse-1", trust.Permit, 3)
	ask("nurse-1", trust.SubjectSuspended, 8)
	ask("nurse-2", trust.Permit, 2)
	for name, want := range map[string]int{"three": 1, "alert": 2, "agents": 0, "brought-back": 0} {
		if got := raised(name); got != want {
			t.Errorf("rule %s raised %d incidents, not %d", name, got, want)
		}
	}
	id, _, err := host.AddOperator(ctx, host.Admin, "L. Marsh", []trust.Role{operator.Admin})
	check(t, err)
	what := node.Stoppable{Kind: suspension.Subject, Issuer: ward.Issuer.URL, Subject: "nurse-1"}
	for _, a := range []node.Actor{host.Admin, {ID: id, Roles: []trust.Role{operator.Admin}}} {
		_, err := host.Resume(ctx, a, what, "looked into")
		check(t, err)
	}
	ask("nurse-1", trust.Permit, 2) // counted from nothing, not from what was denied

	_, err = home.Revoke(ctx, home.Admin, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: "nurse-3", Reason: "left"})
	check(t, err)
	nodetest.Eventually(t, "the end", func() bool {
		return host.State().Revocation.Tombstones.Len() > 0
	})
	ask("nurse-3", trust.SubjectRevoked, 2)
	if got := raised("brought-back"); got != 1 {
		t.Errorf("two re-issues raised %d incidents", got)
	}
}
