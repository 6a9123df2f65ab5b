package edge

import "github.com/entente-id/entente/trust"

// Queued: a message for a partner got its number. The message's content is the
// entry's sealed part; Hash is the hex SHA-256 of its canonical bytes.
type Queued struct {
	To   trust.ParticipantID `json:"to"`
	Lane Lane                `json:"lane"`
	N    uint64              `json:"n"` // from 1, without gaps, per lane
	Kind string              `json:"kind"`
	Hash string              `json:"hash"`
	// Owner is whose data key the content is sealed under: the subject it is
	// about; zero is the node itself.
	Owner trust.SubjectKey `json:"owner,omitzero"`
}

// Applied: a partner's message took effect, or was recorded and answered as
// unsupported.
type Applied struct {
	From        trust.ParticipantID `json:"from"`
	Epoch       uint32              `json:"epoch"`
	Lane        Lane                `json:"lane"`
	N           uint64              `json:"n"`
	Kind        string              `json:"kind"`
	Hash        string              `json:"hash"`
	Unsupported bool                `json:"unsupported,omitzero"`
	Refused     bool                `json:"refused,omitzero"` // understood, and refused by a rule; recorded beside
	// Owner is whose data key the sealed part is under, which is the signed message
	// where its sender, having lost its own, would need it again.
	Owner trust.SubjectKey `json:"owner,omitzero"`
}

// Broken: what a partner proved contradicts itself; the edge is suspended until
// a named operator resumes it.
type Broken struct {
	From trust.ParticipantID `json:"from"`
	Lane Lane                `json:"lane,omitempty"`
	Rule string              `json:"rule"`
}

// Resumed: two operators, the entry before it says which, looked at what broke an
// edge and let it go on.
type Resumed struct {
	From trust.ParticipantID `json:"from"`
	By   string              `json:"by"`
}

// Unsupported: a partner does not understand the kind of a message of ours. What
// that does there, the partner's own ledger says.
type Unsupported struct {
	From trust.ParticipantID `json:"from"`
	Lane Lane                `json:"lane"`
	N    uint64              `json:"n"`
	Kind string              `json:"kind"`
}

// EventKind is edge.unsupported.
func (Unsupported) EventKind() trust.Kind { return trust.Kind{Name: "edge.unsupported", Version: 1} }

// EventKind is edge.queued.
func (Queued) EventKind() trust.Kind { return trust.Kind{Name: "edge.queued", Version: 1} }

// EventKind is edge.applied.
func (Applied) EventKind() trust.Kind { return trust.Kind{Name: "edge.applied", Version: 1} }

// EventKind is edge.broken.
func (Broken) EventKind() trust.Kind { return trust.Kind{Name: "edge.broken", Version: 1} }

// EventKind is edge.resumed.
func (Resumed) EventKind() trust.Kind { return trust.Kind{Name: "edge.resumed", Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event {
	return []trust.Event{
		Queued{}, Applied{}, Broken{}, ClockAhead{}, ClockAccepted{}, ClockAgreed{}, Resumed{}, Unsupported{},
		LossProven{}, Reopened{}, Restored{}, EpochTaken{}, EpochHeld{}, EpochAccepted{}, WithoutAsked{}, WentOnWithout{},
		Greeted{}, GreetingRefused{}, Withheld{},
	}
}
