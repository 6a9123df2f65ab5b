package local_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/trust"
)

// grown is a store with this many batches in its trust log, in short segments.
func grown(t *testing.T, dir string, batches int) *local.Store {
	t.Helper()
	s, _, err := local.Open(dir, local.Options{SegmentSize: 400})
	ok(t, err)
	t.Cleanup(func() { _ = s.Close() }) // once more than some tests do
	grow(t, s, batches)
	return s
}

func grow(t *testing.T, s *local.Store, batches int) {
	t.Helper()
	for range batches {
		head, err := s.Head(ctx, store.TrustLog)
		ok(t, err)
		b := batch(s, head, 2, trust.Once{Key: [16]byte{byte(head.Size), byte(head.Size >> 8)}, Expires: 2000})
		b.Checkpoint = []byte{byte(head.Size), 1}
		ok(t, s.Append(ctx, b))
	}
}

// A copy holds what the ledger does: frames, tree and single-use values; the second
// one adds what is new.
func TestCopy(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	s := grown(t, from, 7)
	first, err := local.Copy(ctx, from, to, local.Options{})
	ok(t, err)
	again, err := local.Copy(ctx, from, to, local.Options{})
	ok(t, err)
	if first[store.TrustLog].Bytes == 0 || again[store.TrustLog].Bytes != 0 {
		t.Errorf("the first copy wrote %d bytes, the second %d", first[store.TrustLog].Bytes, again[store.TrustLog].Bytes)
	}
	grow(t, s, 3)
	_, err = local.Copy(ctx, from, to, local.Options{})
	ok(t, err)
	same(t, from, to)
	ok(t, s.Close())
	restored, tails, err := local.Open(to, local.Options{})
	if err != nil || len(tails) != 0 {
		t.Fatal(err, tails)
	}
	defer restored.Close()
	verdicts, err := restored.Once(ctx, 1000, []trust.Once{{Key: [16]byte{2}, Expires: 2000}})
	ok(t, err)
	want(t, verdicts[0], trust.Conflict) // it was used before the copy
}

func same(t *testing.T, from, to string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(from, "trust", "*"))
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		a, err := os.ReadFile(file)
		ok(t, err)
		b, err := os.ReadFile(filepath.Join(to, "trust", filepath.Base(file)))
		ok(t, err)
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs: %d bytes, %d in the copy", filepath.Base(file), len(a), len(b))
		}
	}
}

// Wherever a copy is interrupted, what is there is a ledger, and the next one goes
// on.
func TestACopyThatWasInterrupted(t *testing.T) {
	from, whole := t.TempDir(), filepath.Join(t.TempDir(), "whole")
	grown(t, from, 7)
	_, err := local.Copy(ctx, from, whole, local.Options{})
	ok(t, err)
	segments, err := filepath.Glob(filepath.Join(whole, "trust", "*.seg"))
	ok(t, err)
	last := segments[len(segments)-1]
	data, err := os.ReadFile(last)
	ok(t, err)
	for cut := range len(data) {
		ok(t, os.WriteFile(last, data[:cut], 0o600))
		if _, err := local.Copy(ctx, from, whole, local.Options{}); err != nil {
			t.Fatalf("cut to %d of %d bytes: %v", cut, len(data), err)
		}
		same(t, from, whole)
	}
}

// Another ledger, and more of this one, stay as they are.
func TestACopyIsNotOverwritten(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	s := grown(t, from, 3)
	old := filepath.Join(t.TempDir(), "old")
	_, err := local.Copy(ctx, from, old, local.Options{})
	ok(t, err)
	grow(t, s, 2)
	_, err = local.Copy(ctx, from, to, local.Options{})
	ok(t, err)
	_, err = local.Copy(ctx, old, to, local.Options{})
	want(t, err, trust.Conflict)
	other := t.TempDir()
	o, _, err := local.Open(other, local.Options{})
	ok(t, err)
	defer o.Close()
	for range 6 {
		head, err := o.Head(ctx, store.TrustLog)
		ok(t, err)
		ok(t, o.Append(ctx, batch(o, head, 2)))
	}
	_, err = local.Copy(ctx, other, to, local.Options{})
	want(t, err, trust.Conflict)
	same(t, from, to)
}

// A byte that is not as it was written is not shipped as if it were.
func TestDamageIsNotCopied(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	ok(t, grown(t, from, 7).Close())
	segments, err := filepath.Glob(filepath.Join(from, "trust", "*.seg"))
	ok(t, err)
	last := segments[len(segments)-1]
	data, err := os.ReadFile(last)
	ok(t, err)
	data[60] ^= 1
	ok(t, os.WriteFile(last, data, 0o600))
	if _, err := local.Copy(ctx, from, to, local.Options{}); err == nil {
		t.Error("a damaged log is copied")
	}
}

// The log may grow under a copy.
func TestCopyWhileItIsWritten(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	s := grown(t, from, 1)
	var writing sync.WaitGroup
	writing.Go(func() { grow(t, s, 60) })
	for range 10 {
		if _, err := local.Copy(ctx, from, to, local.Options{}); err != nil {
			t.Error(err)
		}
	}
	writing.Wait()
	_, err := local.Copy(ctx, from, to, local.Options{})
	ok(t, err)
	same(t, from, to)
}
