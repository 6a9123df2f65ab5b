// Package erasure holds what was done about the personal data of subjects: legal
// holds, and erasures. It decides when what is sealed about somebody may be
// destroyed, and whose word that takes. It refuses to know who a subject is (it
// sees hashes), what is kept of them, and where the keys lie.
package erasure

import (
	"strconv"

	"github.com/entente-id/entente/trust"
)

// askedFor is for how many seconds the first of two words that somebody is erased
// counts.
const askedFor = 24 * 3600

// The rules by which an erasure is refused, as Refused names them.
const (
	RuleHold    = "hold"    // a legal hold stands
	RuleEngaged = "engaged" // an engagement of the subject has not ended
	RuleNeeded  = "needed"  // something that has to come first still needs what is sealed
	RuleSelf    = "self"    // an operator asks it of what is kept about that operator
	RulePerson  = "person"  // the same person twice
)

// Facts is what other rooms know. Engaged reports whether an engagement of the
// subject has not ended, Needed what has to come first, empty for nothing. Reason
// gives what was written of a hold. Self reports whether an operator is the
// subject, Same whether two are one person, Serves whether one still is an admin.
type Facts struct {
	Engaged bool
	Needed  string
	Reason  func(Hold) string
	Self    func(by string) bool
	Same    func(a, b string) bool
	Serves  func(id string) bool
}

// HoldID is how people call hold n.
func HoldID(n uint64) string { return "hold-" + strconv.FormatUint(n, 10) }

// Stands reports whether a hold keeps anything at now (Unix seconds): at exactly
// Until it has run out.
func (h Hold) Stands(now int64) bool { return h.EndedAt == 0 && (h.Until == 0 || now < h.Until) }

// ID is how people call the hold.
func (h Hold) ID() string { return HoldID(h.N) }

// end is the hold's end as a sentence has it.
func (h Hold) end() string {
	if h.Until == 0 {
		return "it is ended"
	}
	return trust.Instant(h.Until).String()
}
