// Package finding keeps what this node and a partner do not agree about, and what
// a rule found about one, until a person has looked: which numbers of an edge's
// receipts differ, how, which incident it is, or who broke the glass; whose it is and by when. It
// decides when a finding is new and what closes one. It refuses to know how it was
// found.
package finding

import "github.com/entente-id/entente/trust"

// Kind is how two accounts differ, or that it is an incident.
type Kind string

const (
	MissingAtHome Kind = "missing_at_home" // the host's ledger has it, the home's has not
	MissingAtHost Kind = "missing_at_host" // the home recorded it, the host's ledger has it not
	Altered       Kind = "altered"         // both have it, with different content
	Incident      Kind = "incident"        // a rule acted; From and To are its number

	BreakGlass        Kind = "break_glass"         // somebody broke the glass; From and To are its number at the host
	BreakGlassOverdue Kind = "break_glass_overdue" // which nobody reviewed in time

	Trespass Kind = "trespass" // the partner asked our admin interface; From and To are the first entry of it

	Unowned Kind = "unowned" // an identity of ours whose owner has left; From and To are its number

	NotGranted Kind = "agreed_not_granted" // what a review found agreed, and nobody has it; From and To are the review's number
	NotUsed    Kind = "granted_not_used"   // what it found granted, and nobody uses it
)

// Own reports whether a finding is about what is ours alone: what was put right may
// be found again, and there may be any number.
func (k Kind) Own() bool { return k == Unowned }

// Valid reports whether k is one of the kinds.
func (k Kind) Valid() bool {
	switch k {
	case MissingAtHome, MissingAtHost, Altered, Incident, BreakGlass, BreakGlassOverdue, Trespass, Unowned, NotGranted, NotUsed:
		return true
	default:
		return false
	}
}

// Side is this node's part on the edge that a finding is about.
type Side string

const (
	Host Side = "host" // the partner's people are served here
	Home Side = "home" // our people are served there
)

// Valid reports whether s is one of the two sides.
func (s Side) Valid() bool { return s == Host || s == Home }

// Due is how many seconds the owner of a finding has.
const Due = 7 * 86400

// MaxOpen is how many findings of one edge may be open: a partner that
// contradicts itself all day fills no ledger.
const MaxOpen = 100

// Subject is what a finding is about: numbers From to To of the receipts of a series
// on the edge with Partner, or the incident or the emergency access of that number. Of
// what is Own, Partner is this organisation itself.
type Subject struct {
	Partner trust.ParticipantID `json:"partner"`
	Side    Side                `json:"side"`
	Kind    Kind                `json:"kind"`
	Series  uint32              `json:"series,omitzero"` // the epoch of the host's ledger that they were numbered in; 0: the first
	From    uint64              `json:"from"`
	To      uint64              `json:"to"`
}

// covers reports whether all that o says is said by s.
func (s Subject) covers(o Subject) bool {
	return s.Partner == o.Partner && s.Side == o.Side && s.Kind == o.Kind && s.Series == o.Series && s.From <= o.From && o.To <= s.To
}
