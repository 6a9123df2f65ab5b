package node

import (
	"context"

	"github.com/entente-id/entente/erasure"
	"github.com/entente-id/entente/trust"
)

// ErasedSubject is somebody who was erased, by the newest entry that says so. Times
// is how often: what came after an erasure stands until the next. Back says that a
// new engagement has begun since.
type ErasedSubject struct {
	Position trust.Position `json:"position"`
	At       trust.Instant  `json:"at"`
	erasure.Erased
	Times int  `json:"times"`
	Back  bool `json:"back,omitzero"`
	Why   Word `json:"why"`
}

// Erased lists who was erased, in the order of the entries. They are named by keyed
// hashes: nobody can tell from them who it was, but whoever has the identifier and
// this node's index key can check it.
func (n *Node) Erased(ctx context.Context, a Actor) ([]ErasedSubject, error) {
	if err := n.read(a); err != nil {
		return nil, err
	}
	s := n.State()
	all := []ErasedSubject{}
	for _, at := range s.Erasure.Subjects() {
		r, err := n.trust.Entry(ctx, at.N)
		if err != nil {
			return nil, err
		}
		event, err := n.codec.Decode(trust.Kind{Name: r.Kind, Version: r.Version}, r.Body)
		if err != nil {
			return nil, err
		}
		e, ok := event.(erasure.Erased)
		if !ok {
			return nil, trust.Errorf(trust.Internal, "entry %s is %s, where an erasure should stand", at, r.Kind)
		}
		one := ErasedSubject{Position: at, At: trust.Instant(r.At), Erased: e, Times: s.Erasure.Times(e.Subject), Back: !s.Erasure.Forgotten(e.Subject)}
		why, err := unsealed[Word](&change{n: n, ctx: ctx}, trust.SubjectKey{}, r)
		if err != nil {
			return nil, err
		}
		if why != nil {
			one.Why = *why
		}
		all = append(all, one)
	}
	return all, nil
}
