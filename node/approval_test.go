package node_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/approval"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// office is a ward whose records contractors of the home change, if two people of
// the host approve.
type office struct {
	*nodetest.Ward
	t      *testing.T
	people map[string]node.Actor
	local  string // an issuer of the host
}

// approvers is the role that approves.
const approvers = "ward_managers"

func newOffice(t *testing.T, change func(*agreement.Document)) office {
	t.Helper()
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, func(d *framework.Document) {
		tier := d.Tiers[trust.Standard]
		tier.MaxStaleness = 86400 // clocks are moved
		d.Tiers[trust.Standard] = tier
		class := d.Classes[trust.Human]
		class.MaxTokenLifetime = 86400
		d.Classes[trust.Human] = class
	})
	ward := w.NewWard(home, host, func(d *agreement.Document) {
		line := &d.Accepts[0]
		line.Actions = append(line.Actions, "write")
		line.Approval = &agreement.Approval{Actions: []trust.Action{"write"}, People: 2}
		d.Attributes = append(d.Attributes, agreement.Attribute{Name: "nationality", Purpose: "clearance"})
		if change != nil {
			change(d)
		}
	})
	o := office{ward, t, map[string]node.Actor{}, "https://idp.rje.example"}
	_, err := host.ApplyPolicy(t.Context(), host.Admin, nodetest.WardPolicy+`
@id("ward-write")
permit (principal is Human in Role::"ward-reader", action == Action::"write", resource is WardRecord) when { principal.nationality == "GB" };`)
	done(t, err)
	own, err := trust.ParseIssuerID(o.local)
	done(t, err)
	done(t, host.Declare(t.Context(), host.Admin, participant.Document{Kind: "Participant", ID: host.ID, Issuers: []participant.Issuer{
		{Issuer: own, JWKSURI: o.local + "/jwks", Classes: []participant.ClassRule{{Class: trust.Human}}},
	}}))
	return o
}

// hire makes a person an operator who approves; who is the person at an issuer,
// if anybody said so.
func (o office) hire(account, person string, who ...string) node.Actor {
	o.t.Helper()
	ctx, roles := o.t.Context(), []trust.Role{approvers}
	id, _, err := o.Host.AddOperator(ctx, o.Host.Admin, person, roles)
	done(o.t, err)
	for i := 0; i < len(who); i += 2 {
		done(o.t, o.Host.LinkOperator(ctx, o.Host.Admin, id, who[i], who[i+1], trust.ParticipantID{}))
	}
	o.people[account] = node.Actor{ID: id, Roles: roles}
	return o.people[account]
}

// token is the contractor's, good for hours.
func (o office) token(with map[string]any) []byte {
	claims := map[string]any{"exp": time.Now().Unix() + 7200, "nationality": "GB"}
	for name, value := range with {
		claims[name] = value
	}
	return o.Home.World.Token(o.Issuer, "contractor-1", o.Audience, claims)
}

// write asks to change a record.
func (o office) write(token []byte, record string) node.Ask {
	ask := o.Ask(token)
	ask.Action, ask.ResourceID = "write", record
	ask.Reason, ask.Ticket = "the patient has moved", "CHG-17"
	return ask
}

func (o office) want(ask node.Ask, reason trust.Reason) node.Answer {
	o.t.Helper()
	got := answer(o.t, o.Host, ask)
	if got.Reason != reason {
		o.t.Fatalf("the answer is %s, not %s", got.Reason, reason)
	}
	return got
}

func (o office) approve(account, id string) error {
	o.t.Helper()
	_, err := o.Host.Approve(o.t.Context(), o.people[account], id, node.Word{Reason: "agreed", Ticket: "CHG-17"})
	return err
}

// staff hires two people who may approve.
func (o office) staff() {
	o.t.Helper()
	o.hire("marsh", "L. Marsh", o.local, "l.marsh")
	o.hire("osei", "K. Osei", o.local, "k.osei")
}

