package ledger_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/store/local/faulty"
	"github.com/entente-id/entente/trust"
)

// specimen is a closed ledger of 200 entries in some thirty batches and a few
// segments.
type specimen struct {
	key  key
	disk *faulty.Disk
	dir  string
	head []byte
}

func newSpecimen(t *testing.T, once bool) specimen {
	n := newNode(t)
	s := specimen{key: n.key, disk: n.disk, dir: n.dir}
	for i := 0; n.Size() < 200; i++ {
		if once && i%20 == 0 {
			_, err := n.Append(ctx, entry("a", i), trust.Once{Key: [16]byte{byte(i)}, Expires: n.clock.Add(50) + 40})
			ok(t, err)
		}
		_, _, err := n.Do(ctx, func(tally, trust.Stamp) (entries []ledger.Entry, _ error) {
			for j := range min(1+i%13, 200-int(n.Size())) {
				entries = append(entries, entry("b", 10*i+j))
			}
			return entries, nil
		})
		ok(t, err)
	}
	s.head = n.Checkpoint()
	n.close(t)
	if report, tails, err := verify(s.key, s.dir, s.disk, s.head); err != nil || report.Size != 200 || len(tails) != 0 {
		t.Fatalf("the ledger does not verify as it is: %+v, %v, %v", report, tails, err)
	}
	return s
}

// found verifies; what a reader calls a torn tail is not an error.
func (s specimen) found(disk *faulty.Disk, head []byte) error {
	_, _, err := verify(s.key, s.dir, disk, head)
	return err
}

// forAll runs try for every number below n on all processors, each of which has
// its own copy of the disk.
func (s specimen) forAll(n int, try func(disk *faulty.Disk, i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			disk := s.disk.Clone()
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				try(disk, int(i))
			}
		})
	}
	all.Wait()
}

// Every single byte of every file, flipped, is found, without a head.
func TestEveryFlipIsFound(t *testing.T) {
	s := newSpecimen(t, true)
	for _, name := range s.disk.Names() {
		t.Run(filepath.Base(name), func(t *testing.T) {
			s.forAll(len(s.disk.Bytes(name))/flipApart, func(disk *faulty.Disk, i int) {
				i *= flipApart
				bytes := disk.Bytes(name)
				mask := byte(1) << (i % 8)
				bytes[i] ^= mask
				err := s.found(disk, nil)
				if f, isFault := errors.AsType[*ledger.Fault](err); !isFault || f.Log != store.TrustLog {
					t.Errorf("bit %d of byte %d flipped: verification says %v", i%8, i, err)
				}
				bytes[i] ^= mask
			})
		})
	}
}

// Every single bit of a checkpoint counts, those of its signature's encoding
// included.
func TestEveryBitOfACheckpoint(t *testing.T) {
	s := newSpecimen(t, false)
	for i := range 8 * len(s.head) {
		s.head[i/8] ^= 1 << (i % 8)
		if _, err := ledger.ParseCheckpoint(s.head, origin, s.key.verifiers()); trust.KindOf(err) != trust.Invalid {
			t.Errorf("bit %d of byte %d flipped: %v", i%8, i/8, err)
		}
		s.head[i/8] ^= 1 << (i % 8)
	}
}

// Somebody who makes leaf, checksums and tree agree still lacks the key.
func TestForgeryWithItsTree(t *testing.T) {
	s := newSpecimen(t, false)
	names := s.disk.Names()
	last := names[len(names)-2] // the tree stands behind the segments
	s.disk.Bytes(last)[48+4] ^= 1
	faulty.Reseal(s.disk.Bytes(last))
	ok(t, openStore(t, s.dir, local.Options{FS: s.disk}).Close()) // computes the tree again
	err := s.found(s.disk, nil)
	if f, isFault := errors.AsType[*ledger.Fault](err); !isFault || !strings.Contains(f.Rule, "signs another root") {
		t.Fatalf("%s forged with its tree: verification says %v", last, err)
	}
}

