// Package approval holds what local people say to privileged actions: who asked
// for what, who said yes, and until when that counts. It decides who may say yes,
// how many people it takes, and that every yes ends by itself. It refuses to know
// who a subject is, and what an action does.
package approval

import (
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Stage is where an approval stands.
type Stage string

const (
	Pending  Stage = "pending"  // too few have said yes
	Approved Stage = "approved" // enough have, until its end
	Declined Stage = "declined" // one has said no; until its date it is not asked again
	Ended    Stage = "ended"    // taken back before its end
	Used     Stage = "used"     // good for one decision, which was made
	Expired  Stage = "expired"  // its date has passed
)

// Need is what has to be approved: what a subject does with one resource of one
// service, under an agreement. Role is the local role that approves, People how many of them,
// TTL for how many seconds; Once is for a single decision.
type Need struct {
	Agreement    string              `json:"agreement"` // its random identifier
	Participant  trust.ParticipantID `json:"participant"`
	Subject      trust.SubjectKey    `json:"subject"`
	Service      string              `json:"service"` // its audience
	Action       trust.Action        `json:"action"`
	ResourceType trust.ResourceType  `json:"resource_type"`
	Resource     trust.SubjectKey    `json:"resource"` // the node's keyed hash of it
	Role         string              `json:"role"`
	People       int                 `json:"people"`
	TTL          int64               `json:"ttl"`
	Once         bool                `json:"once,omitzero"`
}

// AskedFor is for how many seconds people may answer, and for how long a no
// stands.
const AskedFor = 24 * 3600

// How many may be pending: of one subject, and in all. What is beyond is denied
// without being asked for.
const (
	MaxOfSubject = 10
	MaxPending   = 1000
)

// Check reports what is missing. It fails with Invalid.
func (n *Need) Check() error {
	if n.Agreement == "" || n.Participant.IsZero() || n.Subject == (trust.SubjectKey{}) || n.Resource == (trust.SubjectKey{}) ||
		n.Service == "" || n.Action == "" || n.ResourceType == "" || n.Role == "" || n.People < 1 || n.TTL < 1 {
		return trust.Errorf(trust.Invalid, "an approval names agreement, subject, service, action, resource, role, people and how long it lasts; this one lacks one of them")
	}
	return nil
}

// key is of what is done, by whom, under what; not of how it is approved.
func (n *Need) key() table.Key {
	return table.KeyOf("approval", n.Agreement, string(n.Subject[:]), n.Service, string(n.Action), string(n.ResourceType), string(n.Resource[:]))
}

// Approval is one, and how far it has come. Times are Unix seconds.
type Approval struct {
	Asked
	At     trust.Position `json:"at"` // of the entry that asked
	Since  int64          `json:"since"`
	Said   []string       `json:"said,omitempty"` // who said yes, in order
	Ends   int64          `json:"ends,omitzero"`  // of what was approved
	Closed Stage          `json:"closed,omitempty"`
	By     string         `json:"by,omitempty"`   // who closed it
	Spent  trust.Position `json:"spent,omitzero"` // by which entry it was used
}

// Stage gives where it stands at now. One that was used counts still for the
// decision that the entry at own was appended for.
func (a *Approval) Stage(now int64, own trust.Position) Stage {
	switch {
	case a.Closed == Used && a.Spent == own && now < a.Ends:
		return Approved
	case a.Closed == Declined && now >= a.Until:
		return Expired
	case a.Closed != "":
		return a.Closed
	case a.Ends == 0 && now < a.Until:
		return Pending
	case now < a.Ends:
		return Approved
	default:
		return Expired
	}
}
