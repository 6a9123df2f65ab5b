package node

import (
	"context"
	"fmt"
	"slices"

	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/trust"
)

// entriesOf gives the entries of at most limit numbers of a column from number
// from on, in their order.
func (n *Node) entriesOf(ctx context.Context, k columnKey, from uint64, limit int) ([]ledger.Record, error) {
	l := n.receipts
	l.mu.Lock()
	var known []uint64
	var head uint64
	if c := l.columns[k]; c != nil && from > 0 {
		head = c.head
		if first := head - uint64(len(c.recent)) + 1; from >= first && from <= head {
			known = slices.Clone(c.recent[from-first:])
		}
	}
	l.mu.Unlock()
	if from == 0 || from > head {
		return nil, nil
	}
	limit = int(min(uint64(limit), head-from+1))
	if len(known) > 0 {
		return n.entriesAt(ctx, known[:limit])
	}
	return n.entriesByMark(ctx, k, from, limit)
}

// entriesAt reads the entries with the given numbers, which rise.
func (n *Node) entriesAt(ctx context.Context, at []uint64) ([]ledger.Record, error) {
	out := make([]ledger.Record, 0, len(at))
	for len(at) > 0 {
		span := at[len(at)-1] - at[0] + 1
		page, err := n.decisions.Read(ctx, at[0], int(min(span, readAtOnce)))
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return nil, trust.Errorf(trust.Internal, "decision log has no entry %d, which has a receipt", at[0])
		}
		for _, r := range page {
			if len(at) > 0 && r.Position.N == at[0] {
				out, at = append(out, r), at[1:]
			}
		}
	}
	return out, nil
}

// entriesByMark counts from the nearest mark before.
func (n *Node) entriesByMark(ctx context.Context, k columnKey, from uint64, limit int) ([]ledger.Record, error) {
	number := (from-1)/blockSize*blockSize + 1
	var entry uint64
	if value, err := n.Store.Get(ctx, markBucket, markKey(k, number)); err == nil {
		if _, err := fmt.Sscanf(string(value), "%x", &entry); err != nil {
			return nil, trust.Errorf(trust.Internal, "mark %s is no number", markKey(k, number))
		}
	} else if trust.KindOf(err) == trust.NotFound {
		number = 1 // not written yet, or lost; the log says it all
	} else {
		return nil, err
	}
	var out []ledger.Record
	for len(out) < limit {
		page, err := n.decisions.Read(ctx, entry, readAtOnce)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			of, err := n.columnOf(ctx, r)
			if err != nil {
				return nil, err
			}
			if of != k {
				continue
			}
			if number >= from && len(out) < limit {
				out = append(out, r)
			}
			number++
		}
		if len(page) == 0 {
			return out, nil
		}
		entry += uint64(len(page))
	}
	return out, nil
}