// A signed log whose time goes back is at fault all the same.
func TestTimeGoesBack(t *testing.T) {
	n := newNode(t)
	n.close(t)
	n.disk = &faulty.Disk{}
	var tree []tlog.Hash
	lookup := tlog.HashReaderFunc(func(indexes []int64) (hashes []tlog.Hash, _ error) {
		for _, i := range indexes {
			hashes = append(hashes, tree[i])
		}
		return hashes, nil
	})
	b := store.Batch{Log: store.TrustLog}
	for i, at := range []int64{5, 5, 4} {
		leaf := fmt.Appendf(nil, `0123456789abcdef{"at":%d,"body":{},"kind":"a","v":1}`, at)
		b.Records = append(b.Records, store.Record{Leaf: leaf})
		tree = append(tree, must(tlog.StoredHashes(int64(i), leaf, lookup))...)
	}
	for _, h := range tree {
		b.Hashes = append(b.Hashes, h)
	}
	c := ledger.Checkpoint{Origin: origin, Size: 3, Root: must(tlog.TreeHash(3, lookup)), Epoch: 1}
	b.Checkpoint = must(note.Sign(&note.Note{Text: c.String()}, n.key.Signer))
	forged := openStore(t, n.dir, local.Options{FS: n.disk})
	ok(t, forged.Append(ctx, b))
	ok(t, forged.Close())
	_, _, err := verify(n.key, n.dir, n.disk, nil)
	if f, isFault := errors.AsType[*ledger.Fault](err); !isFault || f.Entry != 2 || !strings.Contains(f.Rule, "time") {
		t.Fatalf("verification says %v", err)
	}
}

// sparse is how many bytes apart the tests look whose every try costs a whole
// verification; a prime, so that every kind of byte is met.
const sparse = 7

// The same with the frames' checksums made good: what the tree and the
// checkpoints alone find.
func TestEveryForgedByteIsFound(t *testing.T) {
	s := newSpecimen(t, false)
	for _, name := range s.disk.Names() {
		if filepath.Ext(name) != ".seg" {
			continue
		}
		payload := payloadBytes(s.disk.Bytes(name))
		s.forAll(len(payload)/(sparse*flipApart), func(disk *faulty.Disk, i int) {
			bytes := disk.Bytes(name)
			at := payload[i*sparse*flipApart]
			bytes[at] ^= 1 << (i % 8)
			faulty.Reseal(bytes)
			if err := s.found(disk, nil); trust.KindOf(err) != trust.Invalid {
				t.Errorf("%s: bit %d of byte %d forged: verification says %v", name, i%8, at, err)
			}
			bytes[at] ^= 1 << (i % 8)
			faulty.Reseal(bytes)
		})
	}
}

// payloadBytes gives the offsets of what stands in no frame header.
func payloadBytes(segment []byte) (offsets []int) {
	for at := 0; at < len(segment); {
		end := at + frameSize(segment[at:])
		for at += 48; at < end; at++ {
			offsets = append(offsets, at)
		}
	}
	return offsets
}

// Given a head every truncation is found, wherever the log is cut: inside a
// frame, between frames, between segments. So is a tree cut short.
func TestEveryTruncationIsFound(t *testing.T) {
	s := newSpecimen(t, true)
	var segments []string
	for _, name := range s.disk.Names() {
		if filepath.Ext(name) == ".seg" && strings.Contains(name, "trust") {
			segments = append(segments, name)
		}
	}
	if len(segments) < 3 {
		t.Fatalf("only %d segments", len(segments))
	}
	for i, name := range segments {
		whole := s.disk.Clone()
		for _, later := range segments[i+1:] {
			whole.Remove(later)
		}
		cut := specimen{key: s.key, disk: whole, dir: s.dir, head: s.head}
		last := i == len(segments)-1
		begins := boundaries(whole.Bytes(name))
		cut.forAll(len(whole.Bytes(name)), func(_ *faulty.Disk, length int) {
			if length%(sparse*flipApart) != 0 && !begins[length] {
				return
			}
			disk := whole.Clone()
			disk.Cut(name, length)
			if err := cut.found(disk, s.head); trust.KindOf(err) != trust.Invalid {
				t.Errorf("%s cut to %d bytes: verification says %v", name, length, err)
			}
		})
		if !last && cut.found(whole, s.head) == nil {
			t.Errorf("the log cut after %s is not found", name)
		}
	}
	tree := filepath.Join(s.dir, "trust", "tree")
	s.forAll(len(s.disk.Bytes(tree)), func(_ *faulty.Disk, length int) {
		if length%32 != 0 && length%(sparse*flipApart) != 0 {
			return
		}
		disk := s.disk.Clone()
		disk.Cut(tree, length)
		if err := s.found(disk, s.head); trust.KindOf(err) != trust.Invalid {
			t.Errorf("tree cut to %d bytes: verification says %v", length, err)
		}
	})
}

