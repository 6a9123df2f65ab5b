package cli_test

import (
	"strings"
	"testing"

	"github.com/entente-id/entente/internal/nodetest"
)

// A service account is registered, owned, activated, given another key and ended at
// the desk.
func TestIdentitiesAtTheDesk(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.Found(nil)
	ward := w.NewWard(home, host, nil)
	d := deskAt(t, home)
	d.like(`(?m)^identity-1 +registered +service_account +lab feed +– *$`, "identity", "add", "lab feed", ward.Issuer.URL, "lab-feed", "--class", "service_account")
	if code, _, err := d.run("identity", "activate", "identity-1"); code == 0 || !strings.Contains(err, "nobody owns") {
		t.Errorf("what nobody owns is activated: exit %d, %s", code, err)
	}
	d.like(`(?m)^identity-1 +registered +service_account +lab feed +role:admin`, "identity", "handover", "identity-1", "--owner", "role:admin", "--reason", "first owner")
	d.like(`identity-1`, "identity", "move", "identity-1", "--purpose", "results to wards", "--until", "2100-01-01T00:00:00Z")
	d.like(`identity-1`, "identity", "move", "identity-1", "--until", "none")
	d.like(`(?m)^identity-1 +active`, "identity", "activate", "identity-1")
	d.like(`identity-1`, "identity", "link", "account", "identity-1", ward.Issuer.URL, "lab-feed-2")
	d.like(`identity-1`, "identity", "link", "key", "identity-1", "old-key")
	d.like(`identity-1`, "identity", "link", "key", "identity-1", "new-key", "--replaces", "old-key")
	d.like(`(?m)^identity-1 +suspended`, "identity", "suspend", "identity-1", "--reason", "odd queries")
	d.like(`(?s)stage +suspended.*purpose +results to wards.*account +\S+ lab-feed-2 \(suspended\)\naccount +\S+ lab-feed \(suspended\)\nkey +new-key\nkey +old-key \(replaced `, "identity", "show", "identity-1")
	d.like(`^ID `, "identity", "list", "--flagged")
	d.like(`^identity-1 is offboarded at 1/\d+; partners told: 1\n$`, "identity", "offboard", "identity-1", "--reason", "the lab closed", "--yes")
	d.like(`(?s)"kind": "IdentityList".*"stage": "offboarded"`, "identity", "list", "-o", "json")
	d.like(`^asked for; another person says so too before 20\S+Z\n$`, "identity", "return", "identity-1", "--joiner-check", "HR-1")
	for _, wrong := range [][]string{
		{"identity", "add", "x", ward.Issuer.URL, "x"},
		{"identity", "add", "x", ward.Issuer.URL, "x", "--class", "agent", "--until", "soon"},
		{"identity", "move", "identity-1", "--until", "soon"},
		{"identity", "handover", "identity-1", "--owner", "role:admin"},
		{"identity", "offboard", "identity-1", "--yes"},
		{"identity", "return", "identity-1"},
	} {
		if code, _, err := d.run(wrong...); code != 2 {
			t.Errorf("%v: exit %d, %s", wrong, code, err)
		}
	}
	for _, refused := range [][]string{
		{"identity", "show", "identity-7"},
		{"identity", "suspend", "identity-1", "--reason", "x"},
		{"identity", "return", "identity-1", "--joiner-check", "HR-1"},
	} {
		if code, _, _ := d.run(refused...); code == 0 {
			t.Errorf("%v is done", refused)
		}
	}
}
