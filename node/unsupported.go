package node

import (
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// unsupportedMessage answers a message of a kind, or of a version of one, that is
// not understood here.
type unsupportedMessage struct {
	Lane edge.Lane `json:"lane"`
	N    uint64    `json:"n"`
}

// naming is all that is read of a safety message that is not understood: what it is
// about, in the form of a notice. Every later kind of that lane has it.
type naming struct {
	Names *NoticeText `json:"names"`
}

// notUnderstood records a message of a kind that this node does not know, and says
// so. What the safety lane brings may be the end of something: what it names is
// suspended, by a rule that two people here lift; where it names nothing that is
// its sender's, the edge is.
func (c *change) notUnderstood(applied edge.Applied, content []byte) error {
	if err := c.add(applied); err != nil {
		return err
	}
	if applied.Lane == edge.Safety {
		if err := c.suspendNamed(applied.From, content); err != nil {
			return err
		}
	}
	return c.send(applied.From, edge.Governance, kindUnsupported, trust.SubjectKey{}, unsupportedMessage{applied.Lane, applied.N})
}

func (c *change) suspendNamed(from trust.ParticipantID, content []byte) error {
	var m naming
	if err := canonical.DecodeLoose(content, &m); err != nil || m.Names == nil {
		return c.add(edge.Broken{From: from, Lane: edge.Safety, Rule: "unknown_safety_kind"})
	}
	t := m.Names.target(c.n)
	own := t.Participant == from && (t.Kind == suspension.Subject || t.Kind == suspension.Participant) || c.party(t, from)
	if !own || t.Check() != nil {
		return c.add(edge.Broken{From: from, Lane: edge.Safety, Rule: "unknown_safety_kind"})
	}
	if c.stopped(t) {
		return nil
	}
	by, why := suspension.ByRule("unknown-kind"), Why{Reason: "a safety message of a kind that is not understood names it"}
	if t.Kind == suspension.Participant || t.Kind == suspension.Agreement {
		_, err := c.suspendWhole(t, SuspendRequest{Why: why}, by)
		return err
	}
	text := NoticeText{
		Kind: t.Kind, Participant: t.Participant, Namespace: m.Names.Namespace, Subject: m.Names.Subject,
		Agreement: t.Agreement, Class: t.Class, Service: t.Service, Action: t.Action, Why: why,
	}
	_, err := c.suspendHere(t, text, by)
	return err
}

// receiveUnsupported: a partner does not understand a message that we sent it.
func receiveUnsupported(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[unsupportedMessage](content)
	if err != nil {
		return err
	}
	at, sent := c.Edge.Locate(from.Card.ID, m.Lane, m.N)
	if !sent {
		return trust.Errorf(trust.Denied, "%s does not understand a message that was never sent to it", from.Card.ID)
	}
	r, err := c.n.trust.Entry(c.ctx, at.N)
	if err != nil {
		return err
	}
	q, err := c.n.codec.Decode(trust.Kind{Name: r.Kind, Version: r.Version}, r.Body)
	if err != nil {
		return err
	}
	queued, ok := q.(edge.Queued)
	if !ok {
		return trust.Errorf(trust.Internal, "entry %s is %s, where a queued message should stand", at, r.Kind)
	}
	c.n.Log.Warn("a partner does not understand a kind of message", "partner", from.Card.ID.String(), "kind", queued.Kind)
	return c.add(edge.Unsupported{From: from.Card.ID, Lane: m.Lane, N: m.N, Kind: queued.Kind})
}
