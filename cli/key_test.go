package cli_test

import (
	"strings"
	"testing"

	"github.com/entente-id/entente/internal/nodetest"
)

// A copied key is ended, and what it had been accepted for is listed (R72).
func TestTheEndOfAKey(t *testing.T) {
	ward := twoTrusts(t)
	host := deskAt(t, ward.Host, nodetest.HostRoles()...)
	token := ward.Host.World.Token(ward.Issuer, "nurse-3", ward.Audience, nil)
	if a := ward.Host.Decide(t.Context(), ward.Ask(token)); !a.Permit {
		t.Fatalf("the answer is %s", a.Reason)
	}
	kid := ward.Issuer.Key.Key().KeyID()
	accepted := `key ` + kid + ` of https://idp\.\S+ had been accepted 1 times, first 20\S+Z, last 20\S+Z; 0 tokens of it were denied; \d+ decisions were read

ENFORCEMENT POINT +RESOURCE +PERMITS
pep +WardRecord +1

SUBJECT +PERMITS +FIRST +LAST +LAST DECISION
[0-9a-f]{32} +1 +20\S+Z +20\S+Z +[a-z2-7]{26}
$`
	host.like(`(?m)^https://idp\.trust\.rxw\.example +issuer +`+kid+` +current `, "key", "list")
	host.like(`^REVOKED +POSITION +SENT TO\nkey +1/\d+\n\n`+accepted, "revoke", "key", "--reason", "copied", "--", ward.Issuer.URL, kid)
	host.like(`^`+accepted, "key", "accepted", "--", ward.Issuer.URL, kid)
	host.like(`"revoked": true,`, "key", "accepted", "-o", "json", "--", ward.Issuer.URL, kid)
	host.like(`(?m)^https://idp\.trust\.rxw\.example +issuer +`+kid+` +revoked `, "key", "list")
	if code, _, err := host.run("revoke", "key", ward.Issuer.URL, "none", "--reason", "copied"); code != 1 || !strings.Contains(err, "is not and was not among") {
		t.Errorf("an unknown key: exit %d, %s", code, err)
	}
}
