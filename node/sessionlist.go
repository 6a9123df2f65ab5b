package node

import (
	"context"
	"time"

	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// OpenSession is a permit that an enforcement point relies on and waits to be told
// the end of. Subject is what the ledger knows the caller by; whoever may know more
// has it from Explain, by the reference.
type OpenSession struct {
	Reference        string              `json:"reference"`
	EnforcementPoint string              `json:"enforcement_point"`
	Permit           trust.Position      `json:"permit"` // in the decision log
	Since            trust.Instant       `json:"since"`  // when it was asked for last
	Until            trust.Instant       `json:"until"`  // it ends by itself at the latest
	Home             trust.ParticipantID `json:"home"`
	Subject          trust.SubjectKey    `json:"subject"`
	Agreement        string              `json:"agreement,omitempty"` // its name
	Action           trust.Action        `json:"action"`
	ResourceType     trust.ResourceType  `json:"resource_type"`
	Credential       string              `json:"credential,omitempty"` // of this node's own, that it was asked for with
}

// Sessions lists the open sessions, the oldest permit first.
func (n *Node) Sessions(_ context.Context, a Actor) ([]OpenSession, error) {
	if err := n.read(a); err != nil {
		return nil, err
	}
	s, all := n.State(), []OpenSession{}
	open := n.sessions.all(time.Now())
	for _, reference := range byPermit(open) {
		p := open[reference]
		one := OpenSession{
			Reference: reference, EnforcementPoint: p.ask.EnforcementPoint, Permit: p.of, Since: trust.Instant(p.made.Now), Until: trust.Instant(p.Bound),
			Home: p.Participant, Subject: p.made.Subject, Action: p.ask.Action, ResourceType: p.ask.ResourceType, Credential: p.Credential,
		}
		if a, ok := s.Agreement.ByID(p.agreement); ok {
			one.Agreement = a.Revision.Document.Name
		}
		all = append(all, one)
	}
	return all, nil
}

// EndSession ends one open session, by one operator and with a reason: its
// enforcement point is told as soon as that is durable. One that is not open is
// NotFound.
func (n *Node) EndSession(ctx context.Context, a Actor, reference, reason string) (trust.Position, error) {
	if !mayRevoke(a) {
		return trust.Position{}, n.denyOperator(ctx, a)
	}
	if reason == "" {
		return trust.Position{}, trust.Errorf(trust.Invalid, "ending a session has a reason; this one has none")
	}
	n.sessions.looking.Lock() // so that it has no other end beside this one
	defer n.sessions.looking.Unlock()
	p, ok := n.sessions.all(time.Now())[reference]
	if !ok {
		return trust.Position{}, trust.Errorf(trust.NotFound, "session %.40q is not open", reference)
	}
	at, err := n.change(ctx, func(c *change) error {
		events, err := c.Revocation.StopSession(revocation.SessionStopped{Permit: p.of, By: a.ID})
		return c.addAll(events, err, sealed{owner: p.made.Subject, text: reasonText{reason}})
	})
	if err != nil {
		return at, err
	}
	n.sessions.end(p.ask.EnforcementPoint, SessionEvent{Reference: reference, Reason: trust.SessionStopped})
	return at, nil
}
