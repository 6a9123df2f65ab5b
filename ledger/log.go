// Package ledger is the log machine: entries go down durably in one order, into
// a tree that a checkpoint signs, and are folded into a state that is published
// only once they are durable.
//
// It decides how entries are stamped, salted, hashed, numbered, grouped and
// signed, and how all of it is checked again (Verify). It knows bytes, kind and
// version of an entry and refuses to know what one means: that is the fold's
// affair, which the caller gives. How bytes become durable is package store's.
package ledger

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// Config is what a log is opened with.
type Config[S any] struct {
	Store  store.Store
	Log    string       // store.TrustLog or store.DecisionLog
	Origin string       // the first line of its checkpoints
	Now    func() int64 // Unix seconds
	Rand   io.Reader    // for the salt of each leaf
	// Epoch is that of new entries where the newest entry's is lower; it never
	// falls. 0 goes on in the newest entry's, or begins with 1.
	Epoch uint32

	// Signer gives what signs the checkpoint of a batch, by the batch's time in
	// Unix seconds: keys change while a log is open.
	Signer func(at int64) (note.Signer, error)
	// Verifiers know every key that may have signed the newest checkpoint.
	Verifiers note.Verifiers

	// Fold gives the state after a record. It does not change the state it is
	// given. An error stops Open, and refuses the entry otherwise. A log with a
	// nil Fold has no state.
	Fold func(S, Record) (S, error)
	// Start is the state that the fold goes on from: that after the record at
	// StartAt, or, StartAt being the zero value, before the first record.
	Start   S
	StartAt trust.Position
}

// Log is an open log. Its methods may be called by any number of goroutines.
type Log[S any] struct {
	cfg   Config[S]
	epoch uint32
	salts *salts

	queue    queue[S]
	requests sync.Pool // of *request[S], for Append
	plan     plan[S]   // the writer's

	published atomic.Pointer[published[S]]
	fatal     chan error
	ended     chan struct{}
}

// published is what everybody may see of a log: all of it is durable.
type published[S any] struct {
	state   S
	head    store.Head
	changed chan struct{} // closed when something newer is published
}

// Open opens a log, checks that its tree is the one its newest checkpoint
// signs, folds its records and begins to take new ones. Close ends it; the store
// stays open. It fails with the fold's error and the number of the entry that
// the fold refuses, and with a *Fault where the log contradicts itself.
func Open[S any](ctx context.Context, cfg Config[S]) (*Log[S], error) {
	head, err := cfg.Store.Head(ctx, cfg.Log)
	if err != nil {
		return nil, err
	}
	l := &Log[S]{
		cfg: cfg, epoch: max(1, cfg.Epoch), fatal: make(chan error, 1), ended: make(chan struct{}),
	}
	if l.salts, err = newSalts(cfg.Rand); err != nil {
		return nil, err
	}
	l.queue.wake = sync.NewCond(&l.queue.mu)
	l.published.Store(&published[S]{state: cfg.Start, head: head, changed: make(chan struct{})})
	tree, err := l.checkHead(ctx, head)
	if err != nil {
		return nil, err
	}
	if err := l.foldAll(ctx); err != nil {
		return nil, err
	}
	l.plan.begin(tree)
	go l.write(context.WithoutCancel(ctx))
	return l, nil
}

// checkHead gives the edge of the log's tree, whose root the head has signed.
func (l *Log[S]) checkHead(ctx context.Context, head store.Head) (edge, error) {
	if head.Size == 0 {
		return edge{}, nil
	}
	c, err := ParseCheckpoint(head.Checkpoint, l.cfg.Origin, l.cfg.Verifiers)
	if err != nil {
		return edge{}, fault(l.cfg.Log, head.Size, err.Error())
	}
	tree, err := readEdge(head.Size, l.hashes(ctx))
	if err != nil {
		return edge{}, err
	}
	if c.Size != head.Size || c.Root != tree.root() {
		return edge{}, fault(l.cfg.Log, head.Size, "the newest checkpoint signs another tree than the stored one")
	}
	l.epoch = max(l.epoch, c.Epoch)
	return tree, nil
}

// foldAll folds what Start does not hold yet, and learns the newest stamp.
func (l *Log[S]) foldAll(ctx context.Context) error {
	p := l.published.Load()
	var next uint64
	if l.cfg.StartAt != (trust.Position{}) {
		next = l.cfg.StartAt.N + 1
	}
	if next > p.head.Size {
		return trust.Errorf(trust.Invalid, "%s log ends with entry count %d; it cannot be folded on from %s", l.cfg.Log, p.head.Size, l.cfg.StartAt)
	}
	if p.head.Size > 0 && (l.cfg.Fold == nil || next == p.head.Size) {
		last, err := l.Entry(ctx, p.head.Size-1)
		l.queue.at = last.At
		return err
	}
	for next < p.head.Size {
		records, err := l.Read(ctx, next, pageSize)
		if err != nil {
			return err
		}
		for _, r := range records {
			if p.state, err = l.cfg.Fold(p.state, r); err != nil {
				return trust.Errorf(trust.KindOf(err), "%s log, entry %d: %w", l.cfg.Log, r.Position.N, err)
			}
			l.queue.at = r.At
			next++
		}
	}
	return nil
}

// Head gives the state after the newest durable record.
func (l *Log[S]) Head() S { return l.published.Load().state }

// Snapshot gives the state after the newest durable record together with the
// checkpoint of that record's batch, as a state checkpoint needs them.
func (l *Log[S]) Snapshot() (state S, checkpoint []byte) {
	p := l.published.Load()
	return p.state, p.head.Checkpoint
}

// Size gives the number of durable records.
func (l *Log[S]) Size() uint64 { return l.published.Load().head.Size }

// Epoch gives the epoch of new records.
func (l *Log[S]) Epoch() uint32 { return l.epoch }

// At gives the newest stamp that was given, in Unix seconds.
func (l *Log[S]) At() int64 {
	l.queue.mu.Lock()
	defer l.queue.mu.Unlock()
	return l.queue.at
}

// Checkpoint gives the newest signed checkpoint, nil before the first record.
func (l *Log[S]) Checkpoint() []byte { return l.published.Load().head.Checkpoint }

// Watch gives a channel that is closed when newer records than those there are
// now have become durable. Call it before looking for what there is.
func (l *Log[S]) Watch() <-chan struct{} { return l.published.Load().changed }

// Fatal gives a channel that yields one error when the log can take no more
// records and the process is to end.
func (l *Log[S]) Fatal() <-chan error { return l.fatal }

// Close refuses new records with Unavailable, waits for those under way and
// ends the writer.
func (l *Log[S]) Close() {
	l.queue.close()
	<-l.ended
}

func (l *Log[S]) hashes(ctx context.Context) tlog.HashReader {
	return hashReader(ctx, l.cfg.Store, l.cfg.Log)
}
