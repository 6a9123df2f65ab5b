package cli_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// Emergency access is seen, reviewed and ended at the desk.
func TestBreakGlass(t *testing.T) {
	w, ctx := nodetest.NewWorld(t), t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	home, host := w.Found(nil)
	ward := w.NewWard(home, host, func(d *agreement.Document) {
		d.Accepts[0].Purposes = append(d.Accepts[0].Purposes, "BTG")
		d.BreakGlass = &agreement.BreakGlass{TTL: 1800, ReviewWithin: 3600}
	})
	_, err := host.ApplyPolicy(ctx, host.Admin, nodetest.WardPolicy+
		`@id("break-glass") permit (principal is Human in Role::"ward-reader", action, resource is WardRecord) when { context has break_glass };`)
	check(err)
	own, err := trust.ParseIssuerID("https://idp.rje.example")
	check(err)
	check(host.Declare(ctx, host.Admin, participant.Document{Kind: "Participant", ID: host.ID, Issuers: []participant.Issuer{
		{Issuer: own, JWKSURI: own.String() + "/jwks", Classes: []participant.ClassRule{{Class: trust.Human}}},
	}}))
	ask := func(subject string) trust.Reason {
		q := ward.Ask(w.Token(ward.Issuer, subject, ward.Audience, nil))
		q.Properties, q.Purpose, q.Reason, q.Ticket = map[string]any{"ward": "w99"}, "BTG", "cardiac arrest", "INC-7"
		return host.Decide(ctx, q).Reason
	}
	before := host.State().Operator.Holders("records")
	d := deskAt(t, host, "records")
	clerk := slices.DeleteFunc(host.State().Operator.Holders("records"), func(id string) bool { return slices.Contains(before, id) })
	d.like(`^ID +STAGE +WHO +ACTION +RESOURCE +ENDS +REVIEW DUE +REASON +TICKET\n$`, "breakglass", "list")
	for _, subject := range []string{"n-1", "n-2"} {
		if got := ask(subject); got != trust.Permit {
			t.Fatalf("broken, the answer is %s", got)
		}
	}
	d.like(`(?m)^breakglass-1 +open +n-1 +read +WardRecord 42 +20\S+Z +20\S+Z +cardiac arrest +INC-7$`, "breakglass", "list")
	d.like(`"kind": "BreakGlassList"`, "breakglass", "list", "-o", "json")
	d.like(`(?m)^finding-1 +open +break_glass +\S+ +host +breakglass-1 +records `, "finding", "list")
	if code, _, err := d.run("breakglass", "review", "breakglass-1", "--outcome", "justified", "--reason", "fine"); code == 0 || !strings.Contains(err, "operator link") {
		t.Errorf("whoever is nobody known reviews: exit %d, %s", code, err)
	}
	d.ok("operator", "link", clerk[0], "--issuer", own.String(), "--subject", "k.osei")
	if code, _, _ := d.run("breakglass", "review", "breakglass-1", "--outcome", "fine", "--reason", "fine"); code == 0 {
		t.Error("a review comes to nothing")
	}
	d.like(`^breakglass-1 is ended; its review is due at 20\S+Z\n$`, "breakglass", "end", "breakglass-1", "--reason", "transferred")
	if got := ask("n-1"); got != trust.BreakGlassEnded {
		t.Errorf("ended, the answer is %s", got)
	}
	d.like(`^breakglass-1 was justified\n$`, "breakglass", "review", "breakglass-1", "--outcome", "justified", "--reason", "fine", "--ticket", "INC-7")
	d.like(`^breakglass-2 was unjustified; who broke the glass is suspended\n$`, "breakglass", "review", "breakglass-2", "--outcome", "unjustified", "--reason", "no patient of hers", "--tlp", "amber")
	if got := ask("n-2"); got != trust.SubjectSuspended {
		t.Errorf("unjustified, the answer is %s", got)
	}
	if code, _, _ := d.run("breakglass", "end", "breakglass-9", "--reason", "fine"); code == 0 {
		t.Error("what is not there is ended")
	}
}
