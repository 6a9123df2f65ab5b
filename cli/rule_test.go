package cli_test

import (
	"strings"
	"testing"

	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/trust"
)

// R70: a responder sets a rule, sees what it did, and lets that go on.
func TestRulesAtTheDesk(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.Found(nil)
	ward := w.NewWard(home, host, nil)
	d := deskAt(t, host)
	d.like(`(?m)^NAME +WHEN +DOES +OF\n(?s:.*)busy-person +5000 volume in 1h per subject +alert +human$`, "rule", "list")
	d.ok("rule", "set", "odd-queries", "--when", "volume", "--per", "subject", "--count", "2", "--within", "10m", "--service", "ward-records",
		"--do", "suspend", "--what", "subject", "--tlp", "amber")
	d.like(`(?m)^odd-queries +2 volume in 10m per subject +suspend subject +https://records\S+ +amber +operator$`, "rule", "list", "-o", "wide")
	d.like(`^ID +RULE +COUNTED +PARTICIPANT +DID +NOW\n$`, "incident", "list")
	token := w.Token(ward.Issuer, "nurse-1", ward.Audience, nil)
	for _, want := range []trust.Reason{trust.Permit, trust.Permit, trust.SubjectSuspended} {
		if got := host.Decide(t.Context(), ward.Ask(token)).Reason; got != want {
			t.Fatalf("the answer is %s, not %s", got, want)
		}
	}
	d.like(`(?m)^incident-1 +odd-queries +2 volume +https://trust.rxw.example +suspend subject +stopped$`, "incident", "list")
	d.like(`(?m)^incident-1 .* nurse-1 +20\S+$`, "incident", "list", "-o", "wide")
	d.like(`^incident-1\n$`, "incident", "list", "-o", "name")
	d.like(`(?m)^finding-1 +open +incident +https://trust.rxw.example +host +incident-1 +records`, "finding", "list")
	d.like(`(?m) rule:odd-queries `, "suspension", "list")
	if out := d.ok("incident", "list", "-o", "json"); !strings.Contains(out, `"kind": "IncidentList"`) || !strings.Contains(out, `"count": 2`) {
		t.Errorf("listed as %s", out)
	}
	d.ok("rule", "remove", "odd-queries")
	for _, wrong := range [][]string{
		{"rule", "set", "x", "--when", "volume", "--count", "2", "--within", "10m"},
		{"rule", "set", "x", "--when", "volume", "--count", "2", "--within", "soon"},
		{"rule", "set", "x", "--when", "volume", "--count", "2", "--within", "1m", "--participant", "nobody"},
		{"rule", "set", "x"},
	} {
		if code, _, err := d.run(wrong...); code != 2 {
			t.Errorf("%v: exit %d, %s", wrong, code, err)
		}
	}
	if code, _, _ := d.run("rule", "remove", "odd-queries"); code == 0 {
		t.Error("what is not in force is removed")
	}
}
