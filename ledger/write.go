package ledger

import (
	"context"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// Do runs a command in the log's one writer: on the newest state, that of
// entries on their way down included, and with the stamp its first entry will
// have. What the command returns is folded at once and goes down with whatever
// else is waiting. Do returns when that is durable and published, with the state
// after the command's entries and their positions.
//
// A command that fails adds nothing and fails Do with its own error; others are
// untouched. A command may be run again if a single-use value of another caller
// turns out to be used; it must have no effect but its result. Where the batch
// cannot be written Do fails with Unavailable, and everything is as it was; with
// Internal the log takes no more entries (see Fatal). The context counts until
// the command is queued. Single-use values are burned with what the command
// adds, as Append does.
func (l *Log[S]) Do(ctx context.Context, command func(head S, next trust.Stamp) ([]Entry, error), once ...trust.Once) (S, []trust.Position, error) {
	r := &request[S]{at: l.cfg.Now(), command: command, once: once}
	if err := l.wait(ctx, r); err != nil {
		var none S
		return none, nil, err
	}
	positions := make([]trust.Position, r.count)
	for i := range positions {
		positions[i] = trust.Position{Epoch: l.epoch, N: r.first + uint64(i)}
	}
	return r.state, positions, nil
}

// Append adds one entry that needs no look at the state, and burns single-use
// values with it. It returns when both are durable. The leaf is made and hashed
// in the caller's goroutine; that e.Body is canonical JSON is the caller's
// promise. It fails with Conflict where a value has been used or has expired, with Unavailable
// where the edge of one has its quota, and otherwise as Do does.
func (l *Log[S]) Append(ctx context.Context, e Entry, once ...trust.Once) (trust.Position, error) {
	if err := e.check(); err != nil {
		return trust.Position{}, err
	}
	r, _ := l.requests.Get().(*request[S])
	if r == nil || l.cfg.Fold != nil {
		r = &request[S]{} // a fold may keep the leaf
	}
	r.at, r.entry, r.once = e.At, e, once
	if r.at == 0 {
		r.at = l.cfg.Now()
	}
	r.salt = l.salts.next()
	r.render()
	if err := l.wait(ctx, r); err != nil {
		return trust.Position{}, err
	}
	position := trust.Position{Epoch: l.epoch, N: r.first}
	*r = request[S]{space: r.space}
	l.requests.Put(r)
	return position, nil
}

func (l *Log[S]) wait(ctx context.Context, r *request[S]) error {
	if err := ctx.Err(); err != nil {
		return trust.Errorf(trust.Unavailable, "waiting for the %s log: %w", l.cfg.Log, err)
	}
	g, err := l.queue.put(r)
	if err != nil {
		return err
	}
	<-g.done
	return r.err
}

// write is the writer: it alone appends, folds and publishes.
func (l *Log[S]) write(ctx context.Context) {
	defer close(l.ended)
	for g := l.queue.take(); g != nil; g = l.queue.take() {
		err := l.commit(ctx, g)
		if isUnsigned(err) && len(g.requests) > 1 {
			err = l.commitEach(ctx, g)
		} else if err != nil {
			g.fail(err)
		}
		close(g.done)
		if kind := trust.KindOf(err); kind == trust.Internal || kind == trust.Conflict {
			l.die(err)
			return
		}
	}
}

// commitEach commits the requests of a group one by one. What no key could sign
// must not fail its neighbours: a command that adds nothing, such as the draft of
// a card for new keys, needs no signature, and the one that brings them does not
// fail it.
func (l *Log[S]) commitEach(ctx context.Context, g *group[S]) error {
	for i := range g.requests {
		one := &group[S]{requests: g.requests[i : i+1]}
		err := l.commit(ctx, one)
		if err != nil {
			one.fail(err)
		}
		if err != nil && !isUnsigned(err) {
			(&group[S]{requests: g.requests[i:]}).fail(err)
			return err
		}
	}
	return nil
}

// die refuses everything from here on: either it is not known what the disk
// holds, or somebody else writes to this log.
func (l *Log[S]) die(err error) {
	l.queue.refuse(err)
	for _, g := range l.queue.drain() {
		g.fail(err)
		close(g.done)
	}
	l.fatal <- err
}

// commit makes a group durable and publishes what it leads to. A conflict over
// a single-use value, which the other log has taken in between, is planned
// around.
func (l *Log[S]) commit(ctx context.Context, g *group[S]) error {
	for {
		now := l.published.Load()
		if err := l.planGroup(ctx, now, g); err != nil {
			return err
		}
		p := &l.plan
		if len(p.batch.Records) == 0 {
			return nil
		}
		checkpoint := Checkpoint{Origin: l.cfg.Origin, Size: p.next.size, Root: p.next.root(), Epoch: l.epoch}
		var err error
		if p.batch.Checkpoint, err = checkpoint.sign(l.cfg.Signer, p.batch.At); err != nil {
			return err
		}
		err = l.cfg.Store.Append(ctx, p.batch)
		if trust.KindOf(err) == trust.Conflict && len(p.batch.Once) > 0 && l.onceTaken(ctx) {
			continue
		}
		if err != nil {
			return err
		}
		p.next.copyTo(&p.tree)
		l.published.Store(&published[S]{
			state: p.state, changed: make(chan struct{}),
			head: store.Head{Size: p.tree.size, Checkpoint: p.batch.Checkpoint},
		})
		close(now.changed)
		return nil
	}
}

// onceTaken reports whether a value of the planned batch can no longer be used.
func (l *Log[S]) onceTaken(ctx context.Context) bool {
	verdicts, err := l.cfg.Store.Once(ctx, l.plan.batch.At, l.plan.batch.Once)
	for _, verdict := range verdicts {
		if verdict != nil {
			return true
		}
	}
	return err != nil
}
