package decision_test

import (
	"strings"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/approval"
	"github.com/entente-id/entente/breakglass"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/trust"
)

const glassPolicy = localPolicy + `
@id("ward-break-glass")
permit (principal is Human in Role::"ward-reader", action == Action::"read", resource is WardRecord)
when { context.purpose == "BTG" && context has break_glass };
`

// breakable agrees on emergency access of half an hour; change, which may be nil,
// amends what is agreed.
func breakable(change func(*agreement.BreakGlass)) func(*scene) {
	return func(sc *scene) {
		sc.policy = glassPolicy
		d := &sc.agreements[0]
		d.Owners.Host = trust.RoleRef{Participant: rje, Role: "records"}
		d.BreakGlass = &agreement.BreakGlass{TTL: 1800, ReviewWithin: 3 * 86400}
		if change != nil {
			change(d.BreakGlass)
		}
		sc.observed.Resource = wardKey
	}
}

// breaking asks for emergency access.
func breaking(sc *scene) { sc.request.Purpose, sc.request.Reason = "BTG", "cardiac arrest" }

// emergency does both.
func emergency(change func(*agreement.BreakGlass)) func(*scene) {
	return both(breakable(change), breaking)
}

// brokenFor is what is opened then, as long ago as passed.
func brokenFor(passed int64, change func(*breakglass.Opened)) breakglass.Opened {
	o := breakglass.Opened{ID: "breakglass-1", N: 1, Ends: now - passed + 1800, Due: now - passed + 3*86400, Need: breakglass.Need{
		Agreement: agreementID(0), Participant: rxw, Subject: trust.SubjectKey{7, 15, 3}, Service: records, Action: "read", ResourceType: "WardRecord",
		Resource: wardKey, Role: "records", TTL: 1800, ReviewWithin: 3 * 86400,
	}}
	if change != nil {
		change(&o)
	}
	return o
}

func elsewhere(o *breakglass.Opened) { o.Resource[0]++ }

