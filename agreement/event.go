package agreement

import "github.com/entente-id/entente/trust"

// Domain is the domain tag of an agreement's signatures.
const Domain = "entente agreement v1"

// Revision is what two parties sign: rendered once by the proposer in RFC 8785
// and never again. ID is random and the same for all revisions. Answers is the
// hash of the revision this one counters, empty for the first.
type Revision struct {
	ID        string              `json:"id"` // 32 hexadecimal digits
	Revision  int                 `json:"revision"`
	Answers   string              `json:"answers,omitempty"`
	Framework string              `json:"framework"` // hash of the framework it stands on
	Proposer  trust.ParticipantID `json:"proposer"`
	Document  Document            `json:"document"`
}

// Stage is where an agreement stands in its life, as this node sees it.
type Stage string

const (
	Proposed  Stage = "proposed"  // one signature
	Countered Stage = "countered" // a later revision, one signature
	Agreed    Stage = "agreed"    // both signed the same bytes
	Active    Stage = "active"    // and this node put it in force
	Suspended Stage = "suspended"
	Ended     Stage = "ended"
)

// Offered: a revision with its proposer's signature (by its governance key over
// Domain). The first is a proposal, a later one a counter. From is the partner
// that sent it; zero means it was made here.
type Offered struct {
	Bytes     []byte              `json:"bytes"` // canonical Revision
	Hash      string              `json:"hash"`  // hex SHA-256 of Bytes
	Signature []byte              `json:"signature"`
	From      trust.ParticipantID `json:"from,omitzero"`
	By        string              `json:"by,omitempty"` // operator
}

// Countersigned: the other party signed the same bytes.
type Countersigned struct {
	ID        string              `json:"id"`
	Hash      string              `json:"hash"`
	Signature []byte              `json:"signature"`
	From      trust.ParticipantID `json:"from,omitzero"`
	By        string              `json:"by,omitempty"`
}

// Moved: an agreement became active, suspended or ended. From is the partner
// that told us; zero means it was decided here. A partner's active is news of
// its own side and puts nothing in force here.
type Moved struct {
	ID   string              `json:"id"`
	To   Stage               `json:"to"`
	From trust.ParticipantID `json:"from,omitzero"`
	By   string              `json:"by,omitempty"`
}

// Resumed: a suspension of an agreement was lifted by the party that had made it;
// once no other stands, the agreement is where it was before. Of our own, the
// entry before it says which two people did.
type Resumed struct {
	ID   string              `json:"id"`
	From trust.ParticipantID `json:"from,omitzero"`
	By   string              `json:"by,omitempty"`
}

// CaughtUp: the home, which signed, has told the host all that it ended before;
// what it ends from here on, it tells as it happens. From is the home; zero means
// that this node is the home.
type CaughtUp struct {
	ID   string              `json:"id"`
	From trust.ParticipantID `json:"from,omitzero"`
}

// Refused: a move was asked for that the stage or another rule does not allow
// (R18).
type Refused struct {
	ID    string              `json:"id"`
	Stage Stage               `json:"stage,omitempty"` // empty: there is no such agreement yet
	Move  string              `json:"move"`            // offer, countersign, catch up, activate, suspend, resume, end, or another Command
	Rule  string              `json:"rule"`            // one of the Rule words
	From  trust.ParticipantID `json:"from,omitzero"`
	By    string              `json:"by,omitempty"`
}

// EventKind is agreement.offered/v1.
func (Offered) EventKind() trust.Kind { return trust.Kind{Name: "agreement.offered", Version: 1} }

// EventKind is agreement.countersigned/v1.
func (Countersigned) EventKind() trust.Kind {
	return trust.Kind{Name: "agreement.countersigned", Version: 1}
}

// EventKind is agreement.moved/v1.
func (Moved) EventKind() trust.Kind { return trust.Kind{Name: "agreement.moved", Version: 1} }

// EventKind is agreement.resumed/v1.
func (Resumed) EventKind() trust.Kind { return trust.Kind{Name: "agreement.resumed", Version: 1} }

// EventKind is agreement.caught_up/v1.
func (CaughtUp) EventKind() trust.Kind { return trust.Kind{Name: "agreement.caught_up", Version: 1} }

// EventKind is agreement.refused/v1.
func (Refused) EventKind() trust.Kind { return trust.Kind{Name: "agreement.refused", Version: 1} }

// Events gives one zero value of each event of this package.
func Events() []trust.Event {
	return []trust.Event{Offered{}, Countersigned{}, Moved{}, Resumed{}, CaughtUp{}, Refused{}}
}
