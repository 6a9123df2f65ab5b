package node_test

import (
	"testing"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/trust"
)

// explain lays open what was recorded and what would be answered now; it says
// where there is no basis (R4).
func TestExplain(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	ask := ward.Ask(nurse(ward, "nurse-1"))
	ask.RequestID = "request-7"
	permit := answer(t, host, ask)
	ask.Purpose = "MARKETING"
	denied := answer(t, host, ask)

	auditor := node.Actor{ID: "op-auditor", Roles: []trust.Role{operator.Auditor}}
	e, err := host.Explain(t.Context(), auditor, permit.Reference)
	if err != nil || !e.Permit || e.RequestID != "request-7" || e.Who != ward.Issuer.URL+" nurse-1" || e.Agreement != ward.Agreement || e.Framework != 1 || e.Tier != trust.Standard {
		t.Errorf("the permit is explained as %+v, %v", e, err)
	}
	for _, c := range e.Checks {
		if c.Result == decision.Failed || c.Result == decision.NotReached || c.Text == "" {
			t.Errorf("check %s of the permit is %s: %q", c.Name, c.Result, c.Text)
		}
	}
	e, err = host.Explain(t.Context(), auditor, denied.Reference)
	if err != nil || e.Permit || e.Reason != trust.PurposeNotCovered || e.Decided != "link" || e.Checks[decision.Link].Result != decision.Failed {
		t.Errorf("the denial is explained as %+v, %v", e, err)
	}

	size := len(entries(t, host, "decisions", ""))
	e, err = host.ExplainHypothetical(t.Context(), auditor, ward.Ask(nurse(ward, "nurse-2")))
	if err != nil || !e.Permit || e.Reference != "" || e.Position != nil || len(e.Checks) != 10 {
		t.Errorf("a hypothetical request is explained as %+v, %v", e, err)
	}
	if now := len(entries(t, host, "decisions", "")); now != size {
		t.Errorf("a hypothetical request made %d records", now-size)
	}

	_, err = host.Explain(t.Context(), auditor, "nonsense")
	refused(t, "an unknown reference", err, trust.NotFound)
	_, err = host.Explain(t.Context(), auditor, permit.Reference[:len(permit.Reference)-1]+"x")
	refused(t, "a changed reference", err, trust.NotFound)
	nobody := node.Actor{ID: "op-nobody", Roles: []trust.Role{"records"}}
	_, err = host.Explain(t.Context(), nobody, permit.Reference)
	refused(t, "explain by neither admin nor auditor", err, trust.Denied)
	_, err = host.ExplainHypothetical(t.Context(), nobody, ask)
	refused(t, "a hypothetical request of neither", err, trust.Denied)
	_, _, err = host.Entries(t.Context(), nobody, "trust", 0, 10)
	refused(t, "reading the log by neither", err, trust.Denied)
}

// Whoever is no admin changes nothing, and that they tried is recorded (R18).
func TestWritesNeedAnAdmin(t *testing.T) {
	ward := wardOf(t, nil)
	host, ctx := ward.Host, t.Context()
	auditor := node.Actor{ID: "op-auditor", Roles: []trust.Role{operator.Auditor}}
	signed := host.State().Framework.Current.Signed
	writes := map[string]func(node.Actor) error{
		"receive framework": func(a node.Actor) error { _, err := host.ReceiveFramework(ctx, a, signed); return err },
		"adopt framework":   func(a node.Actor) error { return host.AdoptFramework(ctx, a, "hash") },
		"declare": func(a node.Actor) error {
			return host.Declare(ctx, a, participant.Document{Kind: "Participant", ID: host.ID})
		},
		"offer agreement":          func(a node.Actor) error { return host.OfferAgreement(ctx, a, nil, nil) },
		"countersign agreement":    func(a node.Actor) error { return host.CountersignAgreement(ctx, a, ward.Agreement, "", nil) },
		"activate agreement":       func(a node.Actor) error { return host.ActivateAgreement(ctx, a, ward.Agreement) },
		"suspend agreement":        func(a node.Actor) error { return host.SuspendAgreement(ctx, a, ward.Agreement, "r") },
		"end agreement":            func(a node.Actor) error { return host.EndAgreement(ctx, a, ward.Agreement, "r") },
		"offer mapping":            func(a node.Actor) error { return host.OfferMapping(ctx, a, mapping.Document{}) },
		"approve mapping":          func(a node.Actor) error { return host.ApproveMapping(ctx, a, offered(t, ward)) },
		"close mapping":            func(a node.Actor) error { return host.CloseMapping(ctx, a, "nurse") },
		"apply policy":             func(a node.Actor) error { _, err := host.ApplyPolicy(ctx, a, ""); return err },
		"register service":         func(a node.Actor) error { return host.RegisterService(ctx, a, service.Document{}) },
		"remove service":           func(a node.Actor) error { return host.RemoveService(ctx, a, "ward-records") },
		"add enforcement point":    func(a node.Actor) error { _, err := host.AddEnforcementPoint(ctx, a, "other"); return err },
		"remove enforcement point": func(a node.Actor) error { return host.RemoveEnforcementPoint(ctx, a, "pep") },
		"add operator": func(a node.Actor) error {
			_, _, err := host.AddOperator(ctx, a, "me", []trust.Role{operator.Admin})
			return err
		},
		"remove operator": func(a node.Actor) error { return host.RemoveOperator(ctx, a, host.Admin.ID) },
		"revoke": func(a node.Actor) error {
			_, err := host.Revoke(ctx, a, node.RevokeRequest{Kind: revocation.Issuer, Issuer: ward.Issuer.URL, Reason: "r"})
			return err
		},
		"suspend participant": func(a node.Actor) error { return host.SuspendParticipant(ctx, a, ward.Home.ID, "r") },
		"open engagement":     func(a node.Actor) error { _, err := host.OpenEngagement(ctx, a, ward.Issuer.URL, "s", "c"); return err },
		"approve engagement":  func(a node.Actor) error { return host.ApproveEngagement(ctx, a, trust.SubjectKey{1}) },
		"set the clock":       func(a node.Actor) error { return host.SetClock(ctx, a, 1) },
		"confirm a partner": func(a node.Actor) error {
			inv, fingerprint, err := ward.Home.Invitation(ctx)
			if err != nil {
				return err
			}
			_, err = host.Confirm(ctx, a, inv, fingerprint)
			return err
		},
	}
	for name, write := range writes {
		_, before := newest[operator.Refused](t, host)
		refused(t, name+" by an auditor", write(auditor), trust.Denied)
		if r, count := newest[operator.Refused](t, host); count != before+1 || r.ID != auditor.ID {
			t.Errorf("%s by an auditor is recorded %d times, as %+v", name, count-before, r)
		}
	}
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
}

// offered proposes a mapping to approve, once.
func offered(t *testing.T, ward *nodetest.Ward) string {
	t.Helper()
	const name = "second"
	if _, ok := ward.Host.State().Mapping.ByName(name); !ok {
		done(t, ward.Host.OfferMapping(t.Context(), ward.Host.Admin, ward.Mapping(name)))
	}
	return name
}
