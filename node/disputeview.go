package node

import (
	"context"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// Dispute is one as an operator sees it. What was said is left out once whoever it
// is about was erased. Holds says what still keeps the target from going on here.
type Dispute struct {
	ID         string                `json:"id"`
	Role       dispute.Role          `json:"role"` // ours
	Opener     trust.ParticipantID   `json:"opener"`
	Respondent trust.ParticipantID   `json:"respondent"`
	Kind       suspension.Kind       `json:"kind"`
	About      *NoticeText           `json:"about,omitempty"`
	Stage      dispute.Stage         `json:"stage"`
	Lapsed     bool                  `json:"lapsed,omitzero"`
	Due        trust.Instant         `json:"due,omitzero"`
	Asked      *dispute.Third        `json:"asked,omitempty"` // what one party asked the next stage to be
	Mediator   trust.ParticipantID   `json:"mediator,omitzero"`
	Panel      []trust.ParticipantID `json:"panel,omitempty"`
	Offer      string                `json:"offer,omitempty"`    // hash of the party's terms on the table
	OfferBy    trust.ParticipantID   `json:"offer_by,omitzero"`  // whose they are
	Proposal   string                `json:"proposal,omitempty"` // hash of the mediator's
	Votes      int                   `json:"votes,omitzero"`
	Decided    *Decided              `json:"decided,omitempty"`
	Holds      string                `json:"holds,omitempty"`
	Moves      []DisputeEntry        `json:"moves,omitempty"` // left out of lists
}

// Decided is what a dispute came to.
type Decided struct {
	In           dispute.Stage `json:"in"`
	Hash         string        `json:"hash"`
	Bar          trust.Instant `json:"bar,omitzero"`
	Conditions   int           `json:"conditions,omitzero"`
	Met          []int         `json:"met,omitempty"`
	Monitor      trust.Span    `json:"monitor,omitzero"`
	Limit        int64         `json:"limit,omitzero"`
	Watched      trust.Instant `json:"watched_until,omitzero"` // while it is monitored
	StoppedAgain trust.Instant `json:"stopped_again,omitzero"` // when, while it was
}

// DisputeEntry is one move, as this ledger has it. Leaf is what an exhibit says,
// which was proven when it came.
type DisputeEntry struct {
	Position  trust.Position        `json:"position"`
	At        trust.Instant         `json:"at"`
	Kind      string                `json:"kind"`
	From      trust.ParticipantID   `json:"from,omitzero"`
	By        string                `json:"by,omitempty"`
	Statement string                `json:"statement,omitempty"`
	Terms     *Terms                `json:"terms,omitempty"`
	Tabled    []Terms               `json:"tabled,omitempty"`
	Hash      string                `json:"hash,omitempty"`
	To        dispute.Stage         `json:"to,omitempty"`
	Thirds    []trust.ParticipantID `json:"thirds,omitempty"`
	Condition int                   `json:"condition,omitzero"`
	Exhibit   *Exhibit              `json:"exhibit,omitempty"`
}

// Disputes lists the disputes that this node is in, the oldest first.
func (n *Node) Disputes(_ context.Context, a Actor) ([]Dispute, error) {
	if err := n.read(a); err != nil {
		return nil, err
	}
	out := []Dispute{}
	s := n.State()
	for c := range s.Dispute.All() {
		out = append(out, n.disputeView(&c))
	}
	return out, nil
}

// Dispute shows one with all that was said. It fails with NotFound.
func (n *Node) Dispute(ctx context.Context, a Actor, id string) (Dispute, error) {
	if err := n.read(a); err != nil {
		return Dispute{}, err
	}
	held, ok := n.State().Dispute.Get(id)
	if !ok {
		return Dispute{}, trust.Errorf(trust.NotFound, "dispute %s is not known here", id)
	}
	out := n.disputeView(&held)
	for _, at := range held.Entries {
		r, err := n.trust.Entry(ctx, at.N)
		if err != nil {
			return out, err
		}
		entry, about, err := n.disputeEntry(ctx, &held, r)
		if err != nil {
			return out, err
		}
		if about != nil {
			out.About = about
		}
		out.Moves = append(out.Moves, entry)
	}
	return out, nil
}

func (n *Node) disputeView(c *dispute.Case) Dispute {
	now := n.Now()
	out := Dispute{
		ID: c.ID, Role: c.Role(n.self), Opener: c.Opener, Respondent: c.Respondent, Kind: c.Target.Kind, Stage: c.Stage, Lapsed: c.Lapsed(now),
		Mediator: c.Mediator, Panel: c.Panel, Offer: c.Offer.Hash, OfferBy: c.Offer.From, Proposal: c.Proposal.Hash, Votes: len(c.Votes),
	}
	if c.Stage != dispute.Decided && c.Stage != dispute.Closed {
		out.Due = trust.Instant(c.Due)
	}
	if c.Asked.To != "" {
		asked := c.Asked
		out.Asked = &asked
	}
	if c.Ours && c.Stage == dispute.Decided {
		out.Holds, _ = n.State().Dispute.Holds(c.Target, now)
	}
	if c.In != "" {
		r := c.Remedy
		out.Decided = &Decided{
			In: c.In, Hash: c.Hash, Bar: trust.Instant(r.Bar), Conditions: r.Conditions, Met: c.Met, Monitor: trust.Span(r.Monitor), Limit: r.Limit,
			StoppedAgain: trust.Instant(c.Again),
		}
		if w, ok := n.State().Dispute.Monitored(c.Target.Subject, now); ok {
			out.Decided.Watched = trust.Instant(w.Until)
		}
	}
	return out
}

// disputeEntry reads one entry of a dispute, and what the dispute is about where it
// says that.
func (n *Node) disputeEntry(ctx context.Context, c *dispute.Case, r ledger.Record) (DisputeEntry, *NoticeText, error) {
	out := DisputeEntry{Position: r.Position, At: trust.Instant(r.At), Kind: r.Kind}
	var act struct {
		dispute.Act
		In   dispute.Stage `json:"in"`
		Hash string        `json:"hash"`
	}
	if err := canonical.DecodeLoose(r.Body, &act); err != nil {
		return out, nil, err
	}
	out.From, out.By, out.Hash = act.From, act.By, act.Hash
	if len(r.Sealed) == 0 {
		return out, nil, nil
	}
	plain, err := n.Keys.Unseal(ctx, c.Target.Subject, r.Sealed)
	if trust.KindOf(err) == trust.NotFound {
		return out, nil, nil // erased
	}
	var m disputeMessage
	if err == nil {
		err = canonical.Decode(plain, &m)
	}
	out.Statement, out.Terms, out.Tabled, out.To, out.Thirds, out.Condition, out.Exhibit = m.Text, m.Terms, m.Tabled, m.To, m.Thirds, m.Condition, m.Exhibit
	return out, m.About, err
}
