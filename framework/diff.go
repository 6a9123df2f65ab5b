package framework

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// Change is one rule that differs between two documents: where it stands, and what
// it was and is there, empty where it is absent.
type Change struct {
	Path   string `json:"path"`
	Old    string `json:"old,omitempty"`
	New    string `json:"new,omitempty"`
	Effect Effect `json:"effect,omitempty"`
}

// Effect says which way a rule moves, where that can be read from it alone.
type Effect string

const (
	Unclear  Effect = ""
	Looser   Effect = "looser"
	Stricter Effect = "stricter"
)

// Diff gives every rule that differs, by path. What stands in a list goes by what
// it is about, not by its place. It fails with Invalid for a document that cannot be
// written.
func Diff(before, after Document) ([]Change, error) {
	was, err := before.rules()
	if err != nil {
		return nil, err
	}
	is, err := after.rules()
	if err != nil {
		return nil, err
	}
	changes := []Change{}
	both := maps.Clone(was)
	maps.Copy(both, is)
	for _, path := range slices.Sorted(maps.Keys(both)) {
		if was[path] == is[path] {
			continue
		}
		c := Change{Path: path, Old: was[path], New: is[path]}
		c.Effect = effect(c, before.Assurance, after.Assurance)
		changes = append(changes, c)
	}
	return changes, nil
}

// rules gives each rule as text, by its path.
func (d Document) rules() (map[string]string, error) {
	data, err := canonical.Marshal(d)
	if err != nil {
		return nil, err
	}
	o, err := canonical.ParseObject(data)
	if err != nil {
		return nil, err
	}
	rules := make(map[string]string)
	flatten(rules, "", o)
	return rules, nil
}

func flatten(rules map[string]string, path string, v any) {
	switch v := v.(type) {
	case canonical.Object:
		for name, member := range v {
			flatten(rules, strings.TrimPrefix(path+"."+name, "."), member)
		}
	case []any:
		var words []string
		seen := make(map[string]int)
		for _, member := range v {
			if about, ok := member.(canonical.Object); ok {
				what := aboutWhat(about)
				if seen[what]++; seen[what] > 1 {
					what += " #" + strconv.Itoa(seen[what])
				}
				flatten(rules, path+"["+what+"]", about)
				continue
			}
			words = append(words, textOf(member))
		}
		if words != nil {
			rules[path] = strings.Join(words, ", ")
		}
	default:
		rules[path] = textOf(v)
	}
}

// aboutWhat names what stands in a list: a signer, an issuer, a claim's value, a
// control.
func aboutWhat(o canonical.Object) string {
	for _, names := range [][]string{{"participant"}, {"issuer"}, {"claim", "equals"}, {"catalog", "id"}} {
		var words []string
		for _, name := range names {
			if word, ok := o[name].(string); ok {
				words = append(words, word)
			}
		}
		if len(words) == len(names) {
			return strings.Join(words, "=")
		}
	}
	return ""
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	default:
		return ""
	}
}

// limits are the rules of which less is stricter; of those that are true, absent
// is no limit, of the others it is 0.
var limits = map[string]bool{
	"max_staleness": true, "removal_target": true, "max_credential_ttl": true, "max_token_lifetime": true, "max_auth_age": true,
	"requests_per_second": true, "scopes_per_credential": true, "review_every": true, "adopt_within": true,
	"max_exception": false, "delegation_depth": false,
}

func effect(c Change, before, after Assurance) Effect {
	parts := strings.Split(c.Path, ".")
	name := parts[len(parts)-1]
	unlimited, isLimit := limits[name]
	switch {
	case isLimit:
		return lessIsStricter(amount(c.Old, unlimited), amount(c.New, unlimited))
	case c.Path == "governance.threshold":
		return lessIsStricter(-amount(c.Old, false), -amount(c.New, false))
	case name == "sender_constraint":
		return lessIsStricter(-int64(SenderConstraint(c.Old).rank()), -int64(SenderConstraint(c.New).rank()))
	case len(parts) == 4 && parts[0] == "classes" && parts[2] == "needs":
		return lessIsStricter(-rung(before, Ladder(name), c.Old), -rung(after, Ladder(name), c.New))
	case len(parts) == 3 && parts[0] == "tiers" && name == "attestation":
		return lessIsStricter(-rung(before, Attestation, c.Old), -rung(after, Attestation, c.New))
	default:
		return Unclear
	}
}

func lessIsStricter(before, after int64) Effect {
	switch {
	case after < before:
		return Stricter
	case after > before:
		return Looser
	default:
		return Unclear
	}
}

// amount reads a count or a time.
func amount(text string, unlimited bool) int64 {
	if text == "" && unlimited {
		return 1<<63 - 1
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	s, err := trust.ParseSpan(text)
	if err != nil {
		return 0
	}
	return int64(s)
}

// rung counts a level from 1; none is 0.
func rung(a Assurance, l Ladder, level string) int64 {
	i, known := a.level(l, Level(level))
	if !known {
		return 0
	}
	return int64(i) + 1
}
