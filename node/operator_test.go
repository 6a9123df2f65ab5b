package node_test

import (
	"slices"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/suspension"
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

// Whoever is no admin changes nothing of the node, and whoever the matrix of an
// agreement does not name nothing under it; that they tried is recorded (R18).
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
		"offer mapping":            func(a node.Actor) error { return host.OfferMapping(ctx, a, mapping.Document{}) },
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
		"suspend participant":  func(a node.Actor) error { return host.SuspendParticipant(ctx, a, ward.Home.ID, "r") },
		"end what is not here": func(a node.Actor) error { return host.EndAgreement(ctx, a, "nothing", "r") },
		"open engagement":      func(a node.Actor) error { _, err := host.OpenEngagement(ctx, a, ward.Issuer.URL, "s", "c"); return err },
		"approve engagement":   func(a node.Actor) error { return host.ApproveEngagement(ctx, a, trust.SubjectKey{1}) },
		"set the clock":        func(a node.Actor) error { return host.SetClock(ctx, a, 1) },
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
	staff, _ := host.State().Agreement.ByName(ward.Agreement)
	counter, _, err := host.RenderAgreement(ctx, host.Admin, staff.Revision.Document, staff.ID)
	done(t, err)
	reading := node.Stoppable{Kind: suspension.Coverage, Agreement: ward.Agreement, Action: "read"}
	governed := map[string]func(node.Actor) error{
		"offer":         func(a node.Actor) error { return host.OfferAgreement(ctx, a, counter, nil) },
		"countersign":   func(a node.Actor) error { return host.CountersignAgreement(ctx, a, ward.Agreement, "", nil) },
		"activate":      func(a node.Actor) error { return host.ActivateAgreement(ctx, a, ward.Agreement) },
		"suspend":       func(a node.Actor) error { return host.SuspendAgreement(ctx, a, ward.Agreement, "r") },
		"end":           func(a node.Actor) error { return host.EndAgreement(ctx, a, ward.Agreement, "r") },
		"grant mapping": func(a node.Actor) error { return host.ApproveMapping(ctx, a, offered(t, ward)) },
		"close mapping": func(a node.Actor) error { return host.CloseMapping(ctx, a, "nurse") },
		"reduce": func(a node.Actor) error {
			_, err := host.Suspend(ctx, a, node.SuspendRequest{Stoppable: reading, Why: node.Why{Reason: "r"}})
			return err
		},
		"resume": func(a node.Actor) error { _, err := host.Resume(ctx, a, reading, "r"); return err },
	}
	unwind := func(a node.Actor) error {
		_, err := host.Unwind(ctx, a, node.Root{Kind: revocation.RootAgreement, Name: ward.Agreement}, node.Why{Reason: "r"})
		return err
	}
	admin := plain(t, host)
	for _, a := range []node.Actor{auditor, admin} {
		for command, write := range governed {
			ruledOut(t, host, command, a, write)
		}
		ruledOut(t, host, "end", a, unwind)
	}
	lines, err := host.Authority(admin, ward.Agreement)
	if done(t, err); !slices.ContainsFunc(lines, func(l node.AuthorityLine) bool {
		return l.Act == agreement.Revoke && l.Role == "security" && slices.Equal(l.Held, []string{host.Admin.ID}) && slices.Contains(l.Commands, agreement.End)
	}) {
		t.Errorf("the matrix is %+v", lines)
	}
	_, err = host.Authority(node.Actor{ID: "x", Roles: []trust.Role{"gardener"}}, ward.Agreement)
	refused(t, "the matrix, to who has no part in it", err, trust.Denied)
	_, err = host.Authority(node.Actor{ID: "x", Roles: []trust.Role{approvers}}, ward.Agreement)
	done(t, err)
	_, _, err = host.RenderAgreement(ctx, node.Actor{ID: "x", Roles: []trust.Role{"records"}}, staff.Revision.Document, staff.ID)
	done(t, err)
	_, _, err = host.RenderAgreement(ctx, node.Actor{ID: "x", Roles: []trust.Role{"security"}}, staff.Revision.Document, staff.ID)
	refused(t, "a draft by who owns nothing", err, trust.Denied)
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)

	// Whoever holds the role needs no other: a first word that something goes on
	// counts, and the second person's.
	guard, other := holder(t, host, "A. Khan", "security"), holder(t, host, "L. Marsh", "records")
	_, err = host.Suspend(ctx, guard, node.SuspendRequest{Stoppable: reading, Why: node.Why{Reason: "odd"}})
	done(t, err)
	want(t, ward, nurse(ward, "nurse-1"), trust.Reduced)
	_, err = host.Resume(ctx, guard, reading, "fine")
	done(t, err)
	_, err = host.Resume(ctx, other, reading, "fine")
	done(t, err)
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	_, err = host.Suspend(ctx, guard, node.SuspendRequest{
		Stoppable: node.Stoppable{Kind: suspension.Participant, Participant: ward.Home.ID, Agreement: ward.Agreement}, Why: node.Why{Reason: "odd"},
	})
	refused(t, "a participant, suspended by who holds a role under an agreement", err, trust.Denied)
}

// plain is an admin of a node who holds no role under any agreement.
func plain(t *testing.T, n *nodetest.Node) node.Actor {
	return holder(t, n, "B. Stone", operator.Admin)
}

// holder is an operator who holds one role.
func holder(t *testing.T, n *nodetest.Node, name string, role trust.Role) node.Actor {
	t.Helper()
	id, _, err := n.AddOperator(t.Context(), n.Admin, name, []trust.Role{role})
	done(t, err)
	return node.Actor{ID: id, Roles: []trust.Role{role}}
}

// ruledOut: a command under an agreement is refused to somebody by its matrix, and
// that is an entry.
func ruledOut(t *testing.T, n *nodetest.Node, command string, a node.Actor, write func(node.Actor) error) {
	t.Helper()
	_, before := newest[agreement.Refused](t, n)
	refused(t, command+" by "+a.ID, write(a), trust.Denied)
	r, count := newest[agreement.Refused](t, n)
	if count != before+1 || r.Move != command || r.Rule != agreement.RuleAuthority || r.By != a.ID || r.Stage != agreement.Active {
		t.Errorf("%s by %s is recorded %d times, as %+v", command, a.ID, count-before, r)
	}
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
