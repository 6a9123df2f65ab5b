package node

import (
	"context"
	"encoding/hex"
	"io"
	"slices"

	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// DisputeRequest opens a dispute about what a partner suspended, named as the
// partner's notice names it. By is the partner, which may be left out where one
// alone did. Agreement is the name of the agreement whose rules hold; where it is
// left out, the first one between the two that is alive.
type DisputeRequest struct {
	Stoppable
	By        trust.ParticipantID `json:"by,omitzero"`
	Agreement string              `json:"under,omitempty"`
	Statement string              `json:"statement"`
}

// DisputeMove is one move in a dispute. What each takes: answer a Statement;
// exhibit a Log and the number N of an entry of our own, or an Exhibit; escalate To
// and Thirds, which may be left out where the agreement names them; propose and
// rule Terms, or the Hash of terms that are on the table; accept a Hash; meet a
// Condition, counted from 1, and a Statement.
type DisputeMove struct {
	Verb      dispute.Verb          `json:"verb"`
	Statement string                `json:"statement,omitempty"`
	Log       string                `json:"log,omitempty"`
	N         uint64                `json:"n,omitzero"`
	Exhibit   *Exhibit              `json:"exhibit,omitempty"`
	To        dispute.Stage         `json:"to,omitempty"`
	Thirds    []trust.ParticipantID `json:"thirds,omitempty"`
	Terms     *Terms                `json:"terms,omitempty"`
	Hash      string                `json:"hash,omitempty"`
	Condition int                   `json:"condition,omitzero"`
}

// OpenDispute disputes what a partner suspended of ours, and gives the dispute's
// identifier, which both ledgers know it by. It fails with Conflict where nothing
// is suspended, or disputed already.
func (n *Node) OpenDispute(ctx context.Context, a Actor, r DisputeRequest) (string, error) {
	random := make([]byte, 16)
	if _, err := io.ReadFull(n.Rand, random); err != nil {
		return "", trust.Errorf(trust.Unavailable, "reading randomness: %w", err)
	}
	id := hex.EncodeToString(random)
	_, err := n.write(ctx, a, func(c *change) error {
		if r.Statement == "" {
			return trust.Errorf(trust.Invalid, "a dispute says why; this one has no statement")
		}
		t, err := c.stoppable(r.Stoppable)
		if err != nil {
			return err
		}
		m := disputeMessage{Verb: dispute.Open, ID: id, Opener: n.self, Respondent: r.By, Text: r.Statement, Since: c.now}
		if m.Respondent.IsZero() {
			m.Respondent = c.standing(t).Partner
		}
		about := c.notice(t, r.Stoppable)
		m.About = &about
		if m.Agreement, err = c.disputeAgreement(r.Agreement, m.Respondent); err != nil {
			return err
		}
		rules := c.disputeRules(m.Agreement)
		m.Rules = &rules
		return c.ownMove(&m, a.ID)
	})
	return id, err
}

// disputeAgreement finds the agreement whose rules hold, by its name or as the
// first one alive with a partner; its random identifier, empty for none.
func (c *change) disputeAgreement(name string, partner trust.ParticipantID) (string, error) {
	for g := range c.Agreement.All() {
		if g.Other(c.n.self) != partner {
			continue
		}
		if _, alive := g.Alive(c.now); name == "" && alive || name != "" && name == g.Revision.Document.Name {
			return g.ID, nil
		}
	}
	if name != "" {
		return "", trust.Errorf(trust.NotFound, "there is no agreement %q with %s", name, partner)
	}
	return "", nil
}

func (c *change) disputeRules(agreement string) dispute.Rules {
	if g, ok := c.Agreement.ByID(agreement); ok {
		return g.Revision.Document.DisputeRules()
	}
	return dispute.Rules{Stage: dispute.UsualStage}
}

// MoveDispute makes a move in a dispute, by one admin. A move that is not this
// node's to make is refused and recorded.
func (n *Node) MoveDispute(ctx context.Context, a Actor, id string, move DisputeMove) error {
	var own *Exhibit
	if move.Verb == dispute.Exhibit && move.Exhibit == nil {
		if err := n.read(a); err != nil {
			return err
		}
		var err error
		if own, err = n.exhibit(ctx, move.Log, move.N); err != nil {
			return err
		}
	}
	_, err := n.write(ctx, a, func(c *change) error {
		held, ok := c.Dispute.Get(id)
		if !ok {
			return trust.Errorf(trust.NotFound, "dispute %s is not known here", id)
		}
		m, err := c.moved(&held, move, own)
		if err != nil {
			return err
		}
		return c.ownMove(m, a.ID)
	})
	return err
}

// moved is an operator's move as it travels.
func (c *change) moved(held *dispute.Case, move DisputeMove, own *Exhibit) (*disputeMessage, error) {
	m := &disputeMessage{Verb: move.Verb, ID: held.ID, Text: move.Statement}
	switch move.Verb {
	case dispute.Answer:
		if move.Statement == "" {
			return nil, trust.Errorf(trust.Invalid, "an answer says why; this one has no statement")
		}
	case dispute.Exhibit:
		if m.Exhibit = move.Exhibit; own != nil {
			m.Exhibit = own
		}
	case dispute.Escalate:
		m.To, m.Thirds, m.Since = move.To, slices.Clone(move.Thirds), c.now
		slices.SortFunc(m.Thirds, func(a, b trust.ParticipantID) int { return compareText(a.String(), b.String()) })
		if len(m.Thirds) == 0 && move.To == dispute.Panel {
			m.Thirds = held.Rules.Panel
		}
		if len(m.Thirds) == 0 && move.To == dispute.Mediated && !held.Rules.Mediator.IsZero() {
			m.Thirds = []trust.ParticipantID{held.Rules.Mediator}
		}
	case dispute.Propose, dispute.Rule:
		return m, c.terms(held, m, move)
	case dispute.Accept:
		m.Hash = move.Hash
	case dispute.Meet:
		m.Condition = move.Condition
	case dispute.Open, dispute.Seat, dispute.End:
		return nil, trust.Errorf(trust.Invalid, "%s is no move of an operator in a dispute", move.Verb)
	default:
		return nil, trust.Errorf(trust.Invalid, "%.20q is no move in a dispute", move.Verb)
	}
	return m, nil
}

// ownMove takes a move of this node and sends it to whom it concerns.
func (c *change) ownMove(m *disputeMessage, by string) error {
	before, _ := c.Dispute.Get(m.ID)
	events, refusal := c.dispute(m, dispute.Act{ID: m.ID, From: c.n.self, By: by})
	if refusal != nil || len(events) == 0 {
		return c.take(events, refusal)
	}
	if err := c.disputed(m, events); err != nil {
		return err
	}
	after, _ := c.Dispute.Get(m.ID)
	for _, to := range c.hear(&after, m.Verb) {
		if err := c.send(to, edge.Governance, kindDispute, after.Target.Subject, m); err != nil {
			return err
		}
	}
	return c.follow(&before, &after)
}

// hear are those who are sent a move of this node. Who mediates or rules hears
// what the parties put before it, once it sits.
func (c *change) hear(held *dispute.Case, v dispute.Verb) []trust.ParticipantID {
	parties := []trust.ParticipantID{held.Opener, held.Respondent}
	var all []trust.ParticipantID
	switch v {
	case dispute.Exhibit, dispute.Propose, dispute.Rule:
		all = slices.Concat(parties, held.Thirds())
	case dispute.Open, dispute.Answer, dispute.Escalate, dispute.Accept, dispute.Meet, dispute.Seat, dispute.End:
		all = parties
	}
	return slices.DeleteFunc(all, func(p trust.ParticipantID) bool {
		_, partner := c.Participant.Partner(p)
		return p == c.n.self || !partner
	})
}

// receiveDispute: a partner moved in a dispute.
func receiveDispute(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[disputeMessage](content)
	if err != nil {
		return err
	}
	before, _ := c.Dispute.Get(m.ID)
	events, refusal := c.dispute(&m, dispute.Act{ID: m.ID, From: from.Card.ID})
	if refusal != nil || len(events) == 0 {
		return c.record(events, refusal)
	}
	if err := c.disputed(&m, events); err != nil {
		return err
	}
	after, _ := c.Dispute.Get(m.ID)
	return c.follow(&before, &after)
}

// disputed records the events of a move; what was said stands beside the first.
func (c *change) disputed(m *disputeMessage, events []trust.Event) error {
	owner := trust.SubjectKey{}
	if m.About != nil {
		owner = m.About.target(c.n).Subject
	}
	if held, ok := c.Dispute.Get(m.ID); ok {
		owner = held.Target.Subject
	}
	for i, e := range events {
		s := sealed{owner: owner}
		if i == 0 {
			s.text = m
		}
		if err := c.addSealed(e, s); err != nil {
			return err
		}
	}
	return nil
}

// dispute asks the rules about a move, ours or a partner's.
func (c *change) dispute(m *disputeMessage, a dispute.Act) ([]trust.Event, error) {
	held, _ := c.Dispute.Get(m.ID)
	f := c.disputeFacts(held.Target, held.Respondent)
	switch m.Verb {
	case dispute.Open:
		return c.opened(m, a)
	case dispute.Seat:
		e, err := m.opened(c.n, a)
		if err != nil {
			return nil, err
		}
		return c.Dispute.Seat(f, dispute.Seated{Opened: e, Stage: m.To, Thirds: m.Thirds, Due: m.Due})
	case dispute.Answer:
		return c.Dispute.Answer(a, c.now)
	case dispute.Exhibit:
		if m.Exhibit == nil {
			return nil, trust.Errorf(trust.Invalid, "evidence is an entry of a ledger with its proof; there is none")
		}
		hash, proven := c.proven(m.Exhibit)
		e := dispute.Exhibited{Act: a, Of: m.Exhibit.Participant, Log: m.Exhibit.Log, N: m.Exhibit.N, Leaf: hash}
		return c.Dispute.Exhibit(e, proven, c.now)
	case dispute.Escalate:
		return c.Dispute.Escalate(f, a, m.To, m.Thirds, m.Since, c.now)
	case dispute.Propose, dispute.Rule:
		r, err := c.remedy(held.Opener, m)
		if err != nil {
			return nil, err
		}
		if m.Verb == dispute.Rule {
			return c.Dispute.Rule(f, a, m.Hash, r, c.now)
		}
		return c.Dispute.Propose(a, m.Hash, r, m.Answers, c.now)
	case dispute.Accept:
		return c.Dispute.Accept(f, a, m.Hash, c.now)
	case dispute.Meet:
		return c.Dispute.Meet(a, m.Condition, c.now)
	case dispute.End:
		return c.Dispute.End(a, c.now)
	default:
		return nil, trust.Errorf(trust.Invalid, "%.20q is no move in a dispute", m.Verb)
	}
}

// opened: the target is named, and the rules are those of the agreement.
func (c *change) opened(m *disputeMessage, a dispute.Act) ([]trust.Event, error) {
	e, err := m.opened(c.n, a)
	if err != nil {
		return nil, err
	}
	own := c.disputeRules(e.Agreement)
	if g, ok := c.Agreement.ByID(e.Agreement); e.Agreement != "" && (!ok || g.Other(e.Opener) != e.Respondent) ||
		own.Stage != e.Rules.Stage || own.Mediator != e.Rules.Mediator || !slices.Equal(own.Panel, e.Rules.Panel) {
		return nil, trust.Errorf(trust.Conflict, "dispute %s goes by other rules than the agreement that it names", e.ID)
	}
	return c.Dispute.Open(c.disputeFacts(e.Target, e.Respondent), e, c.now)
}

func (c *change) disputeFacts(t suspension.Target, respondent trust.ParticipantID) dispute.Facts {
	f := dispute.Facts{Self: c.n.self, Known: func(p trust.ParticipantID) bool {
		_, partner := c.Participant.Partner(p)
		return partner
	}}
	if t.Kind == "" {
		return f
	}
	standing := c.standing(t)
	if f.Stopped = standing.Partner == respondent; respondent == c.n.self {
		_, here := c.Suspension.Stopped(t, c.now)
		f.Stopped = standing.Stopped || here
	}
	f.Also = c.Suspension.OtherName(t.Subject)
	return f
}

// follow does what comes of a move: a new stage is brought before whoever sits in
// it, and what was settled is enforced here and told to them.
func (c *change) follow(before, after *dispute.Case) error {
	if after.Third() || before.Stage == after.Stage {
		return nil
	}
	switch after.Stage {
	case dispute.Mediated, dispute.Panel:
		return c.seat(after)
	case dispute.Decided:
		for _, third := range after.Thirds() {
			m := disputeMessage{Verb: dispute.End, ID: after.ID}
			if err := c.send(third, edge.Governance, kindDispute, after.Target.Subject, m); err != nil {
				return err
			}
		}
		return c.enforce(after)
	case dispute.Direct, dispute.Closed:
	}
	return nil
}

// enforce: a suspension does not end by itself before its remedy lets it. Whether
// two people may let it go on, the remedy is asked each time.
func (c *change) enforce(held *dispute.Case) error {
	t := held.Target
	if !held.Ours || held.Remedy.Bar == 0 && held.Remedy.Conditions == 0 || t.Kind != suspension.Subject && t.Kind != suspension.Coverage {
		return nil
	}
	e := suspension.Suspended{Target: t, Alias: c.Suspension.OtherName(t.Subject), By: suspension.ByRule("dispute")}
	events, err := c.Suspension.Suspend(suspension.Facts{Self: c.n.self}, e, c.now)
	if err != nil || len(events) == 0 {
		return err
	}
	first, err := c.disputeText(held, held.At)
	if err != nil || first == nil || first.About == nil {
		return err
	}
	told := *first.About
	for _, e := range events {
		if err := c.addSealed(e, sealed{owner: t.Subject, text: told}); err != nil {
			return err
		}
	}
	return c.sendNotice(held.Opener, t, told)
}
