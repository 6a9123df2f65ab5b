package node_test

import (
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/trust"
)

// A service that joins an agreement which names its audience is decided for at
// once, and the partner is neither asked nor told (R3).
func TestANewServiceNeedsNothingFromThePartner(t *testing.T) {
	const audience = "https://notes.rje.example"
	ward := wardOf(t, func(d *agreement.Document) {
		notes := d.Accepts[0]
		notes.Audience, notes.Resources = audience, []agreement.ResourceScope{{Type: "WardNote"}}
		d.Accepts = append(d.Accepts, notes)
	})
	home, host, ctx := ward.Home, ward.Host, t.Context()
	token := home.World.Token(ward.Issuer, "nurse-1", audience, nil)
	ask := ward.Ask(token)
	ask.ResourceType = "WardNote"
	if got := answer(t, host, ask).Reason; got != trust.AudienceForeign {
		t.Fatalf("before there is a service the answer is %s", got)
	}
	quiet(t, home, host)
	before, size := host.State().Edge, len(entries(t, home, "trust", ""))
	done(t, host.RegisterService(ctx, host.Admin, service.Document{
		Kind: "Service", Name: "ward-notes", Audience: audience, EnforcementPoint: "pep",
		Resources: map[trust.ResourceType][]string{"WardNote": {"ward"}},
	}))
	_, err := host.ApplyPolicy(ctx, host.Admin, nodetest.WardPolicy+`@id("notes")
permit (principal in Role::"ward-reader", action == Action::"read", resource is WardNote);
`)
	done(t, err)
	if got := answer(t, host, ask).Reason; got != trust.Permit {
		t.Errorf("the new service's caller gets %s", got)
	}
	for _, lane := range edge.Lanes() {
		if host.State().Edge.Next(home.ID, lane) != before.Next(home.ID, lane) {
			t.Errorf("a message was sent on the %s lane", lane)
		}
	}
	if now := len(entries(t, home, "trust", "")); now != size {
		t.Errorf("the home recorded %d entries", now-size)
	}
}

// Moves that the stage forbids are refused, recorded, and change nothing (R18).
func TestIllegalMovesAreRecorded(t *testing.T) {
	ward := wardOf(t, nil)
	home, host, ctx := ward.Home, ward.Host, t.Context()
	illegal := func(what string, move string, rule string, err error) {
		t.Helper()
		refused(t, what, err, trust.Conflict)
		r, _ := newest[agreement.Refused](t, host)
		if r.Move != move || r.Rule != rule {
			t.Errorf("%s is recorded as %+v", what, r)
		}
	}
	current, _ := host.State().Agreement.ByName(ward.Agreement)
	illegal("activating twice", "activate", agreement.RuleStage, host.ActivateAgreement(ctx, host.Admin, ward.Agreement))
	signature, err := jose.SignBytes(host.Governance, agreement.Domain, current.Bytes)
	done(t, err)
	illegal("signing twice", "countersign", agreement.RuleStage, host.CountersignAgreement(ctx, host.Admin, ward.Agreement, current.Hash, signature))
	done(t, host.SuspendAgreement(ctx, host.Admin, ward.Agreement, "odd queries"))
	illegal("suspending twice", "suspend", agreement.RuleStage, host.SuspendAgreement(ctx, host.Admin, ward.Agreement, "again"))
	illegal("taking a suspension back", "activate", agreement.RuleStage, host.ActivateAgreement(ctx, host.Admin, ward.Agreement))
	done(t, host.EndAgreement(ctx, host.Admin, ward.Agreement, "over"))
	illegal("ending twice", "end", agreement.RuleStage, host.EndAgreement(ctx, host.Admin, ward.Agreement, "again"))
	want(t, ward, nurse(ward, "nurse-1"), trust.AgreementEnded)

	quiet(t, home, host)
	move := forge(t, home, host, edge.Governance, next(home, host, edge.Governance), "agreement-move", map[string]any{"id": current.ID, "to": "active"})
	done(t, host.ReceiveMessage(ctx, home.ID, move))
	if r, _ := newest[agreement.Refused](t, host); r.From != home.ID || r.Move != "activate" {
		t.Errorf("the partner's revival is recorded as %+v", r)
	}
	if a, _ := home.State().Agreement.ByName(ward.Agreement); a.Stage != agreement.Ended {
		t.Errorf("at the home the agreement is %s", a.Stage)
	}
}

