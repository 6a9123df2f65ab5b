package node_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/breakglass"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// emergencies is an office in whose ward contractors of the home may break the
// glass; nobody waits for people there.
func emergencies(t *testing.T, change func(*agreement.BreakGlass)) office {
	t.Helper()
	o := newOffice(t, func(d *agreement.Document) {
		line := &d.Accepts[0]
		line.Approval, line.Purposes = nil, append(line.Purposes, "BTG")
		d.Authority.Overrides = trust.RoleRef{Participant: d.Host, Role: approvers}
		d.BreakGlass = &agreement.BreakGlass{TTL: 1800, ReviewWithin: 3600}
		if change != nil {
			change(d.BreakGlass)
		}
	})
	_, err := o.Host.ApplyPolicy(t.Context(), o.Host.Admin, nodetest.WardPolicy+`
@id("break-glass")
permit (principal is Human in Role::"ward-reader", action, resource is WardRecord) when { context.purpose == "BTG" && context has break_glass };`)
	done(t, err)
	o.staff()
	return o
}

// emergency asks for a record of another ward, for the purpose of emergencies.
func (o office) emergency(record string) node.Ask {
	ask := o.Ask(o.token(nil))
	ask.ResourceID, ask.Properties = record, map[string]any{"ward": "w99"}
	ask.Purpose, ask.Reason, ask.Ticket = "BTG", "cardiac arrest", "INC-7"
	return ask
}

func (o office) review(account, id string, came breakglass.Stage) error {
	o.t.Helper()
	_, err := o.Host.ReviewBreakGlass(o.t.Context(), o.people[account], id, node.Review{Came: came, Reason: "looked into", Ticket: "INC-7"})
	return err
}

// findings lists the open ones of a kind.
func openFindings(n *nodetest.Node, kind finding.Kind) (open []finding.Finding) {
	for f := range n.State().Finding.All() {
		if f.Open() && f.Kind == kind {
			open = append(open, f)
		}
	}
	return open
}

