package decision_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/approval"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/trust"
)

// wardKey is what the ledger knows record 42 by.
var wardKey = trust.SubjectKey(commit.Resource)

// privileged makes reading an action that two people approve; change, which may
// be nil, amends what is agreed.
func privileged(change func(*agreement.Approval)) func(*scene) {
	return func(sc *scene) {
		sc.line().Approval = &agreement.Approval{Actions: []trust.Action{"read"}, People: 2}
		if change != nil {
			change(sc.line().Approval)
		}
		sc.observed.Resource = wardKey
	}
}

// askedFor is what people are asked for then.
func askedFor() approval.Asked {
	return approval.Asked{ID: "approval-1", Until: now + 100, Need: approval.Need{
		Agreement: agreementID(0), Participant: rxw, Subject: trust.SubjectKey{7, 15, 3}, Service: records, Action: "read", ResourceType: "WardRecord",
		Resource: wardKey, People: 2, TTL: 900,
	}}
}

func followed(all ...trust.Event) func(*scene) {
	return func(sc *scene) { sc.more = append(sc.more, all...) }
}

// approvedBy lets two people approve, until ends; change amends what was asked.
func approvedBy(ends int64, change func(*approval.Asked)) func(*scene) {
	asked := askedFor()
	if change != nil {
		change(&asked)
	}
	return followed(asked, approval.Said{ID: asked.ID, By: "a"}, approval.Granted{ID: asked.ID, By: "b", Ends: ends})
}

var approving = []deviation{
	{"R60 nobody was asked", privileged(nil), trust.ApprovalPending},
	{"R60 people were asked", both(privileged(nil), followed(askedFor())), trust.ApprovalPending},
	{"R60 one has approved", both(privileged(nil), followed(askedFor(), approval.Said{ID: "approval-1", By: "a"})), trust.ApprovalPending},
	{"R60 two have approved", both(privileged(nil), approvedBy(now+900, nil)), trust.Permit},
	{"R60 approved for a second more", both(privileged(nil), approvedBy(now+1, nil)), trust.Permit},
	{"R60 approved until this second", both(privileged(nil), approvedBy(now, nil)), trust.ApprovalPending},
	{"R60 approved by fewer than it takes now", both(privileged(func(a *agreement.Approval) { a.People = 3 }), approvedBy(now+900, nil)), trust.ApprovalPending},
	{"R60 approved for somebody else", both(privileged(nil), approvedBy(now+900, func(a *approval.Asked) { a.Subject[2] = 4 })), trust.ApprovalPending},
	{"R60 approved of another resource", both(privileged(nil), approvedBy(now+900, func(a *approval.Asked) { a.Resource[0] = 5 })), trust.ApprovalPending},
	{"R60 approved of another action", both(privileged(nil), approvedBy(now+900, func(a *approval.Asked) { a.Action = "write" })), trust.ApprovalPending},
	{"R60 approved at another service", both(privileged(nil), approvedBy(now+900, func(a *approval.Asked) { a.Service = letters })), trust.ApprovalPending},
	{"R60 approved under another agreement", both(privileged(nil), approvedBy(now+900, func(a *approval.Asked) { a.Agreement = agreementID(5) })), trust.ApprovalPending},
	{"R60 declined", both(privileged(nil), followed(askedFor(), approval.Declination{ID: "approval-1", By: "a"})), trust.ApprovalDeclined},
	{"R60 declined until this second", both(privileged(nil), followed(func() trust.Event { a := askedFor(); a.Until = now; return a }(), approval.Declination{ID: "approval-1", By: "a"})), trust.ApprovalPending},
	{"R60 taken back", both(both(privileged(nil), approvedBy(now+900, nil)), followed(approval.Withdrawn{ID: "approval-1", By: "a"})), trust.ApprovalPending},
	{"R60 used up", both(both(privileged(nil), approvedBy(now+900, func(a *approval.Asked) { a.Once = true })), followed(approval.Spent{ID: "approval-1"})), trust.ApprovalPending},
	{"R60 good for one decision", both(privileged(nil), approvedBy(now+900, func(a *approval.Asked) { a.Once = true })), trust.Permit},
	{"R60 for a credential", both(both(privileged(nil), approvedBy(now+900, nil)), func(sc *scene) { orderOf(sc) }), trust.ApprovalDirect},
	{"R60 approved, and local policy denies", both(both(privileged(nil), approvedBy(now+900, nil)), func(sc *scene) { sc.request.Properties = nil }), trust.PolicyDenies},
}

// orderOf asks for a credential in place of the access.
func orderOf(sc *scene) {
	sc.request.Properties = nil
	sc.request.Order = &decision.Order{Client: "nginx-1", Target: records, Access: []evidence.Access{
		{Type: "WardRecord", Actions: []trust.Action{"read"}, IDs: []string{"42"}, Purpose: "TREAT"},
	}}
}

