// Package storetest is the suite that every implementation of store.Store
// passes. It asks for nothing but the contract.
package storetest

import (
	"context"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// OnceQuota is the quota of single-use values per edge that the stores under
// test are opened with.
const OnceQuota = 8

// Run runs the suite. Each call of fresh gives a way to open one new, empty
// store; opened again after it was closed, the store holds what it held.
func Run(t *testing.T, fresh func(t *testing.T) (open func() store.Store)) {
	for name, test := range map[string]func(*testing.T, func() store.Store){
		"an empty log":                          empty,
		"appended is there, and after a reopen": appended,
		"pages begin and end anywhere":          pages,
		"the two logs are apart":                apart,
		"tree hashes":                           hashes,
		"one head, moved by compare and swap":   compareAndSwap,
		"two writers make no fork":              twoWriters,
		"a batch with wrong tree hashes":        wrongHashes,
		"slices are not kept":                   slicesAreCopied,
		"single use":                            once,
		"single use expires":                    onceExpires,
		"single use has a quota per edge":       onceQuota,
		"single use across a reopen":            onceReopened,
		"registers":                             registers,
		"registers are scanned in pages":        scan,
		"registers across a reopen":             registersReopened,
		"a cancelled context":                   cancelled,
		"a closed store takes nothing":          closed,
	} {
		t.Run(name, func(t *testing.T) { test(t, fresh(t)) })
	}
}

var ctx = context.Background()

// writer appends batches to one log as a ledger does.
type writer struct {
	store store.Store
	log   string
	head  store.Head
	all   []store.Hash
}

func (w *writer) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = w.all[index]
	}
	return hashes, nil
}

// batch makes the next batch, of n records.
func (w *writer) batch(n int, values ...trust.Once) store.Batch {
	b := store.Batch{Log: w.log, Expect: w.head, At: 1000, Once: values}
	for i := range n {
		r := record(w.log, w.head.Size+uint64(i))
		more, err := tlog.StoredHashes(int64(w.head.Size)+int64(i), r.Leaf, w)
		if err != nil {
			panic(err)
		}
		for _, h := range more {
			w.all = append(w.all, h)
			b.Hashes = append(b.Hashes, h)
		}
		b.Records = append(b.Records, r)
	}
	b.Checkpoint = checkpoint(w.log, w.head.Size+uint64(n))
	return b
}

// append appends the next batch, or leaves the writer as it was.
func (w *writer) append(n int, values ...trust.Once) error {
	known := len(w.all)
	b := w.batch(n, values...)
	err := w.store.Append(ctx, b)
	if err != nil {
		w.all = w.all[:known]
		return err
	}
	w.head = store.Head{Size: w.head.Size + uint64(n), Checkpoint: b.Checkpoint}
	return nil
}

func record(log string, n uint64) store.Record {
	r := store.Record{Leaf: fmt.Appendf(nil, "leaf %d of %s", n, log)}
	if n%3 == 0 {
		r.Sealed = fmt.Appendf(nil, "sealed %d", n)
	}
	return r
}

func checkpoint(log string, size uint64) []byte { return fmt.Appendf(nil, "%s at %d\n", log, size) }

func opened(t *testing.T, open func() store.Store) *writer {
	t.Helper()
	s := open()
	t.Cleanup(func() { _ = s.Close() })
	return &writer{store: s, log: store.TrustLog}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, err error, kind trust.ErrorKind) {
	t.Helper()
	if trust.KindOf(err) != kind {
		t.Fatalf("error is of kind %q (%v), want %q", trust.KindOf(err), err, kind)
	}
}
