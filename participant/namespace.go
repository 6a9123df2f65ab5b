package participant

import (
	"cmp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/trust"
)

// Namespace is one value, or one kind of values, that an issuer may assert in a
// claim (R50). It is of one of three types, told by the member that is set:
//
//   - Equals: exactly this text, byte by byte. In JSON it is that text alone.
//   - Domain: an address local@domain whose domain is this one. One with a
//     leading dot stands for what lies under it, and not for itself (the way
//     RFC 5280, section 4.2.1.10, writes it).
//   - Prefix: a text that begins with this and goes on. It ends at a delimiter,
//     so that it cannot end in the middle of a name.
//
// An empty value matches none, and the zero value matches nothing.
type Namespace struct {
	Equals string
	Domain string
	Prefix string
}

// Exactly gives the namespaces of these texts alone.
func Exactly(texts ...string) []Namespace {
	list := make([]Namespace, len(texts))
	for i, text := range texts {
		list[i] = Namespace{Equals: text}
	}
	return list
}

// delimiters end a prefix.
const delimiters = ":/|#"

// Holds reports whether a text lies in the namespace.
func (n Namespace) Holds(text string) bool {
	switch {
	case text == "":
		return false
	case n.Equals != "":
		return text == n.Equals
	case n.Domain != "":
		return inDomain(text, n.Domain)
	case n.Prefix != "":
		rest, ok := strings.CutPrefix(text, n.Prefix)
		return ok && rest != "" && !strings.ContainsAny(rest[:1], delimiters) && !strings.Contains(rest, "..")
	default:
		return false
	}
}

// inDomain reads an address strictly: one '@' with something before it, nothing
// that separates addresses or cannot be seen, letters of the domain in either
// case.
func inDomain(address, domain string) bool {
	local, host, ok := strings.Cut(address, "@")
	if !ok || local == "" || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`,;<>"()[]\`, r) }) {
		return false
	}
	if host = lower(host); domain[0] != '.' {
		return host == domain
	}
	under, ok := strings.CutSuffix(host, domain)
	return ok && isDomain(under)
}

// lower folds the letters of ASCII and no others: there are signs that would
// fold into them.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// isDomain reports whether s is a name of one or more labels in lower case.
func isDomain(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return true
}

// HoldsAny reports whether a text lies in one of the namespaces.
func HoldsAny(allowed []Namespace, text string) bool {
	return slices.ContainsFunc(allowed, func(n Namespace) bool { return n.Holds(text) })
}

// check refuses what would match nothing, or more than it seems to.
func (n Namespace) check() error {
	switch {
	case n == Namespace{Equals: n.Equals} && n.Equals != "":
		return nil
	case n == Namespace{Domain: n.Domain} && n.Domain != "":
		return checkDomain(n.Domain)
	case n == Namespace{Prefix: n.Prefix} && n.Prefix != "":
		if !strings.ContainsRune(delimiters, rune(n.Prefix[len(n.Prefix)-1])) || strings.Trim(n.Prefix, delimiters) == "" {
			return trust.Errorf(trust.Invalid, "prefix %q does not end in a name and a delimiter (one of %s); it would match the beginning of other names", n.Prefix, delimiters)
		}
		return nil
	default:
		return trust.Errorf(trust.Invalid, "a namespace is one text, one domain or one prefix, and not empty")
	}
}

// checkDomain asks for two labels: nobody speaks for a whole top-level domain.
func checkDomain(domain string) error {
	if name := strings.TrimPrefix(domain, "."); !isDomain(name) || !strings.Contains(name, ".") {
		return trust.Errorf(trust.Invalid, "domain %q is not two or more labels in lower case, perhaps behind a dot", domain)
	}
	return nil
}

func compareNamespaces(a, b Namespace) int {
	return cmp.Or(cmp.Compare(a.Equals, b.Equals), cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Prefix, b.Prefix))
}

// typed is a namespace's JSON unless it is an exact text.
type typed struct {
	Domain string `json:"domain,omitempty"`
	Prefix string `json:"prefix,omitempty"`
}

// MarshalJSONTo writes an exact text as a string, the others as an object.
func (n Namespace) MarshalJSONTo(enc *jsontext.Encoder) error {
	if n.Domain == "" && n.Prefix == "" {
		return enc.WriteToken(jsontext.String(n.Equals))
	}
	return json.MarshalEncode(enc, typed{n.Domain, n.Prefix})
}

// UnmarshalJSONFrom reads what MarshalJSONTo writes.
func (n *Namespace) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*n = Namespace{}
	switch dec.PeekKind() {
	case jsontext.KindString:
		return json.UnmarshalDecode(dec, &n.Equals)
	case jsontext.KindNull:
		return trust.Errorf(trust.Invalid, "a namespace is a text, or an object with a domain or a prefix")
	}
	var t typed
	err := json.UnmarshalDecode(dec, &t)
	n.Domain, n.Prefix = t.Domain, t.Prefix
	return err
}
