package node

import (
	"context"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// openLog opens one of the node's logs under its origin, with new entries in no
// lower epoch than the given.
func openLog[S any](ctx context.Context, c Config, epoch uint32, log, origin string, start S, fold func(S, ledger.Record) (S, error), at trust.Position) (*ledger.Log[S], error) {
	verifiers, err := c.Keys.NoteVerifiers(origin)
	if err != nil {
		return nil, err
	}
	return ledger.Open(ctx, ledger.Config[S]{
		Store: c.Store, Log: log, Origin: origin, Verifiers: verifiers,
		Signer: func(at int64) (note.Signer, error) { return c.Keys.NoteSigner(origin, at) },
		Now:    c.Clock.Stamp, Rand: c.Rand, Epoch: epoch,
		Fold: fold, Start: start, StartAt: at,
	})
}

// openTrust opens the trust log and folds it, from the newest state checkpoint
// that still fits. Its new entries are in no lower epoch than the given, nor than
// its newest entry's.
func (n *Node) openTrust(ctx context.Context, epoch uint32) error {
	head, err := n.Store.Head(ctx, store.TrustLog)
	if err != nil {
		return err
	}
	if head.Size == 0 {
		return trust.Errorf(trust.Conflict, "the ledger is empty; entente init begins one")
	}
	checkpoint, err := ledger.ReadCheckpoint(head.Checkpoint)
	if err != nil {
		return err
	}
	start := n.loadCheckpoint(ctx)
	n.trust, err = openLog(ctx, n.Config, epoch, store.TrustLog, checkpoint.Origin, start, n.fold, start.At.Position)
	return err
}

const (
	checkpointBucket = "state"
	checkpointKey    = "checkpoint"
	checkpointEvery  = 10 * time.Minute
)

// keepCheckpoints saves the state now and then, so that a start after a crash
// folds little.
func (n *Node) keepCheckpoints(ctx context.Context) {
	for {
		wait(ctx, nil, checkpointEvery)
		if ctx.Err() != nil {
			return
		}
		if err := n.saveCheckpoint(ctx); err != nil {
			n.Log.Warn("state checkpoint not written; the next start folds more", "error", err)
		}
	}
}

// saveCheckpoint keeps the state as it is now, if it is not what is kept already,
// so that the next start folds only what came after. For a store that does not
// answer nothing is rendered.
func (n *Node) saveCheckpoint(ctx context.Context) error {
	if _, err := n.Store.Head(ctx, store.TrustLog); err != nil {
		return err
	}
	now, checkpoint := n.trust.Snapshot()
	if kept := n.kept.Load(); kept != nil && *kept == now.At {
		return nil
	}
	data, err := state.Save(now, checkpoint)
	if err != nil {
		return err
	}
	err = n.Store.Put(ctx, store.Pair{Bucket: checkpointBucket, Key: checkpointKey, Value: data})
	if err == nil {
		n.kept.Store(&now.At)
	}
	return err
}

// loadCheckpoint gives the kept state, or the empty one if there is none that
// this binary's fold has made of this very log.
func (n *Node) loadCheckpoint(ctx context.Context) *state.Snapshot {
	data, err := n.Store.Get(ctx, checkpointBucket, checkpointKey)
	if err != nil {
		return &state.Snapshot{}
	}
	load := n.Load
	if load == nil {
		load = state.Load
	}
	saved, checkpoint, err := load(data)
	if err == nil {
		err = n.onLog(ctx, saved, checkpoint)
	}
	if err != nil {
		n.Log.Warn("state checkpoint discarded; folding the whole log", "error", err)
		return &state.Snapshot{}
	}
	n.kept.Store(&saved.At)
	return saved
}

// onLog checks that a saved state stands at the end of a tree that the log's own
// begins with.
func (n *Node) onLog(ctx context.Context, saved *state.Snapshot, checkpoint []byte) error {
	c, err := ledger.CheckPrefix(ctx, n.Store, store.TrustLog, checkpoint)
	if err == nil && c.Size != saved.At.Position.N+1 {
		return trust.Errorf(trust.Invalid, "state is after entry %s and its checkpoint of size %d", saved.At.Position, c.Size)
	}
	return err
}
