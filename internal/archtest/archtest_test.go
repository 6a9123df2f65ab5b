package archtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entente-id/entente/internal/archtest"
)

func TestTheSourceKeepsTheRules(t *testing.T) {
	source, err := archtest.Load("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range source.Check() {
		t.Error(f)
	}
	there := map[string]bool{}
	for _, p := range source.Packages {
		there[p.Room] = true
	}
	for room := range archtest.Rooms {
		if !there[room] {
			t.Errorf("%s: row in the table of rooms without a package", room)
		}
	}
}

// Every import that the table allows must be allowed in one direction only.
func TestTheTableHasNoCycle(t *testing.T) {
	const open, closed = 1, 2
	mark := map[string]int{}
	var visit func(path []string)
	visit = func(path []string) {
		room := path[len(path)-1]
		switch mark[room] {
		case closed:
			return
		case open:
			t.Fatalf("the table allows a cycle: %s", strings.Join(path, " → "))
		}
		mark[room] = open
		for _, to := range strings.Fields(archtest.Rooms[room].Uses) {
			if _, ok := archtest.Rooms[to]; !ok {
				t.Errorf("%s may use %s, which has no row", room, to)
			}
			visit(append(path, to))
		}
		mark[room] = closed
	}
	for room := range archtest.Rooms {
		visit([]string{room})
	}
}

func TestBreaksAreFound(t *testing.T) {
	const doc = "// Package p decides.\npackage p\n"
	open := "// TO" + "DO later\n"
	cases := []struct{ name, path, text, want string }{
		{"upwards import", "trust/a.go", doc + `import _ "github.com/entente-id/entente/node"`, "table of rooms does not allow"},
		{"sideways import", "operator/a.go", doc + `import _ "github.com/entente-id/entente/state"`, "table of rooms does not allow"},
		{"unlisted module", "trust/a.go", doc + `import _ "github.com/spf13/cobra"`, "does not list that module"},
		{"module with a like name", "cli/a.go", doc + `import _ "github.com/spf13/cobrax"`, "does not list that module"},
		{"unknown room", "billing/a.go", doc, "no row"},
		{"file in the core", "decision/a.go", doc + `import _ "os"`, "pure"},
		{"sub-package in the core", "decision/a.go", doc + `import _ "os/exec"`, "pure"},
		{"logger in the core", "policy/a.go", doc + `import _ "log/slog"`, "pure"},
		{"randomness in the core", "seal/a.go", doc + `import _ "crypto/rand"`, "pure"},
		{"clock in the core", "state/a.go", doc + "import \"time\"\nvar t = time.Now()", "time.Now"},
		{"renamed clock in the core", "state/a.go", doc + "import t \"time\"\nvar x = t.Since", "t.Since"},
		{"testing outside tests", "node/a.go", doc + `import _ "testing"`, "only tests"},
		{"no package comment", "node/a.go", "package node", "no comment"},
		{"bare function", "node/a.go", doc + "func Open() {}", "node.Open is exported"},
		{"bare method", "node/a.go", doc + "// T is.\ntype T[V any] struct{}\nfunc (*T[V]) Do() {}", "node.Do is exported"},
		{"bare type", "node/a.go", doc + "type T struct{}", "node.T is exported"},
		{"bare constant", "node/a.go", doc + "const Limit = 3", "node.Limit is exported"},
		{"open end", "node/a.go", doc + open, "open end"},
		{"long file", "node/a.go", doc + strings.Repeat("\n", archtest.MaxLines), "lines; at most"},
		{"bad name", "node/util/a.go", doc, "named after"},
		{"inside test", "node/a_test.go", "package node", "package of their own"},
		{"skipped test", "node/a_test.go", "package node_test\nfunc f(t interface{ Skip() }) { t.Skip() }", "does not skip"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var s archtest.Source
			if err := s.Add(c.path, []byte(c.text)); err != nil {
				t.Fatal(err)
			}
			faults := s.Check()
			for _, f := range faults {
				if strings.Contains(string(f), c.want) {
					return
				}
			}
			t.Errorf("want a fault with %q, got %q", c.want, faults)
		})
	}
}

func TestWhatIsAllowedPasses(t *testing.T) {
	const text = `// Package node is a room.
package node

import (
	"time"

	_ "github.com/entente-id/entente/decision"
	_ "github.com/go-json-experiment/json/jsontext"
)

// Stage is where it stands.
type Stage string

const (
	Begun Stage = "begun"
	Ended Stage = "ended"
)

const (
	Limit = 3 // entries
	inner = 4
)

type hidden struct{}

func (hidden) Open() {}

func (s Stage) String() string { return string(s) }

var started = time.Now()
`
	var s archtest.Source
	if err := s.Add("node/a.go", []byte(text)); err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Check() {
		t.Error(f)
	}
}

func TestLoadLeavesOutWhatIsNotOurs(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"node/a.go", "node/testdata/b.go", ".hidden/c.go", "tools/d.go", "tools/go.mod"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("package a\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	source, err := archtest.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(source.Packages) != 1 || source.Packages[0].Room != "node" || len(source.Packages[0].Files) != 1 {
		t.Errorf("loaded %+v, want node/a.go alone", source.Packages)
	}
}
