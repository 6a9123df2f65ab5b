package local_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/store/local/faulty"
	"github.com/entente-id/entente/trust"
)

var ctx = context.Background()

func want(t *testing.T, err error, kind trust.ErrorKind) {
	t.Helper()
	if trust.KindOf(err) != kind {
		t.Fatalf("error is of kind %q (%v), want %q", trust.KindOf(err), err, kind)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// batch is one of n records that follows head.
func batch(r store.Reader, head store.Head, n int, values ...trust.Once) store.Batch {
	b := store.Batch{Log: store.TrustLog, Expect: head, At: 1000, Once: values}
	known := tlog.StoredHashCount(int64(head.Size))
	lookup := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			if index >= known {
				hashes[i] = b.Hashes[index-known]
				continue
			}
			page, err := r.Read(ctx, store.Query{Log: store.TrustLog, Hashes: []int64{index}})
			if err != nil {
				return nil, err
			}
			hashes[i] = page.Hashes[0]
		}
		return hashes, nil
	})
	for i := range n {
		number := head.Size + uint64(i)
		leaf := fmt.Appendf(nil, "leaf %d", number)
		hashes, err := tlog.StoredHashes(int64(number), leaf, lookup)
		if err != nil {
			panic(err)
		}
		for _, h := range hashes {
			b.Hashes = append(b.Hashes, h)
		}
		b.Records = append(b.Records, store.Record{Leaf: leaf, Sealed: []byte("sealed")})
	}
	b.Checkpoint = fmt.Appendf(nil, "size %d", head.Size+uint64(n))
	return b
}

func add(s store.Store, n int, values ...trust.Once) error {
	head, err := s.Head(ctx, store.TrustLog)
	if err != nil {
		return err
	}
	return s.Append(ctx, batch(s, head, n, values...))
}

func size(t *testing.T, r store.Reader) uint64 {
	t.Helper()
	head, err := r.Head(ctx, store.TrustLog)
	ok(t, err)
	return head.Size
}

// filled makes a disk that holds frames of the given numbers of records, in
// segments of about the given size, and gives the directory it was opened as.
func filled(t *testing.T, segment int64, frames ...int) (*faulty.Disk, string) {
	t.Helper()
	disk, dir := &faulty.Disk{}, t.TempDir()
	s := open(t, disk, dir, segment)
	for _, n := range frames {
		ok(t, add(s, n))
	}
	ok(t, s.Close())
	return disk, dir
}

func open(t *testing.T, disk local.FS, dir string, segment int64) *local.Store {
	t.Helper()
	s, _, err := local.Open(dir, local.Options{FS: disk, SegmentSize: segment, OnceQuota: 4})
	ok(t, err)
	return s
}

func segmentName(dir string, n int) string {
	return filepath.Join(dir, "trust", fmt.Sprintf("%08d.seg", n))
}

// Whatever is cut off the last frame, what stands before it is there, the rest
// is reported, and the log goes on.
func TestTornTailIsCutOff(t *testing.T) {
	disk, dir := filled(t, 0, 3, 2)
	name := segmentName(dir, 1)
	whole := len(disk.Bytes(name))
	first := firstFrame(disk.Bytes(name))
	for length := first + 1; length < whole; length++ {
		torn := disk.Clone()
		torn.Cut(name, length)
		r, tails, err := local.OpenReader(dir, local.Options{FS: torn})
		ok(t, err)
		if len(tails) != 2 || tails[0].Bytes != int64(length-first) || tails[0].Size != 3 || size(t, r) != 3 {
			t.Fatalf("the reader reports %v", tails)
		}
		ok(t, r.Close())
		s, tails, err := local.Open(dir, local.Options{FS: torn})
		ok(t, err)
		if len(tails) != 1 || tails[0].Bytes != int64(length-first) || tails[0].Size != 3 || tails[0].Log != store.TrustLog {
			t.Fatalf("opening reports %v", tails)
		}
		if len(torn.Bytes(name)) != first {
			t.Fatal("the tail is still there")
		}
		ok(t, add(s, 1))
		ok(t, s.Close())
		if length%16 != 0 {
			continue
		}
		s = open(t, torn, dir, 0)
		if size(t, s) != 4 {
			t.Fatalf("%d entries, want 4", size(t, s))
		}
		ok(t, s.Close())
	}
}

