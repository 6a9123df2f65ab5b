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
	// texts are the constants that are written out, by "room.Name".
	texts map[string]string
}

func wordsOf(source *archtest.Source) words {
	w := words{map[string]string{}, map[string]string{}, map[string][]string{}, map[string]string{}}
	foreign := map[string][]string{}
	each(source, func(room string, d *ast.GenDecl) { w.named(room, d) })
	each(source, func(room string, d *ast.GenDecl) { w.declared(room, d, foreign) })
	for of, values := range w.values {
		w.values[of] = slices.Sorted(slices.Values(append(values, foreign[of]...)))
	}
	return w
}

// each goes over what is declared, but for tests and functions.
func each(source *archtest.Source, look func(room string, d *ast.GenDecl)) {
	for _, p := range source.Packages {
		for _, file := range p.Files {
			if file.Test() {
				continue
			}
			for _, d := range file.Tree.Decls {
				if d, ok := d.(*ast.GenDecl); ok {
					look(p.Room, d)
				}
			}
		}
	}
}

// named notes the texts that constants are, by "room.Name".
func (w words) named(room string, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		if spec, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.CONST {
			for i, value := range spec.Values {
				if literal, ok := value.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					if text, err := strconv.Unquote(literal.Value); err == nil {
						w.texts[room+"."+spec.Names[i].Name] = text
					}
				}
			}
		}
	}
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
				w.constant(w.values, room, room+"."+of.Name, spec)
			case *ast.SelectorExpr:
				w.constant(foreign, room, of.X.(*ast.Ident).Name+"."+of.Sel.Name, spec)
			}
		}
	}
}

// constant notes an exported constant among those of its type: one that is written
// out, or is another of its room.
func (w words) constant(values map[string][]string, room, of string, spec *ast.ValueSpec) {
	for i, value := range spec.Values {
		name := spec.Names[i].Name
		if same, ok := value.(*ast.Ident); ok {
			name = same.Name
		}
		if text := w.texts[room+"."+name]; text != "" && spec.Names[i].IsExported() {
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
