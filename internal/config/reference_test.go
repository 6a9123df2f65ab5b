package config_test

import (
	"bytes"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/entente-id/entente/internal/config"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

const page = "../../docs/configuration.md"

const preface = `# Configuration

One YAML file tells a node where it stands on its machine. This page is
generated from ` + "`internal/config/config.go`" + `; do not edit it by hand. A member that
is not listed here is refused, all faults are reported at once with their lines,
and relative paths start at the folder of the file. Secrets are named by file,
and the environment is not read.

The smallest file that works:

` + "```yaml\n" + small + "```\n"

func TestReferencePage(t *testing.T) {
	want := []byte(preface + reference(t))
	if *update {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the fields' comments say; run go test ./internal/config -update (%v)", page, err)
	}
}

// reference renders every field with its comment, from the source.
func reference(t *testing.T) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	structs := map[string]*ast.StructType{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			if s, ok := spec.Type.(*ast.StructType); ok {
				structs[spec.Name.Name] = s
			}
		}
		return true
	})
	var top, sections strings.Builder
	for _, f := range structs[reflect.TypeFor[config.Config]().Name()].Fields.List {
		name, comment := member(t, f)
		inner, ok := structs[typeName(f.Type)]
		if !ok {
			top.WriteString("- `" + name + "`: " + comment + "\n")
			continue
		}
		sections.WriteString("\n## " + name + "\n\n" + comment + "\n\n")
		for _, g := range inner.Fields.List {
			name, comment := member(t, g)
			sections.WriteString("- `" + name + "`: " + comment + "\n")
		}
	}
	return "\n## The node\n\n" + top.String() + sections.String()
}

func member(t *testing.T, f *ast.Field) (name, comment string) {
	t.Helper()
	name = reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("yaml")
	comment = strings.Join(strings.Fields(f.Doc.Text()), " ")
	if name == "" || comment == "" {
		t.Errorf("a field of type %s has no name in YAML or no comment", typeName(f.Type))
	}
	return name, comment
}

func typeName(e ast.Expr) string {
	if id, ok := e.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}
