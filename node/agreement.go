package node

import (
	"context"
	"encoding/hex"
	"io"
	"slices"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/trust"
)

// RenderAgreement renders the bytes both parties will sign, once. An empty id
// begins an agreement; another counters the agreement of that id. An owner may ask
// for it too, who reads nothing else.
func (n *Node) RenderAgreement(_ context.Context, a Actor, d agreement.Document, id string) ([]byte, string, error) {
	if err := n.read(a); err != nil && !slices.Contains(a.Roles, trust.Role(d.Owner(n.self))) {
		return nil, "", err
	}
	s := n.State()
	if s.Framework.Current == nil {
		return nil, "", trust.Errorf(trust.Conflict, "no framework is in force here; an agreement stands on one")
	}
	rev := agreement.Revision{ID: id, Revision: 1, Framework: s.Framework.Current.Hash, Proposer: n.self, Document: d}
	if id == "" {
		random := make([]byte, 16)
		if _, err := io.ReadFull(n.Rand, random); err != nil {
			return nil, "", trust.Errorf(trust.Internal, "drawing an identifier: %w", err)
		}
		rev.ID = hex.EncodeToString(random)
	} else {
		current, ok := s.Agreement.ByID(id)
		if !ok {
			return nil, "", trust.Errorf(trust.NotFound, "agreement %s is not known here", id)
		}
		rev.Revision, rev.Answers = current.Revision.Revision+1, current.Hash
	}
	return agreement.Render(rev)
}

// OfferAgreement proposes or counters an agreement with the exact bytes that
// RenderAgreement gave, signed by the governance key, and sends it to the
// partner.
func (n *Node) OfferAgreement(ctx context.Context, a Actor, bytes, signature []byte) error {
	_, err := n.change(ctx, func(c *change) error {
		rev, err := agreement.Parse(bytes)
		if err != nil {
			return err
		}
		facts, partner := c.facts(rev.Document), partnerIn(rev.Document, n.self)
		if err := c.take(c.Agreement.May(facts, rev.ID, &rev.Document, agreement.Offer, a.ID)); err != nil || c.refusal != nil {
			return err
		}
		offer := agreement.Offered{Bytes: bytes, Signature: signature, By: a.ID}
		if err := c.take(c.Agreement.Offer(facts, offer, c.now)); err != nil || c.refusal != nil {
			return err
		}
		return c.send(partner, edge.Governance, kindOffer, trust.SubjectKey{}, offerMessage{Bytes: bytes, Signature: signature})
	})
	return err
}

// CountersignAgreement signs the partner's bytes too and tells the partner.
func (n *Node) CountersignAgreement(ctx context.Context, a Actor, name, hash string, signature []byte) error {
	_, err := n.under(ctx, a, name, agreement.Countersign, func(c *change) error {
		current, facts, err := c.factsOfName(name)
		if err != nil {
			return err
		}
		signed := agreement.Countersigned{ID: current.ID, Hash: hash, Signature: signature, By: a.ID}
		if err := c.take(c.Agreement.Countersign(facts, signed, c.now)); err != nil || c.refusal != nil {
			return err
		}
		m := countersignMessage{ID: current.ID, Hash: hash, Signature: signature}
		if err := c.send(current.Other(n.self), edge.Governance, kindCountersign, trust.SubjectKey{}, m); err != nil {
			return err
		}
		return c.catchUp(current.ID)
	})
	return err
}

// ActivateAgreement puts an agreed agreement in force at this node. A host waits
// a little for the home, which may still be telling what it ended before.
func (n *Node) ActivateAgreement(ctx context.Context, a Actor, name string) error {
	waiting, stop := context.WithTimeout(ctx, catchUpWait)
	defer stop()
	for {
		changed := n.trust.Watch()
		current, ok := n.State().Agreement.ByName(name)
		if !ok || current.Stage != agreement.Agreed || current.CaughtUp || current.Home() == n.self || waiting.Err() != nil {
			break
		}
		select {
		case <-changed:
		case <-waiting.Done():
		}
	}
	return n.moveAgreement(ctx, a, name, agreement.Activate, agreement.Active, "", edge.Governance)
}

const catchUpWait = 5 * time.Second

// EndAgreement ends an agreement for good.
func (n *Node) EndAgreement(ctx context.Context, a Actor, name, reason string) error {
	return n.moveAgreement(ctx, a, name, agreement.End, agreement.Ended, reason, edge.Safety)
}

func (n *Node) moveAgreement(ctx context.Context, a Actor, name string, command agreement.Command, to agreement.Stage, reason string, lane edge.Lane) error {
	_, err := n.under(ctx, a, name, command, func(c *change) error {
		current, _ := c.Agreement.ByName(name)
		return c.moveAgreement(current, to, a.ID, reason, lane)
	})
	return err
}

func (c *change) moveAgreement(current *agreement.Agreement, to agreement.Stage, by, reason string, lane edge.Lane) error {
	events, refusal := c.Agreement.Move(c.facts(current.Revision.Document), agreement.Moved{ID: current.ID, To: to, By: by}, c.now)
	if refusal != nil {
		return c.take(events, refusal)
	}
	for _, e := range events {
		if err := c.addSealed(e, sealed{text: reasonText{reason}}); err != nil {
			return err
		}
	}
	return c.send(current.Other(c.n.self), lane, kindMove, trust.SubjectKey{}, moveMessage{ID: current.ID, To: to})
}

// factsOfOffer are the facts for an agreement that may not exist yet here.
func (c *change) factsOfOffer(bytes []byte) (agreement.Facts, trust.ParticipantID, error) {
	rev, err := agreement.Parse(bytes)
	return c.facts(rev.Document), partnerIn(rev.Document, c.n.self), err
}

func (c *change) factsOfID(id string) (agreement.Facts, error) {
	current, ok := c.Agreement.ByID(id)
	if !ok {
		return agreement.Facts{}, trust.Errorf(trust.NotFound, "agreement %s is not known here", id)
	}
	return c.facts(current.Revision.Document), nil
}

func (c *change) factsOfName(name string) (*agreement.Agreement, agreement.Facts, error) {
	current, ok := c.Agreement.ByName(name)
	if !ok {
		return nil, agreement.Facts{}, trust.Errorf(trust.NotFound, "agreement %q is not known here", name)
	}
	return current, c.facts(current.Revision.Document), nil
}

// facts are what an agreement's moves rest on besides agreements.
func (c *change) facts(d agreement.Document) agreement.Facts {
	facts := agreement.Facts{
		Self: c.n.self, Framework: c.Framework.Current, Holders: c.Operator.Holders,
		HomeKey: c.governanceKey(d.Home), HostKey: c.governanceKey(d.Host),
	}
	other := partnerIn(d, c.n.self)
	if p, ok := c.Participant.Partner(other); ok {
		facts.PartnerTrusted = !p.Suspended
	}
	_, facts.PartnerFresh = c.n.views.age(other, c.n.Clock)
	return facts
}

// governanceKey gives the governance key of this organisation or a partner,
// empty for anybody else.
func (c *change) governanceKey(id trust.ParticipantID) string {
	if id == c.n.self {
		return c.Participant.Self().Card.GovernanceKey
	}
	if p, ok := c.Participant.Partner(id); ok {
		return p.Card.GovernanceKey
	}
	return ""
}

// partnerIn gives the party of an agreement that is not self.
func partnerIn(d agreement.Document, self trust.ParticipantID) trust.ParticipantID {
	if d.Home == self {
		return d.Host
	}
	return d.Home
}
