package dispute

import (
	"slices"

	"github.com/entente-id/entente/trust"
)

// Escalate asks for the next stage from since on, the mover's time in Unix
// seconds. Whom the rules name, either party has sit once the stage is over; before
// that, and whomever they do not name, both have to ask for alike. Where the two
// cross, the respondent's word stands.
func (s State) Escalate(f Facts, a Act, to Stage, thirds []trust.ParticipantID, since, now int64) ([]trust.Event, error) {
	if c, ok := s.Get(a.ID); ok && a.By == "" && c.Stage == to && slices.Equal(c.Thirds(), thirds) {
		return c.later(a, since, now), nil // both took it further
	}
	c, events, err := s.move(a, Escalate, now)
	if err != nil {
		return events, err
	}
	if reason := c.next(f, to, thirds, a.By != ""); reason != nil {
		return []trust.Event{Refused{Act: a, Verb: Escalate, Rule: RuleThird}}, reason
	}
	if since > now+Leeway || since < now-c.Rules.Stage {
		return refuse(a, Escalate, RuleTime, trust.Conflict, "dispute %s is taken further at %s, which is not now", c.ID, trust.Instant(since))
	}
	e := Escalated{Act: a, To: to, Thirds: thirds, Since: since}
	asked, named := c.Asked, c.named(to)
	over := since >= c.Due && now >= c.Due-Leeway
	alike := asked.To == to && slices.Equal(asked.Thirds, thirds)
	switch {
	case alike && asked.By != a.From, named && over:
		e.Due = since + c.Rules.Stage
		if alike {
			e.Due = max(since, asked.Since) + c.Rules.Stage
		}
	case alike:
		return nil, nil
	case !asked.By.IsZero() && asked.By != a.From && a.From != c.Respondent:
		return refuse(a, Escalate, RuleTurn, trust.Conflict, "dispute %s: %s named others before; ask for these, or let the stage run out", c.ID, asked.By)
	}
	return []trust.Event{e}, nil
}

// later: of two that cross, the later time counts on both sides.
func (c *Case) later(a Act, since, now int64) []trust.Event {
	if due := since + c.Rules.Stage; due > c.Due && since <= now+Leeway {
		return []trust.Event{Escalated{Act: a, To: c.Stage, Thirds: c.Thirds(), Since: since, Due: due}}
	}
	return nil
}

// named reports whether the rules say who sits in a stage.
func (c *Case) named(to Stage) bool {
	return to == Mediated && !c.Rules.Mediator.IsZero() || to == Panel && len(c.Rules.Panel) > 0
}

// next checks that a stage follows, and that these may sit in it. Mediation may be
// left out where the rules name a panel and no mediator.
func (c *Case) next(f Facts, to Stage, thirds []trust.ParticipantID, own bool) error {
	parties := []trust.ParticipantID{c.Opener, c.Respondent}
	switch {
	case to == Mediated && c.Stage == Direct:
		if len(thirds) != 1 || slices.Contains(parties, thirds[0]) || c.named(to) && thirds[0] != c.Rules.Mediator {
			return trust.Errorf(trust.Invalid, "dispute %s has one mediator, who is no party and, where the agreement names one, that one", c.ID)
		}
	case to == Panel && (c.Stage == Mediated || c.named(Panel) && c.Rules.Mediator.IsZero()):
		if c.named(to) && !slices.Equal(thirds, c.Rules.Panel) {
			return trust.Errorf(trust.Invalid, "dispute %s goes before the panel that the agreement names", c.ID)
		}
		if err := checkPanel(thirds, parties); err != nil {
			return err
		}
	default:
		return trust.Errorf(trust.Conflict, "dispute %s is %s; %s does not follow that", c.ID, c.Stage, to)
	}
	for _, third := range thirds {
		if own && !f.Known(third) {
			return trust.Errorf(trust.NotFound, "participant %s is not a partner here; whoever mediates or rules must be", third)
		}
	}
	return nil
}

// at is the time by which a remedy is judged: a partner's was when it was sent, and
// is not refused for its way here.
func (a Act) at(now int64) int64 {
	if a.By == "" {
		return 0
	}
	return now
}