// R60, R61: a privileged action waits for two people of the host, neither of whom
// asks; for quarter of an hour it is permitted, and no longer.
func TestAPrivilegedActionWaitsForTwoPeople(t *testing.T) {
	o := newOffice(t, nil)
	o.staff()
	host, ctx, ask := o.Host, t.Context(), o.write(o.token(nil), "42")
	size := len(entries(t, host, "decisions", ""))
	first := o.want(ask, trust.ApprovalPending)
	asked, count := newest[approval.Asked](t, host)
	if count != 1 || asked.ID != "approval-1" || asked.People != 2 || asked.TTL != 900 || asked.Role != approvers {
		t.Fatalf("people are asked %d times, last for %+v", count, asked)
	}
	o.want(ask, trust.ApprovalPending)
	if _, again := newest[approval.Asked](t, host); again != 1 {
		t.Error("people are asked twice for one thing")
	}
	recorded := entries(t, host, "decisions", decision.EntryKind.String())
	leaf, err := decision.ParseLeaf(recorded[len(recorded)-2].Body)
	requests := entries(t, host, "trust", asked.EventKind().String())
	if err != nil || leaf.Approval != "approval-1" || leaf.Duty != requests[0].Position || leaf.Trust.N < leaf.Duty.N {
		t.Errorf("the denial is recorded as %+v, %v", leaf, err)
	}
	if now := len(entries(t, host, "decisions", "")); now != size+2 { // R69
		t.Errorf("two calls made %d records", now-size)
	}
	e, err := host.Explain(ctx, host.Admin, first.Reference)
	if err != nil || e.Reason != trust.ApprovalPending || !strings.Contains(e.Checks[decision.Entitle].Text, "approval-1") {
		t.Errorf("explained as %+v, %v", e, err)
	}
	for _, who := range []node.Actor{host.Admin, o.people["marsh"]} {
		list, err := host.Approvals(ctx, who)
		if err != nil || len(list) != 1 || list[0].Caller != "contractor-1" || list[0].Which != "42" || list[0].Reason != ask.Reason ||
			list[0].Ticket != "CHG-17" || list[0].Agreement != o.Agreement || list[0].Stage != approval.Pending {
			t.Errorf("%s sees %+v, %v", who.ID, list, err)
		}
	}
	if list, err := host.Approvals(ctx, node.Actor{ID: "op-x", Roles: []trust.Role{"security"}}); err != nil || len(list) != 0 {
		t.Errorf("whoever approves nothing sees %+v, %v", list, err)
	}

	done(t, o.approve("marsh", "approval-1"))
	o.want(ask, trust.ApprovalPending)
	done(t, o.approve("osei", "approval-1"))
	for range 2 { // the second time from memory
		o.want(ask, trust.Permit)
	}
	o.want(o.write(o.token(nil), "42"), trust.Permit)
	o.want(o.write(o.token(nil), "43"), trust.ApprovalPending) // another resource
	other := o.Home.World.Token(o.Issuer, "contractor-2", o.Audience, map[string]any{"nationality": "GB"})
	o.want(o.write(other, "42"), trust.ApprovalPending)                                     // another person
	o.want(o.write(o.token(map[string]any{"nationality": nil}), "42"), trust.PolicyError)   // R14
	o.want(o.write(o.token(map[string]any{"nationality": "FR"}), "42"), trust.PolicyDenies) // R14

	host.Stop()
	host.Start()
	heardOf(t, host, o.Home)
	o.want(ask, trust.Permit)
	host.Clock.Shift(15*time.Minute + time.Second)
	if got := answer(t, host, ask); got.Permit {
		t.Error("it outlives its quarter of an hour")
	}
}

// R60: whoever may not say yes is refused, and that is recorded.
func TestWhoDoesNotApprove(t *testing.T) {
	o := newOffice(t, nil)
	o.staff()
	o.hire("contractor", "C. Reyes", o.Issuer.URL, "contractor-1")
	o.hire("her second account", "C.  REYES", o.local, "c.reyes")
	o.hire("of the home", "H. Line", o.Issuer.URL, "manager-9")
	o.hire("nobody knows who", "N. N.")
	o.hire("marsh by another name", "Lee Marsh", o.local, "l.marsh")
	o.people["without the role"] = o.Host.Admin
	id, _, err := o.Host.AddOperator(t.Context(), o.Host.Admin, "A. Udit", []trust.Role{operator.Auditor})
	done(t, err)
	o.people["an auditor"] = node.Actor{ID: id, Roles: []trust.Role{operator.Auditor}}
	o.want(o.write(o.token(nil), "42"), trust.ApprovalPending)
	done(t, o.approve("marsh", "approval-1"))
	for account, rule := range map[string]string{
		"contractor": approval.RuleCaller, "her second account": approval.RuleCaller, "of the home": approval.RuleLocal,
		"nobody knows who": approval.RuleLocal, "marsh": approval.RulePerson, "marsh by another name": approval.RulePerson,
		"an auditor": approval.RuleRole,
	} {
		refused(t, account, o.approve(account, "approval-1"), trust.Denied)
		if last, _ := newest[approval.Refused](t, o.Host); last.By != o.people[account].ID || last.Rule != rule {
			t.Errorf("%s: recorded is %+v, want %s", account, last, rule)
		}
	}
	refused(t, "the host's admin", o.approve("without the role", "approval-1"), trust.Denied)
	_, err = o.Home.Approve(t.Context(), o.Home.Admin, "approval-1", node.Word{Reason: "he is fine"})
	refused(t, "at home", err, trust.NotFound)
	_, err = o.Host.Approve(t.Context(), o.people["osei"], "approval-1", node.Word{})
	refused(t, "without a reason", err, trust.Invalid)
	refused(t, "an unknown one", o.approve("osei", "approval-2"), trust.NotFound)
	o.want(o.write(o.token(nil), "42"), trust.ApprovalPending)
	refused(t, "linked by who is no admin", o.Host.LinkOperator(t.Context(), o.people["osei"], o.people["nobody knows who"].ID, o.local, "n.n", trust.ParticipantID{}), trust.Denied)
	refused(t, "linked to nobody", o.Host.LinkOperator(t.Context(), o.Host.Admin, o.people["osei"].ID, o.local, "", trust.ParticipantID{}), trust.Invalid)
	refused(t, "linked at an unknown issuer", o.Host.LinkOperator(t.Context(), o.Host.Admin, o.people["osei"].ID, "https://idp.nobody.example", "x", trust.ParticipantID{}), trust.NotFound)
}

