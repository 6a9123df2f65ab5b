package node

import (
	"context"

	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// Birth is what the first entries of a node's ledger say.
type Birth struct {
	Card     participant.SignedCard
	Operator operator.Added // the first admin
	Name     string         // the operator's name, for the sealed part
}

// Create begins a ledger on an empty store. It fails with Conflict on one that
// has entries.
func Create(ctx context.Context, c Config, b Birth) error {
	n := &Node{
		Config: c, codec: state.NewCodec(), issuers: newIssuerKeys(c.Refresh),
		kick: make(chan struct{}, 1), wake: map[trust.ParticipantID]chan struct{}{},
	}
	head, err := c.Store.Head(ctx, store.TrustLog)
	if err != nil {
		return err
	}
	if head.Size != 0 {
		return trust.Errorf(trust.Conflict, "the ledger has %d entries; a node is begun on an empty one", head.Size)
	}
	card, err := participant.ParseCard(b.Card)
	if err != nil {
		return err
	}
	n.trust, err = openLog(ctx, c, 0, store.TrustLog, card.TrustOrigin, &state.Snapshot{}, n.fold, trust.Position{})
	if err != nil {
		return err
	}
	defer n.trust.Close()
	_, err = n.change(ctx, func(c *change) error {
		if err := c.add(participant.Born{Card: b.Card}); err != nil {
			return err
		}
		b.Operator.Person = n.person(b.Name)
		return c.addSealed(b.Operator, sealed{text: operatorName{b.Name}})
	})
	return err
}

// fold is one entry's step of the trust state.
func (n *Node) fold(s *state.Snapshot, r ledger.Record) (*state.Snapshot, error) {
	return state.Fold(n.codec, s, r.Kind, r.Version, r.Body, trust.Stamp{Position: r.Position, At: r.At})
}
