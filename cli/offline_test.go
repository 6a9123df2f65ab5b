package cli_test

import (
	"go/ast"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/internal/archtest"
)

// offline are the files whose commands work on the files of a node, with the
// commands as docs/api.md names them. All others have a node's socket alone.
var offline = map[string][]string{
	"cli/init.go":       {"`init`"},
	"cli/serve.go":      {"`serve`"},
	"cli/backup.go":     {"`backup`"},
	"cli/recover.go":    {"`recover`"},
	"cli/ledger.go":     {"`ledger verify`"},
	"cli/demo.go":       {"`demo`"},
	"cli/governance.go": {"`framework sign`", "`agreement propose`", "`agreement counter`", "`agreement countersign`", "`participant renew`"},
}

// reaches are what gives a command line the files of a node: packages, and the
// parts of Program that do.
var reaches = []string{"local", "keyring", "config", "Create", "Serve", "Recover", "Demo"}

// Every command works against a running node over its admin interface alone, but
// for those that say that they work on files.
func TestCommandsHaveTheSocketAlone(t *testing.T) {
	source, err := archtest.Load("..")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, said, _ := strings.Cut(string(page), "\n## Offline\n")
	found := map[string]bool{}
	for _, p := range source.Packages {
		for _, f := range p.Files {
			if p.Room == "cli" && !f.Test() && touches(f.Tree) {
				found[f.Path] = true
				if offline[f.Path] == nil {
					t.Errorf("%s works on the files of a node; a command asks the node over its socket", f.Path)
				}
			}
		}
	}
	for path, commands := range offline {
		if !found[path] {
			t.Errorf("%s is listed as working on files, and does not", path)
		}
		for _, c := range commands {
			if !strings.Contains(said, c) {
				t.Errorf("docs/api.md does not list %s among what works offline", c)
			}
		}
	}
}

// touches reports whether a file calls what reaches the files of a node.
func touches(file *ast.File) (found bool) {
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if called, ok := call.Fun.(*ast.SelectorExpr); ok {
			of, isName := called.X.(*ast.Ident)
			found = found || isName && (of.Name == "a" && slices.Contains(reaches, called.Sel.Name) || slices.Contains(reaches, of.Name))
		}
		return true
	})
	return found
}
