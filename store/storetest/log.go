package storetest

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

func empty(t *testing.T, open func() store.Store) {
	w := opened(t, open)
	for _, log := range []string{store.TrustLog, store.DecisionLog} {
		head, err := w.store.Head(ctx, log)
		ok(t, err)
		if head.Size != 0 || head.Checkpoint != nil {
			t.Fatalf("head of the empty %s log is %v", log, head)
		}
		page, err := w.store.Read(ctx, store.Query{Log: log, Max: 10})
		ok(t, err)
		if len(page.Runs) != 0 {
			t.Fatalf("an empty log has %v", page.Runs)
		}
		_, err = w.store.Read(ctx, store.Query{Log: log, Hashes: []int64{0}})
		want(t, err, trust.NotFound)
	}
	_, err := w.store.Head(ctx, "other")
	want(t, err, trust.NotFound)
	_, err = w.store.Read(ctx, store.Query{Log: "other", Max: 1})
	want(t, err, trust.NotFound)
	want(t, w.store.Append(ctx, store.Batch{Log: "other"}), trust.NotFound)
}

var batchSizes = []int{1, 4, 1, 1, 100, 1, 7}

func appended(t *testing.T, open func() store.Store) {
	w := opened(t, open)
	for _, n := range batchSizes {
		ok(t, w.append(n))
		checkLog(t, w)
	}
	ok(t, w.store.Close())
	w.store = open()
	checkLog(t, w)
	ok(t, w.append(3))
	checkLog(t, w)
	ok(t, w.store.Close())
}

// checkLog compares what the store gives with what the writer has appended.
func checkLog(t *testing.T, w *writer) {
	t.Helper()
	head, err := w.store.Head(ctx, w.log)
	ok(t, err)
	if head.Size != w.head.Size || !bytes.Equal(head.Checkpoint, w.head.Checkpoint) {
		t.Fatalf("head is %d %q, want %d %q", head.Size, head.Checkpoint, w.head.Size, w.head.Checkpoint)
	}
	if n := checkRead(t, w, 0, 1<<20); n != w.head.Size {
		t.Fatalf("%d entries are there, want %d", n, w.head.Size)
	}
}

// checkRead reads one page and gives the number after its last entry.
func checkRead(t *testing.T, w *writer, from uint64, limit int) uint64 {
	t.Helper()
	page, err := w.store.Read(ctx, store.Query{Log: w.log, From: from, Max: limit})
	ok(t, err)
	next := from
	for _, run := range page.Runs {
		if run.First != next || len(run.Records) == 0 {
			t.Fatalf("a run of %d begins with entry %d, want %d", len(run.Records), run.First, next)
		}
		for _, r := range run.Records {
			expected := record(w.log, next)
			if !bytes.Equal(r.Leaf, expected.Leaf) || !bytes.Equal(r.Sealed, expected.Sealed) {
				t.Fatalf("entry %d is %q", next, r)
			}
			next++
		}
		if next > run.End || !bytes.Equal(run.Checkpoint, checkpoint(w.log, run.End)) {
			t.Fatalf("entries up to %d have the checkpoint %q of size %d", next, run.Checkpoint, run.End)
		}
	}
	if next-from > uint64(max(limit, 0)) {
		t.Fatalf("a page of at most %d holds %d", limit, next-from)
	}
	return next
}

func pages(t *testing.T, open func() store.Store) {
	w := opened(t, open)
	for _, n := range batchSizes {
		ok(t, w.append(n))
	}
	for from := range w.head.Size + 2 {
		for _, limit := range []int{0, 1, 2, 5, 99, 1000} {
			end := min(from+uint64(limit), max(from, w.head.Size))
			if got := checkRead(t, w, from, limit); got != end {
				t.Fatalf("the page of %d from %d ends at %d, want %d", limit, from, got, end)
			}
		}
	}
}

func apart(t *testing.T, open func() store.Store) {
	w := opened(t, open)
	d := &writer{store: w.store, log: store.DecisionLog}
	for range 3 {
		ok(t, w.append(2))
		ok(t, d.append(5))
	}
	checkLog(t, w)
	checkLog(t, d)
}

