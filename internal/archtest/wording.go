package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"strings"
)

// MaxLines is how long a file may be.
const MaxLines = 450

const badNames = "util utils common types models model manager helper helpers misc base shared"

// Marks of work left open. The words are joined here so that this file does not
// break its own rule.
var openEnd = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|X` + `XX)\b`)

// wording checks names, sizes and comments.
func (s *Source) wording(p *Package) []Fault {
	var faults []Fault
	documented, code := false, false
	for _, f := range p.Files {
		if f.Lines > MaxLines {
			faults = append(faults, Fault(fmt.Sprintf("%s: %d lines; at most %d", f.Path, f.Lines, MaxLines)))
		}
		for _, group := range f.Tree.Comments {
			if w := openEnd.FindString(group.Text()); w != "" {
				faults = append(faults, Fault(s.at(group)+": "+w+" is an open end"))
			}
		}
		if f.Test() {
			continue
		}
		code = true
		documented = documented || f.Tree.Doc != nil
		if f.Tree.Name.Name != "main" {
			faults = append(faults, s.unexplained(p, f)...)
		}
	}
	if code && !documented {
		faults = append(faults, Fault(p.Room+": package has no comment that says what it decides"))
	}
	if last := p.Room[strings.LastIndexByte(p.Room, '/')+1:]; contains(badNames, last) {
		faults = append(faults, Fault(p.Room+": a package is named after what it holds, not "+last))
	}
	return faults
}

// unexplained finds exported identifiers without a comment.
func (s *Source) unexplained(p *Package, f *File) []Fault {
	var faults []Fault
	fault := func(id *ast.Ident) {
		faults = append(faults, Fault(fmt.Sprintf("%s: %s.%s is exported without a comment", s.at(id), p.Room, id.Name)))
	}
	for _, d := range f.Tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && !known(d) {
				fault(d.Name)
			}
		case *ast.GenDecl:
			for _, id := range bare(d) {
				fault(id)
			}
		}
	}
	return faults
}

// wellKnown are methods whose contract stands with the interface they satisfy.
const wellKnown = "String Error Unwrap Is As Len Less Swap ServeHTTP EventKind " +
	"MarshalJSON UnmarshalJSON MarshalJSONTo UnmarshalJSONFrom MarshalText UnmarshalText MarshalYAML UnmarshalYAML"

// known reports whether a function needs no comment: a method of an unexported
// type, or one of a well-known interface.
func known(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return false
	}
	return contains(wellKnown, d.Name.Name) || !ast.IsExported(receiver(d.Recv.List[0].Type))
}

func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	default:
		return ""
	}
}

// bare gives the exported names of a declaration that no comment explains. The
// values of an enumeration are explained by their type.
func bare(d *ast.GenDecl) []*ast.Ident {
	var ids []*ast.Ident
	typed := false
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil {
				ids = append(ids, spec.Name)
			}
		case *ast.ValueSpec:
			typed = d.Tok == token.CONST && (spec.Type != nil || typed && spec.Values == nil)
			if typed || d.Doc != nil || spec.Doc != nil || spec.Comment != nil {
				continue
			}
			for _, id := range spec.Names {
				if id.IsExported() {
					ids = append(ids, id)
				}
			}
		}
	}
	return ids
}
