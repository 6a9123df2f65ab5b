package canonical

import (
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/trust"
)

// MaxDepth is how many containers may stand inside one another.
const MaxDepth = 32

// parser reads one JSON text. Without build it only checks and gives no values.
type parser struct {
	s      string
	i      int
	depth  int
	build  bool
	budget int // bytes of memory the values may still take, when build

	// Open containers push here and take their part off when they close, so
	// that each map and slice is made once, in its final size.
	members  []member
	elements []any
}

// scratch is the memory of open containers, empty, from one text to the next.
type scratch struct {
	members  []member
	elements []any
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

type member struct {
	name  string
	value any
}

// fault is a refusal on its way out; each container adds its part of the path.
type fault struct {
	path string
	text string
}

func (f *fault) in(part string) *fault {
	part = strings.NewReplacer("~", "~0", "/", "~1").Replace(part)
	return &fault{path: "/" + part + f.path, text: f.text}
}

func refuse(text string) *fault { return &fault{text: text} }

const maxPathInError = 120

func invalid(path, text string) error {
	if path == "" {
		return trust.Errorf(trust.Invalid, "JSON %s", text)
	}
	if len(path) > maxPathInError {
		path = path[:maxPathInError]
	}
	return trust.Errorf(trust.Invalid, "JSON member %q %s", path, text)
}

func (p *parser) parse(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, invalid("", "is not UTF-8")
	}
	memory := scratches.Get().(*scratch)
	p.s, p.members, p.elements = string(data), memory.members[:0], memory.elements[:0]
	v, f := p.value()
	*memory = scratch{} // a text that is refused leaves what was open in it
	if f == nil {
		memory.members, memory.elements = p.members[:0], p.elements[:0]
	}
	scratches.Put(memory)
	if f != nil {
		return nil, invalid(f.path, f.text)
	}
	if p.space(); p.i < len(p.s) {
		return nil, invalid("", "has something behind its value")
	}
	return v, nil
}

func (p *parser) space() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\r', '\n':
			p.i++
		default:
			return
		}
	}
}

// take moves past c, after space, when c comes next.
func (p *parser) take(c byte) bool {
	p.space()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) charge(cost int) *fault {
	if p.budget -= cost; p.build && p.budget < 0 {
		return refuse("is too dense with values for the size of the text")
	}
	return nil
}

func (p *parser) value() (any, *fault) {
	p.space()
	if p.i >= len(p.s) {
		return nil, refuse("ends too early")
	}
	switch c := p.s[p.i]; {
	case c == '"':
		s, f := p.text()
		if f != nil || !p.build {
			return nil, f
		}
		return s, nil
	case c == '{':
		return p.container(p.object)
	case c == '[':
		return p.container(p.array)
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	default:
		return p.literal()
	}
}

func (p *parser) container(read func() (any, *fault)) (any, *fault) {
	if p.depth++; p.depth > MaxDepth {
		return nil, refuse("is nested deeper than " + strconv.Itoa(MaxDepth))
	}
	if f := p.charge(costOfContainer); f != nil {
		return nil, f
	}
	p.i++
	v, f := read()
	p.depth--
	return v, f
}

func (p *parser) object() (any, *fault) {
	base, folds := len(p.members), false
	for !p.take('}') {
		if len(p.members) > base && !p.take(',') {
			return nil, refuse("has no comma between two members")
		}
		m, f := p.member()
		if f != nil {
			return nil, f
		}
		folds = folds || !isFolded(m.name)
		p.members = append(p.members, m)
	}
	members := p.members[base:]
	if folds || !p.build {
		if f := p.unique(members); f != nil {
			return nil, f
		}
	}
	o, f := p.collect(members)
	clear(members)
	p.members = p.members[:base]
	return o, f
}

func (p *parser) member() (m member, f *fault) {
	if f = p.charge(costOfMember); f != nil {
		return m, f
	}
	if p.space(); p.i >= len(p.s) || p.s[p.i] != '"' {
		return m, refuse("has a member without a name")
	}
	if m.name, f = p.text(); f != nil {
		return m, f
	}
	if !p.take(':') {
		return m, refuse("has no colon").in(m.name)
	}
	if m.value, f = p.value(); f != nil {
		return m, f.in(m.name)
	}
	return m, nil
}

// collect makes the object; a member that is lost on the way was there twice.
func (p *parser) collect(members []member) (any, *fault) {
	if !p.build {
		return nil, nil
	}
	o := make(Object, len(members))
	for _, m := range members {
		o[m.name] = m.value
	}
	if len(o) < len(members) {
		return nil, p.unique(members)
	}
	return o, nil
}

// unique refuses names that are equal when case is ignored.
func (p *parser) unique(members []member) *fault {
	seen := make(map[string]struct{}, len(members))
	for _, m := range members {
		name := fold(m.name)
		if _, twice := seen[name]; twice {
			return refuse("appears twice; names are unique, also when case is ignored").in(m.name)
		}
		seen[name] = struct{}{}
	}
	return nil
}

func (p *parser) array() (any, *fault) {
	base, n := len(p.elements), 0
	for ; !p.take(']'); n++ {
		if n > 0 && !p.take(',') {
			return nil, refuse("has no comma between two elements")
		}
		if f := p.charge(costOfElement); f != nil {
			return nil, f
		}
		v, f := p.value()
		if f != nil {
			return nil, f.in(strconv.Itoa(n))
		}
		if p.build {
			p.elements = append(p.elements, v)
		}
	}
	if !p.build {
		return nil, nil
	}
	list := append(make([]any, 0, n), p.elements[base:]...)
	clear(p.elements[base:])
	p.elements = p.elements[:base]
	return list, nil
}

// text reads a string. One without escapes is a part of the input.
func (p *parser) text() (string, *fault) {
	start, escaped := p.i, false
	for i := start + 1; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == '"':
			p.i = i + 1
			if !escaped {
				return p.s[start+1 : i], nil
			}
			return unescape(p.s[start : i+1])
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			return "", refuse("has a control character in a string")
		}
	}
	return "", refuse("ends inside a string")
}

func unescape(quoted string) (string, *fault) {
	b, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return "", refuse("has a wrong escape or half a surrogate pair in a string")
	}
	return string(b), nil
}

func (p *parser) literal() (any, *fault) {
	for _, l := range [...]struct {
		text  string
		value any
	}{{"true", true}, {"false", false}, {"null", nil}} {
		if strings.HasPrefix(p.s[p.i:], l.text) {
			p.i += len(l.text)
			return l.value, nil
		}
	}
	return nil, refuse("has something that is no JSON value")
}

// isFolded reports whether name is plainly its own folded form, so that only
// names that are not can collide with it.
func isFolded(name string) bool {
	for i := range len(name) {
		if c := name[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// fold maps names that some reader could take for the same to one form, by
// Unicode simple case folding, as Go's encoding/json compares them.
func fold(name string) string {
	if isFolded(name) {
		return name
	}
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		if 'A' <= least && least <= 'Z' {
			return least + ('a' - 'A')
		}
		return least
	}, name)
}