func hashes(t *testing.T, open func() store.Store) {
	w := opened(t, open)
	for _, n := range batchSizes {
		ok(t, w.append(n))
	}
	check := func() {
		t.Helper()
		indexes := []int64{int64(len(w.all)) - 1, 0}
		for i := range w.all {
			indexes = append(indexes, int64(i))
		}
		page, err := w.store.Read(ctx, store.Query{Log: w.log, Hashes: indexes})
		ok(t, err)
		if len(page.Runs) != 0 || len(page.Hashes) != len(indexes) {
			t.Fatalf("%d hashes and %d runs, want %d and none", len(page.Hashes), len(page.Runs), len(indexes))
		}
		for i, index := range indexes {
			if page.Hashes[i] != w.all[index] {
				t.Fatalf("tree hash %d is another", index)
			}
		}
	}
	check()
	for _, index := range []int64{-1, int64(len(w.all))} {
		_, err := w.store.Read(ctx, store.Query{Log: w.log, Hashes: []int64{index}})
		want(t, err, trust.NotFound)
	}
	ok(t, w.store.Close())
	w.store = open()
	check()
	ok(t, w.append(3))
	check()
	ok(t, w.store.Close())
}

func compareAndSwap(t *testing.T, open func() store.Store) {
	w := opened(t, open)
	ok(t, w.append(2))
	stale := w.batch(1)
	stale.Expect = store.Head{}
	want(t, w.store.Append(ctx, stale), trust.Conflict)
	other := w.batch(1)
	other.Expect.Checkpoint = []byte("another\n")
	want(t, w.store.Append(ctx, other), trust.Conflict)
	w.all = w.all[:3]
	checkLog(t, w)
	ok(t, w.append(1))
	checkLog(t, w)
}

// Two writers: compare-and-swap on the head, 0 forks.
func twoWriters(t *testing.T, open func() store.Store) {
	w := opened(t, open)
	for range 20 {
		var won atomic.Int32
		var all sync.WaitGroup
		next := w.batch(2)
		for range 4 {
			all.Go(func() {
				switch err := w.store.Append(ctx, next); {
				case err == nil:
					won.Add(1)
				case trust.KindOf(err) != trust.Conflict:
					t.Errorf("a late writer fails with %v", err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d of 4 writers moved the head", won.Load())
		}
		w.head = store.Head{Size: w.head.Size + 2, Checkpoint: next.Checkpoint}
	}
	checkLog(t, w)
}

func wrongHashes(t *testing.T, open func() store.Store) {
	w := opened(t, open)
	b := w.batch(2)
	b.Hashes = b.Hashes[:2]
	want(t, w.store.Append(ctx, b), trust.Invalid)
	none := store.Batch{Log: w.log, Checkpoint: []byte("nothing\n")}
	want(t, w.store.Append(ctx, none), trust.Invalid)
	w.all = nil
	ok(t, w.append(1))
	checkLog(t, w)
}

func slicesAreCopied(t *testing.T, open func() store.Store) {
	w := opened(t, open)
	b := w.batch(1)
	ok(t, w.store.Append(ctx, b))
	w.head = store.Head{Size: 1, Checkpoint: checkpoint(w.log, 1)}
	clear(b.Records[0].Leaf)
	clear(b.Records[0].Sealed)
	clear(b.Checkpoint)
	b.Hashes[0] = store.Hash{}
	checkLog(t, w)
	ok(t, w.append(1))
	checkLog(t, w)
}

func cancelled(t *testing.T, open func() store.Store) {
	w := opened(t, open)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	want(t, w.store.Append(gone, w.batch(1)), trust.Unavailable)
	w.all = nil
	_, err := w.store.Read(gone, store.Query{Log: w.log, Max: 1})
	want(t, err, trust.Unavailable)
	_, err = w.store.Get(gone, "a", "b")
	want(t, err, trust.Unavailable)
	ok(t, w.append(1))
}

func closed(t *testing.T, open func() store.Store) {
	w := opened(t, open)
	ok(t, w.append(1))
	ok(t, w.store.Close())
	if err := w.append(1); err == nil {
		t.Fatal("a closed store appends")
	}
	w.store = open()
	checkLog(t, w)
	ok(t, w.store.Close())
}