// The glass is broken with a reason, on record before the answer, for half an
// hour; both sides see it at once, and somebody else reviews it.
func TestBreakGlass(t *testing.T) {
	o := emergencies(t, nil)
	host, home, ctx := o.Host, o.Home, t.Context()
	treat := o.emergency("42")
	treat.Purpose, treat.Reason = "TREAT", ""
	o.want(treat, trust.BreakGlassAvailable)
	silent := o.emergency("42")
	silent.Reason = ""
	o.want(silent, trust.BreakGlassReason)
	if _, count := newest[breakglass.Opened](t, host); count != 0 {
		t.Fatal("it was opened without a reason")
	}
	if e, err := host.ExplainHypothetical(ctx, host.Admin, o.emergency("42")); err != nil || e.Reason != trust.BreakGlassUnrecorded {
		t.Errorf("hypothetically it is %s, %v", e.Reason, err)
	}

	size := len(entries(t, host, "decisions", ""))
	first := o.want(o.emergency("42"), trust.Permit)
	opened, count := newest[breakglass.Opened](t, host)
	if count != 1 || opened.Role != approvers || opened.TTL != 1800 || opened.Due-opened.Ends != 1800 {
		t.Fatalf("opened %d times, last %+v", count, opened)
	}
	recorded := entries(t, host, "decisions", decision.EntryKind.String())
	leaf, err := decision.ParseLeaf(recorded[len(recorded)-1].Body)
	if err != nil || leaf.BreakGlass != opened.ID || leaf.Duty != entries(t, host, "trust", opened.EventKind().String())[0].Position || leaf.Trust.N < leaf.Duty.N {
		t.Errorf("it is recorded as %+v, %v", leaf, err)
	}
	if now := len(entries(t, host, "decisions", "")); now != size+1 { // R69
		t.Errorf("one call made %d records", now-size)
	}
	e, err := host.Explain(ctx, host.Admin, first.Reference)
	if err != nil || !e.Permit || !strings.Contains(e.Checks[decision.Entitle].Text, opened.ID) {
		t.Errorf("explained as %+v, %v", e, err)
	}
	for range 2 { // the second time from memory
		o.want(o.emergency("42"), trust.Permit)
	}
	if _, again := newest[breakglass.Opened](t, host); again != 1 {
		t.Error("it was opened again")
	}
	if f := openFindings(host, finding.BreakGlass); len(f) != 1 || f[0].Side != finding.Host || f[0].Owner != approvers || f[0].Due != opened.Due {
		t.Errorf("the host has found %+v", f)
	}
	nodetest.Eventually(t, "the home to be told", func() bool { return len(openFindings(home, finding.BreakGlass)) == 1 })
	for _, at := range []struct {
		n     *nodetest.Node
		which string
	}{{host, "42"}, {home, ""}} {
		list, err := at.n.BreakGlasses(ctx, at.n.Admin)
		if err != nil || len(list) != 1 || list[0].Caller != "contractor-1" || list[0].Which != at.which || (list[0].Reason != "") != (at.which != "") ||
			list[0].Stage != breakglass.Open || list[0].Agreement != o.Agreement || list[0].Host != host.ID || list[0].Ends != opened.Ends {
			t.Errorf("%s sees %+v, %v", at.n.ID, list, err)
		}
	}
	if list, err := host.BreakGlasses(ctx, node.Actor{ID: "op-x", Roles: []trust.Role{"nobody"}}); err != nil || len(list) != 0 {
		t.Errorf("whoever reviews nothing sees %+v, %v", list, err)
	}

	o.hire("herself", "C. Reyes", o.Issuer.URL, "contractor-1")
	o.hire("her second account", "C.  REYES", o.local, "c.reyes")
	o.hire("of the home", "H. Line", o.Issuer.URL, "manager-9")
	for account, rule := range map[string]string{"herself": breakglass.RuleCaller, "her second account": breakglass.RuleCaller, "of the home": breakglass.RuleLocal} {
		refused(t, account, o.review(account, opened.ID, breakglass.Justified), trust.Denied)
		if last, _ := newest[breakglass.Refused](t, host); last.By != o.people[account].ID || last.Rule != rule {
			t.Errorf("%s: recorded is %+v, want %s", account, last, rule)
		}
	}
	_, err = home.ReviewBreakGlass(ctx, home.Admin, opened.ID, node.Review{Came: breakglass.Justified, Reason: "one of ours"})
	refused(t, "at home", err, trust.NotFound)
	_, err = host.ReviewBreakGlass(ctx, o.people["osei"], opened.ID, node.Review{Came: breakglass.Justified})
	refused(t, "without a reason", err, trust.Invalid)
	done(t, o.review("osei", opened.ID, breakglass.Justified))
	if f := openFindings(host, finding.BreakGlass); len(f) != 0 {
		t.Errorf("reviewed, it is open still: %+v", f)
	}
	refused(t, "reviewed twice", o.review("marsh", opened.ID, breakglass.Unjustified), trust.Conflict)
	nodetest.Eventually(t, "the home to be told of the review", func() bool {
		told, ok := home.State().BreakGlass.Abroad(host.ID, 1)
		return ok && told.Stage == breakglass.Justified
	})
	o.want(o.emergency("42"), trust.Permit) // until its own end
	_, err = host.EndBreakGlass(ctx, o.people["marsh"], opened.ID, node.Word{Reason: "transferred"})
	done(t, err)
	o.want(o.emergency("42"), trust.BreakGlassEnded)
}

