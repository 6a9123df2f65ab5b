// Package breakglass holds emergency access: who broke the glass to what, until
// when, and what a local person made of it. It decides that it is bounded in time
// and in number, that nobody reviews their own, and that an overdue review takes
// the right away. It refuses to know who a subject is, and what may be overridden.
package breakglass

import (
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Stage is where emergency access and its review stand.
type Stage string

const (
	Open        Stage = "open"        // it may be used, and nobody has reviewed it
	Ended       Stage = "ended"       // it may be used no longer, and nobody has reviewed it
	Overdue     Stage = "overdue"     // its review is late
	Justified   Stage = "justified"   // a local person found that it was right
	Unjustified Stage = "unjustified" // or that it was not
)

// Verdict reports whether s is what a review comes to.
func (s Stage) Verdict() bool { return s == Justified || s == Unjustified }

// Need is what somebody breaks the glass for: what a subject does with one
// resource of one service, under an agreement. TTL is for how many seconds, Uses
// for how many decisions, 0 for any number of them; Role is the local role that
// reviews it, within ReviewWithin seconds.
type Need struct {
	Agreement    string              `json:"agreement"` // its random identifier
	Participant  trust.ParticipantID `json:"participant"`
	Subject      trust.SubjectKey    `json:"subject"`
	Service      string              `json:"service"` // its audience
	Action       trust.Action        `json:"action"`
	ResourceType trust.ResourceType  `json:"resource_type"`
	Resource     trust.SubjectKey    `json:"resource"` // the node's keyed hash of it
	Role         string              `json:"role"`
	TTL          int64               `json:"ttl"`
	Uses         int                 `json:"uses,omitzero"`
	ReviewWithin int64               `json:"review_within"`
}

// How many may wait for their review: of one subject, and in all. What is beyond
// is denied.
const (
	MaxOfSubject = 10
	MaxWaiting   = 1000
)

// Check reports what is missing. It fails with Invalid.
func (n *Need) Check() error {
	if n.Agreement == "" || n.Participant.IsZero() || n.Subject == (trust.SubjectKey{}) || n.Resource == (trust.SubjectKey{}) ||
		n.Service == "" || n.Action == "" || n.ResourceType == "" || n.Role == "" || n.TTL < 1 || n.Uses < 0 || n.ReviewWithin < 1 {
		return trust.Errorf(trust.Invalid, "emergency access names agreement, subject, service, action, resource, how long it lasts, and who reviews it by when; this one lacks one of them")
	}
	return nil
}

// key is of what is done, by whom, under what; not of how it is bounded.
func (n *Need) key() table.Key {
	return table.KeyOf("breakglass", n.Agreement, string(n.Subject[:]), n.Service, string(n.Action), string(n.ResourceType), string(n.Resource[:]))
}

// Opening is one breaking of the glass, and what became of it. Times are Unix
// seconds.
type Opening struct {
	Opened
	At     trust.Position `json:"at"` // of the entry that opened it
	Since  int64          `json:"since"`
	Used   int            `json:"used"`            // by so many decisions; without a bound on uses they are not counted
	Closed int64          `json:"closed,omitzero"` // when a person ended it before its time
	Late   bool           `json:"late,omitzero"`   // that its review is overdue was recorded
	Came   Stage          `json:"came,omitempty"`  // what the review came to
	By     string         `json:"by,omitempty"`    // who reviewed it
}

// Live reports whether it may be used at now.
func (o *Opening) Live(now int64) bool {
	return now < o.Ends && o.Closed == 0 && o.Came != Unjustified
}

// Spent reports whether it was used as often as it may be.
func (o *Opening) Spent() bool { return o.Uses > 0 && o.Used >= o.Uses }

// Stage gives where it stands at now.
func (o *Opening) Stage(now int64) Stage {
	switch {
	case o.Came != "":
		return o.Came
	case now >= o.Due:
		return Overdue
	case o.Live(now) && !o.Spent():
		return Open
	default:
		return Ended
	}
}
