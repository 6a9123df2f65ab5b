package policy

import (
	"iter"
	"regexp"
	"strconv"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"

	"github.com/entente-id/entente/trust"
)

// Bounds in bytes: of all policies together, and of one. The parser and the
// evaluator recurse, so one policy of megabytes could take the process down.
const (
	maxSource = 4 << 20
	maxPolicy = 64 << 10
)

// Set is compiled policies behind an index. It never changes; any number of
// goroutines may ask it. A nil Set has no policies.
type Set struct {
	policies []named
	always   []named            // visited for every request
	exact    map[target][]named // permits of exactly one action on one resource type
	broken   bool               // the source did not compile: deny everything
}

type named struct {
	id     cedar.PolicyID
	policy *cedar.Policy
}

// target is what a permit with both scopes closed can match at most.
type target struct {
	action   types.EntityUID
	resource types.EntityType
}

// Compile parses Cedar text. A policy is named by its @id annotation, or
// "policy<n>" by its place, from 0. It fails with Invalid, also when two
// policies have one name.
func Compile(source string) (*Set, error) {
	list, err := parse(source)
	if err != nil {
		return nil, err
	}
	s := &Set{policies: list, exact: map[target][]named{}}
	for _, p := range list {
		if t, ok := targetOf(p.policy); ok {
			s.exact[t] = append(s.exact[t], p)
		} else {
			s.always = append(s.always, p)
		}
	}
	return s, nil
}

// Len gives the number of policies.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.policies)
}

func parse(source string) ([]named, error) {
	if len(source) > maxSource {
		return nil, trust.Errorf(trust.Invalid, "policy has %d bytes; at most %d are allowed", len(source), maxSource)
	}
	if n := longest(source); n > maxPolicy {
		return nil, trust.Errorf(trust.Invalid, "one policy has %d bytes; at most %d are allowed", n, maxPolicy)
	}
	parsed, err := cedar.NewPolicyListFromBytes("policy", []byte(source))
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "policy is not Cedar: %w", err)
	}
	list := make([]named, len(parsed))
	seen := map[cedar.PolicyID]bool{}
	for i, p := range parsed {
		id := cedar.PolicyID("policy" + strconv.Itoa(i))
		if given, ok := p.Annotations()["id"]; ok {
			id = cedar.PolicyID(given)
		}
		if id == "" || seen[id] {
			return nil, trust.Errorf(trust.Invalid, "policy %q at line %d: an id is not empty and names one policy", id, p.Position().Line)
		}
		seen[id] = true
		list[i] = named{id, p}
	}
	return list, nil
}

// opaque is a string, a comment, or else a semicolon that ends a policy.
var opaque = regexp.MustCompile(`"(?:\\(?s:.)|[^"\\])*"|//[^\n]*|/\*(?s:.*?)\*/|;`)

// longest gives the length of the longest stretch of source without a semicolon
// outside of strings and comments; no policy is longer.
func longest(source string) int {
	most, start := 0, 0
	for _, at := range opaque.FindAllStringIndex(source, -1) {
		if source[at[0]] == ';' {
			most, start = max(most, at[0]-start), at[1]
		}
	}
	return max(most, len(source)-start)
}

// targetOf gives the one target outside of which p cannot matter. Only a permit
// has one, with an action scope `== Action` and a resource scope that fixes the
// type. Cedar evaluates scopes before conditions and stops at the first that
// does not hold, so outside its target such a permit can neither match nor
// fail. All others are visited always: forbids, so that no fault of the index
// can ever lose one, and scopes that are open or speak of groups.
func targetOf(p *cedar.Policy) (target, bool) {
	if p.Effect() == cedar.Forbid {
		return target{}, false
	}
	action, ok := p.AST().Action.(ast.ScopeTypeEq)
	if !ok {
		return target{}, false
	}
	resource, ok := typeOf(p.AST().Resource)
	return target{action.Entity, resource}, ok
}

func typeOf(scope ast.IsScopeNode) (types.EntityType, bool) {
	switch r := scope.(type) {
	case ast.ScopeTypeIs:
		return r.Type, true
	case ast.ScopeTypeIsIn:
		return r.Type, true
	case ast.ScopeTypeEq:
		return r.Entity.Type, true
	default:
		return "", false
	}
}

// candidates are the policies that may matter to one request.
type candidates struct{ always, exact []named }

// All yields them, those visited always first.
func (c *candidates) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for _, p := range c.always {
			if !yield(p.id, p.policy) {
				return
			}
		}
		for _, p := range c.exact {
			if !yield(p.id, p.policy) {
				return
			}
		}
	}
}
