package node

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/trust"
)

// Terms are a remedy in words, as both parties sign for it by its hash. Salt is
// random, so that the hash says nothing of them. Bar, Plan and Monitor may each be
// left out. Claim and Person name somebody, of the opener's, whatever identifier
// they come under: no token whose claim has that value is let in.
type Terms struct {
	Salt    string        `json:"salt,omitempty"`
	Bar     trust.Instant `json:"bar,omitzero"`
	Plan    []string      `json:"plan,omitempty"`
	Monitor trust.Span    `json:"monitor,omitzero"`
	Limit   int64         `json:"limit,omitzero"` // permits an hour while it is monitored
	Claim   string        `json:"claim,omitempty"`
	Person  string        `json:"person,omitempty"`
	Note    string        `json:"note,omitempty"`
}

// disputeMessage is a move as it travels, and the sealed part of what it led to. It
// names a subject in plain: each ledger knows it by a key of its own.
type disputeMessage struct {
	Verb       dispute.Verb          `json:"verb"`
	ID         string                `json:"id"`
	Opener     trust.ParticipantID   `json:"opener,omitzero"`
	Respondent trust.ParticipantID   `json:"respondent,omitzero"`
	About      *NoticeText           `json:"about,omitempty"`
	Agreement  string                `json:"agreement,omitempty"`
	Rules      *dispute.Rules        `json:"rules,omitempty"`
	Since      int64                 `json:"since,omitzero"`
	Text       string                `json:"text,omitempty"`
	Answered   string                `json:"answered,omitempty"`
	To         dispute.Stage         `json:"to,omitempty"`
	Thirds     []trust.ParticipantID `json:"thirds,omitempty"`
	Due        int64                 `json:"due,omitzero"`
	Terms      *Terms                `json:"terms,omitempty"`
	Tabled     []Terms               `json:"tabled,omitempty"`
	Hash       string                `json:"hash,omitempty"`
	Answers    string                `json:"answers,omitempty"`
	Exhibit    *Exhibit              `json:"exhibit,omitempty"`
	Condition  int                   `json:"condition,omitzero"`
}

func compareText(a, b string) int { return cmp.Compare(a, b) }

// opened is the dispute that a message brings.
func (m *disputeMessage) opened(n *Node, a dispute.Act) (dispute.Opened, error) {
	if m.About == nil || m.Rules == nil {
		return dispute.Opened{}, trust.Errorf(trust.Invalid, "a dispute names what it is about and its rules; this one lacks one of them")
	}
	return dispute.Opened{
		Act: a, Opener: m.Opener, Respondent: m.Respondent, Target: m.About.target(n), Agreement: m.Agreement, Rules: *m.Rules, Since: m.Since,
	}, nil
}