// boundaries gives the offsets at which a frame, or a record of one, begins.
func boundaries(segment []byte) map[int]bool {
	found := map[int]bool{}
	for frame := 0; frame < len(segment); frame += frameSize(segment[frame:]) {
		found[frame] = true
		at := frame + 48
		for range binary.LittleEndian.Uint32(segment[frame+4:]) {
			found[at] = true
			for range 2 { // leaf and sealed part
				at += 4 + int(binary.LittleEndian.Uint32(segment[at:]))
			}
		}
	}
	return found
}

func frameSize(frame []byte) int { return 48 + int(binary.LittleEndian.Uint32(frame[12:])) }

// What a batch boundary hides without a head, an older head, another ledger's
// head and one forged by another key show.
func TestHeads(t *testing.T) {
	s, other := newSpecimen(t, true), newNode(t)
	_, err := other.Append(ctx, entry("a", 1))
	ok(t, err)
	defer other.close(t)
	n := &node{key: s.key, disk: s.disk, dir: s.dir, clock: startClock()}
	n.open(t)
	_, err = n.Append(ctx, entry("a", 1))
	ok(t, err)
	newer := n.Checkpoint()
	n.close(t)
	ok(t, s.found(s.disk, s.head)) // the log went on
	ok(t, s.found(s.disk, newer))
	want(t, s.found(s.disk, other.Checkpoint()), trust.Invalid)
	want(t, s.found(s.disk, []byte("no note")), trust.Invalid)

	fork := newNode(t)
	fork.close(t)
	fork.key = s.key
	fork.open(t)
	_, err = fork.Append(ctx, entry("a", 1))
	ok(t, err)
	err = s.found(s.disk, fork.Checkpoint())
	if f, isFault := errors.AsType[*ledger.Fault](err); !isFault || !strings.Contains(f.Rule, "another root") {
		t.Fatalf("a fork's head: %v", err)
	}
	fork.close(t)
}

// Each record is given to the caller, whose refusal is that entry's fault.
func TestVerifyRefolds(t *testing.T) {
	s := newSpecimen(t, true)
	r, _, err := local.OpenReader(s.dir, local.Options{FS: s.disk})
	ok(t, err)
	state, progress := tally{}, uint64(0)
	cfg := ledger.VerifyConfig{
		Log: store.TrustLog, Origin: origin, Keys: s.key.always,
		Each: func(r ledger.Record) (err error) {
			state, err = fold(state, r)
			return err
		},
		Progress: func(n uint64) { progress = n },
	}
	report, err := ledger.Verify(ctx, r, cfg)
	ok(t, err)
	if state["a"]+state["b"] != 200 || progress != 200 || report.Sealed == 0 || report.Checkpoints < 20 || report.At <= 1_800_000_000 {
		t.Fatalf("%v, %d, %+v", state, progress, report)
	}
	cfg.Each = func(r ledger.Record) error {
		if r.Position.N == 77 {
			return fmt.Errorf("this one is unknown")
		}
		return nil
	}
	_, err = ledger.Verify(ctx, r, cfg)
	if f, isFault := errors.AsType[*ledger.Fault](err); !isFault || f.Entry != 77 || f.Error() != "trust log, entry 77: this one is unknown" {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	_, err = ledger.Verify(gone, r, cfg)
	want(t, err, trust.Unavailable)
	ok(t, r.Close())
}

// FuzzParseRecord takes any leaf: it is refused, or made of what it is read as.
func FuzzParseRecord(f *testing.F) {
	n := newNode(f)
	for i := range 2 {
		if _, err := n.Append(ctx, entry("a.b-c_d", i)); err != nil {
			f.Fatal(err)
		}
		r, err := n.Entry(ctx, uint64(i))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(r.Leaf, r.Sealed)
	}
	n.close(f)
	f.Fuzz(func(t *testing.T, leaf, sealed []byte) {
		r, err := ledger.ParseRecord(store.Record{Leaf: leaf, Sealed: sealed})
		if err != nil {
			want(t, err, trust.Invalid)
			return
		}
		text := fmt.Sprintf(`{"at":%d,"body":%s,"kind":"%s",`, r.At, r.Body, r.Kind)
		rest, starts := strings.CutPrefix(string(leaf[16:]), text)
		if !starts || strings.Contains(rest, "sealed") != (len(sealed) > 0) || !strings.HasSuffix(rest, fmt.Sprintf(`"v":%d}`, r.Version)) {
			t.Fatalf("leaf %q is read as %+v", leaf, r)
		}
	})
}
