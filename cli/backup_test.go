package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/trust"
)

// A backup is taken beside a running node, verified, and goes on where it ended.
// Put in the place of the ledger it is an older one.
func TestBackup(t *testing.T) {
	w := nodetest.NewWorld(t)
	n := w.New("trust.rxw.example")
	d := deskAt(t, n)
	to := filepath.Join(t.TempDir(), "backup")
	d.like(`(?m)^LOG +ENTRIES +ROOT +NEWEST\ntrust +3 +\S+ +20\S+Z\ndecisions +0 `, "backup", "--from", n.Dir, "--to", to)
	d.ok("operator", "add", "a.auditor", "--role", "auditor")
	d.like(`"new": [1-9]`, "backup", "--from", n.Dir, "--to", to, "-o", "json")
	d.like(`"new": 0`, "backup", "--from", n.Dir, "--to", to, "-o", "json")
	size := n.State().At.Position
	d.like(`^the ledger of https://trust\.rxw\.example holds`, "ledger", "verify", "--from", to)

	_, _, err := n.AddOperator(t.Context(), n.Admin, "another", []trust.Role{"auditor"})
	if err != nil {
		t.Fatal(err)
	}
	n.Stop()
	data := filepath.Join(n.Dir, "data")
	for _, log := range []string{"trust", "decisions"} {
		if err := os.RemoveAll(filepath.Join(data, log)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(data, os.DirFS(to)); err != nil {
		t.Fatal(err)
	}
	n.Start()
	if at := n.State().At.Position; at != size {
		t.Errorf("the restored ledger ends at %s, the backup at %s", at, size)
	}
}

func TestABackupLiesApartFromKeys(t *testing.T) {
	n := nodetest.NewWorld(t).New("trust.rxw.example")
	d := deskAt(t, n)
	d.fails(5, `holds keyring\.db; a backup of the ledger lies apart from keys`, "backup", "--from", n.Dir, "--to", filepath.Join(n.Dir, "backup"))
	d.fails(5, `holds keyring\.db; a backup of the ledger lies apart from keys`, "backup", "--from", n.Dir, "--to", n.Dir)
	if _, err := os.Stat(filepath.Join(n.Dir, "backup")); err == nil {
		t.Error("it is made all the same")
	}
}
