package node

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// readAtOnce is how many entries are read at a time.
const readAtOnce = 512

// EntryView is an entry as an authorised operator sees it; sealed parts stay
// sealed.
type EntryView struct {
	Position trust.Position `json:"position"`
	At       trust.Instant  `json:"at"`
	Kind     string         `json:"kind"` // "agreement.moved/v1"
	Hash     string         `json:"hash"` // of the leaf, base64
	Body     jsontext.Value `json:"body"`
	Sealed   bool           `json:"sealed,omitzero"` // there is a sealed part
}

// Entries gives at most limit entries of a log from number from on, and the
// number to go on from, 0 at the end.
func (n *Node) Entries(ctx context.Context, a Actor, log string, from uint64, limit int) ([]EntryView, uint64, error) {
	if err := n.read(a); err != nil {
		return nil, 0, err
	}
	if limit < 1 || limit > readAtOnce {
		return nil, 0, trust.Errorf(trust.Invalid, "a page holds 1 to %d entries; %d were asked for", readAtOnce, limit)
	}
	var records []ledger.Record
	var size uint64
	var err error
	switch log {
	case store.TrustLog:
		size = n.trust.Size()
		records, err = n.trust.Read(ctx, from, limit)
	case store.DecisionLog:
		size = n.decisions.Size()
		records, err = n.decisions.Read(ctx, from, limit)
	default:
		return nil, 0, trust.Errorf(trust.NotFound, "log %q is neither trust nor decisions", log)
	}
	if err != nil {
		return nil, 0, err
	}
	next := from + uint64(len(records))
	if next >= size {
		next = 0
	}
	views := make([]EntryView, len(records))
	for i, r := range records {
		views[i] = EntryView{
			Position: r.Position, At: trust.Instant(r.At), Kind: trust.Kind{Name: r.Kind, Version: r.Version}.String(),
			Hash: r.LeafHash.String(), Body: r.Body, Sealed: len(r.Sealed) > 0,
		}
	}
	return views, next, nil
}

// Checkpoint gives a log's newest signed checkpoint, nil before the first entry
// and for a log there is not.
func (n *Node) Checkpoint(log string) []byte {
	switch log {
	case store.TrustLog:
		return n.trust.Checkpoint()
	case store.DecisionLog:
		return n.decisions.Checkpoint()
	default:
		return nil
	}
}

// StateAt folds the trust log up to the last entry stamped at or before a time.
// Before the first entry there was no state: NotFound.
func (n *Node) StateAt(ctx context.Context, a Actor, at time.Time) (*state.Snapshot, error) {
	if err := n.read(a); err != nil {
		return nil, err
	}
	s, err := n.foldUntil(ctx, func(r ledger.Record) bool { return r.At <= at.Unix() })
	if err == nil && s.At == (trust.Stamp{}) {
		return nil, trust.Errorf(trust.NotFound, "trust log begins after %s; there was no state then", trust.Instant(at.Unix()))
	}
	return s.On(at.Unix()), err
}

// stateAfter folds the trust log up to a position, and gives it by the rules that
// held at a time (Unix seconds).
func (n *Node) stateAfter(ctx context.Context, p trust.Position, at int64) (*state.Snapshot, error) {
	if s := n.trust.Head(); s.At.Position == p {
		return s.On(at), nil
	}
	s, err := n.foldUntil(ctx, func(r ledger.Record) bool { return r.Position.Compare(p) <= 0 })
	if err != nil {
		return nil, err
	}
	return s.On(at), nil
}

func (n *Node) foldUntil(ctx context.Context, while func(ledger.Record) bool) (*state.Snapshot, error) {
	s := &state.Snapshot{}
	for from := uint64(0); ; {
		records, err := n.trust.Read(ctx, from, readAtOnce)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if !while(r) {
				return s, nil
			}
			if s, err = n.fold(s, r); err != nil {
				return nil, err
			}
		}
		if len(records) < readAtOnce {
			return s, nil
		}
		from += uint64(len(records))
	}
}
