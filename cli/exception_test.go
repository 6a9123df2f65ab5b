package cli_test

import (
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/trust"
)

// R21: exceptions are granted, seen and ended at the desk; the secret is printed
// once.
func TestExceptions(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.New("trust.rxw.example", nodetest.HomeRoles()...), w.New("trust.rje.example", nodetest.HostRoles()...)
	rules := w.Rules(home, host)
	rules.Classes[trust.ServiceAccount] = framework.ClassRule{
		Needs: map[framework.Ladder]framework.Level{framework.Authentication: "none"}, MaxTokenLifetime: 900, Tier: trust.Standard,
	}
	tier := rules.Tiers[trust.Standard]
	tier.MaxException = 30 * 86400
	rules.Tiers[trust.Standard] = tier
	signed := w.Sign(rules, home, host)
	home.Adopt(signed)
	host.Adopt(signed)
	w.Introduce(home, host)
	ward := w.NewWard(home, host, nil)
	d := deskAt(t, host)
	text := `
kind: Exception
name: lab-feed-2026
waives: shared_secret
secret: api_key
participant: https://trust.rxw.example
issuer: ` + ward.Issuer.URL + `
account: lab-feed
service: ward-records
owner: ` + host.Admin.ID + `
reason: the analyser speaks nothing newer
compensating_control: a tunnel of its own, and one address
expires: `
	expires := func(days int) string {
		return time.Now().Add(time.Duration(days) * 24 * time.Hour).UTC().Format(time.RFC3339)
	}
	d.like(`^NAME +STAGE +WAIVES +ACCOUNT +SERVICE +OWNER +EXPIRES\n$`, "exception", "list")
	if code, _, err := d.run("exception", "add", "-f", d.file("long.yaml", text+expires(31)+"\n")); code != 2 || !strings.Contains(err, "max_exception") {
		t.Errorf("an exception that lives too long: exit %d, %s", code, err)
	}
	if code, _, err := d.run("exception", "add", "-f", d.file("signature.yaml", strings.Replace(text, "shared_secret", "signature", 1)+expires(5)+"\n")); code != 2 || !strings.Contains(err, "never waived") {
		t.Errorf("an exception from a signature: exit %d, %s", code, err)
	}
	d.like(`^ent_key_[A-Za-z0-9_-]{43}\n$`, "exception", "add", "-f", d.file("exception.yaml", text+expires(5)+"\n"))
	d.like(`(?m)^lab-feed-2026 +alive +shared_secret +lab-feed +ward-records +op-admin +20`, "exception", "list")
	d.like(`"kind": "ExceptionList"`, "exception", "list", "-o", "json")
	d.like(`^exception  lab-feed-2026, alive\nwaives     shared_secret\n(?s:.*)\nreason     the analyser speaks nothing newer\ninstead    a tunnel of its own, and one address\n$`, "exception", "show", "lab-feed-2026")
	d.like(`(?m)^exception  lab-feed-2026 for ward-records ends at 20`, "status")
	d.ok("exception", "end", "lab-feed-2026")
	d.like(`(?m)^ended +20\S+ by op-`, "exception", "show", "lab-feed-2026")
	if out := d.ok("status"); strings.Contains(out, "lab-feed") {
		t.Errorf("an ended exception is in the status:\n%s", out)
	}
	if code, _, _ := d.run("exception", "end", "another"); code != 1 {
		t.Errorf("ending what there is not: exit %d", code)
	}
}