// People are asked for what nothing but their word keeps from being done, and the
// decision says for what.
func TestWhatPeopleAreAskedFor(t *testing.T) {
	sc := newScene()
	privileged(nil)(sc)
	d := sc.decide()
	want := askedFor().Need
	want.Role = sc.agreements[0].Authority.Approves.Role
	if d.Duty != decision.AskApproval || d.Need == nil || *d.Need != want || d.Unseen {
		t.Errorf("duty %q, need %+v", d.Duty, d.Need)
	}
	for what, change := range map[string]func(*scene){
		"what local policy denies": func(sc *scene) { sc.request.Properties = nil },
		"what was asked for":       followed(askedFor()),
		"what is not looked at":    func(sc *scene) { sc.observed.Resource = trust.SubjectKey{} },
	} {
		sc := newScene()
		privileged(nil)(sc)
		change(sc)
		if d := sc.decide(); d.Duty != decision.NoDuty || d.Reason != trust.ApprovalPending || d.Unseen != (what == "what is not looked at") || len(d.Policies) > 0 {
			t.Errorf("%s: duty %q, reason %s, unseen %t", what, d.Duty, d.Reason, d.Unseen)
		}
	}
}

// A permit ends with the approval it is given by, and names it; one that uses the
// approval up is for its own decision alone.
func TestAPermitByAnApproval(t *testing.T) {
	sc := newScene()
	both(privileged(nil), approvedBy(now+30, nil))(sc)
	if d := sc.decide(); !d.Permit || d.Approval != "approval-1" || d.Bound > now+30 || d.TTL > 30 || d.TTL == 0 || d.Duty != decision.NoDuty {
		t.Errorf("decided %+v", d)
	}
	once := newScene()
	both(privileged(nil), approvedBy(now+30, func(a *approval.Asked) { a.Once = true }))(once)
	if d := once.decide(); !d.Permit || d.Duty != decision.SpendApproval || d.TTL != 0 {
		t.Errorf("decided %+v", d)
	}
	once.more = append(once.more, approval.Spent{ID: "approval-1"})
	s := once.snapshot()
	once.observed.Duty = s.At.Position
	if d := once.decide(); !d.Permit || d.Duty != decision.NoDuty || d.TTL != 0 {
		t.Errorf("for its own decision it is %+v", d)
	}
	once.observed.Duty.N++
	if d := once.decide(); d.Permit {
		t.Error("for another decision it counts too")
	}
}

// Nobody does by another what people approved for one of them.
func TestNobodyActsOnAnApproval(t *testing.T) {
	for _, c := range delegating {
		sc := newScene()
		c.change(sc)
		before := sc.decide()
		if !before.Permit || sc.chain == nil {
			continue
		}
		for i := range sc.agreements {
			for j := range sc.agreements[i].Accepts {
				line := &sc.agreements[i].Accepts[j]
				line.Approval = &agreement.Approval{Actions: slices.Clone(line.Actions), People: 1}
			}
		}
		sc.observed.Resource = wardKey
		asked := askedFor()
		asked.Subject = sc.observed.Subject
		sc.more = append(sc.more, asked, approval.Said{ID: asked.ID, By: "a"}, approval.Granted{ID: asked.ID, By: "b", Ends: now + 900})
		if d := sc.decide(); d.Reason != trust.ApprovalDirect {
			t.Errorf("%s: %s", c.name, d.Reason)
		}
	}
}

// What a leaf says of an approval is enough to decide again.
func TestTheLeafOfAnApproval(t *testing.T) {
	sc := newScene()
	both(privileged(nil), approvedBy(now+30, func(a *approval.Asked) { a.Once = true }))(sc)
	sc.more = append(sc.more, approval.Spent{ID: "approval-1"})
	sc.request.Reason, sc.request.Ticket = "the firewall is down", "CHG-17"
	s := sc.snapshot()
	sc.observed.Duty = s.At.Position
	ev := sc.verify(s)
	d := decision.Decide(s, sc.observed, ev, sc.request)
	body := decision.AppendLeaf(nil, &d, &sc.observed, &ev, &sc.request, decision.Commit{Resource: wardKey})
	plain := decision.AppendSealed(nil, s, &ev, &sc.request, "")
	for _, text := range [][]byte{body, plain} {
		if again := canonical.AppendValue(nil, map[string]any(must(canonical.ParseObject(text)))); string(again) != string(text) {
			t.Fatalf("%s is not canonical", text)
		}
	}
	leaf, sealed := must(decision.ParseLeaf(body)), must(decision.ParseSealed(plain))
	if leaf.Approval != "approval-1" || leaf.Duty != sc.observed.Duty || strings.Contains(string(body), "firewall") {
		t.Errorf("the leaf is %s", body)
	}
	o, again, r := decision.Replay(leaf, sealed)
	if e := decision.Explain(s, o, again, r); !e.Permit || r.Reason != sc.request.Reason || r.Ticket != "CHG-17" {
		t.Errorf("decided again it is %s, for %+v", e.Reason, r)
	}
}