func firstFrame(segment []byte) int {
	return 48 + int(segment[12]) + int(segment[13])<<8
}

// A flip in the last frame cannot be told from a torn write; anywhere before it
// is damage, and then nothing is changed. A reader calls both damage.
func TestFlipsOnOpen(t *testing.T) {
	disk, dir := filled(t, 0, 2, 1)
	name := segmentName(dir, 1)
	last := firstFrame(disk.Bytes(name))
	for i := range disk.Bytes(name) {
		flipped := disk.Clone()
		flipped.Bytes(name)[i] ^= 0x10
		before := string(flipped.Bytes(name))
		r, _, err := local.OpenReader(dir, local.Options{FS: flipped})
		ok(t, err)
		if _, err := r.Head(ctx, store.TrustLog); !damaged(err) {
			t.Fatalf("byte %d flipped: the reader's head says %v", i, err)
		}
		ok(t, r.Close())
		s, tails, err := local.Open(dir, local.Options{FS: flipped})
		if i < last {
			if !damaged(err) || string(flipped.Bytes(name)) != before {
				t.Fatalf("byte %d flipped: opening says %v", i, err)
			}
			continue
		}
		ok(t, err)
		if len(tails) != 1 || size(t, s) != 2 {
			t.Fatalf("byte %d flipped: %v", i, tails)
		}
		ok(t, s.Close())
	}
}

func damaged(err error) bool {
	d, ok := errors.AsType[*store.Damage](err)
	return ok && d.Log == store.TrustLog && d.Rule != "" && strings.Contains(err.Error(), d.File)
}

// Damage in an older segment is found where it is read; a missing one at once.
func TestDamageInOlderSegments(t *testing.T) {
	disk, dir := filled(t, 1, 1, 1, 1, 1)
	for name, change := range map[string]func(*faulty.Disk){
		"flipped payload":  func(d *faulty.Disk) { d.Bytes(segmentName(dir, 2))[60] ^= 1 },
		"flipped header":   func(d *faulty.Disk) { d.Bytes(segmentName(dir, 2))[20] ^= 1 },
		"cut":              func(d *faulty.Disk) { d.Cut(segmentName(dir, 2), 50) },
		"emptied":          func(d *faulty.Disk) { d.Cut(segmentName(dir, 2), 0) },
		"missing":          func(d *faulty.Disk) { d.Remove(segmentName(dir, 2)) },
		"first missing":    func(d *faulty.Disk) { d.Remove(segmentName(dir, 1)) },
		"tree missing":     func(d *faulty.Disk) { d.Remove(filepath.Join(dir, "trust", "tree")) },
		"tree cut":         func(d *faulty.Disk) { d.Cut(filepath.Join(dir, "trust", "tree"), 40) },
		"copy of another":  func(d *faulty.Disk) { copy(d.Bytes(segmentName(dir, 2)), d.Bytes(segmentName(dir, 3))) },
		"segments swapped": func(d *faulty.Disk) { swap(d.Bytes(segmentName(dir, 2)), d.Bytes(segmentName(dir, 3))) },
	} {
		t.Run(name, func(t *testing.T) {
			bad := disk.Clone()
			change(bad)
			r, _, err := local.OpenReader(dir, local.Options{FS: bad})
			ok(t, err)
			if err := readAll(r); !damaged(err) {
				t.Fatalf("reading says %v", err)
			}
			ok(t, r.Close())
			s, _, err := local.Open(dir, local.Options{FS: bad})
			if err == nil {
				err = errors.Join(readAll(s), s.Close())
			}
			if !damaged(err) {
				t.Fatalf("opening and reading says %v", err)
			}
		})
	}
}

