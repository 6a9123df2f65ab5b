package stream

import (
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

// Created: a receiver opened a stream. Settings that may hold words of its own
// are in the sealed part.
type Created struct {
	ID       string        `json:"id"`
	Client   string        `json:"client"`
	Delivery Delivery      `json:"delivery"`
	Events   []signal.Type `json:"events"`
}

// Updated: a receiver changed its settings; Delivery and Events are what holds
// now.
type Updated struct {
	ID       string        `json:"id"`
	Delivery Delivery      `json:"delivery"`
	Events   []signal.Type `json:"events"`
}

// Deleted: a stream is one no longer. By names the operator who removed it;
// empty: its receiver did.
type Deleted struct {
	ID string `json:"id"`
	By string `json:"by,omitempty"`
}

// Moved: a stream's status changed. By names the operator; Rule is this node's.
// What a person wrote about it is in the sealed part.
type Moved struct {
	ID    string `json:"id"`
	To    Status `json:"to"`
	Party Party  `json:"party"`
	Rule  Rule   `json:"rule,omitempty"`
	By    string `json:"by,omitempty"`
}

// SubjectAdded: events about a subject are to be sent. Who it is is in the
// sealed part.
type SubjectAdded struct {
	ID      string           `json:"id"`
	Subject trust.SubjectKey `json:"subject"`
}

// SubjectRemoved: no more events about a subject.
type SubjectRemoved struct {
	ID      string           `json:"id"`
	Subject trust.SubjectKey `json:"subject"`
}

// Rejected: a receiver reported that it will not take an event, with a code of
// RFC 8935, section 2.4; its own words are in the sealed part.
type Rejected struct {
	ID   string `json:"id"`
	JTI  string `json:"jti"`
	Code string `json:"code"`
}

// EventKind is stream.created.
func (Created) EventKind() trust.Kind { return kind("created") }

// EventKind is stream.updated.
func (Updated) EventKind() trust.Kind { return kind("updated") }

// EventKind is stream.deleted.
func (Deleted) EventKind() trust.Kind { return kind("deleted") }

// EventKind is stream.moved.
func (Moved) EventKind() trust.Kind { return kind("moved") }

// EventKind is stream.subject_added.
func (SubjectAdded) EventKind() trust.Kind { return kind("subject_added") }

// EventKind is stream.subject_removed.
func (SubjectRemoved) EventKind() trust.Kind { return kind("subject_removed") }

// EventKind is stream.rejected.
func (Rejected) EventKind() trust.Kind { return kind("rejected") }

func kind(verb string) trust.Kind { return trust.Kind{Name: "stream." + verb, Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event {
	return []trust.Event{Created{}, Updated{}, Deleted{}, Moved{}, SubjectAdded{}, SubjectRemoved{}, Rejected{}}
}