// Nothing is granted before there are a framework, owners and rules (R40), nor
// without somebody who approves and somebody who revokes (R55).
func TestNothingIsGrantedBeforeItsGround(t *testing.T) {
	w := nodetest.NewWorld(t)
	ctx := t.Context()
	home, host := w.New("trust.rxw.example"), w.New("trust.rje.example")
	ward := &nodetest.Ward{Home: home, Host: host, Issuer: w.NewIssuer("https://idp.rxw.example"), Audience: "https://records.rje.example", Agreement: "staff"}
	d := ward.Document(ward.Issuer)
	_, _, err := home.RenderAgreement(ctx, home.Admin, d, "")
	refused(t, "an agreement without a framework", err, trust.Conflict)
	want(t, ward, nurse(ward, "nurse-1"), trust.UnknownIssuer)

	signed := w.Framework(home, host)
	home.Adopt(signed)
	host.Adopt(signed)
	w.Introduce(home, host)
	declare(t, home, ownIssuer(t, ward.Issuer, participant.ClassRule{Class: trust.Human}))
	heardOf(t, home, host)
	heardOf(t, host, home)
	ground := func(what string, n *nodetest.Node, rule string, err error) {
		t.Helper()
		kind := trust.Conflict
		if rule == agreement.RuleAuthority {
			kind = trust.Denied
		}
		refused(t, what, err, kind)
		if r, _ := newest[agreement.Refused](t, n); r.Rule != rule {
			t.Errorf("%s is recorded as %+v", what, r)
		}
	}
	ground("an agreement that nobody here owns", home, agreement.RuleOwner, offer(t, home, home.Admin, d))
	desk := node.Actor{ID: staff(t, home, "locum_desk")}
	ground("an agreement of somebody else's", home, agreement.RuleAuthority, offer(t, home, home.Admin, d))
	done(t, offer(t, home, desk, d))
	nodetest.Eventually(t, "the offer", func() bool { _, ok := host.State().Agreement.ByName("staff"); return ok })
	offered, _ := host.State().Agreement.ByName("staff")
	signature, err := jose.SignBytes(host.Governance, agreement.Domain, offered.Bytes)
	done(t, err)
	countersign := func(by node.Actor) error { return host.CountersignAgreement(ctx, by, "staff", offered.Hash, signature) }
	ground("signing what nobody here owns", host, agreement.RuleOwner, countersign(host.Admin))
	keeper := node.Actor{ID: staff(t, host, "records")}
	done(t, countersign(keeper))
	ground("putting it in force without an approver", host, agreement.RuleApprover, host.ActivateAgreement(ctx, keeper, "staff"))
	approver := staff(t, host, "ward_managers")
	ground("putting it in force without a revoker", host, agreement.RuleRevoker, host.ActivateAgreement(ctx, keeper, "staff"))
	revoker := staff(t, host, "security")
	done(t, host.ActivateAgreement(ctx, keeper, "staff"))

	m := ward.Mapping("nurse")
	done(t, host.OfferMapping(ctx, host.Admin, m))
	refused(t, "an approval by the wrong role", host.ApproveMapping(ctx, host.Admin, "nurse"), trust.Denied)
	done(t, host.RemoveOperator(ctx, host.Admin, revoker))
	approving := host.Admin
	approving.ID = approver
	refused(t, "a mapping that nobody could revoke", host.ApproveMapping(ctx, approving, "nurse"), trust.Conflict)
	staff(t, host, "security")
	done(t, host.ApproveMapping(ctx, approving, "nurse"))
}

// staff adds an operator who holds a role, and gives its identifier.
func staff(t *testing.T, n *nodetest.Node, role trust.Role) string {
	t.Helper()
	id, _, err := n.AddOperator(t.Context(), n.Admin, "somebody", []trust.Role{operator.Auditor, role})
	done(t, err)
	return id
}

func offer(t *testing.T, n *nodetest.Node, by node.Actor, d agreement.Document) error {
	t.Helper()
	data, _, err := n.RenderAgreement(t.Context(), n.Admin, d, "")
	done(t, err)
	signature, err := jose.SignBytes(n.Governance, agreement.Domain, data)
	done(t, err)
	return n.OfferAgreement(t.Context(), by, data, signature)
}