func swap(a, b []byte) {
	for i := range a {
		a[i], b[i] = b[i], a[i]
	}
}

// readAll reads every entry and every tree hash.
func readAll(r store.Reader) error {
	next := uint64(0)
	for {
		page, err := r.Read(ctx, store.Query{Log: store.TrustLog, From: next, Max: 2})
		if err != nil {
			return err
		}
		if len(page.Runs) == 0 {
			break
		}
		for _, run := range page.Runs {
			next = run.First + uint64(len(run.Records))
		}
	}
	indexes := make([]int64, tlog.StoredHashCount(int64(next)))
	for i := range indexes {
		indexes[i] = int64(i)
	}
	_, err := r.Read(ctx, store.Query{Log: store.TrustLog, Hashes: indexes})
	return err
}

// The tree of the last segment is computed again; a crash may have left less of
// it, more of it or something else.
func TestTreeIsComputedAgain(t *testing.T) {
	disk, dir := filled(t, 150, 1, 1, 1, 5, 1)
	tree := filepath.Join(dir, "trust", "tree")
	whole := string(disk.Bytes(tree))
	for name, change := range map[string]func(*faulty.Disk){
		"less":           func(d *faulty.Disk) { d.Cut(tree, len(whole)-20) },
		"something else": func(d *faulty.Disk) { clear(d.Bytes(tree)[len(whole)-20:]) },
	} {
		bad := disk.Clone()
		change(bad)
		ok(t, open(t, bad, dir, 150).Close())
		if string(bad.Bytes(tree)) != whole {
			t.Fatalf("%s: the tree is not as it was", name)
		}
	}
}

// Disk full means refuse, and heal by itself.
func TestDiskFull(t *testing.T) {
	for room := int64(0); room < 700; room += 13 {
		disk, dir := &faulty.Disk{}, t.TempDir()
		s := open(t, disk, dir, 150)
		ok(t, add(s, 2))
		disk.Fill(room)
		var err error
		for range 10 {
			if err = add(s, 1); err != nil {
				break
			}
		}
		want(t, err, trust.Unavailable)
		held := size(t, s)
		disk.Fill(560 + room%150) // enough for the tree hashes, too little for the frame
		want(t, add(s, 9), trust.Unavailable)
		if size(t, s) != held {
			t.Fatal("a refused batch moved the head")
		}
		ok(t, readAll(s))
		disk.Free()
		ok(t, add(s, 1)) // shorter than what was cut off again
		ok(t, readAll(s))
		ok(t, s.Close())
		s, tails, err := local.Open(dir, local.Options{FS: disk})
		ok(t, err)
		if len(tails) != 0 || size(t, s) != held+1 {
			t.Fatalf("%d entries after a reopen, want %d; %v", size(t, s), held+1, tails)
		}
		ok(t, s.Close())
	}
}

// An fsync error is final: nothing is taken any more, for either log.
func TestSyncErrorIsFinal(t *testing.T) {
	disk, dir := &faulty.Disk{}, t.TempDir()
	s := open(t, disk, dir, 0)
	ok(t, add(s, 2))
	disk.FailSync()
	for range 3 {
		want(t, add(s, 1), trust.Internal)
	}
	other := batch(s, store.Head{}, 1)
	other.Log = store.DecisionLog
	want(t, s.Append(ctx, other), trust.Internal)
	if size(t, s) != 2 {
		t.Fatal("an entry that is not durable can be read")
	}
	_ = s.Close()
}

// A refused batch burns nothing.
func TestRefusedBatchBurnsNothing(t *testing.T) {
	disk, dir := &faulty.Disk{}, t.TempDir()
	s := open(t, disk, dir, 0)
	value := trust.Once{Key: [16]byte{1}, Expires: 2000}
	disk.Fill(10)
	want(t, add(s, 1, value), trust.Unavailable)
	disk.Free()
	ok(t, add(s, 1, value))
	want(t, add(s, 1, value), trust.Conflict)
	ok(t, s.Close())
}

