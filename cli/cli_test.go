package cli_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/entente-id/entente/cli"
	"github.com/entente-id/entente/demo"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
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
		Recover: func(_ context.Context, config, from string, epoch uint32, reason string) (node.Reopening, error) {
			return node.Reopening{Epoch: max(epoch, 2), Position: trust.Position{Epoch: max(epoch, 2), N: 17}}, nil
		},
		Demo: func(_ context.Context, c demo.Config) (bool, error) { return c.Keep, nil },
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

// The commands of the page on delegation do what the page says.
func TestDelegationPage(t *testing.T) {
	page, err := os.ReadFile("../docs/delegation.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := txtar.ParseFile("testdata/delegation.txtar")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "```console\n")
	session, _, ended := strings.Cut(rest, "```\n")
	if !found || !ended {
		t.Fatal("the page has no console session")
	}
	script := "chmod 600 idp.pem\nchmod 600 agents.pem\n"
	for i, step := range strings.Split(session, "$ ")[1:] {
		command, says, _ := strings.Cut(step, "\n")
		name := fmt.Sprintf("says%d", i)
		script += "exec " + command + "\ncmp stdout " + name + "\n"
		files.Files = append(files.Files, txtar.File{Name: name, Data: []byte(says)})
	}
	files.Comment = []byte(script)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "page.txtar"), txtar.Format(files), 0o600); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Dir: dir, RequireExplicitExec: true})
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