// A mapping beyond its agreement is refused when it is proposed (R8).
func TestAMappingBeyondItsAgreement(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	for name, change := range map[string]func(*mapping.Document){
		"a role that is not agreed":         func(d *mapping.Document) { d.From.Equals = "S0:G0:R0" },
		"an attribute that is not released": func(d *mapping.Document) { d.From.Attribute = "salary" },
		"a class that is not accepted":      func(d *mapping.Document) { d.From.Class = trust.Workload },
		"later than the agreement":          func(d *mapping.Document) { d.Expires += 86400 },
	} {
		d := ward.Mapping("beyond")
		change(&d)
		refused(t, name, host.OfferMapping(t.Context(), host.Admin, d), trust.Invalid)
	}
	if _, ok := host.State().Mapping.ByName("beyond"); ok {
		t.Error("a refused mapping is there")
	}
}

// A suspension holds from the next request on, is told to the partner, and
// stops no delivery.
func TestSuspensions(t *testing.T) {
	for name, c := range map[string]struct {
		suspend func(*nodetest.Ward) error
		want    trust.Reason
		told    func(*nodetest.Ward) bool
	}{
		"participant": {
			func(d *nodetest.Ward) error {
				return d.Host.SuspendParticipant(t.Context(), d.Host.Admin, d.Home.ID, "odd queries")
			},
			trust.ParticipantSuspended,
			func(d *nodetest.Ward) bool {
				p, ok := d.Home.State().Participant.Partner(d.Host.ID)
				return ok && p.SuspendsUs && !p.Suspended
			},
		},
		"agreement": {
			func(d *nodetest.Ward) error {
				return d.Host.SuspendAgreement(t.Context(), d.Host.Admin, d.Agreement, "odd queries")
			},
			trust.AgreementSuspended,
			func(d *nodetest.Ward) bool {
				a, ok := d.Home.State().Agreement.ByName(d.Agreement)
				return ok && a.Stage == agreement.Suspended
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ward := wardOf(t, nil)
			home, host := ward.Home, ward.Host
			token := nurse(ward, "nurse-1")
			want(t, ward, token, trust.Permit)
			quiet(t, home, host)
			number := host.State().Edge.Next(home.ID, edge.Safety)
			done(t, c.suspend(ward))
			want(t, ward, token, c.want)
			if host.State().Edge.Next(home.ID, edge.Safety) != number+1 {
				t.Error("no safety message was queued")
			}
			nodetest.Eventually(t, "the partner to know", func() bool { return c.told(ward) })
			revoke(t, ward, "nurse-1")
			quiet(t, home, host) // the suspended partner's revocation arrives
			want(t, ward, token, c.want)
		})
	}
}

// An agreement has ended at its end, to the second, whatever the token says.
func TestAnAgreementEndsToTheSecond(t *testing.T) {
	ends := time.Now().Add(time.Hour).Truncate(time.Second)
	ward := wardOf(t, func(d *agreement.Document) { d.Ends = trust.Instant(ends.Unix()) })
	token := ward.Home.World.Token(ward.Issuer, "nurse-1", ward.Audience, map[string]any{"iat": ends.Unix() - 60, "exp": ends.Unix() + 600})
	for _, n := range []*nodetest.Node{ward.Home, ward.Host} {
		n.Clock.Shift(time.Until(ends.Add(-50 * time.Second)))
	}
	await(t, ward, token, trust.Permit)
	ward.Host.Clock.Shift(time.Until(ends))
	want(t, ward, token, trust.AgreementEnded)
}

// What is taken away between two calls on one token changes the second (R17),
// however often the first was asked.
func TestTheSecondCallSeesTheChange(t *testing.T) {
	ward := wardOf(t, nil)
	host, ctx := ward.Host, t.Context()
	token := nurse(ward, "nurse-1")
	for range 3 {
		want(t, ward, token, trust.Permit)
	}
	_, err := host.ApplyPolicy(ctx, host.Admin, nodetest.WardPolicy+`@id("closed")
forbid (principal, action, resource is WardRecord);
`)
	done(t, err)
	want(t, ward, token, trust.PolicyForbid)
	_, err = host.ApplyPolicy(ctx, host.Admin, nodetest.WardPolicy)
	done(t, err)
	want(t, ward, token, trust.Permit)
	done(t, host.CloseMapping(ctx, host.Admin, "nurse"))
	want(t, ward, token, trust.NoMapping)
	ward.Map("nurse")
	want(t, ward, token, trust.Permit)
	done(t, host.RemoveService(ctx, host.Admin, "ward-records"))
	want(t, ward, token, trust.AudienceForeign)
}
