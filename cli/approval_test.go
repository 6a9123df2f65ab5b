package cli_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// R60: what waits for people is seen, answered and taken back at the desk.
func TestApprovals(t *testing.T) {
	w, ctx := nodetest.NewWorld(t), t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	home, host := w.Found(nil)
	ward := w.NewWard(home, host, func(d *agreement.Document) {
		d.Accepts[0].Approval = &agreement.Approval{Actions: []trust.Action{"read"}, People: 2}
	})
	own, err := trust.ParseIssuerID("https://idp.rje.example")
	check(err)
	check(host.Declare(ctx, host.Admin, participant.Document{Kind: "Participant", ID: host.ID, Issuers: []participant.Issuer{
		{Issuer: own, JWKSURI: own.String() + "/jwks", Classes: []participant.ClassRule{{Class: trust.Human}}},
	}}))
	second, _, err := host.AddOperator(ctx, host.Admin, "K. Osei", []trust.Role{"ward_managers"})
	check(err)
	ask := func(record string) trust.Reason {
		q := ward.Ask(w.Token(ward.Issuer, "n-1", ward.Audience, nil))
		q.ResourceID, q.Reason, q.Ticket = record, "handover", "CHG-17"
		return host.Decide(ctx, q).Reason
	}
	d := deskAt(t, host, "ward_managers")
	clerk := host.State().Operator.Holders("ward_managers")
	clerk = slices.DeleteFunc(clerk, func(id string) bool { return id == host.Admin.ID || id == second })
	d.like(`^ID +STAGE +WHO +ACTION +RESOURCE +SERVICE +YES +ENDS +REASON +TICKET\n$`, "approval", "list")
	for _, record := range []string{"42", "43"} {
		if got := ask(record); got != trust.ApprovalPending {
			t.Fatalf("asked, the answer is %s", got)
		}
	}
	d.like(`(?m)^approval-1 +pending +n-1 +read +WardRecord 42 +\S+ +0/2 +handover +CHG-17$`, "approval", "list")
	if code, _, err := d.run("approval", "approve", "approval-1", "--reason", "fine"); code == 0 || !strings.Contains(err, "operator link") {
		t.Errorf("whoever is nobody known approves: exit %d, %s", code, err)
	}
	d.ok("operator", "link", clerk[0], "--issuer", own.String(), "--subject", "l.marsh")
	d.ok("operator", "link", second, "--issuer", own.String(), "--subject", "k.osei", "--participant", host.ID.String())
	d.like(`^approval-1 is pending, 1 of 2 people have said yes\n$`, "approval", "approve", "approval-1", "--reason", "fine", "--ticket", "CHG-17")
	_, err = host.Approve(ctx, node.Actor{ID: second}, "approval-1", node.Word{Reason: "fine"})
	check(err)
	if got := ask("42"); got != trust.Permit {
		t.Errorf("approved, the answer is %s", got)
	}
	d.like(`(?m)^approval-1 +approved .* 2/2 +20\S+Z +handover`, "approval", "list")
	d.like(`"kind": "ApprovalList"`, "approval", "list", "-o", "json")
	d.like(`^approval-1 is ended\n$`, "approval", "withdraw", "approval-1", "--reason", "done")
	d.like(`^approval-2 is declined\n$`, "approval", "refuse", "approval-2", "--reason", "not now")
	if got := ask("43"); got != trust.ApprovalDeclined {
		t.Errorf("declined, the answer is %s", got)
	}
	if code, _, _ := d.run("approval", "approve", "approval-9", "--reason", "fine"); code == 0 {
		t.Error("what is not there is approved")
	}
}
