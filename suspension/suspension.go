// Package suspension holds what is stopped for a time and may go on: one subject,
// one client, part of what is accepted; and, of everything that can be suspended,
// who asked that it goes on. It decides what still holds at a time, and that
// giving trust back takes two people. It refuses to know who a subject is, and
// why anything was stopped.
package suspension

import (
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Kind is what can be suspended.
type Kind string

const (
	Subject  Kind = "subject"  // one subject, at this node alone
	Client   Kind = "client"   // one OAuth client: an integration
	Coverage Kind = "coverage" // part of what is accepted: a class, a service, an action
	// Of these another room holds whether they are stopped.
	Participant Kind = "participant"
	Agreement   Kind = "agreement"
	Edge        Kind = "edge" // that broke
)

// Target is what a suspension stops. Exactly the members of its kind are set:
// Participant and Subject; Client; for Coverage any of Class, Service and Action,
// within one agreement, of one participant, or at large; Agreement; Participant
// alone. What is empty in a coverage stands for all.
type Target struct {
	Kind        Kind                `json:"kind"`
	Participant trust.ParticipantID `json:"participant,omitzero"`
	Subject     trust.SubjectKey    `json:"subject,omitzero"`
	Client      string              `json:"client,omitempty"`
	Agreement   string              `json:"agreement,omitempty"` // its random identifier
	Class       trust.Class         `json:"class,omitempty"`
	Service     string              `json:"service,omitempty"` // its audience
	Action      trust.Action        `json:"action,omitempty"`
}

// Check reports what is wrong with the shape of t. It fails with Invalid.
func (t Target) Check() error {
	own := Target{Kind: t.Kind}
	var complete bool
	switch t.Kind {
	case Subject:
		own.Participant, own.Subject = t.Participant, t.Subject
		complete = !t.Participant.IsZero() && t.Subject != trust.SubjectKey{}
	case Client:
		own.Client, complete = t.Client, t.Client != ""
	case Coverage:
		own = t
		own.Subject, own.Client = trust.SubjectKey{}, ""
		narrow := t.Class != "" || t.Service != "" || t.Action != ""
		complete = narrow && (t.Class == "" || t.Class.Valid()) && (t.Agreement == "" || t.Participant.IsZero())
	case Participant, Edge:
		own.Participant, complete = t.Participant, !t.Participant.IsZero()
	case Agreement:
		own.Agreement, complete = t.Agreement, t.Agreement != ""
	default:
		return trust.Errorf(trust.Invalid, "suspension of a %q is not known", t.Kind)
	}
	if !complete || own != t {
		return trust.Errorf(trust.Invalid, "suspension of a %s must name exactly what a %s is known by", t.Kind, t.Kind)
	}
	return nil
}

func (t Target) key() table.Key {
	return table.KeyOf("suspension", string(t.Kind), t.Participant.String(), string(t.Subject[:]), t.Client, t.Agreement, string(t.Class), t.Service, string(t.Action))
}

func noticeKey(from trust.ParticipantID, t Target) table.Key {
	k := t.key()
	return table.KeyOf("notice", from.String(), string(k[:]))
}

func clientKey(name string) table.Key { return table.KeyOf("suspended client", name) }
