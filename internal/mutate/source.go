package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
)

// mutant is one check that is lost.
type mutant struct {
	rule    string
	changes []change // more than one where a second check stands behind the first
	by      string   // the tests that it has to get past; "" is the usual ones of the corpus
	in      string   // the folder of these tests; "" is the corpus
}

// change is an expression that becomes another. Where says the exact source,
// with the expression between « and »; it must stand in the file once.
type change struct {
	file, where, to string
	value           bool // it is no bool, and is evaluated either way
	call            bool // it gives an error, and is not evaluated
}

func (m mutant) name() string { return m.changes[0].file + ": " + m.rule }

// lost makes a mutant of a condition.
func lost(file, rule, where, to string) mutant {
	return mutant{rule: rule, changes: []change{{file: file, where: where, to: to}}}
}

// other makes a mutant of a value.
func other(file, rule, where, to string) mutant {
	return mutant{rule: rule, changes: []change{{file: file, where: where, to: to, value: true}}}
}

// skipped makes a mutant of a call that gives an error: it is not made.
func skipped(file, rule, where string) mutant {
	return mutant{rule: rule, changes: []change{{file: file, where: where, call: true}}}
}

// both makes one mutant of two.
func both(m, second mutant) mutant {
	m.changes = append(m.changes, second.changes...)
	return m
}

// edit is an expression of a file and the mutants that change it.
type edit struct {
	from, to int // bytes of the file
	value    bool
	call     bool
	by       []awake
}

// awake is what an expression becomes when mutant i lives.
type awake struct {
	i  int
	to string
}

// sources gives every file that has a mutant, with all of them in it, and the
// package by which they are told which one lives.
func sources() (map[string][]byte, error) {
	edits := map[string][]edit{}
	texts := map[string]string{}
	for i, m := range table {
		for _, c := range m.changes {
			if _, read := texts[c.file]; !read {
				text, err := os.ReadFile(c.file)
				if err != nil {
					return nil, err
				}
				texts[c.file] = string(text)
			}
			e, err := find(c, texts[c.file])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.name(), err)
			}
			e.by = []awake{{i, c.to}}
			edits[c.file] = join(edits[c.file], e)
		}
	}
	files := map[string][]byte{chooser: []byte(chooserText)}
	for path, list := range edits {
		text, err := rewrite(texts[path], list)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		files[path] = []byte(text)
	}
	return files, nil
}

// find gives the place of an expression.
func find(c change, text string) (edit, error) {
	before, rest, open := strings.Cut(c.where, "«")
	expression, after, closed := strings.Cut(rest, "»")
	if !open || !closed || expression == "" {
		return edit{}, fmt.Errorf("the table marks no expression with « and » in %q", c.where)
	}
	exact := before + expression + after
	if n := strings.Count(text, exact); n != 1 {
		return edit{}, fmt.Errorf("%s has %q %d times; the table must name a fragment that stands there once", c.file, exact, n)
	}
	at := strings.Index(text, exact) + len(before)
	return edit{from: at, to: at + len(expression), value: c.value, call: c.call}, nil
}

// join puts mutants of the same expression together.
func join(list []edit, e edit) []edit {
	for i := range list {
		if list[i].from == e.from && list[i].to == e.to {
			list[i].by = append(list[i].by, e.by...)
			return list
		}
	}
	return append(list, e)
}

// rewrite puts a choice in place of each expression.
func rewrite(text string, list []edit) (string, error) {
	slices.SortFunc(list, func(a, b edit) int { return a.from - b.from })
	var b strings.Builder
	at := 0
	for _, e := range list {
		if e.from < at {
			return "", fmt.Errorf("two mutants overlap at %q", text[e.from:e.to])
		}
		b.WriteString(text[at:e.from])
		b.WriteString(chosen(text[e.from:e.to], e))
		at = e.to
	}
	b.WriteString(text[at:])
	return withImport(b.String())
}

// chosen is the expression of whichever mutant lives, or the one that was there.
func chosen(expression string, e edit) string {
	if e.call {
		for _, a := range e.by {
			expression = fmt.Sprintf("mutant.Unless(%d, func() error { return %s })", a.i, expression)
		}
		return expression
	}
	if e.value {
		for _, a := range e.by {
			expression = fmt.Sprintf("mutant.Value(%d, %s, %s)", a.i, a.to, expression)
		}
		return expression
	}
	asleep, alive := "(", ""
	for _, a := range e.by {
		asleep += fmt.Sprintf("!mutant.On(%d) && ", a.i)
		alive += fmt.Sprintf(" || mutant.On(%d) && (%s)", a.i, a.to)
	}
	return "(" + asleep + "(" + expression + "))" + alive + ")"
}

// withImport lets a file see the chooser.
func withImport(text string) (string, error) {
	tree, err := parser.ParseFile(token.NewFileSet(), "", text, parser.PackageClauseOnly)
	if err != nil {
		return "", err
	}
	end := int(tree.Name.End()) - 1
	return text[:end] + "\n\nimport mutant \"github.com/entente-id/entente/internal/mutate/mutant\"\n" + text[end:], nil
}

// chooser stands in no folder: it is there in the build alone.
const chooser = "internal/mutate/mutant/mutant.go"

const chooserText = `// Package mutant says which check is lost.
package mutant

import "os"
import "strconv"

var alive, _ = strconv.Atoi(os.Getenv("` + choice + `"))

// On reports whether mutant i is the one.
func On(i int) bool { return i == alive }

// Value gives the value of mutant i if it is the one.
func Value[T any](i int, changed, kept T) T {
	if i == alive {
		return changed
	}
	return kept
}

// Unless makes a call if mutant i is not the one.
func Unless(i int, call func() error) error {
	if i == alive {
		return nil
	}
	return call()
}
`