// A review that is overdue takes the right away, and is told to both sides; a late
// one gives it back. What was not justified suspends who broke the glass.
func TestAnOverdueReview(t *testing.T) {
	o := emergencies(t, func(b *agreement.BreakGlass) { b.TTL, b.ReviewWithin = 1, 1 })
	host, home := o.Host, o.Home
	o.want(o.emergency("42"), trust.Permit)
	a, _ := host.State().Agreement.ByName(o.Agreement)
	nodetest.Eventually(t, "the review to be overdue", func() bool {
		_, due, waits := host.State().BreakGlass.NextReview(a.ID)
		return waits && host.Now() >= due
	})
	o.want(o.emergency("43"), trust.BreakGlassUnreviewed)
	host.Stop()
	host.Start()
	heardOf(t, host, home)
	o.want(o.emergency("43"), trust.BreakGlassUnreviewed)
	for _, n := range []*nodetest.Node{host, home} {
		nodetest.Eventually(t, n.ID.String()+" to have found that it is overdue", func() bool { return len(openFindings(n, finding.BreakGlassOverdue)) == 1 })
	}
	done(t, o.review("marsh", "breakglass-1", breakglass.Justified))
	if f := openFindings(host, finding.BreakGlassOverdue); len(f) != 0 {
		t.Errorf("reviewed, it is overdue still: %+v", f)
	}
	o.want(o.emergency("42"), trust.Permit) // the first has ended
	if last, count := newest[breakglass.Opened](t, host); count != 2 || last.ID != "breakglass-2" {
		t.Errorf("it is opened %d times, last as %s", count, last.ID)
	}
	done(t, o.review("marsh", "breakglass-2", breakglass.Unjustified))
	o.want(o.emergency("43"), trust.SubjectSuspended)
	nodetest.Eventually(t, "the home to be told of both", func() bool {
		told, ok := home.State().BreakGlass.Abroad(host.ID, 2)
		return ok && told.Stage == breakglass.Unjustified
	})
}

// One that is good for some decisions is good for no more of them, however many
// ask at once.
func TestBreakGlassIsCounted(t *testing.T) {
	o := emergencies(t, func(b *agreement.BreakGlass) { b.Uses = 3 })
	var asking sync.WaitGroup
	answers := make([]node.Answer, 8)
	for i := range answers {
		asking.Go(func() { answers[i] = o.Host.Decide(t.Context(), o.emergency("42")) })
	}
	asking.Wait()
	permits := 0
	for _, a := range answers {
		if a.Permit {
			permits++
		}
		if a.Permit && a.TTL != 0 {
			t.Errorf("a counted permit is good for %d s", a.TTL)
		}
	}
	last, _ := o.Host.State().BreakGlass.Get("breakglass-1")
	if permits < 1 || permits > 3 || last.Used != permits {
		t.Fatalf("%d of %d were permitted, %d are counted: %+v", permits, len(answers), last.Used, answers)
	}
	for range 3 - permits { // what gave way to others asks again
		o.want(o.emergency("42"), trust.Permit)
	}
	o.want(o.emergency("42"), trust.BreakGlassUsedUp)
	if _, count := newest[breakglass.Opened](t, o.Host); count != 1 {
		t.Errorf("it was opened %d times", count)
	}
}

// A partner tells of emergency access under its own agreements with us alone.
func TestWhatAPartnerTellsOfBreakGlass(t *testing.T) {
	o := emergencies(t, nil)
	quiet(t, o.Home, o.Host)
	a, _ := o.Host.State().Agreement.ByName(o.Agreement)
	told := map[string]any{
		"id": "breakglass-1", "n": 1, "agreement": a.ID, "namespace": "default", "subject": "nurse-1", "service": o.Audience, "action": "read",
		"resource_type": "WardRecord", "stage": "open", "ends": time.Now().Unix() + 60, "due": time.Now().Unix() + 600,
	}
	lane, number := edge.Governance, next(o.Home, o.Host, edge.Governance)
	done(t, o.Host.ReceiveMessage(t.Context(), o.Home.ID, forge(t, o.Home, o.Host, lane, number, "break-glass", told)))
	if applied, _ := newest[edge.Applied](t, o.Host); applied.N != number || !applied.Refused {
		t.Errorf("the home tells the host of emergency access there: %+v", applied)
	}
	if _, known := o.Host.State().BreakGlass.Abroad(o.Home.ID, 1); known {
		t.Error("the host is told of its own")
	}
}
