package admin_test

import (
	"testing"

	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// A rule is set, listed and removed under its one name.
func TestRules(t *testing.T) {
	p, ctx := newPair(t), t.Context()
	r := node.RuleText{Name: "busy", When: incident.Volume, Per: incident.PerSubject, Count: 9, Within: 600, Do: incident.Alert}
	ok(t, p.atHost.SetRule(ctx, r))
	found := false
	for _, one := range must(p.atHost.Rules(ctx))(t).Items {
		found = found || one == r
	}
	if !found {
		t.Error("the rule that was set is not listed")
	}
	if list := must(p.atHost.Incidents(ctx))(t); len(list.Items) != 0 || list.Kind != "IncidentList" {
		t.Errorf("incidents are %+v", list)
	}
	r.Standing = true
	refused(t, "a rule that says it is standing", p.atHost.SetRule(ctx, r), trust.Invalid)
	ok(t, p.atHost.RemoveRule(ctx, "busy"))
	refused(t, "a rule that is not in force", p.atHost.RemoveRule(ctx, "busy"), trust.NotFound)
}
