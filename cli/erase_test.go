package cli_test

import (
	"strings"
	"testing"

	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
)

// Somebody who has left is held, and once that has ended erased, at two desks.
func TestErasingAtTheDesk(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.Found(nil)
	ward := w.NewWard(home, host, nil)
	d := deskAt(t, host)
	if _, err := host.Revoke(t.Context(), host.Admin, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: "nurse-1", Reason: "left"}); err != nil {
		t.Fatal(err)
	}
	erase := []string{"erase", "subject", ward.Issuer.URL, "nurse-1", "--reason", "Art. 17", "--ticket", "DPO-31", "--yes"}
	d.like(`^hold-1 stands until 2100-01-01T00:00:00Z\n$`, "hold", "subject", ward.Issuer.URL, "nurse-1", "--reason", "litigation", "--case", "HC-17", "--until", "2100-01-01T00:00:00Z",
		"--participant", home.ID.String())
	d.like(`(?m)^hold-1 +stands +nurse-1 +HC-17 +litigation +2100-01-01T00:00:00Z$`, "hold", "list")
	if code, _, err := d.run(erase...); code == 0 || !strings.Contains(err, "hold-1 until 2100-01-01T00:00:00Z: litigation, case HC-17") {
		t.Errorf("held, erasing exits %d: %s", code, err)
	}
	d.like(`^hold-1 is ended\n$`, "hold", "end", "hold-1", "--reason", "settled")
	if code, _, err := d.run("hold", "end", "hold-1", "--reason", "settled"); code == 0 || !strings.Contains(err, "was ended at") {
		t.Errorf("a hold is ended twice: exit %d, %s", code, err)
	}
	d.like(`^asked for at 1/\d+; another person says so too before 20\S+Z\n$`, erase...)
	if code, _, err := d.run(erase...); code == 0 || !strings.Contains(err, "takes two") {
		t.Errorf("one person alone erases: exit %d, %s", code, err)
	}
	_, err := host.Erase(t.Context(), host.Admin, node.ErasureRequest{Issuer: ward.Issuer.URL, Subject: "nurse-1", Word: node.Word{Reason: "Art. 17", Ticket: "DPO-31"}})
	if err != nil {
		t.Fatal(err)
	}
	d.like(`(?m)^1/\d+ +20\S+Z +https://trust.rxw.example +1 +DPO-31 +Art. 17$`, "erase", "list")
	d.like(`"kind": "ErasureList"`, "erase", "list", "-o", "json")
	d.like(`(?m)^hold-1 +ended +2100`, "hold", "list")
	for _, wrong := range [][]string{
		{"erase", "subject", ward.Issuer.URL, "nurse-2", "--yes"},
		{"erase", "subject", ward.Issuer.URL, "nurse-2", "--reason", "x", "--participant", "nobody", "--yes"},
		{"hold", "subject", ward.Issuer.URL, "nurse-2"},
		{"hold", "subject", ward.Issuer.URL, "nurse-2", "--reason", "x", "--until", "soon"},
		{"hold", "end", "hold-1"},
	} {
		if code, _, err := d.run(wrong...); code != 2 {
			t.Errorf("%v: exit %d, %s", wrong, code, err)
		}
	}
	if code, _, _ := d.run("hold", "end", "hold-7", "--reason", "x"); code == 0 {
		t.Error("what is not there is ended")
	}
}
