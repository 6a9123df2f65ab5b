package ledger_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
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

var ctx = context.Background()

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// node is a store with an open log on a disk in memory.
type node struct {
	*ledger.Log[tally]
	key   key
	disk  *faulty.Disk
	dir   string
	store *local.Store
	clock *clock
}

func newNode(t testing.TB) *node {
	n := &node{key: newKey(t), disk: &faulty.Disk{}, dir: t.TempDir(), clock: startClock()}
	n.open(t)
	return n
}

func (n *node) open(t testing.TB) {
	t.Helper()
	n.store = openStore(t, n.dir, local.Options{FS: n.disk, OnceQuota: 4, SegmentSize: 8 << 10})
	n.Log = openLog(t, config(n.key, n.store, n.clock))
}

func (n *node) close(t testing.TB) {
	t.Helper()
	n.Log.Close()
	ok(t, n.store.Close())
}

// gate is a store whose appends wait to be let through, so that requests gather
// behind them.
type gate struct {
	store.Store
	pass chan struct{}
}

func (g gate) Append(ctx context.Context, b store.Batch) error {
	<-g.pass
	return g.Store.Append(ctx, b)
}

func TestLeafForm(t *testing.T) {
	n := newNode(t)
	defer n.close(t)
	_, err := n.Append(ctx, ledger.Entry{Kind: "agreement.activated", Version: 1, Body: []byte(`{"id":"a-1"}`), Sealed: []byte("sealed")})
	ok(t, err)
	_, err = n.Append(ctx, ledger.Entry{Kind: "revoked", Version: 1, Body: []byte(`{}`)})
	ok(t, err)
	r, err := n.Entry(ctx, 0)
	ok(t, err)
	text := fmt.Sprintf(`{"at":1800000000,"body":{"id":"a-1"},"kind":"agreement.activated","sealed":"%x","v":1}`, sha256.Sum256([]byte("sealed")))
	if string(r.Leaf[16:]) != text || r.LeafHash != tlog.RecordHash(r.Leaf) {
		t.Fatalf("leaf is %q", r.Leaf)
	}
	if r.Position != (trust.Position{Epoch: 1}) || r.At != 1_800_000_000 || r.Kind != "agreement.activated" || r.Version != 1 ||
		string(r.Body) != `{"id":"a-1"}` || string(r.Sealed) != "sealed" {
		t.Fatalf("record is %+v", r)
	}
	bare, err := n.Entry(ctx, 1)
	ok(t, err)
	if string(bare.Leaf[16:]) != `{"at":1800000000,"body":{},"kind":"revoked","v":1}` {
		t.Fatalf("leaf is %q", bare.Leaf)
	}
	if bytes.Equal(r.Leaf[:16], bare.Leaf[:16]) {
		t.Fatal("two leaves have one salt")
	}
	if want := fmt.Sprintf("%s\n2\n", origin); !bytes.HasPrefix(n.Checkpoint(), []byte(want)) || !bytes.Contains(n.Checkpoint(), []byte("\nepoch 1\n\n")) {
		t.Fatalf("checkpoint is %q", n.Checkpoint())
	}
	_, err = n.Entry(ctx, 2)
	want(t, err, trust.NotFound)
}

// An entry that brings its time is stamped with it, but for one that came too
// late: stamps never fall.
func TestEntriesThatBringTheirTime(t *testing.T) {
	n := newNode(t)
	defer n.close(t)
	for i, want := range []struct{ at, stamp int64 }{{0, 1_800_000_000}, {1_800_000_007, 1_800_000_007}, {1_800_000_003, 1_800_000_007}, {0, 1_800_000_007}} {
		_, err := n.Append(ctx, ledger.Entry{Kind: "a", Version: 1, Body: []byte(`{}`), At: want.at})
		ok(t, err)
		r, err := n.Entry(ctx, uint64(i))
		ok(t, err)
		if r.At != want.stamp || string(r.Leaf[16:]) != fmt.Sprintf(`{"at":%d,"body":{},"kind":"a","v":1}`, want.stamp) {
			t.Errorf("entry at %d is %q", want.at, r.Leaf)
		}
	}
}

