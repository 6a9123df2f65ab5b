package node

import (
	"github.com/entente-id/entente/breakglass"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// breakGlassMessage tells the home how emergency access of one of its people
// stands at the host. It names neither the resource nor the reason.
type breakGlassMessage struct {
	ID           string             `json:"id"`
	N            uint64             `json:"n"`
	Agreement    string             `json:"agreement"` // its random identifier
	Namespace    string             `json:"namespace"`
	Subject      string             `json:"subject"`
	Service      string             `json:"service"` // its audience
	Action       trust.Action       `json:"action"`
	ResourceType trust.ResourceType `json:"resource_type"`
	Stage        breakglass.Stage   `json:"stage"`
	Ends         int64              `json:"ends"`
	Due          int64              `json:"due"`
}

// tellGlass tells the home of who broke the glass where that stands.
func (c *change) tellGlass(id, namespace, subject string) error {
	o, _ := c.BreakGlass.Get(id)
	return c.send(o.Participant, edge.Governance, kindBreakGlass, o.Subject, breakGlassMessage{
		ID: o.ID, N: o.N, Agreement: o.Agreement, Namespace: namespace, Subject: subject, Service: o.Service, Action: o.Action, ResourceType: o.ResourceType,
		Stage: o.Stage(c.now), Ends: o.Ends, Due: o.Due,
	})
}

// receiveBreakGlass: one of our own people broke the glass at a host, or what was
// made of that. A host tells it of its own agreements with us alone.
func receiveBreakGlass(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[breakGlassMessage](content)
	if err != nil {
		return err
	}
	host := from.Card.ID
	a, ok := c.Agreement.ByID(m.Agreement)
	if !ok || a.Home() != c.n.self || a.Host() != host || m.Subject == "" {
		return trust.Errorf(trust.Denied, "%s tells of emergency access under no agreement by which it lets our people in, or of nobody", host)
	}
	who := c.n.Keys.Subject(c.n.self.String(), m.Namespace, m.Subject)
	told := breakglass.Told{From: host, Agreement: m.Agreement, Subject: who, ID: m.ID, N: m.N, Stage: m.Stage, Ends: m.Ends, Due: m.Due}
	events, err := c.BreakGlass.Tell(told)
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := c.addSealed(e, sealed{owner: who, text: m}); err != nil {
			return err
		}
		kind, due := finding.BreakGlass, c.now+finding.Due
		if m.Stage == breakglass.Overdue {
			kind, due = finding.BreakGlassOverdue, c.now
		}
		if err := c.lookAtGlass(host, finding.Home, kind, m.N, a.Revision.Document.Owners.Home.Role, due); err != nil {
			return err
		}
		c.n.Log.Warn("one of our own people broke the glass at a partner", "id", m.ID, "partner", host.String(), "agreement", m.Agreement, "stage", string(m.Stage))
	}
	return nil
}
