package node

import (
	"context"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// Stoppable names what can be suspended, as an operator writes it: a Participant;
// an Agreement by its name; a subject by Issuer and Subject, with the Participant
// where the issuer speaks for several; a Client; an Edge by its Participant; or,
// for a coverage, any of Class, Service and Action, within an Agreement, of a
// Participant, or at large. Service is a name or an audience.
type Stoppable struct {
	Kind        suspension.Kind     `json:"kind"`
	Participant trust.ParticipantID `json:"participant,omitzero"`
	Agreement   string              `json:"agreement,omitempty"`
	Issuer      string              `json:"issuer,omitempty"`
	Subject     string              `json:"subject,omitempty"`
	Client      string              `json:"client,omitempty"`
	Class       trust.Class         `json:"class,omitempty"`
	Service     string              `json:"service,omitempty"`
	Action      trust.Action        `json:"action,omitempty"`
}

// SuspendRequest says what to stop and why. The reason and the incident stay in
// this node's ledger, sealed; with a TLP marking, the partner that is concerned is
// told them too, under that marking. At Expires the suspension ends by itself; 0
// is never.
type SuspendRequest struct {
	Stoppable
	Why
	Expires trust.Instant `json:"expires,omitzero"`
	For     trust.Span    `json:"for,omitzero"` // in place of Expires: from now on
}

// Why is the reason of an act that takes trust away.
type Why struct {
	Reason   string         `json:"reason"`
	Incident string         `json:"incident,omitempty"`
	TLP      suspension.TLP `json:"tlp,omitempty"`
}

// Suspension is an acknowledged one: durable here, in force on the next request,
// and told to Partners.
type Suspension struct {
	Position trust.Position        `json:"position"`
	Partners []trust.ParticipantID `json:"partners"`
}

// Suspend stops a target, at once and by one operator. A partner that is concerned
// is told, on the safety lane. What is suspended for as long already changes
// nothing.
func (n *Node) Suspend(ctx context.Context, a Actor, r SuspendRequest) (Suspension, error) {
	var out Suspension
	at, err := n.underOf(ctx, a, r.Stoppable, agreement.Suspend, agreement.Reduce, func(c *change) (err error) {
		out.Partners, err = c.suspend(r, a.ID)
		return err
	})
	out.Position = at
	return out, err
}

// suspend is Suspend inside the writer, by an operator or a rule.
func (c *change) suspend(r SuspendRequest, by string) ([]trust.ParticipantID, error) {
	if r.Reason == "" || r.TLP != "" && !r.TLP.Valid() {
		return nil, trust.Errorf(trust.Invalid, "a suspension has a reason and, if partners are told it, a marking of TLP 2.0; this one has TLP %q", r.TLP)
	}
	if r.For > 0 {
		r.Expires = trust.Instant(c.now + int64(r.For))
	}
	t, err := c.stoppable(r.Stoppable)
	if err != nil {
		return nil, err
	}
	switch t.Kind {
	case suspension.Subject, suspension.Client, suspension.Coverage:
		m := c.notice(t, r.Stoppable)
		m.Why, m.Expires = r.Why, r.Expires
		return c.suspendHere(t, m, by)
	case suspension.Participant, suspension.Agreement:
		return c.suspendWhole(t, r, by)
	default:
		return nil, trust.Errorf(trust.Invalid, "a %s is not suspended; suspend the participant", t.Kind)
	}
}

// suspendWhole stops a participant or an agreement, of which other rooms hold
// that it is, and says why, if that may be said.
func (c *change) suspendWhole(t suspension.Target, r SuspendRequest, by string) ([]trust.ParticipantID, error) {
	if r.Expires != 0 {
		return nil, trust.Errorf(trust.Invalid, "suspension of a %s has no end of its own; two people resume it", t.Kind)
	}
	act := c.suspendParticipant
	if t.Kind == suspension.Agreement {
		act = c.suspendAgreement
	}
	if err := act(t, by, r.Reason); err != nil || c.refusal != nil {
		return nil, err
	}
	partners := c.concerned(t)
	if r.TLP == "" {
		return partners, nil
	}
	m := c.notice(t, r.Stoppable)
	m.Why = r.Why
	return partners, c.sendNotice(partners[0], t, m)
}

// suspendHere stops what this room of the state holds, and tells whom it concerns
// what m says.
func (c *change) suspendHere(t suspension.Target, m NoticeText, by string) ([]trust.ParticipantID, error) {
	e := suspension.Suspended{Target: t, By: by, Expires: int64(m.Expires)}
	events, err := c.Suspension.Suspend(suspension.Facts{Self: c.n.self}, e, c.now)
	if err != nil || len(events) == 0 {
		return nil, err
	}
	for _, e := range events {
		if err := c.addSealed(e, sealed{owner: t.Subject, text: m}); err != nil {
			return nil, err
		}
	}
	for _, partner := range c.concerned(t) {
		if err := c.sendNotice(partner, t, m); err != nil {
			return nil, err
		}
	}
	return c.concerned(t), nil
}

// stoppable finds what is named.
func (c *change) stoppable(w Stoppable) (suspension.Target, error) {
	t := suspension.Target{Kind: w.Kind, Client: w.Client, Class: w.Class, Action: w.Action}
	if w.Kind != suspension.Subject {
		t.Participant = w.Participant
	}
	if w.Agreement != "" {
		a, ok := c.Agreement.ByName(w.Agreement)
		if !ok {
			return t, trust.Errorf(trust.NotFound, "agreement %q is not known here", w.Agreement)
		}
		t.Agreement = a.ID
	}
	if w.Service != "" {
		t.Service = w.Service
		if s, ok := c.Service.Service(w.Service); ok {
			t.Service = s.Audience
		}
	}
	switch w.Kind {
	case suspension.Subject:
		owner, line, err := c.voice(w.Issuer, w.Participant)
		if err != nil {
			return t, err
		}
		if w.Subject == "" {
			return t, trust.Errorf(trust.Invalid, "a subject is named by its identifier at %s", w.Issuer)
		}
		t.Participant, t.Subject = owner, c.n.Keys.Subject(owner.String(), line.Namespace(), w.Subject)
	case suspension.Participant, suspension.Edge:
		if _, ok := c.Participant.Partner(w.Participant); !ok {
			return t, trust.Errorf(trust.NotFound, "participant %s is not a partner here", w.Participant)
		}
	case suspension.Client:
		if _, ok := c.Client.Get(w.Client); !ok {
			return t, trust.Errorf(trust.NotFound, "client %q is not registered here", w.Client)
		}
	case suspension.Coverage:
		if err := c.covered(t); err != nil {
			return t, err
		}
	case suspension.Agreement:
	}
	return t, t.Check()
}

// covered: what nobody accepts is a slip of the pen, and stops nothing.
func (c *change) covered(t suspension.Target) error {
	for a := range c.Agreement.All() {
		if t.Agreement != "" && a.ID != t.Agreement || a.Stage == agreement.Ended {
			continue
		}
		if a.Reaches(t.Class, t.Service, t.Action) {
			return nil
		}
	}
	return trust.Errorf(trust.NotFound, "no such agreement covers class %q at service %q for action %q together; an empty one is all", t.Class, t.Service, t.Action)
}

// voice finds an issuer and the participant it speaks for: the one named, or as
// speaks does.
func (c *change) voice(issuer string, of trust.ParticipantID) (trust.ParticipantID, participant.Issuer, error) {
	speaker, line, owner, err := c.speaks(issuer)
	if of.IsZero() || trust.KindOf(err) == trust.NotFound {
		return owner, line, err
	}
	for _, claimant := range speaker.Candidates {
		if claimant.Participant == of {
			return of, claimant.Issuer, nil
		}
	}
	return of, line, trust.Errorf(trust.NotFound, "issuer %q does not speak for %s here", issuer, of)
}

// concerned are the partners that are told of a suspension: whose it is, or who
// relies on it.
func (c *change) concerned(t suspension.Target) []trust.ParticipantID {
	switch t.Kind {
	case suspension.Subject:
		if t.Participant == c.n.self {
			return c.hosts()
		}
		return []trust.ParticipantID{t.Participant}
	case suspension.Participant, suspension.Edge:
		return []trust.ParticipantID{t.Participant}
	case suspension.Agreement, suspension.Coverage:
		if a, ok := c.Agreement.ByID(t.Agreement); ok {
			return []trust.ParticipantID{a.Other(c.n.self)}
		}
	case suspension.Client:
	}
	return nil
}

// SuspendParticipant stops every decision that rests on a participant, at once
// and here alone; the partner is told, with no reason given.
func (n *Node) SuspendParticipant(ctx context.Context, a Actor, id trust.ParticipantID, reason string) error {
	_, err := n.Suspend(ctx, a, SuspendRequest{Stoppable: Stoppable{Kind: suspension.Participant, Participant: id}, Why: Why{Reason: reason}})
	return err
}

func (c *change) suspendParticipant(t suspension.Target, by, reason string) error {
	events, err := c.Participant.Suspend(t.Participant, by)
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := c.addSealed(e, sealed{text: reasonText{reason}}); err != nil {
			return err
		}
	}
	return c.send(t.Participant, edge.Safety, kindSuspension, trust.SubjectKey{}, suspensionMessage{Participant: t.Participant})
}

// SuspendAgreement stops an agreement, at once and by one person.
func (n *Node) SuspendAgreement(ctx context.Context, a Actor, name, reason string) error {
	_, err := n.Suspend(ctx, a, SuspendRequest{Stoppable: Stoppable{Kind: suspension.Agreement, Agreement: name}, Why: Why{Reason: reason}})
	return err
}

func (c *change) suspendAgreement(t suspension.Target, by, reason string) error {
	a, ok := c.Agreement.ByID(t.Agreement)
	if !ok {
		return trust.Errorf(trust.NotFound, "agreement %s is not known here", t.Agreement)
	}
	return c.moveAgreement(a, agreement.Suspended, by, reason, edge.Safety)
}

// reasonText is the sealed part of a reducing act.
type reasonText struct {
	Reason string `json:"reason"`
}
