package node

import (
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// NoticeText says what was stopped, until when, and why: for this node's own
// people, and for a partner, which is told why only where that is marked. It names
// a subject in plain, and an agreement by its random identifier. A resumption has
// the same form, without the why.
type NoticeText struct {
	Kind        suspension.Kind     `json:"kind"`
	Participant trust.ParticipantID `json:"participant,omitzero"`
	Namespace   string              `json:"namespace,omitempty"`
	Subject     string              `json:"subject,omitempty"`
	Pairwise    string              `json:"pairwise,omitempty"` // the subject's name in grants for the receiver, from its home
	Agreement   string              `json:"agreement,omitempty"`
	Client      string              `json:"client,omitempty"`
	Class       trust.Class         `json:"class,omitempty"`
	Service     string              `json:"service,omitempty"` // an audience
	Action      trust.Action        `json:"action,omitempty"`
	Expires     trust.Instant       `json:"expires,omitzero"`
	Why
}

// aliasMessage answers a notice about one of our own people: by which other name
// the host knows the same one.
type aliasMessage struct {
	Namespace string `json:"namespace"`
	Subject   string `json:"subject"`
	Pairwise  string `json:"pairwise"`
}

// notice is what partners are told of a target that w names.
func (c *change) notice(t suspension.Target, w Stoppable) NoticeText {
	m := NoticeText{Kind: t.Kind, Participant: t.Participant, Agreement: t.Agreement, Client: t.Client, Class: t.Class, Service: t.Service, Action: t.Action}
	if t.Kind == suspension.Subject {
		_, line, err := c.voice(w.Issuer, t.Participant)
		if err == nil {
			m.Namespace, m.Subject = line.Namespace(), w.Subject
		}
	}
	return m
}

// sendNotice tells a partner of a suspension, and why only where that is marked.
func (c *change) sendNotice(to trust.ParticipantID, t suspension.Target, m NoticeText) error {
	if m.TLP == "" {
		m.Why = Why{}
	}
	if t.Kind == suspension.Subject && t.Participant == c.n.self {
		m.Pairwise = c.n.pairwise(to.String(), t.Subject)
	}
	return c.send(to, edge.Safety, kindNotice, t.Subject, m)
}

// target is what a partner's message is about, by the names of this ledger.
func (m *NoticeText) target(n *Node) suspension.Target {
	t := suspension.Target{Kind: m.Kind, Participant: m.Participant, Agreement: m.Agreement, Class: m.Class, Service: m.Service, Action: m.Action}
	if m.Kind == suspension.Subject && m.Subject != "" {
		t.Subject = n.Keys.Subject(m.Participant.String(), m.Namespace, m.Subject)
	}
	return t
}

// party reports whether a partner is the other party of a target's agreement.
func (c *change) party(t suspension.Target, partner trust.ParticipantID) bool {
	a, ok := c.Agreement.ByID(t.Agreement)
	return ok && a.Other(c.n.self) == partner
}

// receiveNotice: a partner stopped something. What is its own to stop is stopped
// here too; of what it stopped at its own node alone, this is news.
func receiveNotice(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[NoticeText](content)
	if err != nil {
		return err
	}
	if m.TLP != "" && !m.TLP.Valid() {
		return trust.Errorf(trust.Invalid, "a notice is marked TLP %.20q, which TLP 2.0 does not have", m.TLP)
	}
	t := m.target(c.n)
	c.about = t.Subject
	e := suspension.Suspended{Target: t, From: from.Card.ID, Expires: int64(m.Expires)}
	if t.Participant == from.Card.ID {
		e.Alias = c.n.alias(from.Card.ID, m.Pairwise)
	}
	events, err := c.Suspension.Suspend(suspension.Facts{Self: c.n.self, Party: c.party(t, from.Card.ID)}, e, c.now)
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := c.addSealed(e, sealed{owner: t.Subject, text: m}); err != nil {
			return err
		}
	}
	if t.Kind != suspension.Subject || t.Participant != c.n.self || m.Namespace == evidence.Pairwise || c.Erasure.Forgotten(t.Subject) {
		return nil
	}
	answer := aliasMessage{m.Namespace, m.Subject, c.n.pairwise(from.Card.ID.String(), t.Subject)}
	return c.send(from.Card.ID, edge.Safety, kindAlias, t.Subject, answer)
}

// receiveAlias: the home says by which other name we know somebody that is
// stopped here, who is stopped by that one too.
func receiveAlias(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[aliasMessage](content)
	if err != nil {
		return err
	}
	home := from.Card.ID
	t := suspension.Target{Kind: suspension.Subject, Participant: home, Subject: c.n.Keys.Subject(home.String(), m.Namespace, m.Subject)}
	until, stopped := c.Suspension.Stopped(t, c.now)
	if !stopped {
		return trust.Errorf(trust.Conflict, "%s names another name of a subject that is not suspended here", home)
	}
	alias := c.n.alias(from.Card.ID, m.Pairwise)
	e := suspension.Suspended{Target: t, Alias: alias, By: suspension.ByRule(suspension.RuleAlias), Expires: until}
	return c.record(c.Suspension.Suspend(suspension.Facts{Self: c.n.self}, e, c.now))
}

// receiveResumption: a partner lets go on what it had stopped.
func receiveResumption(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[NoticeText](content)
	if err != nil {
		return err
	}
	t := m.target(c.n)
	standing := suspension.Standing{}
	switch {
	case t.Kind == suspension.Participant && t.Participant == c.n.self && from.SuspendsUs:
		standing.Partner = from.Card.ID
	case t.Kind == suspension.Agreement && c.party(t, from.Card.ID):
		standing.Partner = from.Card.ID // the agreement's own rules say whether it had
	}
	events, refusal := c.Suspension.Lift(standing, t, from.Card.ID)
	if refusal != nil {
		return c.record(events, refusal)
	}
	if err := c.add(events...); err != nil {
		return err
	}
	return c.goOn(t, from.Card.ID, "")
}
