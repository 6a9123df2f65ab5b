package node

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/review"
	"github.com/entente-id/entente/trust"
)

const (
	countFor   = 4 * time.Second      // that one question counts
	countPause = 5 * time.Millisecond // between two pages
)

// usage counts how often what was granted was used: a projection of the decision
// log that goes behind it as far as somebody asked, and is made again after a start.
// Decisions cost it nothing.
type usage struct {
	mu     sync.Mutex
	read   uint64 // entries looked at
	counts map[useKey]uses
	firsts map[uint64][]useKey // what a permit used that others may repeat
}

// useKey is what something was used by: a client by its identifier, an agreement by
// its random identifier, and a local role that callers of a class have under one.
type useKey struct {
	kind  review.Kind
	name  string
	class trust.Class
	role  trust.Role
}

// uses is how often, and when last (Unix seconds).
type uses struct {
	count uint64
	last  int64
}

func newUsage() *usage { return &usage{counts: map[useKey]uses{}, firsts: map[uint64][]useKey{}} }

// Progress is how far the decisions were counted: Read of so many.
type Progress struct {
	Read uint64 `json:"read"`
	Of   uint64 `json:"of"`
}

// countUses looks at decisions for a while, and tells how far that went.
func (n *Node) countUses(ctx context.Context) (Progress, error) {
	ctx, stop := context.WithTimeout(ctx, countFor)
	defer stop()
	u := n.usage
	u.mu.Lock()
	defer u.mu.Unlock()
	all := n.decisions.Size()
	for u.read < all && ctx.Err() == nil {
		records, err := n.decisions.Read(ctx, u.read, readAtOnce)
		if err == nil {
			err = n.countPage(ctx, records)
		}
		if err != nil && ctx.Err() == nil {
			return Progress{}, err
		}
		if len(records) < readAtOnce {
			break
		}
		wait(ctx, nil, countPause)
	}
	return Progress{Read: min(u.read, all), Of: all}, nil
}

// countAllUses looks at all decisions there are.
func (n *Node) countAllUses(ctx context.Context) error {
	for read := uint64(0); ; {
		done, err := n.countUses(ctx)
		if err != nil || done.Read >= done.Of || ctx.Err() != nil {
			return cmp.Or(err, ctx.Err())
		}
		if done.Read <= read {
			return trust.Errorf(trust.Unavailable, "decisions can be counted up to %d of %d", done.Read, done.Of)
		}
		read = done.Read
	}
}

func (n *Node) countPage(ctx context.Context, records []ledger.Record) error {
	for _, r := range records {
		if err := n.countUse(ctx, r); err != nil {
			return err
		}
		n.usage.read = r.Position.N + 1
	}
	return nil
}

// countUse takes in one entry of the decision log, if it is a use of something.
func (n *Node) countUse(ctx context.Context, r ledger.Record) error {
	kind, more, first := trust.Kind{Name: r.Kind, Version: r.Version}, 1, r.Position.N
	if _, again := decision.Repeats(kind); again {
		a, err := decision.ParseAgain(kind, r.Body)
		if err != nil {
			return err
		}
		first = a.Of.N
	} else if kind == decision.ReusedKind {
		used, err := decision.ParseReused(r.Body)
		if err != nil {
			return err
		}
		first, more = used.Of.N, len(used.Uses)
	}
	keys, known := n.usage.firsts[first]
	if !known {
		if first != r.Position.N {
			entry, err := n.decisions.Entry(ctx, first)
			if err != nil {
				return err
			}
			r = ledger.Record{Kind: entry.Kind, Version: entry.Version, Body: entry.Body, At: r.At}
		}
		var err error
		if keys, err = usedBy(r); err != nil {
			return err
		}
		if len(n.usage.firsts) >= knownFirsts {
			clear(n.usage.firsts)
		}
		if len(keys) > 0 {
			n.usage.firsts[first] = keys
		}
	}
	for _, k := range keys {
		was := n.usage.counts[k]
		n.usage.counts[k] = uses{was.count + uint64(more), max(was.last, r.At)}
	}
	return nil
}

// usedBy names what a permit used; nothing for what is no permit.
func usedBy(r ledger.Record) (keys []useKey, err error) {
	switch kind := (trust.Kind{Name: r.Kind, Version: r.Version}); kind {
	case decision.EntryKind:
		leaf, err := decision.ParseLeaf(r.Body)
		return appendUsed(nil, &leaf), err
	case decision.IssuedKind:
		issued, err := decision.ParseCredentialLeaf(r.Body)
		return append(appendUsed(nil, &issued.Decision), useKey{kind: review.Client, name: issued.Client}), err
	default:
		return nil, nil
	}
}

// appendUsed appends what a leaf's caller used, and the actor of its chain.
func appendUsed(keys []useKey, l *decision.Leaf) []useKey {
	if !l.Permit() {
		return keys
	}
	if l.Agreement != "" {
		keys = append(keys, useKey{kind: review.Agreement, name: l.Agreement})
		for _, role := range l.Roles {
			keys = append(keys, useKey{review.Mapping, l.Agreement, l.Class, role})
		}
	}
	if l.Actor != nil {
		keys = appendUsed(keys, l.Actor)
	}
	return keys
}

// used gives how often something was used, as far as that was counted.
func (u *usage) used(k useKey) uses {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.counts[k]
}