// Values in segments long before the last still count after a reopen.
func TestOnceAcrossSegments(t *testing.T) {
	disk, dir := &faulty.Disk{}, t.TempDir()
	s := open(t, disk, dir, 1)
	ok(t, add(s, 1, trust.Once{Key: [16]byte{1}, Expires: 5000}))
	for range 6 {
		ok(t, add(s, 1))
	}
	ok(t, s.Close())
	s = open(t, disk, dir, 1)
	want(t, add(s, 1, trust.Once{Key: [16]byte{1}, Expires: 5000}), trust.Conflict)
	ok(t, s.Close())
}

func TestOneProcessHasTheDirectory(t *testing.T) {
	dir := t.TempDir()
	s := open(t, nil, dir, 0)
	_, _, err := local.Open(dir, local.Options{})
	want(t, err, trust.Conflict)
	if !strings.Contains(err.Error(), dir) {
		t.Fatalf("the refusal %q does not name the directory", err)
	}
	ok(t, add(s, 1))
	r, _, err := local.OpenReader(dir, local.Options{})
	ok(t, err)
	if size(t, r) != 1 {
		t.Fatal("a reader beside the store does not see its entry")
	}
	ok(t, errors.Join(r.Close(), s.Close()))
	ok(t, open(t, nil, dir, 0).Close())
}

// A reader changes nothing, not even in a directory that is not there.
func TestReaderOfNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	r, tails, err := local.OpenReader(dir, local.Options{})
	ok(t, err)
	if len(tails) != 0 || size(t, r) != 0 {
		t.Fatal(tails)
	}
	ok(t, errors.Join(readAll(r), r.Close()))
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Fatal("the reader has made the directory")
	}
}

func TestOldSQLiteIsRefused(t *testing.T) {
	for version, recent := range map[string]bool{
		"3.51.3": true, "3.51.10": true, "3.52.0": true, "4.0.0": true, "3.51.2": false, "3.46.1": false, "2.99.99": false, "": false, "3.x.1": false,
	} {
		if local.RecentSQLite(version) != recent {
			t.Errorf("SQLite %q is taken for recent: %v", version, !recent)
		}
	}
}

// FuzzSegment gives a node's segment other bytes, with the checksums that they
// have: whatever it is, it is read or refused, and what was opened can be
// appended to.
func FuzzSegment(f *testing.F) {
	disk, dir := &faulty.Disk{}, f.TempDir()
	s, _, err := local.Open(dir, local.Options{FS: disk})
	if err != nil {
		f.Fatal(err)
	}
	for _, n := range []int{1, 3} {
		if err := add(s, n, trust.Once{Key: [16]byte{byte(n)}, Expires: 2000}); err != nil {
			f.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	name := segmentName(dir, 1)
	f.Add(append([]byte(nil), disk.Bytes(name)...), true)
	f.Add(append([]byte(nil), disk.Bytes(name)...), false)
	f.Fuzz(func(t *testing.T, segment []byte, reseal bool) {
		if reseal {
			faulty.Reseal(segment)
		}
		disk := disk.Clone()
		disk.Cut(name, 0)
		file, err := disk.OpenFile(name, os.O_RDWR)
		ok(t, err)
		_, err = file.WriteAt(segment, 0)
		ok(t, err)
		r, _, err := local.OpenReader(dir, local.Options{FS: disk})
		ok(t, err)
		_ = readAll(r)
		ok(t, r.Close())
		s, _, err := local.Open(dir, local.Options{FS: disk})
		if err != nil {
			return
		}
		ok(t, readAll(s))
		ok(t, add(s, 1))
		ok(t, s.Close())
	})
}
