package node

import (
	"context"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// Resumption is how far letting something go on has come. Asked is who asked
// first. Until then, in Until, another person must say so too; 0 once that
// happened.
type Resumption struct {
	Position trust.Position `json:"position"`
	Asked    string         `json:"asked"`
	Until    trust.Instant  `json:"until,omitzero"`
}

// Resume lets a target go on that this node stopped: the first operator asks, and
// a second one says so too. The second word is told to the partner concerned.
// What is asked of what a partner stopped, or by one person twice, is refused with
// Denied, and recorded.
func (n *Node) Resume(ctx context.Context, a Actor, w Stoppable, reason string) (Resumption, error) {
	var out Resumption
	at, err := n.underOf(ctx, a, w, agreement.Resume, agreement.Resume, func(c *change) error {
		if reason == "" {
			return trust.Errorf(trust.Invalid, "resuming has a reason; this has none")
		}
		t, err := c.stoppable(w)
		if err != nil {
			return err
		}
		if t.Kind == suspension.Edge {
			if err := c.Edge.MayResume(t.Participant); err != nil {
				return err
			}
		}
		events, refusal := c.Suspension.Resume(c.standing(t), t, a.ID, c.now)
		if refusal != nil {
			return c.take(events, refusal)
		}
		for _, e := range events {
			if err := c.addSealed(e, sealed{owner: t.Subject, text: c.resumeText(t, w, reason)}); err != nil {
				return err
			}
			switch e := e.(type) {
			case suspension.ResumeAsked:
				out.Asked, out.Until = a.ID, trust.Instant(e.Until)
			case suspension.Resumed:
				out.Asked, out.Until = e.Asked, 0
				return c.confirmed(t, w, a.ID)
			}
		}
		return nil
	})
	out.Position = at
	return out, err
}

// resumeText is the sealed part of what lets something go on: why, and of a
// subject who it is.
type resumeText struct {
	Reason    string `json:"reason"`
	Namespace string `json:"namespace,omitempty"`
	Subject   string `json:"subject,omitempty"`
}

func (c *change) resumeText(t suspension.Target, w Stoppable, reason string) resumeText {
	m := c.notice(t, w)
	return resumeText{Reason: reason, Namespace: m.Namespace, Subject: m.Subject}
}

// confirmed: two people said so.
func (c *change) confirmed(t suspension.Target, w Stoppable, by string) error {
	if err := c.goOn(t, trust.ParticipantID{}, by); err != nil || c.refusal != nil {
		return err
	}
	if t.Kind == suspension.Edge {
		return nil // the partner did not break on our word
	}
	m := c.notice(t, w)
	for _, partner := range c.concerned(t) {
		// On the lane of the suspension, so that it cannot overtake it.
		if err := c.send(partner, edge.Safety, kindResumption, t.Subject, m); err != nil {
			return err
		}
	}
	return nil
}

// goOn lets go on what another room holds, by our own word or a partner's.
func (c *change) goOn(t suspension.Target, from trust.ParticipantID, by string) error {
	switch t.Kind {
	case suspension.Participant:
		return c.add(participant.Resumed{Participant: t.Participant, From: from, By: by})
	case suspension.Agreement:
		facts, err := c.factsOfID(t.Agreement)
		if err != nil {
			return err
		}
		events, refusal := c.Agreement.Resume(facts, agreement.Resumed{ID: t.Agreement, From: from, By: by}, c.now)
		if refusal != nil && !from.IsZero() {
			return c.record(events, refusal)
		}
		return c.take(events, refusal)
	case suspension.Edge:
		return c.add(edge.Resumed{From: t.Participant, By: by})
	case suspension.Subject, suspension.Client, suspension.Coverage:
	}
	return nil
}

// standing is what other rooms know of a target that is to go on.
func (c *change) standing(t suspension.Target) suspension.Standing {
	out := suspension.Standing{Same: c.Operator.SamePerson, Serves: c.Operator.Serves}
	out.Partner, _ = c.Suspension.StoppedBy(t, c.now)
	out.Held, out.After = c.Dispute.Holds(t, c.now)
	if a, ok := c.Agreement.ByID(t.Agreement); ok {
		out.Serves = func(id string) bool {
			return a.Revision.Document.Permits(c.facts(a.Revision.Document), agreement.Resume, id)
		}
	}
	out.Dated = c.heldByDate(t)
	switch t.Kind {
	case suspension.Participant:
		if p, ok := c.Participant.Partner(t.Participant); ok {
			out.Stopped = p.Suspended
			if p.SuspendsUs {
				out.Partner = t.Participant
			}
		}
	case suspension.Agreement:
		if a, ok := c.Agreement.ByID(t.Agreement); ok {
			for _, by := range a.SuspendedBy {
				if by.IsZero() {
					out.Stopped = a.Stage == agreement.Suspended
				} else {
					out.Partner = by
				}
			}
		}
	case suspension.Edge:
		_, out.Stopped = c.Edge.Broken(t.Participant)
		out.Of = c.Edge.BrokenAt(t.Participant)
	case suspension.Subject, suspension.Client, suspension.Coverage:
	}
	return out
}