// One person's no is enough and stands; what was approved is taken back at once,
// and may be asked for again.
func TestANoAndATakingBack(t *testing.T) {
	o := newOffice(t, nil)
	o.staff()
	ctx, word := t.Context(), node.Word{Reason: "not now"}
	ask := o.write(o.token(nil), "42")
	o.want(ask, trust.ApprovalPending)
	_, err := o.Host.DeclineApproval(ctx, o.people["marsh"], "approval-1", word)
	done(t, err)
	o.want(ask, trust.ApprovalDeclined)
	refused(t, "a yes after a no", o.approve("osei", "approval-1"), trust.Conflict)

	ask = o.write(o.token(nil), "43")
	o.want(ask, trust.ApprovalPending)
	done(t, o.approve("marsh", "approval-2"))
	done(t, o.approve("osei", "approval-2"))
	o.want(ask, trust.Permit)
	one, err := o.Host.WithdrawApproval(ctx, o.people["osei"], "approval-2", word)
	if err != nil || one.Stage != approval.Ended {
		t.Errorf("taken back: %+v, %v", one, err)
	}
	o.want(ask, trust.ApprovalPending)
	if last, _ := newest[approval.Asked](t, o.Host); last.ID != "approval-3" {
		t.Errorf("asked again is %+v", last)
	}
}

// An approval for one decision is used up by the first, however many ask at once.
func TestAnApprovalForOneDecision(t *testing.T) {
	o := newOffice(t, func(d *agreement.Document) { d.Accepts[0].Approval.Once = true })
	o.staff()
	ask := o.write(o.token(nil), "42")
	o.want(ask, trust.ApprovalPending)
	done(t, o.approve("marsh", "approval-1"))
	done(t, o.approve("osei", "approval-1"))
	var asking sync.WaitGroup
	answers := make([]node.Answer, 8)
	for i := range answers {
		asking.Go(func() { answers[i] = o.Host.Decide(t.Context(), ask) })
	}
	asking.Wait()
	permits := slices.DeleteFunc(slices.Clone(answers), func(a node.Answer) bool { return !a.Permit })
	if len(permits) != 1 || permits[0].TTL != 0 {
		t.Fatalf("%d of %d were permitted: %+v", len(permits), len(answers), answers)
	}
	e, err := o.Host.Explain(t.Context(), o.Host.Admin, permits[0].Reference)
	if err != nil || !e.Permit || e.Checks[decision.Entitle].Result != decision.Passed {
		t.Errorf("explained as %+v, %v", e, err)
	}
	if _, count := newest[approval.Spent](t, o.Host); count != 1 {
		t.Errorf("it was used up %d times", count)
	}
	o.want(ask, trust.ApprovalPending)
}

// Nobody is asked for what local policy denies all the same, nor for a credential.
func TestWhatPeopleAreNotAskedFor(t *testing.T) {
	o := newOffice(t, nil)
	o.staff()
	o.want(o.write(o.token(map[string]any{"nationality": nil}), "42"), trust.ApprovalPending)
	issued := o.Host.Exchange(t.Context(), node.Exchange{
		Client: "pep", Subject: evidence.Proof{Kind: evidence.AccessToken, Token: o.token(nil)}, Target: o.Audience,
		Access: []evidence.Access{{Type: "WardRecord", Actions: []trust.Action{"write"}, IDs: []string{"42"}, Purpose: "TREAT"}},
	})
	if issued.Token != "" || issued.Reason != trust.ApprovalDirect || issued.Refusal != node.BadAccess {
		t.Errorf("an exchange gives %+v", issued)
	}
	if _, err := o.Host.ExplainHypothetical(t.Context(), o.Host.Admin, o.write(o.token(nil), "42")); err != nil {
		t.Fatal(err)
	}
	if _, count := newest[approval.Asked](t, o.Host); count != 0 {
		t.Errorf("people were asked %d times", count)
	}
	o.want(o.Ask(o.token(nil)), trust.Permit) // reading needs nobody
}

// R62: with the home gone the host's people approve, and its log is complete.
func TestApprovalsWithoutTheHome(t *testing.T) {
	o := newOffice(t, nil)
	o.staff()
	token := o.token(nil)
	o.Home.Stop()
	size := len(entries(t, o.Host, "decisions", ""))
	ask := o.write(token, "42")
	o.want(ask, trust.ApprovalPending)
	done(t, o.approve("marsh", "approval-1"))
	done(t, o.approve("osei", "approval-1"))
	o.want(ask, trust.Permit)
	if now := len(entries(t, o.Host, "decisions", "")); now != size+2 {
		t.Errorf("two calls made %d records", now-size)
	}
}
