package keyring_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

func TestGovernanceKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "governance.key")
	if _, err := keyring.CreateGovernance(path, ""); trust.KindOf(err) != trust.Invalid {
		t.Errorf("an empty passphrase: %v", err)
	}
	made, err := keyring.CreateGovernance(path, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	opened, err := keyring.OpenGovernance(path, "correct horse")
	if err != nil || !opened.Key().Equal(made.Key()) || opened.Key().Alg() != jose.EdDSA {
		t.Fatalf("reopened: %v", err)
	}
	if _, err := keyring.CreateGovernance(path, "correct horse"); trust.KindOf(err) != trust.Conflict {
		t.Errorf("creating again: %v", err)
	}
	if _, err := keyring.OpenGovernance(path+".missing", "correct horse"); trust.KindOf(err) != trust.NotFound {
		t.Errorf("a missing file: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// governanceFile writes an age file as CreateGovernance would, at a small cost.
func governanceFile(t *testing.T, content []byte) string {
	t.Helper()
	recipient, err := age.NewScryptRecipient("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	recipient.SetWorkFactor(4)
	var text bytes.Buffer
	outer := armor.NewWriter(&text)
	inner, err := age.Encrypt(outer, recipient)
	if err != nil {
		t.Fatal(err)
	}
	_, err = inner.Write(content)
	if err := errors.Join(err, inner.Close(), outer.Close()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "governance.key")
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestGovernanceRefusals(t *testing.T) {
	d := newFolder(t).document(t)
	fit, unfit := d.Keys[0].Private, d.Keys[4].Private // Ed25519 and P-256
	plain := filepath.Join(t.TempDir(), "plain.key")
	if err := os.WriteFile(plain, []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path, passphrase string
		want                   trust.ErrorKind
	}{
		{"as it should be", governanceFile(t, fit), "correct horse", ""},
		{"another passphrase", governanceFile(t, fit), "battery staple", trust.Denied},
		{"no passphrase", governanceFile(t, fit), "", trust.Denied},
		{"a P-256 key", governanceFile(t, unfit), "correct horse", trust.Invalid},
		{"no key", governanceFile(t, []byte("canary")), "correct horse", trust.Invalid},
		{"no age file", plain, "correct horse", trust.Invalid},
	} {
		_, err := keyring.OpenGovernance(c.path, c.passphrase)
		if trust.KindOf(err) != c.want || strings.Contains(fmt.Sprint(err), "canary") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
