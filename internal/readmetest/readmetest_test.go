package readmetest_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/internal/readmetest"
)

const root = "../.."

// The README promises two commands. What the first builds is built here, and what
// it then plays, demo.TestDemo plays, and TestMakeDemoPlays in the slow lane; the
// second is what runs this test, so only its recipe is asked for.
func TestTheTwoCommandsWork(t *testing.T) {
	readme, err := os.ReadFile(root + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := readmetest.Commands(string(readme))
	if !slices.Equal(commands, []string{"make demo", "make test"}) {
		t.Fatalf("README shows %q, want make demo and make test", commands)
	}
	run(t, "make", "build")
	if out := run(t, "bin/entente", "demo", "--help"); !strings.Contains(out, "--keep") {
		t.Errorf("what make build makes knows no demo:\n%s", out)
	}
	if recipe := run(t, "make", "-n", "demo"); !strings.HasSuffix(recipe, "-o bin/entente ./cmd/entente\nbin/entente demo\n") {
		t.Errorf("make demo is not building and playing the demo:\n%s", recipe)
	}
	recipe := run(t, "make", "-n", "test")
	for _, part := range []string{"-race", "-shuffle=", "vet", "staticcheck", "exhaustive", "./..."} {
		if !strings.Contains(recipe, part) {
			t.Errorf("make test does not run %s", part)
		}
	}
}

func TestCommands(t *testing.T) {
	got := readmetest.Commands("text\n```sh\nmake a   # why\n\n# note\nmake b\n```\n```\nnot this\n```\n    nor this\n")
	if want := []string{"make a", "make b"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// run runs a command as a person at the root of the project would, outside the
// make and the test that run this.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = root
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS=") || strings.HasPrefix(v, "CGO_ENABLED=")
	})
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}
