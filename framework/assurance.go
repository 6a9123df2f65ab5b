package framework

import (
	"slices"
	"strconv"
)

// Ladder is one dimension of assurance.
type Ladder string

const (
	Identity       Ladder = "identity"
	Authentication Ladder = "authentication"
	Federation     Ladder = "federation"
	Attestation    Ladder = "attestation"
)

var ladders = [4]Ladder{Identity, Authentication, Federation, Attestation}

// Ladders lists the ladders in the order of a Vector.
func Ladders() []Ladder { return slices.Clone(ladders[:]) }

// Valid reports whether l is one of the four ladders.
func (l Ladder) Valid() bool { return slices.Contains(ladders[:], l) }

// Vector is a level per ladder, in the order of Ladders; 0 is the lowest rung.
// Levels of different ladders are never compared.
type Vector [4]uint8

// Min gives the lower of a and b, ladder by ladder: the assurance of a path is
// that of its weakest hop on each (R26).
func Min(a, b Vector) Vector {
	for i := range a {
		a[i] = min(a[i], b[i])
	}
	return a
}

// rungs gives the levels of a ladder, lowest first.
func (a Assurance) rungs(l Ladder) []Level {
	switch l {
	case Identity:
		return a.Identity
	case Authentication:
		return a.Authentication
	case Federation:
		return a.Federation
	case Attestation:
		return a.Attestation
	default:
		return nil
	}
}

// level gives the place of a level on its ladder.
func (a Assurance) level(l Ladder, level Level) (uint8, bool) {
	i := slices.Index(a.rungs(l), level)
	return uint8(max(i, 0)), i >= 0
}

// vector gives named levels as a Vector, the lowest where none is named.
func (a Assurance) vector(levels map[Ladder]Level) (v Vector) {
	for i, l := range ladders {
		v[i], _ = a.level(l, levels[l])
	}
	return v
}

// grants is what the mapping gives: by claim, then by the claim's value.
type grants map[string]values

type values map[string]Vector

func (a Assurance) grants() grants {
	g := make(grants)
	for _, rule := range a.Mapping {
		if g[rule.Claim] == nil {
			g[rule.Claim] = make(values)
		}
		vector := g[rule.Claim][rule.Equals]
		for i, l := range ladders {
			if level, ok := a.level(l, rule.Gives[l]); ok {
				vector[i] = max(vector[i], level)
			}
		}
		g[rule.Claim][rule.Equals] = vector
	}
	return g
}

// raise gives best, raised to what claim gives. Real issuers send levels as
// strings and as integers, so both are compared as text; a fraction or a
// boolean equals nothing.
func (v values) raise(best Vector, claim any) Vector {
	var text string
	switch claim := claim.(type) {
	case string:
		text = claim
	case int64:
		text = strconv.FormatInt(claim, 10)
	case []any:
		for _, member := range claim {
			if _, nested := member.([]any); !nested {
				best = v.raise(best, member)
			}
		}
		return best
	default:
		return best
	}
	given := v[text]
	for i := range best {
		best[i] = max(best[i], given[i])
	}
	return best
}
