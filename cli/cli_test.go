package cli_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/entente-id/entente/cli"
	"github.com/entente-id/entente/demo"
	"github.com/entente-id/entente/node"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"entente": func() {
		os.Exit(program().Run(context.Background(), os.Args[1:]))
	}})
}

// program is the command line without what needs a node.
func program() cli.Program {
	return cli.Program{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv, Rand: rand.Reader,
		Now:    func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) },
		Serve:  func(context.Context, string, string, *slog.Logger) error { return nil },
		Create: func(context.Context, string, node.Birth) error { return nil },
		Demo:   func(_ context.Context, c demo.Config) (bool, error) { return c.Keep, nil },
	}
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits checks the exit code of a command: exits 2 entente …
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND …")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if coded, ok := err.(interface{ ExitCode() int }); ok {
		got = string(rune('0' + coded.ExitCode()))
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}
