package archtest

import (
	"fmt"
	"go/ast"
	"strconv"
	"strings"
)

// Fault is one break of a rule, as "file:line: what, and the rule".
type Fault string

// Check gives every fault of the source, in the order of rooms and files.
func (s *Source) Check() []Fault {
	var faults []Fault
	for _, p := range s.Packages {
		faults = append(faults, s.boundary(p)...)
		faults = append(faults, s.wording(p)...)
	}
	return faults
}

// boundary checks what a room imports and, in the core, what it calls.
func (s *Source) boundary(p *Package) []Fault {
	if _, ok := Rooms[p.Room]; !ok {
		return []Fault{Fault(p.Room + ": package has no row in the table of rooms")}
	}
	var faults []Fault
	for _, f := range p.Files {
		if f.Test() {
			faults = append(faults, s.testFile(f)...)
			continue
		}
		for _, spec := range f.Tree.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if why := refused(p.Room, path); why != "" {
				faults = append(faults, Fault(fmt.Sprintf("%s: %s imports %s: %s", s.at(spec), p.Room, path, why)))
			}
		}
		if Rooms[p.Room].Core {
			faults = append(faults, s.impure(f)...)
		}
	}
	return faults
}

// refused says why a room may not import path; empty when it may.
func refused(room, path string) string {
	switch {
	case path == "testing" && !strings.HasSuffix(room, "test"):
		return "only tests and rooms named …test may"
	case within(path, Module):
		if to := strings.TrimPrefix(path, Module+"/"); !mayUse(room, to) {
			return "the table of rooms does not allow it"
		}
	case strings.Contains(strings.SplitN(path, "/", 2)[0], "."):
		if !mayUseOutside(room, path) {
			return "the table of rooms does not list that module"
		}
	case Rooms[room].Core:
		for _, root := range []string{"os", "net/http", "database", "log", "math/rand", "crypto/rand", "syscall", "io/ioutil"} {
			if within(path, root) {
				return "the core is pure"
			}
		}
	}
	return ""
}

// machine is what a pure room may not call, by package.
var machine = map[string]string{
	"time": "Now Since Until After AfterFunc Tick NewTicker NewTimer Sleep",
	"net":  "Dial DialTimeout Listen ListenPacket LookupHost LookupIP LookupAddr LookupTXT",
	"fmt":  "Print Printf Println Scan Scanf Scanln",
}

// impure finds the calls by which a core file would reach the machine.
func (s *Source) impure(f *File) []Fault {
	var faults []Fault
	ast.Inspect(f.Tree, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && contains(machine[importPath(f.Tree, x.Name)], sel.Sel.Name) {
			faults = append(faults, Fault(fmt.Sprintf("%s: %s.%s: the core is pure", s.at(sel), x.Name, sel.Sel.Name)))
		}
		return true
	})
	return faults
}

// importPath gives the path that a file imports under name; empty when none.
func importPath(f *ast.File, name string) string {
	for _, spec := range f.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		if spec.Name != nil && spec.Name.Name == name || spec.Name == nil && path[strings.LastIndexByte(path, '/')+1:] == name {
			return path
		}
	}
	return ""
}

// testFile checks that a test stands outside its package and always runs.
func (s *Source) testFile(f *File) []Fault {
	var faults []Fault
	name := f.Tree.Name.Name
	if !strings.HasSuffix(name, "_test") && name != "main" && !strings.HasSuffix(f.Path, "/export_test.go") {
		faults = append(faults, Fault(f.Path+": tests stand in a package of their own, "+name+"_test"))
	}
	ast.Inspect(f.Tree, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if ok && contains("t b f tb", x.Name) && contains("Skip Skipf SkipNow", sel.Sel.Name) {
			faults = append(faults, Fault(s.at(sel)+": a test runs or fails; it does not skip"))
		}
		return true
	})
	return faults
}
