//go:build !pkcs11

package pkcs11_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entente-id/entente/internal/pkcs11"
	"github.com/entente-id/entente/trust"
)

// A PIN is read from a file of the program's user alone, and no error quotes it.
// A program without PKCS #11 says so, and what builds one that has it.
func TestPINFiles(t *testing.T) {
	for _, c := range []struct {
		name, content string
		mode          os.FileMode
		want          trust.ErrorKind
		says          string
	}{
		{"good", "canary\n", 0o600, trust.Invalid, "make build-pkcs11"},
		{"a mounted secret", "canary", 0o400, trust.Invalid, "make build-pkcs11"},
		{"of the group", "canary", 0o640, trust.Denied, "mode 0640"},
		{"of the world", "canary", 0o604, trust.Denied, "mode 0604"},
		{"empty", "", 0o600, trust.Invalid, "one line"},
		{"a line feed", "\n", 0o600, trust.Invalid, "one line"},
		{"two lines", "canary\ncanary\n", 0o600, trust.Invalid, "one line"},
		{"too long", strings.Repeat("canary", 50), 0o600, trust.Invalid, "one line"},
	} {
		path := filepath.Join(t.TempDir(), "pin")
		if err := os.WriteFile(path, []byte(c.content), c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := pkcs11.Open(pkcs11.Config{Module: "lib.so", Label: "entente", PINFile: path})
		if trust.KindOf(err) != c.want || !strings.Contains(fmt.Sprint(err), c.says) || strings.Contains(fmt.Sprint(err), "canary") {
			t.Errorf("%s: %v, want %s that says %q", c.name, err, c.want, c.says)
		}
	}
	if _, err := pkcs11.Open(pkcs11.Config{PINFile: filepath.Join(t.TempDir(), "none")}); trust.KindOf(err) != trust.NotFound {
		t.Errorf("no file: %v", err)
	}
}