var glassBreaking = []deviation{
	{"no relationship", both(breakable(nil), func(sc *scene) { sc.request.Properties = nil }), trust.BreakGlassAvailable},
	{"no relationship, and forbidden", both(breakable(nil), func(sc *scene) { sc.request.ResourceID = "vip" }), trust.PolicyForbid},
	{"no relationship, and policy knows no emergency", both(breakable(nil), func(sc *scene) { sc.policy, sc.request.Properties = localPolicy, nil }), trust.PolicyDenies},
	{"no relationship, and the purpose is not agreed", both(breakable(nil), func(sc *scene) {
		sc.request.Properties, sc.line().Purposes = nil, []trust.Purpose{"TREAT"}
	}), trust.PolicyDenies},
	{"no relationship, and a review is overdue", both(both(breakable(nil), func(sc *scene) { sc.request.Properties = nil }), followed(brokenFor(3*86400, elsewhere))), trust.PolicyDenies},
	{"no relationship, for a credential", both(breakable(nil), func(sc *scene) {
		orderOf(sc)
		sc.policy = `permit (principal, action, resource) when { context has break_glass };`
		sc.service.Resources = map[trust.ResourceType][]string{"WardRecord": {}}
		sc.request.ResourceID = "42"
	}), trust.PolicyDenies},
	{"the relationship stands", breakable(nil), trust.Permit},
	{"nothing is opened yet", emergency(nil), trust.BreakGlassUnrecorded},
	{"without a reason", both(emergency(nil), func(sc *scene) { sc.request.Reason = " " }), trust.BreakGlassReason},
	{"none is agreed", both(emergency(nil), func(sc *scene) { sc.agreements[0].BreakGlass = nil }), trust.BreakGlassNotAgreed},
	{"what waits for people", both(emergency(nil), func(sc *scene) {
		sc.line().Approval = &agreement.Approval{Actions: []trust.Action{"read"}, People: 1}
		asked := askedFor()
		asked.People = 1
		sc.more = append(sc.more, asked, approval.Granted{ID: asked.ID, By: "b", Ends: now + 900})
	}), trust.BreakGlassNotAgreed},
	{"for a credential", both(emergency(nil), func(sc *scene) { orderOf(sc); sc.request.Order.Access[0].Purpose = "BTG" }), trust.BreakGlassDirect},
	{"policy denies all the same", both(emergency(nil), func(sc *scene) { sc.policy = localPolicy }), trust.PolicyDenies},
	{"policy forbids", both(emergency(nil), func(sc *scene) { sc.request.ResourceID = "vip" }), trust.PolicyForbid},
	{"opened", both(emergency(nil), followed(brokenFor(0, nil))), trust.Permit},
	{"opened for a second more", both(emergency(nil), followed(brokenFor(1799, nil))), trust.Permit},
	{"opened until this second", both(emergency(nil), followed(brokenFor(1800, nil))), trust.BreakGlassUnrecorded},
	{"opened to another resource", both(emergency(nil), followed(brokenFor(0, elsewhere))), trust.BreakGlassUnrecorded},
	{"opened by somebody else", both(emergency(nil), followed(brokenFor(0, func(o *breakglass.Opened) { o.Subject[2] = 4 }))), trust.BreakGlassUnrecorded},
	{"opened under another agreement", both(emergency(nil), followed(brokenFor(0, func(o *breakglass.Opened) { o.Agreement = agreementID(5) }))), trust.BreakGlassUnrecorded},
	{"opened, and policy forbids", both(both(emergency(nil), followed(brokenFor(0, nil))), func(sc *scene) { sc.request.ResourceID = "vip" }), trust.PolicyForbid},
	{"opened, and suspended", both(both(emergency(nil), followed(brokenFor(0, nil))), func(sc *scene) { sc.stage = agreement.Suspended }), trust.AgreementSuspended},
	{"opened, and the partner is stale", both(both(emergency(nil), followed(brokenFor(0, nil))), func(sc *scene) { sc.observed.PartnerAge = 61 }), trust.Stale},
	{"ended by a person", both(emergency(nil), followed(brokenFor(0, nil), breakglass.Closed{ID: "breakglass-1", By: "a"})), trust.BreakGlassEnded},
	{"found unjustified", both(emergency(nil), followed(brokenFor(0, nil), breakglass.Reviewed{ID: "breakglass-1", By: "a", Came: breakglass.Unjustified})), trust.BreakGlassEnded},
	{"found justified", both(emergency(nil), followed(brokenFor(0, nil), breakglass.Reviewed{ID: "breakglass-1", By: "a", Came: breakglass.Justified})), trust.Permit},
	{"another one is overdue", both(emergency(nil), followed(brokenFor(3*86400, elsewhere))), trust.BreakGlassUnreviewed},
	{"another one is due in a second", both(emergency(nil), followed(brokenFor(3*86400-1, elsewhere))), trust.BreakGlassUnrecorded},
	{"another one was reviewed", both(emergency(nil), followed(brokenFor(3*86400, elsewhere), breakglass.Reviewed{ID: "breakglass-1", By: "a", Came: breakglass.Justified})), trust.BreakGlassUnrecorded},
	{"one of another agreement is overdue", both(emergency(nil), followed(brokenFor(3*86400, func(o *breakglass.Opened) { o.Agreement = agreementID(5) }))), trust.BreakGlassUnrecorded},
	{"too many wait", both(emergency(nil), func(sc *scene) {
		for i := range breakglass.MaxOfSubject {
			sc.more = append(sc.more, brokenFor(0, func(o *breakglass.Opened) { o.ID += string(rune('a' + i)); o.Resource[0] += byte(i + 1) }))
		}
	}), trust.BreakGlassTooMany},
	{"good for two decisions, of which one was", both(emergency(func(b *agreement.BreakGlass) { b.Uses = 2 }), followed(brokenFor(0, func(o *breakglass.Opened) { o.Uses = 2 }))), trust.Permit},
	{"good for two decisions, which were", both(emergency(func(b *agreement.BreakGlass) { b.Uses = 2 }),
		followed(brokenFor(0, func(o *breakglass.Opened) { o.Uses = 2 }), breakglass.Used{ID: "breakglass-1"})), trust.BreakGlassUsedUp},
}

// What opens emergency access says for what; nothing is opened where nothing would
// come of it, nor once more for a decision that has been counted.
func TestWhatIsOpened(t *testing.T) {
	sc := newScene()
	emergency(nil)(sc)
	d := sc.decide()
	if d.Duty != decision.OpenBreakGlass || d.Glass == nil || *d.Glass != brokenFor(0, nil).Need || d.Permit || d.Unseen {
		t.Fatalf("%s %q for %+v", d.Reason, d.Duty, d.Glass)
	}
	sc.agreements[0].Authority.Overrides = trust.RoleRef{Participant: rje, Role: "guardian"}
	if d := sc.decide(); d.Glass == nil || d.Glass.Role != "guardian" {
		t.Errorf("whoever may override does not review: %+v", d.Glass)
	}
	sc.observed.Resource = trust.SubjectKey{}
	if d := sc.decide(); !d.Unseen || d.Duty != decision.NoDuty {
		t.Errorf("without the resource: %q, %t", d.Duty, d.Unseen)
	}
	for name, change := range map[string]func(*scene){
		"policy denies": func(sc *scene) { sc.policy = localPolicy }, "without a reason": func(sc *scene) { sc.request.Reason = "" },
		"a review is overdue":        followed(brokenFor(3*86400, elsewhere)),
		"it was opened for this one": func(sc *scene) { sc.observed.Duty = trust.Position{Epoch: 1, N: 9} },
	} {
		sc := newScene()
		both(emergency(nil), change)(sc)
		if d := sc.decide(); d.Duty != decision.NoDuty || d.Glass != nil || d.Permit {
			t.Errorf("%s: %s %q", name, d.Reason, d.Duty)
		}
	}
}

