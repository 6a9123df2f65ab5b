package node

import (
	"context"

	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// RuleText is a rule as an operator writes it: the agreement by its name, the
// service by its name or audience.
type RuleText struct {
	Name        string              `json:"name"`
	When        incident.Trigger    `json:"when"`
	Per         incident.Per        `json:"per,omitempty"`
	Count       uint64              `json:"count"`
	Within      trust.Span          `json:"within"`
	Do          incident.Act        `json:"do"`
	What        incident.What       `json:"what,omitempty"`
	Participant trust.ParticipantID `json:"participant,omitzero"`
	Agreement   string              `json:"agreement,omitempty"`
	Class       trust.Class         `json:"class,omitempty"`
	Service     string              `json:"service,omitempty"`
	TLP         suspension.TLP      `json:"tlp,omitempty"`
	Standing    bool                `json:"standing,omitzero"` // nobody set it
}

// SetRule puts a rule in force, in place of one of that name. What it names must
// be there.
func (n *Node) SetRule(ctx context.Context, a Actor, t RuleText) (trust.Position, error) {
	return n.write(ctx, a, func(c *change) error {
		r := incident.Rule{
			Name: t.Name, When: t.When, Per: t.Per, Count: t.Count, Within: int64(t.Within), Do: t.Do, What: t.What,
			Participant: t.Participant, Class: t.Class, TLP: t.TLP,
		}
		if _, ok := c.Participant.Partner(t.Participant); !ok && !t.Participant.IsZero() {
			return trust.Errorf(trust.NotFound, "participant %s is not a partner here", t.Participant)
		}
		if t.Agreement != "" {
			in, ok := c.Agreement.ByName(t.Agreement)
			if !ok {
				return trust.Errorf(trust.NotFound, "agreement %q is not known here", t.Agreement)
			}
			r.Agreement = in.ID
		}
		if t.Service != "" {
			s, ok := c.Service.Service(t.Service)
			if !ok {
				s, ok = c.Service.Audience(t.Service)
			}
			if !ok {
				return trust.Errorf(trust.NotFound, "service %q is not registered here", t.Service)
			}
			r.Service = s.Audience
		}
		return c.take(c.Incident.SetRule(r, a.ID))
	})
}

// RemoveRule takes a rule out of force. What it has stopped stays stopped.
func (n *Node) RemoveRule(ctx context.Context, a Actor, name string) (trust.Position, error) {
	return n.write(ctx, a, func(c *change) error { return c.take(c.Incident.RemoveRule(name, a.ID)) })
}

// Rules lists the rules in force, by name.
func (n *Node) Rules(a Actor) ([]RuleText, error) {
	if err := n.read(a); err != nil {
		return nil, err
	}
	s := n.State()
	out := []RuleText{}
	for _, r := range s.Incident.Rules() {
		out = append(out, n.ruleText(r))
	}
	return out, nil
}

func (n *Node) ruleText(r incident.Rule) RuleText {
	t := RuleText{
		Name: r.Name, When: r.When, Per: r.Per, Count: r.Count, Within: trust.Span(r.Within), Do: r.Do, What: r.What,
		Participant: r.Participant, Agreement: r.Agreement, Class: r.Class, Service: r.Service, TLP: r.TLP,
		Standing: true,
	}
	s := n.State()
	if in, ok := s.Agreement.ByID(r.Agreement); ok {
		t.Agreement = in.Revision.Document.Name
	}
	for _, set := range s.Incident.Set {
		t.Standing = t.Standing && set.Name != r.Name
	}
	return t
}

// IncidentText is an incident as people read it. Subject is who it was about,
// until that person is erased.
type IncidentText struct {
	ID          string              `json:"id"`
	Rule        RuleText            `json:"rule"` // as it was
	Participant trust.ParticipantID `json:"participant"`
	Namespace   string              `json:"namespace,omitempty"`
	Subject     string              `json:"subject,omitempty"`
	Count       uint64              `json:"count"`
	Stopped     suspension.Kind     `json:"stopped,omitempty"` // what kind of thing the rule stopped
	Still       bool                `json:"still,omitzero"`    // it is stopped now, or over
	Position    trust.Position      `json:"position"`
	At          trust.Instant       `json:"at"`
}

// Incidents lists what rules did, the newest last.
func (n *Node) Incidents(ctx context.Context, a Actor) ([]IncidentText, error) {
	if err := n.read(a); err != nil {
		return nil, err
	}
	c := &change{Snapshot: n.State(), now: n.Now(), n: n, ctx: ctx}
	out := []IncidentText{}
	for i := range c.Incident.All() {
		one := IncidentText{
			ID: i.ID(), Rule: n.ruleText(i.Rule), Participant: i.Participant, Count: i.Count, Stopped: i.Target.Kind,
			Position: i.At, At: trust.Instant(i.Since),
		}
		one.Still = one.Stopped != "" && c.stopped(i.Target)
		if i.Subject != (trust.SubjectKey{}) {
			r, err := n.trust.Entry(ctx, i.At.N)
			if err != nil {
				return nil, err
			}
			text, err := unsealed[incidentText](c, i.Subject, r)
			if err != nil {
				return nil, err
			}
			if text != nil {
				one.Namespace, one.Subject = text.Namespace, text.Subject
			}
		}
		out = append(out, one)
	}
	return out, nil
}
