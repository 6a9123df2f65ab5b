package spectest

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/entente-id/entente/internal/archtest"
)

// words is what the source says of its types.
type words struct {
	types  map[string]string // comments, by "room.Type"
	fields map[string]string // comments, by "room.Type.Field"
	// values are the constants of a type of text, sorted, by "room.Type". A type that
	// has none in its own room is open, whatever constants others have.
	values map[string][]string
}

func wordsOf(source *archtest.Source) words {
	w := words{map[string]string{}, map[string]string{}, map[string][]string{}}
	foreign := map[string][]string{}
	for _, p := range source.Packages {
		for _, file := range p.Files {
			if file.Test() {
				continue
			}
			for _, d := range file.Tree.Decls {
				if d, ok := d.(*ast.GenDecl); ok {
					w.declared(p.Room, d, foreign)
				}
			}
		}
	}
	for of, values := range w.values {
		w.values[of] = slices.Sorted(slices.Values(append(values, foreign[of]...)))
	}
	return w
}

func (w words) declared(room string, d *ast.GenDecl, foreign map[string][]string) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			name := room + "." + spec.Name.Name
			w.types[name] = said(spec.Doc, d.Doc)
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range s.Fields.List {
					for _, id := range field.Names {
						w.fields[name+"."+id.Name] = said(field.Doc, field.Comment)
					}
				}
			}
		case *ast.ValueSpec:
			switch of := spec.Type.(type) {
			case *ast.Ident:
				constant(w.values, room+"."+of.Name, spec)
			case *ast.SelectorExpr:
				constant(foreign, of.X.(*ast.Ident).Name+"."+of.Sel.Name, spec)
			}
		}
	}
}

// constant notes an exported constant among those of its type.
func constant(values map[string][]string, of string, spec *ast.ValueSpec) {
	for i, value := range spec.Values {
		literal, ok := value.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING || !spec.Names[i].IsExported() {
			continue
		}
		if text, err := strconv.Unquote(literal.Value); err == nil && text != "" {
			values[of] = append(values[of], text)
		}
	}
}

// said is the first comment that says something, in one line.
func said(comments ...*ast.CommentGroup) string {
	for _, c := range comments {
		if text := strings.Join(strings.Fields(c.Text()), " "); text != "" {
			return text
		}
	}
	return ""
}
