package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/entente-id/entente/internal/nodetest"
)

// A ledger is verified from its directory alone, beside a running node too.
func TestLedgerVerify(t *testing.T) {
	n := nodetest.NewWorld(t).New("trust.rxw.example")
	d := deskAt(t, n)
	head := d.file("head", d.ok("ledger", "checkpoint"))
	want := `^the ledger of https://trust\.rxw\.example holds  \(a demo's: its time could be moved\)
trust      3 entries, \d+ checkpoints, 2 sealed, root \S+, newest 20\S+Z
decisions  0 entries, 0 checkpoints, 0 sealed, root \S+
state      [0-9a-f]{64}
governance ` + regexp.QuoteMeta(n.Governance.Key().GovernanceText()) + `
$`
	d.like(want, "ledger", "verify", "--from", n.Dir)
	d.like(want, "ledger", "verify", "--from", filepath.Join(n.Dir, "data"), "--head", head)
	d.like(`"entries": 3,`, "ledger", "verify", "--from", n.Dir, "-o", "json")

	n.Stop()
	d.like(want, "ledger", "verify", "--from", n.Dir, "--head", head)

	// Somebody else's checkpoint, and one of a longer log.
	other := d.file("other", strings.Replace(d.read(head), "rxw", "rje", 1))
	d.fails(6, `^entente: .*trust\.rje\.example/trust`, "ledger", "verify", "--from", n.Dir, "--head", other)
	longer := d.file("longer", strings.Replace(d.read(head), "\n3\n", "\n4\n", 1))
	d.fails(6, `^entente: `, "ledger", "verify", "--from", n.Dir, "--head", longer)

	// A byte of the trust log flips.
	files, err := filepath.Glob(filepath.Join(n.Dir, "data", "trust", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the trust log has files %v, %v", files, err)
	}
	found := false
	for _, file := range files {
		data := []byte(d.read(file))
		if i := strings.Index(string(data), "operator.added"); i >= 0 {
			found = true
			data[i]++
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !found {
		t.Fatal("no file of the trust log holds its second entry")
	}
	d.fails(6, `^entente: .*trust.*1`, "ledger", "verify", "--from", n.Dir)
	d.fails(6, `^\{"type":"about:blank","title":"`, "ledger", "verify", "--from", n.Dir, "-o", "json")
}

func TestLedgerVerifyWithoutALedger(t *testing.T) {
	d := desk{t, t.TempDir()}
	d.fails(2, `^entente: .*/nothing cannot be read: no such file or directory\n$`, "ledger", "verify", "--from", filepath.Join(d.dir, "nothing"))
	d.fails(1, `^entente: the trust log is empty`, "ledger", "verify", "--from", d.dir)
}

// Secrets stay out of what is shown (R33): no command prints the credential of
// the one who asks.
func TestNoCredentialIsShown(t *testing.T) {
	n := nodetest.NewWorld(t).New("trust.rxw.example")
	d := deskAt(t, n)
	_, credential, _ := strings.Cut(d.read(filepath.Join(d.dir, "operator.json")), `"credential":"`)
	credential = strings.TrimRight(credential, `"}`)
	if !strings.HasPrefix(credential, "ent_op_") {
		t.Fatalf("there is no credential %q to look for", credential)
	}
	for _, command := range []string{"status", "operator list", "participant list", "ledger list --limit 500", "ledger show"} {
		if out := d.ok(append(strings.Fields(command), "-o", "json")...); strings.Contains(out, credential) {
			t.Errorf("%s prints a credential", command)
		}
	}
}

func (d desk) read(path string) string {
	d.t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(data)
}

// fails runs a command line that must fail with an exit code and say what
// matches, on standard error alone.
func (d desk) fails(code int, pattern string, args ...string) {
	d.t.Helper()
	got, out, err := d.run(args...)
	if got != code || out != "" || !regexp.MustCompile(pattern).MatchString(err) {
		d.t.Errorf("%s: exit %d, printed %q, said %q; want exit %d and %s", strings.Join(args, " "), got, out, err, code, pattern)
	}
}
