package erasure

import "github.com/entente-id/entente/trust"

// HoldPlaced: what is sealed about a subject is not to be erased. The reason, the
// case and who it is stand in the sealed part.
type HoldPlaced struct {
	N           uint64              `json:"n"` // from 1
	Participant trust.ParticipantID `json:"participant"`
	Subject     trust.SubjectKey    `json:"subject"`
	Until       int64               `json:"until,omitzero"` // Unix seconds; 0: until it is ended
	By          string              `json:"by"`
}

// HoldEnded: a hold keeps nothing any more.
type HoldEnded struct {
	N  uint64 `json:"n"`
	By string `json:"by"`
}

// Asked: an operator asks that a subject is erased, which another person has to
// say too before Until (Unix seconds).
type Asked struct {
	Participant trust.ParticipantID `json:"participant"`
	Subject     trust.SubjectKey    `json:"subject"`
	By          string              `json:"by"`
	Until       int64               `json:"until"`
}

// Refused: an erasure was refused, by one of the rules.
type Refused struct {
	Subject trust.SubjectKey `json:"subject"`
	Rule    string           `json:"rule"`
	By      string           `json:"by"`
}

// Erased: two people said so, and from here on the data keys of the subject, of
// its other names and of the lists it stood on are to be destroyed. Why is in the
// sealed part, under the node's own key.
type Erased struct {
	Participant trust.ParticipantID `json:"participant"`
	Subject     trust.SubjectKey    `json:"subject"`
	Also        []trust.SubjectKey  `json:"also,omitempty"`  // sorted: its other names
	Lists       []trust.SubjectKey  `json:"lists,omitempty"` // sorted: the keys of lists
	Asked       string              `json:"asked"`           // who asked first
	By          string              `json:"by"`
}

// ListKept: the others on a list of a bulk revocation are sealed anew, without
// somebody who is erased. List is the key that the revocation names, Key the one
// under which the rest of the list stands beside this entry.
type ListKept struct {
	List trust.SubjectKey `json:"list"`
	Key  trust.SubjectKey `json:"key"`
}

// Found: the node's keys remember erasures that this ledger has lost.
type Found struct {
	Keys []Count `json:"keys"` // sorted
}

// Count is how often a data key was destroyed.
type Count struct {
	Key   trust.SubjectKey `json:"key"`
	Times int              `json:"times"`
}

// keys are the data keys that an erasure destroys.
func (e *Erased) keys() []trust.SubjectKey {
	keys := append([]trust.SubjectKey{e.Subject}, e.Also...)
	return append(keys, e.Lists...)
}

// EventKind is erasure.hold_placed.
func (HoldPlaced) EventKind() trust.Kind { return trust.Kind{Name: "erasure.hold_placed", Version: 1} }

// EventKind is erasure.hold_ended.
func (HoldEnded) EventKind() trust.Kind { return trust.Kind{Name: "erasure.hold_ended", Version: 1} }

// EventKind is erasure.asked.
func (Asked) EventKind() trust.Kind { return trust.Kind{Name: "erasure.asked", Version: 1} }

// EventKind is erasure.refused.
func (Refused) EventKind() trust.Kind { return trust.Kind{Name: "erasure.refused", Version: 1} }

// EventKind is erasure.erased.
func (Erased) EventKind() trust.Kind { return trust.Kind{Name: "erasure.erased", Version: 1} }

// EventKind is erasure.list_kept.
func (ListKept) EventKind() trust.Kind { return trust.Kind{Name: "erasure.list_kept", Version: 1} }

// EventKind is erasure.found.
func (Found) EventKind() trust.Kind { return trust.Kind{Name: "erasure.found", Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event {
	return []trust.Event{HoldPlaced{}, HoldEnded{}, Asked{}, Refused{}, Erased{}, ListKept{}, Found{}}
}
