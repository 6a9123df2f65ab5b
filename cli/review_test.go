package cli_test

import (
	"strings"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/trust"
)

// What was granted is reviewed at the desk, by somebody who did not ask for it.
func TestReviewsAtTheDesk(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.Found(nil)
	ward := w.NewWard(home, host, func(d *agreement.Document) { d.Accepts[0].Roles = append(d.Accepts[0].Roles, "R9999") })
	ward.Map("spare")
	if got := host.Decide(t.Context(), ward.Ask(w.Token(ward.Issuer, "n-1", ward.Audience, nil))).Reason; got != trust.Permit {
		t.Fatalf("the answer is %s", got)
	}
	d := deskAt(t, host, "records")
	d.like(`^ID +STAGE +DUE +ITEMS +WAITING`, "review", "list")
	d.like(`^review-1 asks about 3, until 20\S+Z\n$`, "review", "open", "--for", "7d", "--agreement", ward.Agreement)
	d.like(`(?m)^mapping +nurse +waiting +ward-reader +1 +1 +1 +1 +20\S+Z +records$`, "review", "show", "review-1")
	d.like(`(?m)^agreement +staff +waiting +2 +1 +1 +1 +20\S+Z +records$`, "review", "show", "review-1")
	d.like(`"decisions": {\n +"read": 1,\n +"of": 1\n`, "review", "show", "review-1", "-o", "json")
	d.like(`^mapping/nurse\nmapping/spare\nagreement/staff\n$`, "review", "show", "review-1", "-o", "name")
	d.like(`^mapping nurse stays; 2 of review-1 wait\n$`, "review", "keep", "review-1", "mapping", "nurse", "--reason", "asked the ward", "--ticket", "REV-1")
	for _, again := range [][]string{
		{"keep", "review-1", "mapping", "nurse", "--reason", "again"}, {"reduce", "review-1", "mapping", "spare", "--reason", "to what?"},
		{"keep", "review-1", "mapping", "spare"}, {"remove", "review-9", "mapping", "spare", "--reason", "no such review"}, {"keep", "review-1", "mapping", "spare", "--reason", "x", "--class", "human"},
	} {
		if code, _, _ := d.run(append([]string{"review"}, again...)...); code == 0 {
			t.Errorf("review %s is taken", strings.Join(again, " "))
		}
	}
	d.like(`^KIND +AGREEMENT +CLASS +ROLE +MAPPING +GRANTED +LAST USED\nagreed_not_granted +staff +human +R9999 `, "review", "report", "review-1")
	m, _ := host.State().Mapping.ByName("spare")
	narrower := d.file("narrower.yaml", strings.Join([]string{
		"kind: Mapping", "name: spare", "agreement: staff", "from: {class: human, attribute: role_code, equals: " + nodetest.Nurse + "}", "to: ward-reader",
		"expires: " + (m.Document.Expires - 86400).String(), "",
	}, "\n"))
	d.like(`^mapping spare is reduced; 1 of review-1 wait\n$`, "review", "reduce", "review-1", "mapping", "spare", "-f", narrower, "--reason", "day staff alone")
	if m, _ := host.State().Mapping.ByName("spare"); m.Stage != mapping.Proposed {
		t.Errorf("reduced, it is %s", m.Stage)
	}
	d.like(`^agreement staff is removed; 0 of review-1 wait\n$`, "review", "remove", "review-1", "agreement", "staff", "--reason", "nobody needs it")
	nodetest.Eventually(t, "the review to close", func() bool {
		c, _ := host.State().Review.Get("review-1")
		return !c.Open()
	})
	d.like(`(?m)^review-1 +closed +20\S+Z +3 +0 +1 +1 +1 +0$`, "review", "list")
	d.like(`(?m)^mapping +nurse +kept .* op-\S+ +asked the ward +REV-1$`, "review", "show", "review-1", "-o", "wide")
	if code, _, err := d.run("review", "open", "--for", "7d", "--kind", "agreement"); code == 0 || !strings.Contains(err, "nothing to review") {
		t.Errorf("nothing is reviewed: exit %d, %s", code, err)
	}
}