func TestBadEntriesAreRefused(t *testing.T) {
	n := newNode(t)
	defer n.close(t)
	for name, e := range map[string]ledger.Entry{
		"no kind":            {Version: 1, Body: []byte(`{}`)},
		"a quote in kind":    {Kind: `a"b`, Version: 1, Body: []byte(`{}`)},
		"upper case":         {Kind: "A", Version: 1, Body: []byte(`{}`)},
		"a long kind":        {Kind: strings.Repeat("a", 65), Version: 1, Body: []byte(`{}`)},
		"version 0":          {Kind: "a", Body: []byte(`{}`)},
		"no body":            {Kind: "a", Version: 1},
		"an array":           {Kind: "a", Version: 1, Body: []byte(`[]`)},
		"too large":          {Kind: "a", Version: 1, Body: []byte(`{}`), Sealed: make([]byte, 16<<20)},
		"an unknown version": {Kind: "a", Version: 2, Body: []byte(`{}`)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := n.Append(ctx, e); err == nil {
				t.Fatal("Append accepts it")
			}
		})
	}
	for _, body := range []string{`{"b":1,"a":2}`, `{"a": 1}`, `{"a":1,"a":1}`, `{"a":1.0}`, `{"a":"\u0041"}`, `{"a":}`, `{"a"}`, "{\"a\":\"\xff\"}"} {
		_, _, err := n.Do(ctx, func(tally, trust.Stamp) ([]ledger.Entry, error) {
			return []ledger.Entry{{Kind: "a", Version: 1, Body: []byte(`{}`)}, {Kind: "a", Version: 1, Body: []byte(body)}}, nil
		})
		want(t, err, trust.Invalid)
	}
	if n.Size() != 0 {
		t.Fatalf("%d entries went down", n.Size())
	}
}

// Commands that wait together see each other's entries, go down in one batch
// with one checkpoint, and one that fails leaves the others alone.
func TestCommandsInOneBatch(t *testing.T) {
	k, clock := newKey(t), startClock()
	s := openStore(t, t.TempDir(), local.Options{FS: &faulty.Disk{}})
	pass := make(chan struct{})
	l := openLog(t, config(k, gate{s, pass}, clock))
	first := make(chan struct{})
	go func() {
		_, err := l.Append(ctx, entry("opening", 0))
		if err != nil {
			t.Error(err)
		}
		close(first)
	}()
	pass <- struct{}{} // the writer is busy with the first entry's batch or done with it
	<-first
	watch := l.Watch()

	blocked := make(chan struct{})
	go func() {
		_, _, err := l.Do(ctx, func(tally, trust.Stamp) ([]ledger.Entry, error) {
			close(blocked)
			return []ledger.Entry{entry("a", 1)}, nil
		})
		if err != nil {
			t.Error(err)
		}
	}()
	<-blocked
	refused := errors.New("refused")
	var seen atomic.Int32
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			state, positions, err := l.Do(ctx, func(head tally, next trust.Stamp) ([]ledger.Entry, error) {
				if head["b"] != int(seen.Load()) || int(next.Position.N) != 2+2*head["b"] {
					t.Errorf("command sees %v at %v after %d", head, next, seen.Load())
				}
				switch {
				case i%6 == 0:
					return []ledger.Entry{entry("b", i)}, refused
				case i%3 == 0: // its second entry is refused by the fold
					return []ledger.Entry{entry("b", i), {Kind: "b", Version: 2, Body: []byte(`{}`)}}, nil
				}
				seen.Add(1)
				return []ledger.Entry{entry("b", i), entry("c", i)}, nil
			})
			if i%3 == 0 {
				if err == nil || i%6 == 0 && !errors.Is(err, refused) {
					t.Errorf("a failed command's error is %v", err)
				}
				return
			}
			if err != nil || len(positions) != 2 || int(positions[1].N) != 2*state["b"]+1 || state["b"] != state["c"] {
				t.Errorf("command gives %v at %v, %v", state, positions, err)
			}
			if l.Size() <= positions[1].N || l.Head()["c"] == 0 {
				t.Error("a command returns before its entries are published")
			}
		})
	}
	if l.Size() != 1 || l.Head()["a"] != 0 {
		t.Fatal("something is published before it is durable")
	}
	close(pass)
	all.Wait()
	<-watch
	if state, signed := l.Snapshot(); !bytes.Equal(signed, l.Checkpoint()) || state["b"] != 6 {
		t.Fatalf("snapshot is %v under %q", state, signed)
	}
	if l.Size() != 14 || l.Head()["b"] != 6 || l.Head()["c"] != 6 {
		t.Fatalf("size is %d, state %v", l.Size(), l.Head())
	}
	l.Close()
	if _, err := l.Append(ctx, entry("a", 0)); trust.KindOf(err) != trust.Unavailable {
		t.Fatal(err)
	}
	report, err := ledger.Verify(ctx, s, ledger.VerifyConfig{Log: store.TrustLog, Origin: origin, Keys: k.always, Head: l.Checkpoint()})
	ok(t, err)
	if report.Size != 14 || report.Checkpoints > 13 || report.Sealed == 0 {
		t.Fatalf("report is %+v", report)
	}
	ok(t, s.Close())
}

