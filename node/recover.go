package node

import (
	"context"
	"slices"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// Reopening is how a ledger goes on behind a loss.
type Reopening struct {
	Epoch    uint32                `json:"epoch"`
	Position trust.Position        `json:"position"` // the first entry of the epoch
	Partners []trust.ParticipantID `json:"partners"` // whose edges are suspended by it
}

// Recover lets the ledger of a stopped node, put back from a backup, go on in a new
// epoch: 0 is the next. From its next start on the node fetches back what each
// partner proves that it was told, and decides nothing before. It fails with
// Conflict for an empty ledger and with Invalid for an epoch that does not follow.
func Recover(ctx context.Context, c Config, epoch uint32, reason string) (out Reopening, err error) {
	if reason == "" {
		return out, trust.Errorf(trust.Invalid, "a recovery has a reason; this has none")
	}
	head, err := c.Store.Head(ctx, store.TrustLog)
	if err != nil {
		return out, err
	}
	if head.Size == 0 {
		return out, trust.Errorf(trust.Conflict, "the ledger is empty; only one that was put back is recovered")
	}
	before, err := ledger.ReadCheckpoint(head.Checkpoint)
	if err != nil {
		return out, err
	}
	if epoch == 0 {
		epoch = before.Epoch + 1
	}
	n := &Node{
		Config: c, codec: state.NewCodec(), issuers: newIssuerKeys(c.Refresh),
		kick: make(chan struct{}, 1), wake: map[trust.ParticipantID]chan struct{}{},
	}
	if err := n.openTrust(ctx, epoch); err != nil {
		return out, err
	}
	defer n.trust.Close()
	n.self = n.State().Participant.Self().Card.ID
	if err := n.Keys.Certify(n.State().Participant.Self().Card.Keys); err != nil {
		return out, err
	}
	if err := n.destroyErased(ctx); err != nil {
		return out, err
	}
	remembered, err := n.rememberedErasures(ctx)
	if err != nil {
		return out, err
	}
	out.Epoch, out.Partners = epoch, []trust.ParticipantID{}
	for p := range n.State().Participant.Partners() {
		out.Partners = append(out.Partners, p.Card.ID)
	}
	out.Position, err = n.change(ctx, func(c *change) error {
		events, err := c.Edge.Reopen(before.Epoch, epoch, out.Partners)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := c.addSealed(e, sealed{text: reasonText{reason}}); err != nil {
				return err
			}
		}
		return c.add(c.Erasure.Find(remembered)...)
	})
	return out, err
}

// Recovery is how a node stands that goes on behind a loss, or should. Waiting
// counts the partners that have not said yet what they hold of this node.
type Recovery struct {
	Epoch   uint32          `json:"epoch"`
	Lost    bool            `json:"lost,omitzero"` // a partner proved a loss that nobody recovered yet
	Waiting int             `json:"waiting"`
	Edges   []RecoveredEdge `json:"edges"`
}

// RecoveredEdge is one edge in a recovery: of this node, while it has a Stage or
// has Lost something on it; or of the partner, while an epoch of it is Held.
type RecoveredEdge struct {
	Partner trust.ParticipantID `json:"partner"`
	Stage   edge.Stage          `json:"stage,omitempty"`
	Held    uint32              `json:"held,omitzero"`
	Fault   string              `json:"fault,omitempty"` // why nothing is fetched back yet
	Asked   string              `json:"asked,omitempty"` // who asked to go on without the partner; another person says so too until Until
	Until   trust.Instant       `json:"until,omitzero"`
	Lost    []LostRange         `json:"lost,omitempty"`
}

// LostRange is what this ledger had told a partner and lost: messages From to To
// of a lane, Again of which took effect here once more, by kind in Kinds.
type LostRange struct {
	Lane  edge.Lane      `json:"lane"`
	From  uint64         `json:"from"`
	To    uint64         `json:"to"`
	Again int            `json:"again"`
	Kinds map[string]int `json:"kinds"`
}

// Recovery tells how far a recovery has come. It fails with Denied for an operator
// who may not look.
func (n *Node) Recovery(ctx context.Context, a Actor) (Recovery, error) {
	if err := n.read(a); err != nil {
		return Recovery{}, err
	}
	s := n.State()
	out := Recovery{Epoch: n.trust.Epoch(), Lost: s.Edge.Recovery.Lost, Waiting: s.Edge.Recovery.Waiting, Edges: []RecoveredEdge{}}
	for p := range s.Participant.Partners() {
		id := p.Card.ID
		one := RecoveredEdge{Partner: id, Stage: s.Edge.Stage(id), Held: s.Edge.Held(id)}
		if asked := s.Edge.WithoutOf(id); one.Stage == edge.Opened && n.Now() < asked.Until {
			one.Asked, one.Until = asked.By, trust.Instant(asked.Until)
		}
		if one.Stage.Awaits() {
			n.recovery.mu.Lock()
			one.Fault = n.recovery.faults[id]
			n.recovery.mu.Unlock()
		}
		if at := s.Edge.RestoredAt(id); at != (trust.Position{}) {
			lost, err := n.lost(ctx, at)
			if err != nil {
				return out, err
			}
			one.Lost = lost
		}
		if one.Stage != "" || one.Held != 0 || len(one.Lost) > 0 {
			out.Edges = append(out.Edges, one)
		}
	}
	return out, nil
}

// lost reads what was fetched back by an entry.
func (n *Node) lost(ctx context.Context, at trust.Position) ([]LostRange, error) {
	r, err := n.trust.Entry(ctx, at.N)
	if err != nil {
		return nil, err
	}
	plain, err := n.Keys.Unseal(ctx, trust.SubjectKey{}, r.Sealed)
	if err != nil {
		return nil, err
	}
	text, err := parse[restoredText](plain)
	if err != nil {
		return nil, err
	}
	var out []LostRange
	for _, m := range text.Lost {
		i := slices.IndexFunc(out, func(l LostRange) bool { return l.Lane == m.Lane })
		if i < 0 {
			i = len(out)
			out = append(out, LostRange{Lane: m.Lane, From: m.N, Kinds: map[string]int{}})
		}
		out[i].To = m.N
		out[i].Kinds[m.Kind]++
		if m.Again {
			out[i].Again++
		}
	}
	return out, nil
}
