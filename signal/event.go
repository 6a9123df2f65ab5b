package signal

import "github.com/entente-id/entente/trust"

// TransmitterAdded: a foreign transmitter's signals count from now on. Secret is
// the SHA-256 of what it authenticates itself with.
type TransmitterAdded struct {
	Document Document `json:"document"`
	Secret   []byte   `json:"secret"`
	By       string   `json:"by"`
}

// TransmitterRemoved: they count no longer. What they did stays.
type TransmitterRemoved struct {
	Name string `json:"name"`
	By   string `json:"by"`
}

// Received: an event came in, from a transmitter or, over the edge, from the
// participant that answers for what it is about. What that is stands in the
// sealed part.
type Received struct {
	Transmitter string              `json:"transmitter,omitempty"`
	From        trust.ParticipantID `json:"from,omitzero"`
	Participant trust.ParticipantID `json:"participant"`
	Type        Type                `json:"type,omitempty"` // empty: one that is not known here
	At          int64               `json:"at"`             // Unix seconds, when it happened
	Owner       trust.SubjectKey    `json:"owner,omitzero"` // whose the sealed part is; zero: the node's
	Marks       []Placed            `json:"marks,omitempty"`
}

// PlaceKind is what a mark stands at.
type PlaceKind string

const (
	AtSubject PlaceKind = "subject"
	AtSession PlaceKind = "session"
	AtDevice  PlaceKind = "device"
	AtIssuer  PlaceKind = "issuer" // everybody of it
)

// Placed is a mark and where it is joined: at a hash that only this node makes.
type Placed struct {
	Kind PlaceKind        `json:"kind"`
	Key  trust.SubjectKey `json:"key"`
	Mark Mark             `json:"mark"`
}

// EventKind is signal.transmitter_added.
func (TransmitterAdded) EventKind() trust.Kind { return kind("transmitter_added") }

// EventKind is signal.transmitter_removed.
func (TransmitterRemoved) EventKind() trust.Kind { return kind("transmitter_removed") }

// EventKind is signal.received.
func (Received) EventKind() trust.Kind { return kind("received") }

func kind(verb string) trust.Kind { return trust.Kind{Name: "signal." + verb, Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event {
	return []trust.Event{TransmitterAdded{}, TransmitterRemoved{}, Received{}}
}

// Reduces reports whether the event takes anything away, Caps whether it bounds
// assurance.
func (r Received) Reduces() bool {
	for i := range r.Marks {
		if r.Marks[i].Mark.Reduces() {
			return true
		}
	}
	return false
}

// Caps reports whether the event bounds assurance.
func (r Received) Caps() bool {
	for i := range r.Marks {
		if r.Marks[i].Mark.capped() {
			return true
		}
	}
	return false
}