// Propose puts a remedy on the table: a party its own, in place of the other's,
// which o answers; the mediator one, once. Of two that cross, the respondent's
// stands. Hash names the terms.
func (s State) Propose(a Act, hash string, r Remedy, answers string, now int64) ([]trust.Event, error) {
	c, events, err := s.move(a, Propose, now)
	if err != nil {
		return events, err
	}
	if err := r.Check(c.Target, a.at(now)); err != nil {
		return nil, err
	}
	table, crossed := c.Offer, a.From == c.Respondent && answers == "" && a.By == ""
	switch role := c.Role(a.From); {
	case role == Mediator && !c.ready():
		return refuse(a, Propose, RuleStage, trust.Conflict, "dispute %s was brought here by one party alone", c.ID)
	case role == Mediator && c.Proposal.Hash != "":
		return refuse(a, Propose, RuleTurn, trust.Conflict, "the mediator of dispute %s has proposed; it proposes once", c.ID)
	case role == Mediator || c.Third():
	case c.Final[role] != "":
		return refuse(a, Propose, RuleTurn, trust.Conflict, "%s accepted the mediator's proposal in dispute %s; that is its last word", a.From, c.ID)
	case table.From == a.From:
		return refuse(a, Propose, RuleTurn, trust.Conflict, "the proposal of %s in dispute %s waits for the other party", a.From, c.ID)
	case table.Hash != answers && !crossed:
		return refuse(a, Propose, RuleTerms, trust.Conflict, "dispute %s has another proposal on the table; answer that", c.ID)
	}
	return []trust.Event{Proposed{a, hash, r}}, nil
}

// ready reports whether, before a third node, both parties brought the dispute.
func (c *Case) ready() bool { return !c.Third() || len(c.Before) == 2 }

// Accept takes what is on the table: the other party's proposal, which settles it,
// or the mediator's, which does once both accepted it.
func (s State) Accept(f Facts, a Act, hash string, now int64) ([]trust.Event, error) {
	c, events, err := s.move(a, Accept, now)
	if err != nil {
		return events, err
	}
	role, accepted := c.Role(a.From), Accepted{a, hash}
	switch {
	case c.Third():
		return []trust.Event{accepted}, nil
	case c.Offer.Hash == hash && c.Offer.From == c.Other(a.From):
		return []trust.Event{accepted, c.settled(f, c.Offer)}, nil
	case c.Final[role] != "":
		return refuse(a, Accept, RuleTurn, trust.Conflict, "%s accepted the mediator's proposal in dispute %s; that is its last word", a.From, c.ID)
	case c.Stage == Direct || c.Proposal.Hash != hash && a.By != "":
		return refuse(a, Accept, RuleTerms, trust.NotFound, "dispute %s has no such proposal on the table for %s", c.ID, a.From)
	case c.Final[c.Role(c.Other(a.From))] == hash && c.Proposal.Hash == hash:
		return []trust.Event{accepted, c.settled(f, c.Proposal)}, nil
	default: // a partner may have the mediator's word before we have it
		return []trust.Event{accepted}, nil
	}
}

// Rule counts a vote of the panel, one for each member. The majority for the same
// terms settles it.
func (s State) Rule(f Facts, a Act, hash string, r Remedy, now int64) ([]trust.Event, error) {
	c, events, err := s.move(a, Rule, now)
	if err != nil {
		return events, err
	}
	if err := r.Check(c.Target, a.at(now)); err != nil {
		return nil, err
	}
	if !c.ready() {
		return refuse(a, Rule, RuleStage, trust.Conflict, "dispute %s was brought here by one party alone", c.ID)
	}
	votes := 1
	for _, v := range c.Votes {
		if v.From == a.From {
			return refuse(a, Rule, RuleTurn, trust.Conflict, "%s has ruled in dispute %s; each member of a panel rules once", a.From, c.ID)
		}
		if v.Hash == hash {
			votes++
		}
	}
	events = []trust.Event{Ruled{a, hash, r}}
	if 2*votes > len(c.Panel) && !c.Third() {
		events = append(events, c.settled(f, Offer{a.From, hash, r}))
	}
	return events, nil
}

func (c *Case) settled(f Facts, o Offer) Settled {
	return Settled{ID: c.ID, In: c.Stage, Hash: o.Hash, Remedy: o.Remedy, Also: f.Also}
}
