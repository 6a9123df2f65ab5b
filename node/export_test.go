package node

import (
	"context"
	"hash/maphash"
	"maps"
	"slices"

	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/trust"
)

// Permits is what VerifyLedger knows of the decision log.
type Permits struct{ permits }

// Check reads one entry.
func (p *Permits) Check(r ledger.Record) error { return p.check(r) }

// PauseBehind looks at every stream, as the node does once a minute.
func (n *Node) PauseBehind(ctx context.Context) { n.pauseBehind(ctx) }

// PagesOf divides what an unwinding found into entries.
var PagesOf = pagesOf

// Counted counts more under a rule at a time and gives the sum that reached it, or
// 0.
type Counted struct{ t *tallies }

// NewCounted counts from nothing.
func NewCounted() Counted { return Counted{newTallies()} }

// Add counts more of a subject.
func (c Counted) Add(r incident.Rule, subject trust.SubjectKey, more uint32, now int64) uint64 {
	one := armedRule{r, maphash.Comparable(c.t.seed, r)}
	return c.t.add(&one, c.t.whom(&one, subject, trust.ParticipantID{}), more, now)
}

// LinkUp is for how many seconds the link with a partner has been up.
func (n *Node) LinkUp(p trust.ParticipantID) int64 {
	_, up, _ := n.views.late(p, 0, n.Clock.Mark())
	return up
}

// WatchPosture looks for what has lapsed of a partner's.
func (n *Node) WatchPosture(ctx context.Context, p trust.ParticipantID) error {
	return n.watchPosture(ctx, p)
}

// SealedSizes gives how many bytes the sealed part of each decision has.
func (n *Node) SealedSizes(ctx context.Context) (sizes []int, err error) {
	for at := range n.decisions.Size() {
		record, err := n.decisions.Entry(ctx, at)
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, len(record.Sealed))
	}
	return sizes, nil
}

// DateIdentities looks for what time has brought about of identities.
func (n *Node) DateIdentities(ctx context.Context) error { return n.dateIdentities(ctx) }

// LapseSuspensions looks for suspensions of people that ended by themselves.
func (n *Node) LapseSuspensions(ctx context.Context) error { return n.lapseSuspensions(ctx) }

// Opened gives what stands sealed beside an entry of the trust log, empty once its
// owner was erased.
func (n *Node) Opened(ctx context.Context, number uint64, owner trust.SubjectKey) (string, error) {
	r, err := n.trust.Entry(ctx, number)
	if err != nil || len(r.Sealed) == 0 {
		return "", err
	}
	plain, err := n.Keys.Unseal(ctx, owner, r.Sealed)
	if trust.KindOf(err) == trust.NotFound || trust.KindOf(err) == trust.Invalid { // erased, or another owner's
		return "", nil
	}
	return string(plain), err
}

// Kinds gives the kinds of message that are stated to partners, and those that have
// an effect here.
func Kinds() (stated, handled []string) {
	stated = slices.Sorted(slices.Values(slices.Concat(vital, optional)))
	return stated, slices.Sorted(maps.Keys(effects))
}
