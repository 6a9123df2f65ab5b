//go:build pkcs11

package pkcs11_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/entente-id/entente/internal/nodetest"
)

// The program itself: its configuration names a token, its next keys are there,
// and it finds them again when it starts anew.
func TestTheProgramKeepsItsKeysInAToken(t *testing.T) {
	token := softHSM(t, "entente")["entente"]
	dir := t.TempDir()
	program, place := filepath.Join(dir, "entente"), filepath.Join(dir, "node")
	if out, err := exec.Command("go", "build", "-tags", "pkcs11", "-o", program, "../../cmd/entente").CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v: %s", err, out)
	}
	run := func(args ...string) ([]byte, error) {
		return exec.Command(program, append(args, "--no-input", "--operator", filepath.Join(place, "operator.json"))...).Output()
	}
	must := func(args ...string) []byte {
		t.Helper()
		out, err := run(args...)
		if err != nil {
			t.Fatalf("entente %v: %v: %s", args, err, err.(*exec.ExitError).Stderr)
		}
		return out
	}
	pass := filepath.Join(dir, "pass")
	done(t, os.WriteFile(pass, []byte("correct horse battery staple"), 0o600))
	must("init", place, "--entity", "https://trust.rje.example", "--name", "RJE", "--operator", "l.marsh", "--listen", "127.0.0.1:0",
		"--endpoint", "https://127.0.0.1:9443", "--enforcement-listen", "127.0.0.1:0", "--passphrase-file", pass)
	configuration := filepath.Join(place, "node.yaml")
	f, err := os.OpenFile(configuration, os.O_APPEND|os.O_WRONLY, 0)
	done(t, err)
	_, err = fmt.Fprintf(f, "pkcs11: {module: %s, token: %s, pin_file: %s}\n", token.Module, token.Label, token.PINFile)
	done(t, err)
	done(t, f.Close())

	serve := func() (stop func()) {
		t.Helper()
		node := exec.Command(program, "serve", "-c", configuration)
		node.Stderr = t.Output()
		done(t, node.Start())
		nodetest.Eventually(t, "the node to answer", func() bool { _, err := run("status"); return err == nil })
		return func() {
			done(t, node.Process.Signal(syscall.SIGTERM))
			done(t, node.Wait())
		}
	}
	algs := func() map[string]string {
		t.Helper()
		var list struct {
			Items []struct{ Use, Alg string }
		}
		done(t, json.Unmarshal(must("key", "list", "-o", "json"), &list))
		all := map[string]string{}
		for _, k := range list.Items {
			all[k.Use] = k.Alg
		}
		return all
	}
	stop := serve()
	if got := algs(); got["statement"] != "EdDSA" {
		t.Fatalf("before the rotation: %v", got)
	}
	draft, signed := filepath.Join(dir, "card.draft"), filepath.Join(dir, "card.signed")
	must("key", "rotate", draft, "--drop")
	must("participant", "renew", draft, "--out", signed, "--governance-key", filepath.Join(place, "governance.key"), "--passphrase-file", pass)
	must("key", "adopt", signed)
	stop()
	stop = serve()
	for _, use := range inToken {
		if got := algs(); got[string(use)] != "ES256" || got["log"] != "EdDSA" {
			t.Errorf("after the rotation: %v", got)
		}
	}
	stop()
}
