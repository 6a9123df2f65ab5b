//go:build slow

// Package peer_test lets a node speak with programs of others: real ones from
// npm, pinned by the lock file in this folder, each on loopback. It decides
// whether both sides understand one standard the same way.
package peer_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// programs installs what package-lock.json names and gives the folder with it
// and with the scripts.
func programs(t *testing.T, scripts ...string) string {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Fatal("npm is not installed; the slow lane wants it")
	}
	dir := t.TempDir()
	for _, name := range append(scripts, "package.json", "package-lock.json") {
		text, err := os.ReadFile(name)
		done(t, err)
		done(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return dir
}

func done(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
