package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// File is one parsed source file.
type File struct {
	Path  string // relative to the root, with slashes
	Lines int
	Tree  *ast.File
}

// Test reports whether the file is compiled for tests only.
func (f *File) Test() bool { return strings.HasSuffix(f.Path, "_test.go") }

// Package is the files of one folder, in the order of their names.
type Package struct {
	Room  string // its path below Module
	Files []*File
}

// Source is everything the rules look at.
type Source struct {
	set      *token.FileSet
	Packages []*Package
}

// Load parses every package below root that belongs to the module: folders that
// begin with a dot, testdata and nested modules are left out. It fails on a
// file that does not parse.
func Load(root string) (*Source, error) {
	s := &Source{set: token.NewFileSet()}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(root, path, d.Name())
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return s.Add(filepath.ToSlash(name), text)
	})
	if err != nil {
		return nil, fmt.Errorf("loading the source: %w", err)
	}
	return s, nil
}

func skip(root, path, name string) error {
	if path == root {
		return nil
	}
	if strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

// Add parses one file of the tree. It fails when text is not Go.
func (s *Source) Add(name string, text []byte) error {
	if s.set == nil {
		s.set = token.NewFileSet()
	}
	tree, err := parser.ParseFile(s.set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	p := s.room(strings.TrimSuffix(name[:strings.LastIndexByte("/"+name, '/')], "/"))
	p.Files = append(p.Files, &File{Path: name, Lines: bytes.Count(text, []byte("\n")), Tree: tree})
	return nil
}

func (s *Source) room(name string) *Package {
	i := sort.Search(len(s.Packages), func(i int) bool { return s.Packages[i].Room >= name })
	if i < len(s.Packages) && s.Packages[i].Room == name {
		return s.Packages[i]
	}
	p := &Package{Room: name}
	s.Packages = append(s.Packages[:i], append([]*Package{p}, s.Packages[i:]...)...)
	return p
}

// at renders where a node stands, as file:line.
func (s *Source) at(n ast.Node) string {
	p := s.set.Position(n.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}
