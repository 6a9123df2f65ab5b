package ledger

import (
	"context"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// plan is a batch in the making. Its memory is used again for the next one.
type plan[S any] struct {
	tree   edge // of what is durable
	next   edge // of that and the batch
	state  S    // after the batch
	batch  store.Batch
	leaves []Hash
}

func (p *plan[S]) begin(tree edge) {
	p.tree = tree
	tree.copyTo(&p.next)
}

// planGroup runs and folds a group's requests in their order on what is
// published. It fails only where the store cannot be asked; what happens to a
// single request stands in it.
func (l *Log[S]) planGroup(ctx context.Context, now *published[S], g *group[S]) error {
	p := &l.plan
	p.state = now.state
	p.leaves = p.leaves[:0]
	p.batch = store.Batch{
		Log: l.cfg.Log, Expect: now.head, At: g.requests[len(g.requests)-1].at,
		Records: p.batch.Records[:0], Hashes: p.batch.Hashes[:0], Once: p.batch.Once[:0],
	}
	if err := l.checkOnce(ctx, g); err != nil {
		return err
	}
	for _, r := range g.requests {
		if r.err == nil {
			l.planRequest(r)
		}
	}
	p.tree.copyTo(&p.next)
	for _, leaf := range p.leaves {
		p.batch.Hashes = p.next.add(leaf, p.batch.Hashes)
	}
	return nil
}

// checkOnce fails the requests whose single-use values cannot be burned.
func (l *Log[S]) checkOnce(ctx context.Context, g *group[S]) error {
	var values []trust.Once
	for _, r := range g.requests {
		r.err = nil
		values = append(values, r.once...)
	}
	if len(values) == 0 {
		return nil
	}
	verdicts, err := l.cfg.Store.Once(ctx, l.plan.batch.At, values)
	if err != nil {
		return err
	}
	for _, r := range g.requests {
		for i := range r.once {
			switch {
			case r.err != nil:
			case r.once[i].Expires <= l.plan.batch.At: // the store has forgotten whether it was used
				r.err = trust.Errorf(trust.Conflict, "single-use value %x expired before it was used up; it counts no more", r.once[i].Key)
			default:
				r.err = verdicts[0]
			}
			verdicts = verdicts[1:]
		}
	}
	return nil
}

// planRequest adds what r asks for, all of it or nothing.
func (l *Log[S]) planRequest(r *request[S]) {
	p := &l.plan
	state, count := p.state, len(p.leaves)
	r.first = p.tree.size + uint64(count)
	if r.command != nil {
		r.err = l.runCommand(r)
	} else {
		r.err = l.planEntry(r.at, r.entry, r.record, r.hash)
	}
	if r.err != nil {
		p.state = state
		p.batch.Records, p.leaves = p.batch.Records[:count], p.leaves[:count]
		return
	}
	r.count = len(p.leaves) - count
	if r.count > 0 { // nothing recorded uses nothing up
		p.batch.Once = append(p.batch.Once, r.once...)
	}
	r.state = p.state
}

func (l *Log[S]) runCommand(r *request[S]) error {
	entries, err := r.command(l.plan.state, trust.Stamp{Position: trust.Position{Epoch: l.epoch, N: r.first}, At: r.at})
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := e.check(); err != nil {
			return err
		}
		if !canonical(e.Body) {
			return trust.Errorf(trust.Invalid, "entry %s has a body that is not canonical JSON", e.Kind)
		}
		leaf, hash := e.leaf(nil, l.salts.next(), r.at)
		if err := l.planEntry(r.at, e, store.Record{Leaf: leaf[1:], Sealed: e.Sealed}, hash); err != nil {
			return err
		}
	}
	return nil
}

// planEntry folds an entry and adds it to the batch.
func (l *Log[S]) planEntry(at int64, e Entry, stored store.Record, hash Hash) error {
	p := &l.plan
	if l.cfg.Fold != nil {
		state, err := l.cfg.Fold(p.state, Record{
			Position: trust.Position{Epoch: l.epoch, N: p.tree.size + uint64(len(p.leaves))}, At: at,
			Kind: e.Kind, Version: e.Version, Body: e.Body, Sealed: e.Sealed, Leaf: stored.Leaf, LeafHash: hash,
		})
		if err != nil {
			return err
		}
		p.state = state
	}
	p.batch.Records = append(p.batch.Records, stored)
	p.leaves = append(p.leaves, hash)
	return nil
}