// What no key can sign fails alone: whoever adds nothing, or brings the key that
// signs, is not failed by what waits beside it.
func TestWhatCannotBeSignedFailsAlone(t *testing.T) {
	k, clock := newKey(t), startClock()
	s := openStore(t, t.TempDir(), local.Options{FS: &faulty.Disk{}})
	pass := make(chan struct{})
	c := config(k, gate{s, pass}, clock)
	var ended atomic.Bool
	busy := make(chan struct{}, 1)
	c.Signer = func(at int64) (note.Signer, error) {
		if ended.Load() {
			return nil, trust.Errorf(trust.Conflict, "the key has ended")
		}
		select {
		case busy <- struct{}{}:
		default:
		}
		return k.signer(at)
	}
	l := openLog(t, c)
	var all sync.WaitGroup
	do := func(text string, fails bool, command func() ([]ledger.Entry, error)) {
		all.Go(func() {
			_, _, err := l.Do(ctx, func(tally, trust.Stamp) ([]ledger.Entry, error) { return command() })
			if fails != (trust.KindOf(err) == trust.Unavailable) {
				t.Errorf("%s: %v", text, err)
			}
		})
	}
	adds := func() ([]ledger.Entry, error) { return []ledger.Entry{entry("a", 1)}, nil }
	nothing := func() ([]ledger.Entry, error) { return nil, nil }
	brings := func() ([]ledger.Entry, error) { ended.Store(false); return adds() }

	do("the first", false, adds)
	<-busy // the writer goes to the gate, and what comes now is one group
	ended.Store(true)
	for i, wish := range []struct {
		text    string
		fails   bool
		command func() ([]ledger.Entry, error)
	}{{"an entry", true, adds}, {"a command that adds nothing", false, nothing}, {"another entry", true, adds}} {
		do(wish.text, wish.fails, wish.command)
		for l.Waiting() == i {
			runtime.Gosched()
		}
	}
	close(pass)
	all.Wait()
	if l.Size() != 1 {
		t.Fatalf("size is %d", l.Size())
	}
	do("the key", false, brings)
	all.Wait()
	if l.Size() != 2 || l.Head()["a"] != 2 {
		t.Fatalf("size is %d, state %v", l.Size(), l.Head())
	}
	l.Close()
	ok(t, s.Close())
}

// Stamps never go back, whatever the clock does, also across a reopen.
func TestStampsNeverFall(t *testing.T) {
	n := newNode(t)
	for _, step := range []int64{0, 5, -100, 0, 3, -1, 200} {
		n.clock.Add(step)
		_, err := n.Append(ctx, entry("a", 1))
		ok(t, err)
		_, _, err = n.Do(ctx, func(_ tally, next trust.Stamp) ([]ledger.Entry, error) {
			return []ledger.Entry{entry("b", int(next.At))}, nil
		})
		ok(t, err)
		n.close(t)
		n.open(t)
	}
	records, err := n.Read(ctx, 0, 100)
	ok(t, err)
	for i, at := range []int64{0, 5, 5, 5, 5, 5, 107} {
		for _, r := range records[2*i : 2*i+2] {
			if r.At != 1_800_000_000+at {
				t.Fatalf("entry %s is stamped %d, want start + %d", r.Position, r.At-1_800_000_000, at)
			}
		}
		if want := fmt.Sprintf(`{"n":%d}`, records[2*i+1].At); string(records[2*i+1].Body) != want {
			t.Fatalf("the command was given another stamp than its entry has: %s", records[2*i+1].Body)
		}
	}
	n.close(t)
}