// hash is what terms are known by in both ledgers.
func (t *Terms) hash() (string, error) {
	text, err := canonical.Marshal(t)
	if err != nil {
		return "", trust.Errorf(trust.Internal, "rendering the terms of a remedy: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// personSpace is the namespace of what a claim names people by.
func personSpace(claim string) string { return "claim " + claim }

// remedy is what the terms of a message mean in this ledger. It fails with Invalid
// where their hash is not the one that it names.
func (c *change) remedy(opener trust.ParticipantID, m *disputeMessage) (dispute.Remedy, error) {
	t := m.Terms
	if t == nil || t.Salt == "" {
		return dispute.Remedy{}, trust.Errorf(trust.Invalid, "a remedy has terms with a salt; there are none")
	}
	if hash, err := t.hash(); err != nil || hash != m.Hash {
		return dispute.Remedy{}, trust.Errorf(trust.Invalid, "the terms of a remedy do not have the hash that they are named by")
	}
	r := dispute.Remedy{Bar: int64(t.Bar), Conditions: len(t.Plan), Monitor: int64(t.Monitor), Limit: t.Limit, Claim: t.Claim}
	if slices.Contains(t.Plan, "") || (t.Claim == "") != (t.Person == "") {
		return r, trust.Errorf(trust.Invalid, "each condition of a plan has words, and a person is named by a claim and its value")
	}
	if t.Claim != "" {
		r.Person = c.n.Keys.Subject(opener.String(), personSpace(t.Claim), t.Person)
	}
	return r, nil
}

// terms completes a proposal or a vote: new terms with a salt, or those that a
// hash names.
func (c *change) terms(held *dispute.Case, m *disputeMessage, move DisputeMove) error {
	if move.Verb == dispute.Propose && held.Role(c.n.self) != dispute.Mediator {
		m.Answers = held.Offer.Hash
	}
	if move.Terms == nil {
		known, err := c.tabled(held)
		if err != nil {
			return err
		}
		for i := range known {
			if hash, err := known[i].hash(); err == nil && hash == move.Hash {
				m.Terms, m.Hash = &known[i], hash
				return nil
			}
		}
		return trust.Errorf(trust.NotFound, "dispute %s has no terms %.12q on the table", held.ID, move.Hash)
	}
	t := *move.Terms
	random := make([]byte, 16)
	if _, err := io.ReadFull(c.n.Rand, random); err != nil {
		return trust.Errorf(trust.Unavailable, "reading randomness: %w", err)
	}
	t.Salt = hex.EncodeToString(random)
	hash, err := t.hash()
	m.Terms, m.Hash = &t, hash
	return err
}

// disputeText reads what was said at an entry of a dispute; nil where whoever it is
// about was erased, or nothing was said.
func (c *change) disputeText(held *dispute.Case, at trust.Position) (*disputeMessage, error) {
	r, err := c.n.trust.Entry(c.ctx, at.N)
	if err != nil || len(r.Sealed) == 0 {
		return nil, err
	}
	return unsealed[disputeMessage](c, held.Target.Subject, r)
}

// tabled are all terms that were said in a dispute.
func (c *change) tabled(held *dispute.Case) ([]Terms, error) {
	var all []Terms
	for _, at := range held.Entries {
		m, err := c.disputeText(held, at)
		if err != nil {
			return nil, err
		}
		if m == nil {
			continue
		}
		if m.Terms != nil {
			all = append(all, *m.Terms)
		}
		all = append(all, m.Tabled...)
	}
	return all, nil
}

// seat brings a dispute before those who sit in its stage: what it is about, what
// was said and put on the table, and our own evidence.
func (c *change) seat(held *dispute.Case) error {
	m := disputeMessage{
		Verb: dispute.Seat, ID: held.ID, Opener: held.Opener, Respondent: held.Respondent, Agreement: held.Agreement, Rules: &held.Rules,
		Since: held.Since, To: held.Stage, Thirds: held.Thirds(), Due: held.Due,
	}
	var exhibits []*Exhibit
	for _, at := range held.Entries {
		if at.N >= c.next.Position.N-uint64(len(c.entries)) {
			continue // of this very change; it says nothing that they need
		}
		said, err := c.disputeText(held, at)
		if err != nil {
			return err
		}
		switch {
		case said == nil:
		case said.Verb == dispute.Open:
			m.About, m.Text = said.About, said.Text
		case said.Verb == dispute.Answer:
			m.Answered = said.Text
		case said.Terms != nil:
			m.Tabled = append(m.Tabled, *said.Terms)
		case said.Exhibit != nil:
			exhibits = append(exhibits, said.Exhibit)
		}
	}
	if m.About == nil {
		return trust.Errorf(trust.Conflict, "dispute %s is about somebody who was erased; nobody else can look at it", held.ID)
	}
	for _, third := range held.Thirds() {
		if err := c.send(third, edge.Governance, kindDispute, held.Target.Subject, m); err != nil {
			return err
		}
		for _, e := range exhibits {
			shown := disputeMessage{Verb: dispute.Exhibit, ID: held.ID, Exhibit: e}
			if err := c.send(third, edge.Governance, kindDispute, held.Target.Subject, shown); err != nil {
				return err
			}
		}
	}
	return nil
}
