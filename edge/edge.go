// Package edge keeps the numbered, two-lane message streams between this node
// and each partner. It decides which number a message gets, which one may be
// applied next, and what is lag and what is a break. It refuses to know what a
// message means and how it is carried.
package edge

// Lane is one of an edge's two lanes; safety never waits for governance.
type Lane string

const (
	Safety     Lane = "safety"
	Governance Lane = "governance"
)

// Lanes lists both, safety first.
func Lanes() []Lane { return []Lane{Safety, Governance} }

// Valid reports whether l is one of the two lanes.
func (l Lane) Valid() bool {
	switch l {
	case Safety, Governance:
		return true
	default:
		return false
	}
}

// Verdict is what to do with a partner's message.
type Verdict string

const (
	Apply     Verdict = "apply"     // it is the next one
	Duplicate Verdict = "duplicate" // it was applied before, with the same content
	Gap       Verdict = "gap"       // one before it is missing: lag, which heals by itself
	Break     Verdict = "break"     // it contradicts what was applied: a person must look
	Hold      Verdict = "hold"      // it is of a higher epoch: nothing of that is taken before a person accepts it
	Past      Verdict = "past"      // it is of an epoch before the one that is held: two speak for the partner, or one of late
)
