package evidence

import (
	"strconv"
	"strings"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// maxPath bounds a path in bytes, maxSteps its depth.
const (
	maxPath  = 512
	maxSteps = 8
)

// Path says where in the claims a released attribute stands:
//
//	ward_ids                             a claim
//	a.b                                  a member of a claim
//	roles[field=value].code              of the one role whose field has a value
//	roles[field=$other_claim].code       of the one role another claim points at
//
// It is made only by ParsePath; the zero value finds nothing.
type Path struct {
	text  string
	steps []step
}

// step names a member, and in a list of objects the one element to go on from.
type step struct {
	name  string
	field string // of the elements; empty: the member itself
	value string // that the field must have
	claim bool   // value names the claim that holds it
}

// ParsePath parses a path. Names are letters, digits, '_', '-', ':' and '/'; a
// value is anything without brackets. It fails with Invalid.
func ParsePath(s string) (Path, error) {
	p := Path{text: s}
	if len(s) > maxPath {
		return Path{}, trust.Errorf(trust.Invalid, "path has %d bytes; at most %d are allowed", len(s), maxPath)
	}
	for rest, more := s, true; more; {
		var st step
		var ok bool
		if st, rest, more, ok = cutStep(rest); !ok || len(p.steps) == maxSteps {
			return Path{}, trust.Errorf(trust.Invalid, "path %q is not of the form claim, a.b, list[field=value].member or list[field=$claim].member", s)
		}
		p.steps = append(p.steps, st)
	}
	return p, nil
}

// cutStep takes the first step off s; more tells that a dot followed it.
func cutStep(s string) (st step, rest string, more, ok bool) {
	end := strings.IndexAny(s, ".[")
	if end < 0 {
		return step{name: s}, "", false, isName(s)
	}
	st.name = s[:end]
	if s[end] == '.' {
		return st, s[end+1:], true, isName(st.name)
	}
	filter, rest, closed := strings.Cut(s[end+1:], "]")
	field, value, equals := strings.Cut(filter, "=")
	st.field = field
	st.value, st.claim = strings.CutPrefix(value, "$")
	ok = closed && equals && isName(st.name) && isName(field) && isValue(st.value) && (!st.claim || isName(st.value))
	if rest == "" {
		return st, "", false, ok
	}
	return st, rest[1:], true, ok && rest[0] == '.'
}

func isName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == ':', c == '/':
		default:
			return false
		}
	}
	return s != ""
}

// isValue refuses brackets, so that a path reads one way, and characters that
// cannot be seen.
func isValue(s string) bool {
	for _, r := range s {
		if r == '[' || r == ']' || r == '\uFFFD' || !strconv.IsPrint(r) {
			return false
		}
	}
	return s != ""
}

// String gives the path as it was parsed.
func (p Path) String() string { return p.text }

// Reads lists the claims a path looks at, in the order it needs them.
func (p Path) Reads() []string {
	var names []string
	for i, st := range p.steps {
		if i == 0 {
			names = append(names, st.name)
		}
		if st.claim {
			names = append(names, st.value)
		}
	}
	return names
}

// Find gives the value at the path. There is none when a member is absent or
// null, when something on the way has another shape, and when a filter meets
// not exactly one element: nobody chooses between two roles.
func (p Path) Find(claims map[string]any) (any, bool) {
	var at any = canonical.Object(claims)
	for _, st := range p.steps {
		object, ok := at.(canonical.Object)
		if !ok {
			return nil, false
		}
		at = object[st.name]
		if st.field != "" {
			at = st.choose(at, claims)
		}
	}
	return at, at != nil && len(p.steps) > 0
}

// choose gives the one element of list that the filter means, or nil.
func (st step) choose(list any, claims map[string]any) (chosen any) {
	want := st.value
	if st.claim {
		var ok bool
		if want, ok = Text(claims[st.value]); !ok {
			return nil
		}
	}
	elements, _ := list.([]any)
	for _, e := range elements {
		object, _ := e.(canonical.Object)
		if got, ok := Text(object[st.field]); !ok || got != want {
			continue
		}
		if chosen != nil {
			return nil
		}
		chosen = object
	}
	return chosen
}

// Text gives a claim's value in the form rules are written in: a string as it
// is, an integer in decimal. An empty string and all else have none, so that
// empty never matches.
func Text(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, v != ""
	case int64:
		return strconv.FormatInt(v, 10), true
	default:
		return "", false
	}
}
