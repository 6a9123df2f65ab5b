package operator

import "github.com/entente-id/entente/trust"

// Added: a person became an operator. The name is in the sealed part.
type Added struct {
	ID         string       `json:"id"`
	Roles      []trust.Role `json:"roles"`
	Credential []byte       `json:"credential"` // 32 bytes
	By         string       `json:"by,omitempty"`
	// Person is the node's keyed hash of the name: the same for two accounts of
	// one person. Older entries have none.
	Person trust.SubjectKey `json:"person,omitzero"`
}

// Removed: a person is no longer an operator.
type Removed struct {
	ID string `json:"id"`
	By string `json:"by"`
}

// Linked: an operator is the person that a participant knows as a subject. It is
// never taken back: who somebody is does not change.
type Linked struct {
	ID string `json:"id"`
	Identity
	By string `json:"by"`
}

// Refused: an operator asked for a change without the role it needs.
type Refused struct {
	ID string `json:"id"`
}

// Trespassed: somebody who is no operator asked the admin interface: a partner, whom
// mutual TLS named, or with no From somebody whose credential is nobody's. Count is
// of all such requests since the entry before about the same.
type Trespassed struct {
	From  trust.ParticipantID `json:"from,omitzero"`
	Count uint64              `json:"count"`
}

// EventKind is operator.trespassed.
func (Trespassed) EventKind() trust.Kind { return trust.Kind{Name: "operator.trespassed", Version: 1} }

// EventKind is operator.added.
func (Added) EventKind() trust.Kind { return trust.Kind{Name: "operator.added", Version: 1} }

// EventKind is operator.removed.
func (Removed) EventKind() trust.Kind { return trust.Kind{Name: "operator.removed", Version: 1} }

// EventKind is operator.linked.
func (Linked) EventKind() trust.Kind { return trust.Kind{Name: "operator.linked", Version: 1} }

// EventKind is operator.refused.
func (Refused) EventKind() trust.Kind { return trust.Kind{Name: "operator.refused", Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event {
	return []trust.Event{Added{}, Removed{}, Linked{}, Refused{}, Trespassed{}}
}