// A denial holds until the review of an earlier emergency is late, and is another
// one from then on.
func TestADenialTurnsWhenAReviewIsLate(t *testing.T) {
	sc := newScene()
	both(emergency(nil), followed(brokenFor(3*86400-7, elsewhere)))(sc)
	if d := sc.decide(); d.Reason != trust.BreakGlassUnrecorded || d.Bound != now+7 {
		t.Errorf("it is %s until %d, want %s until %d", d.Reason, d.Bound, trust.BreakGlassUnrecorded, now+7)
	}
	sc.observed.Now += 7
	if d := sc.decide(); d.Reason != trust.BreakGlassUnreviewed {
		t.Errorf("then it is %s, want %s", d.Reason, trust.BreakGlassUnreviewed)
	}
}

// A permit by emergency access ends with it; one that is counted is asked for
// every time, and what was counted for a decision is good for it.
func TestAPermitByEmergencyAccess(t *testing.T) {
	sc := newScene()
	both(emergency(nil), followed(brokenFor(1797, nil)))(sc)
	if d := sc.decide(); !d.Permit || d.BreakGlass != "breakglass-1" || d.Duty != decision.NoDuty || d.TTL > 3 || d.Bound != now+3 || d.Policies[0] != "ward-break-glass" {
		t.Errorf("it is %s by %q, %q, for %d s until %d by %v", d.Reason, d.BreakGlass, d.Duty, d.TTL, d.Bound, d.Policies)
	}
	sc = newScene()
	both(emergency(func(b *agreement.BreakGlass) { b.Uses = 1 }), followed(brokenFor(0, func(o *breakglass.Opened) { o.Uses = 1 })))(sc)
	sc.observed.Duty = trust.Position{Epoch: 1, N: 9}
	if d := sc.decide(); !d.Permit || d.Duty != decision.NoDuty || d.TTL != 0 {
		t.Errorf("counted it is %s, %q, %d s", d.Reason, d.Duty, d.TTL)
	}
	sc = newScene()
	both(emergency(func(b *agreement.BreakGlass) { b.Uses = 2 }), followed(brokenFor(0, func(o *breakglass.Opened) { o.Uses = 2 })))(sc)
	if d := sc.decide(); !d.Permit || d.Duty != decision.UseBreakGlass {
		t.Errorf("not counted it is %s, %q", d.Reason, d.Duty)
	}
}

// Whoever acts for somebody breaks no glass, and no program does.
func TestOnlyPeopleBreakTheGlass(t *testing.T) {
	for _, c := range delegating {
		if c.want != trust.Permit {
			continue
		}
		sc := newScene()
		if c.change != nil {
			c.change(sc)
		}
		if sc.chain == nil { // in her own name
			continue
		}
		emergency(nil)(sc)
		for i := range sc.agreements {
			sc.agreements[i].BreakGlass = &agreement.BreakGlass{TTL: 1800, ReviewWithin: 86400}
			for j := range sc.agreements[i].Accepts {
				sc.agreements[i].Accepts[j].Purposes = []trust.Purpose{"BTG", "TREAT"}
			}
		}
		if d := sc.decide(); d.Permit || d.Duty != decision.NoDuty {
			t.Errorf("%s: %s, %q", c.name, d.Reason, d.Duty)
		}
	}
}

// What a leaf says of emergency access is enough to decide again, and says neither
// who nor why.
func TestTheLeafOfEmergencyAccess(t *testing.T) {
	sc := newScene()
	both(emergency(nil), followed(brokenFor(30, nil)))(sc)
	s := sc.snapshot()
	sc.observed.Duty = s.At.Position
	ev := sc.verify(s)
	d := decision.Decide(s, sc.observed, ev, sc.request)
	body := decision.AppendLeaf(nil, &d, &sc.observed, &ev, &sc.request, decision.Commit{Resource: wardKey})
	if again := canonical.AppendValue(nil, map[string]any(must(canonical.ParseObject(body)))); string(again) != string(body) {
		t.Fatalf("%s is not canonical", body)
	}
	leaf, sealed := must(decision.ParseLeaf(body)), must(decision.ParseSealed(decision.AppendSealed(nil, s, &ev, &sc.request, "")))
	if leaf.BreakGlass != "breakglass-1" || leaf.Duty != sc.observed.Duty || strings.Contains(string(body), "cardiac") {
		t.Errorf("the leaf is %s", body)
	}
	o, again, r := decision.Replay(leaf, sealed)
	if e := decision.Explain(s, o, again, r); !e.Permit || !strings.Contains(e.Checks[decision.Entitle].Text, "breakglass-1") {
		t.Errorf("decided again it is %s: %s", e.Reason, e.Checks[decision.Entitle].Text)
	}
}
