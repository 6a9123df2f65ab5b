package node_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/trust"
)

// Scenario 7, R77: a ledger that was restored to before what the partner has seen
// is refused, and what was revoked since stays so.
func TestARestoredBackupIsRefused(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	quiet(t, home, host)
	backup := filepath.Join(t.TempDir(), "backup")
	data := filepath.Join(home.Dir, "data")
	_, err := local.Copy(t.Context(), data, backup, local.Options{})
	done(t, err)
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	revoke(t, ward, "nurse-1")
	quiet(t, home, host)
	want(t, ward, nurse(ward, "nurse-1"), trust.SubjectRevoked)

	home.Stop()
	done(t, os.RemoveAll(data))
	done(t, os.CopyFS(data, os.DirFS(backup)))
	home.Start()
	await(t, ward, nurse(ward, "nurse-2"), trust.EdgeBroken)
	if broken, count := newest[edge.Broken](t, host); broken.Rule != "head_below_proven" || broken.From != home.ID || count != 1 {
		t.Errorf("%d breaks are recorded, the last %+v", count, broken)
	}
	// The restored home knows nothing of it and uses its number again.
	revoke(t, ward, "nurse-3")
	if got := read(t, ward, nurse(ward, "nurse-1")); got == trust.Permit {
		t.Error("what was revoked after the backup is permitted")
	}
	home.Reboot()
	nodetest.Eventually(t, "the home to speak again", func() bool { return len(home.Status(t.Context()).Partners) == 1 })
	want(t, ward, nurse(ward, "nurse-2"), trust.EdgeBroken)
}
