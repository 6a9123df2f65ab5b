package ledger

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// pageSize is how many records are read at once.
const pageSize = 4096

// Read gives at most limit durable records from number from on.
func (l *Log[S]) Read(ctx context.Context, from uint64, limit int) ([]Record, error) {
	page, err := l.cfg.Store.Read(ctx, store.Query{Log: l.cfg.Log, From: from, Max: limit})
	if err != nil {
		return nil, err
	}
	var records []Record
	for _, run := range page.Runs {
		if records, err = parseRun(l.cfg.Log, run, records); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// parseRun appends the records of a run to records.
func parseRun(log string, run store.Run, records []Record) ([]Record, error) {
	c, err := readCheckpoint(run.Checkpoint)
	if err != nil {
		return nil, fault(log, run.First, err.Error())
	}
	for i, stored := range run.Records {
		r, err := ParseRecord(stored)
		if err != nil {
			return nil, fault(log, run.First+uint64(i), err.Error())
		}
		r.Position = trust.Position{Epoch: c.Epoch, N: run.First + uint64(i)}
		records = append(records, r)
	}
	return records, nil
}

// Entry gives record n, or NotFound.
func (l *Log[S]) Entry(ctx context.Context, n uint64) (Record, error) {
	records, err := l.Read(ctx, n, 1)
	if err != nil {
		return Record{}, err
	}
	if len(records) == 0 {
		return Record{}, trust.Errorf(trust.NotFound, "%s log has no entry %d; it has %d", l.cfg.Log, n, l.Size())
	}
	return records[0], nil
}

// Proof gives the proof that the tree of the given size has entry n, for
// VerifyInclusion. It fails with NotFound where there is no such tree or entry.
func (l *Log[S]) Proof(ctx context.Context, n, size uint64) ([]Hash, error) {
	if n >= size || size > l.Size() {
		return nil, trust.Errorf(trust.NotFound, "%s log has %d entries; entry %d of its first %d is not there", l.cfg.Log, l.Size(), n, size)
	}
	return tlog.ProveRecord(int64(size), int64(n), l.hashes(ctx))
}

// Consistency gives the proof that the tree of size later begins with that of
// size earlier, for VerifyConsistency. It fails with NotFound where there are no
// such trees.
func (l *Log[S]) Consistency(ctx context.Context, earlier, later uint64) ([]Hash, error) {
	if earlier > later || later > l.Size() {
		return nil, trust.Errorf(trust.NotFound, "%s log has %d entries; size %d does not lead to size %d in it", l.cfg.Log, l.Size(), earlier, later)
	}
	if earlier == 0 {
		return nil, nil
	}
	return tlog.ProveTree(int64(later), int64(earlier), l.hashes(ctx))
}

func hashReader(ctx context.Context, r store.Reader, log string) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]Hash, error) {
		page, err := r.Read(ctx, store.Query{Log: log, Hashes: indexes})
		if err != nil {
			return nil, err
		}
		hashes := make([]Hash, len(page.Hashes))
		for i := range hashes {
			hashes[i] = page.Hashes[i]
		}
		return hashes, nil
	})
}
