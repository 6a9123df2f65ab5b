package config

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/entente-id/entente/trust"
)

const maxSize = 64 << 10 // bytes of a file

// fault is one thing wrong in a file.
type fault struct {
	line   int // 0: nowhere, since it is missing
	member string
	text   string
}

type faults []fault

// err gives all faults in the order of their lines.
func (f faults) err(name string) error {
	slices.SortStableFunc(f, func(a, b fault) int {
		return cmp.Or(cmp.Compare(a.line, b.line), strings.Compare(a.member, b.member))
	})
	var text strings.Builder
	for i, one := range f {
		if i > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(name)
		if one.line > 0 {
			fmt.Fprintf(&text, ":%d", one.line)
		}
		fmt.Fprintf(&text, ": %s", strings.TrimSpace(one.member+" "+one.text))
	}
	return trust.Errorf(trust.Invalid, "%s", text.String())
}

// lines knows on which line each member stands and which could not be read.
type lines struct {
	at     map[string]int
	broken map[string]bool
}

// of gives a member's line, or that of what it belongs to.
func (l lines) of(member string) int {
	for member != "" && l.at[member] == 0 {
		member = member[:max(0, strings.LastIndexByte(member, '.'))]
	}
	return l.at[member]
}

// unread reports whether a member, or what it belongs to, was at fault already.
func (l lines) unread(member string) bool {
	for ; member != ""; member = member[:max(0, strings.LastIndexByte(member, '.'))] {
		if l.broken[member] {
			return true
		}
	}
	return false
}

// reader fills a struct from a syntax tree and goes on after a fault. The
// library's own decoder stops at the first.
type reader struct {
	lines
	faults faults
}

// decode fills into, a pointer to a struct, from YAML.
func decode(content []byte, into any) (lines, faults) {
	r := &reader{lines: lines{map[string]int{}, map[string]bool{}}}
	if len(content) > maxSize {
		r.fault(0, "", fmt.Sprintf("is larger than %d bytes", maxSize))
		return r.lines, r.faults
	}
	file, err := parser.ParseBytes(content, 0)
	switch {
	case err != nil:
		r.syntax(err)
	case len(file.Docs) > 1:
		r.fault(0, "", "holds more than one document")
	case len(file.Docs) == 1 && file.Docs[0].Body != nil:
		r.value(file.Docs[0].Body, reflect.ValueOf(into).Elem(), "")
	}
	return r.lines, r.faults
}

func (r *reader) fault(line int, member, text string) {
	r.faults = append(r.faults, fault{line, member, text})
	r.broken[member] = true
}

func (r *reader) syntax(err error) {
	line, text := 0, err.Error()
	if e, ok := errors.AsType[yaml.Error](err); ok {
		text = e.GetMessage()
		if t := e.GetToken(); t != nil && t.Position != nil {
			line = t.Position.Line
		}
	}
	r.fault(line, "", "is not YAML: "+text)
}

func line(n ast.Node) int { return n.GetToken().Position.Line }

// value reads one node into v; member is its dotted name.
func (r *reader) value(n ast.Node, v reflect.Value, member string) {
	if _, ok := n.(*ast.NullNode); ok {
		return // a member without a value is one left out
	}
	if t, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		r.text(n, member, t.UnmarshalText)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		r.mapping(n, v, member)
	case reflect.Slice:
		r.sequence(n, v, member)
	case reflect.String:
		r.text(n, member, func(b []byte) error { v.SetString(string(b)); return nil })
	default:
		panic("config: no rule for a field of type " + v.Type().String())
	}
}

// text reads a scalar as it is written.
func (r *reader) text(n ast.Node, member string, set func([]byte) error) {
	var written string
	switch n := n.(type) {
	case *ast.StringNode:
		written = n.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		written = n.GetToken().Value
	default:
		r.fault(line(n), member, "is not a single value")
		return
	}
	if err := set([]byte(written)); err != nil {
		r.fault(line(n), member, "is wrong: "+err.Error())
	}
}

func (r *reader) sequence(n ast.Node, v reflect.Value, member string) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		r.fault(line(n), member, "is not a list")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(list.Values), len(list.Values)))
	for i, item := range list.Values {
		name := fmt.Sprintf("%s[%d]", member, i)
		r.at[name] = line(item)
		r.value(item, v.Index(i), name)
	}
}

func (r *reader) mapping(n ast.Node, v reflect.Value, member string) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode: // a block of one member
		values = []*ast.MappingValueNode{n}
	default:
		r.fault(line(n), member, "is not a mapping of members to values")
		return
	}
	for _, m := range values {
		key := m.Key.GetToken().Value
		full := strings.TrimPrefix(member+"."+key, ".")
		r.at[full] = line(m.Key)
		if i := fieldOf(v.Type(), key); i >= 0 {
			r.value(m.Value, v.Field(i), full)
		} else {
			r.fault(line(m.Key), full, "is not known; "+known(v.Type(), member))
		}
	}
}

func fieldOf(t reflect.Type, key string) int {
	return slices.Index(members(t), key)
}

func members(t reflect.Type) (out []string) {
	for i := range t.NumField() {
		out = append(out, t.Field(i).Tag.Get("yaml"))
	}
	return out
}

func known(t reflect.Type, member string) string {
	where := "the file"
	if member != "" {
		where = member
	}
	return where + " has " + strings.Join(members(t), ", ")
}
