package node

import (
	"strings"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/delegation"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/trust"
)

// ExplainedHop is one who acts for the caller, and what lets them.
type ExplainedHop struct {
	Who     string           `json:"who,omitzero"`     // issuer and subject; empty for one that a refused link would name
	Subject trust.SubjectKey `json:"subject,omitzero"` // what the ledger knows them by
	Class   trust.Class      `json:"class,omitzero"`   // of the one who called
	Home    string           `json:"home,omitzero"`    // the participant that answers for them
	May     []string         `json:"may,omitzero"`     // by the link to them: actions and resources
	Until   trust.Instant    `json:"until,omitzero"`   // likewise: when it ends
	Depth   int              `json:"depth,omitzero"`   // likewise: how many more may follow
	Failed  bool             `json:"failed,omitzero"`  // the check that decided failed here
}

// explainedHops lists who stands in a chain behind its principal. Failed is the
// hop at which it was refused, 0 for none.
func explainedHops(c *evidence.Chain, seen []decision.Observed, failed int) (all []ExplainedHop) {
	subject := func(i int) (key trust.SubjectKey) {
		if i < len(seen) {
			key = seen[i].Subject
		}
		return key
	}
	known := c.Stated && !c.Actor.Participant.IsZero() || c.Presented()
	caller := ExplainedHop{
		Who: who(delegation.Party{Issuer: c.Actor.Issuer, Subject: c.Actor.Subject}), Subject: subject(len(c.Links)), Class: c.Actor.Class,
		Home: c.Actor.Participant.String(),
	}
	for i := range c.Links {
		l := &c.Links[i]
		hop := ExplainedHop{Who: who(l.To)}
		switch {
		case i+1 < len(c.Links):
			hop.Subject, hop.Home = subject(i+1), c.Links[i+1].Participant.String()
		case known && hop.Who == caller.Who:
			hop, known = caller, false
		}
		hop.Until, hop.Depth = trust.Instant(l.ExpiresAt), l.Depth
		for _, g := range l.Scope {
			hop.May = append(hop.May, g.String())
		}
		all = append(all, hop)
	}
	switch {
	case known:
		all = append(all, caller)
	case failed > len(all):
		all = append(all, ExplainedHop{})
	}
	if failed > 0 && failed <= len(all) {
		all[failed-1].Failed = true
	}
	return all
}

func who(p delegation.Party) string { return strings.TrimSpace(p.Issuer.String() + " " + p.Subject) }