// An own entry of an unknown kind stops start-up.
func TestUnknownKindStopsStartUp(t *testing.T) {
	n := newNode(t)
	for i := range 3 {
		_, err := n.Append(ctx, entry("mapping", i))
		ok(t, err)
	}
	n.Log.Close()
	blind := config(n.key, n.store, n.clock)
	blind.Fold = nil
	newer := openLog(t, blind)
	_, err := newer.Append(ctx, ledger.Entry{Kind: "mapping", Version: 3, Body: []byte(`{}`)})
	ok(t, err)
	newer.Close()
	_, err = ledger.Open(ctx, config(n.key, n.store, n.clock))
	if err == nil || !strings.Contains(err.Error(), "entry 3: ") || !strings.Contains(err.Error(), "mapping/v3; this binary knows v1") {
		t.Fatalf("start-up says %v", err)
	}
	ok(t, n.store.Close())
}

// A state checkpoint saves folding what it holds, and nothing else.
func TestStartFromStateCheckpoint(t *testing.T) {
	n := newNode(t)
	var states []tally
	for i := range 10 {
		state, _, err := n.Do(ctx, func(tally, trust.Stamp) ([]ledger.Entry, error) {
			return []ledger.Entry{entry(fmt.Sprint("kind", i%3), i)}, nil
		})
		ok(t, err)
		states = append(states, state)
	}
	n.Log.Close()
	for i, state := range states {
		cfg := config(n.key, n.store, n.clock)
		folded := 0
		cfg.Start, cfg.StartAt = state, trust.Position{Epoch: 1, N: uint64(i)}
		cfg.Fold = func(s tally, r ledger.Record) (tally, error) {
			folded++
			return fold(s, r)
		}
		l := openLog(t, cfg)
		if got := fmt.Sprint(l.Head()); got != fmt.Sprint(states[9]) || folded != 9-i {
			t.Fatalf("from entry %d on the state is %s after %d folds", i, got, folded)
		}
		l.Close()
	}
	cfg := config(n.key, n.store, n.clock)
	cfg.StartAt = trust.Position{Epoch: 1, N: 10}
	_, err := ledger.Open(ctx, cfg)
	want(t, err, trust.Invalid)
	ok(t, n.store.Close())
}

func TestForeignLogIsRefused(t *testing.T) {
	n := newNode(t)
	_, err := n.Append(ctx, entry("a", 1))
	ok(t, err)
	n.Log.Close()
	other := newKey(t)
	for name, change := range map[string]func(*ledger.Config[tally]){
		"another key":    func(c *ledger.Config[tally]) { c.Verifiers = note.VerifierList(other.Verifier) },
		"another origin": func(c *ledger.Config[tally]) { c.Origin = "rxw.example/trust" },
	} {
		cfg := config(n.key, n.store, n.clock)
		change(&cfg)
		_, err := ledger.Open(ctx, cfg)
		if f, isFault := errors.AsType[*ledger.Fault](err); !isFault || f.Log != store.TrustLog {
			t.Errorf("%s: %v", name, err)
		}
	}
	ok(t, n.store.Close())
}

// A wrong tree hash that the next root would be made of is noticed before
// anything is signed.
func TestWrongEdgeIsNotBuiltUpon(t *testing.T) {
	k, clock, disk, dir := newKey(t), startClock(), &faulty.Disk{}, t.TempDir()
	options := local.Options{FS: disk, SegmentSize: 1} // what is older than the last entry is not computed again
	s := openStore(t, dir, options)
	l := openLog(t, config(k, s, clock))
	for i := range 40 {
		_, err := l.Append(ctx, entry("a", i))
		ok(t, err)
	}
	l.Close()
	ok(t, s.Close())
	disk.Bytes(dir + "/trust/tree")[32*tlog.StoredHashIndex(5, 0)] ^= 1
	s = openStore(t, dir, options)
	_, err := ledger.Open(ctx, config(k, s, clock))
	if _, isFault := errors.AsType[*ledger.Fault](err); !isFault {
		t.Fatalf("opening says %v", err)
	}
	ok(t, s.Close())
}
