package denial_test

import (
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/breakglass"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// Emergency access is bounded, overrides nothing but what local policy makes of
// it, and nobody reviews their own.
func TestBreakGlass(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.Found(nil)
	ward := w.NewWard(home, host, func(d *agreement.Document) {
		d.Accepts[0].Purposes = append(d.Accepts[0].Purposes, "BTG")
		d.BreakGlass = &agreement.BreakGlass{TTL: 3600, ReviewWithin: 1, Uses: 2}
	})
	ctx := t.Context()
	check(t, host.Declare(ctx, host.Admin, participant.Document{Kind: "Participant", ID: host.ID, Issuers: []participant.Issuer{
		{Issuer: must(trust.ParseIssuerID(ownIssuer)), JWKSURI: ownIssuer + "/jwks", Classes: []participant.ClassRule{{Class: trust.Human}}},
	}}))
	_, err := host.ApplyPolicy(ctx, host.Admin, nodetest.WardPolicy+`
@id("break-glass") permit (principal is Human in Role::"ward-reader", action, resource is WardRecord) when { context has break_glass };
@id("no-vip") forbid (principal, action, resource == WardRecord::"vip");`)
	check(t, err)
	a := approvals{ward, t}
	break1 := func(subject, record string, change func(*node.Ask)) node.Answer {
		ask := ward.Ask(w.Token(ward.Issuer, subject, ward.Audience, nil))
		ask.ResourceID, ask.Properties, ask.Purpose, ask.Reason = record, map[string]any{"ward": "w99"}, "BTG", "cardiac arrest"
		if change != nil {
			change(&ask)
		}
		return host.Decide(ctx, ask)
	}
	want := func(what string, got node.Answer, want trust.Reason) {
		t.Helper()
		if got.Reason != want || got.Permit != (want == trust.Permit) {
			t.Errorf("%s: %s, want %s", what, got.Reason, want)
		}
	}
	want("for treatment", break1("n-1", "42", func(q *node.Ask) { q.Purpose = "TREAT" }), trust.BreakGlassAvailable)
	want("without a reason", break1("n-1", "42", func(q *node.Ask) { q.Reason = "" }), trust.BreakGlassReason)
	want("of what policy forbids", break1("n-1", "vip", nil), trust.PolicyForbid)
	want("of a purpose that is not agreed", break1("n-1", "42", func(q *node.Ask) { q.Purpose = "HRESCH" }), trust.PurposeNotCovered)
	issued := host.Exchange(ctx, node.Exchange{
		Client: "pep", Subject: evidence.Proof{Kind: evidence.AccessToken, Token: w.Token(ward.Issuer, "n-1", ward.Audience, nil)}, Target: ward.Audience,
		Access: []evidence.Access{{Type: "WardRecord", Actions: []trust.Action{"read"}, IDs: []string{"42"}, Purpose: "BTG"}},
	})
	if issued.Token != "" || issued.Reason != trust.BreakGlassDirect {
		t.Errorf("a credential for emergencies: %s", issued.Reason)
	}
	want("with a reason", break1("n-1", "42", nil), trust.Permit)
	want("again", break1("n-1", "42", nil), trust.Permit)
	want("once more than it is good for", break1("n-1", "42", nil), trust.BreakGlassUsedUp)

	reviews := func(who node.Actor, id string, came breakglass.Stage) trust.ErrorKind {
		_, err := host.ReviewBreakGlass(ctx, who, id, node.Review{Came: came, Reason: "looked into"})
		return trust.KindOf(err)
	}
	for what, who := range map[string]node.Actor{
		"who broke it":           a.person("N. One", "records", ward.Issuer.URL, "n-1"),
		"who broke it, a second": a.person("N. ONE", "records", ownIssuer, "n.one"),
		"of the home":            a.person("H. Line", "records", ward.Issuer.URL, "manager"),
		"nobody knows who":       a.person("N. N.", "records", "", ""),
		"another role":           a.person("S. Ecure", "security", ownIssuer, "s.ecure"),
		"nobody":                 {},
	} {
		if got := reviews(who, "breakglass-1", breakglass.Justified); got != trust.Denied && got != trust.Invalid {
			t.Errorf("%s reviews: %q", what, got)
		}
	}
	entries, _, err := host.Entries(ctx, host.Admin, "trust", 0, 512)
	check(t, err)
	rules := map[string]int{}
	for _, e := range entries {
		var refused breakglass.Refused
		if e.Kind == "breakglass.refused/v1" {
			check(t, canonical.Decode(e.Body, &refused))
			rules[refused.Rule]++
		}
	}
	if rules[breakglass.RuleCaller] != 2 || rules[breakglass.RuleLocal] != 2 || rules[breakglass.RuleRole] != 1 {
		t.Errorf("reviews are refused by %v", rules)
	}
	osei := a.person("K. Osei", "records", ownIssuer, "k.osei")
	agreed, _ := host.State().Agreement.ByName(ward.Agreement)
	nodetest.Eventually(t, "the review to be overdue", func() bool {
		_, due, waits := host.State().BreakGlass.NextReview(agreed.ID)
		return waits && host.Now() >= due
	})
	want("while a review is overdue", break1("n-1", "43", nil), trust.BreakGlassUnreviewed)
	want("by another, while it is", break1("n-2", "43", nil), trust.BreakGlassUnreviewed)
	if got := reviews(osei, "breakglass-1", breakglass.Justified); got != "" {
		t.Fatalf("the review is %s", got)
	}
	want("of another record", break1("n-1", "43", nil), trust.Permit)
	_, err = host.EndBreakGlass(ctx, osei, "breakglass-2", node.Word{Reason: "over"})
	check(t, err)
	want("what was ended", break1("n-1", "43", nil), trust.BreakGlassEnded)
	if got := reviews(osei, "breakglass-2", breakglass.Justified); got != "" {
		t.Fatalf("the review is %s", got)
	}
	want("of a third", break1("n-2", "44", nil), trust.Permit)
	if got := reviews(osei, "breakglass-3", breakglass.Unjustified); got != "" {
		t.Fatalf("the review is %s", got)
	}
	want("whoever broke it unjustified", break1("n-2", "45", nil), trust.SubjectSuspended)
	if n := host.State().BreakGlass.Openings.Len(); n != 3 {
		t.Errorf("the glass was broken %d times, want 3", n)
	}
}
