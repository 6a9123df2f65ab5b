package ledger_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/trust"
)

// acknowledged remembers what callers were told is durable.
type acknowledged struct {
	mu      sync.Mutex
	entries map[uint64]string // marker by number
}

func (a *acknowledged) add(n uint64, marker string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.entries[n] = marker
}

// check looks for every acknowledged entry in a log, folds included.
func (a *acknowledged) check(t *testing.T, l *ledger.Log[tally]) {
	t.Helper()
	records, err := l.Read(context.Background(), 0, 1<<20)
	ok(t, err)
	for n, said := range a.entries {
		if n >= uint64(len(records)) {
			t.Fatalf("acknowledged entry %d is lost; the log has %d", n, len(records))
		}
		if got := marker(records[n]); said != got {
			t.Fatalf("acknowledged entry %d is %s, was %s", n, got, said)
		}
	}
	folded := 0
	for _, count := range l.Head() {
		folded += count
	}
	if folded != len(records) {
		t.Fatalf("the state counts %d entries of %d", folded, len(records))
	}
}

// marker is what tells entries apart for the caller that added them.
func marker(r ledger.Record) string { return r.Kind + string(r.Body) }

// load appends from many goroutines until the log refuses, and tells said of
// each acknowledged entry.
func load(l *ledger.Log[tally], said func(n uint64, marker string)) {
	ctx := context.Background()
	var all sync.WaitGroup
	for caller := range 8 {
		all.Go(func() {
			for i := 0; ; i++ {
				e := entry(fmt.Sprint("caller", caller), mathrand.IntN(1e9))
				var at trust.Position
				var err error
				if i%4 == 3 {
					var positions []trust.Position
					_, positions, err = l.Do(ctx, func(tally, trust.Stamp) ([]ledger.Entry, error) { return []ledger.Entry{e}, nil })
					if err == nil {
						at = positions[0]
					}
				} else {
					at, err = l.Append(ctx, e)
				}
				if err != nil {
					return
				}
				said(at.N, e.Kind+string(e.Body))
			}
		})
	}
	all.Wait()
}

// No acknowledged entry is lost, and the ledger verifies, after crashes under
// load of a disk that forgets what was not synced and tears the last write.
func TestCrashes(t *testing.T) {
	random := mathrand.New(mathrand.NewPCG(1, 2))
	n := newNode(t)
	acks := &acknowledged{entries: map[uint64]string{}}
	torn := 0
	for range 50 {
		n.disk.FailPower(10 + random.IntN(30))
		load(n.Log, func(at uint64, marker string) { acks.add(at, marker) })
		n.Log.Close()
		_ = n.store.Close()

		n.disk = n.disk.Crash(random)
		s, tails, err := local.Open(n.dir, local.Options{FS: n.disk, SegmentSize: 8 << 10})
		ok(t, err)
		torn += len(tails)
		n.store = s
		n.Log = openLog(t, config(n.key, s, n.clock))
		acks.check(t, n.Log)
		report, tails, err := verify(n.key, n.dir, n.disk, n.Checkpoint())
		ok(t, err)
		if report.Size != n.Size() || len(tails) != 0 {
			t.Fatalf("verify reports %+v, %v", report, tails)
		}
	}
	if torn < 3 || len(acks.entries) < 1000 {
		t.Fatalf("%d crashes of 50 tore a frame, %d entries were acknowledged; that shows nothing", torn, len(acks.entries))
	}
	n.close(t)
}

// TestMain is also the process that TestKills kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("LEDGER_TEST_DIR"); dir != "" {
		serve(dir, os.Getenv("LEDGER_TEST_SECRET"), os.Getenv("LEDGER_TEST_PUBLIC"))
		return
	}
	os.Exit(m.Run())
}

// serve appends without end and says so on stdout, one line an acknowledged
// entry.
func serve(dir, secret, public string) {
	signer, err := note.NewSigner(secret)
	panicIf(err)
	verifier, err := note.NewVerifier(public)
	panicIf(err)
	s, _, err := local.Open(dir, local.Options{SegmentSize: 64 << 10})
	panicIf(err)
	cfg := config(key{signer, verifier}, s, startClock())
	l, err := ledger.Open(context.Background(), cfg)
	panicIf(err)
	load(l, func(n uint64, marker string) {
		_, err := os.Stdout.WriteString(fmt.Sprintf("%d %s\n", n, hex.EncodeToString([]byte(marker))))
		panicIf(err)
	})
}

func panicIf(err error) {
	if err != nil {
		panic(err)
	}
}

// No acknowledged entry is lost, and the ledger verifies, after kill -9 of the
// process under load.
func TestKills(t *testing.T) {
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	ok(t, err)
	k := parseKey(t, secret, public)
	dir := t.TempDir()
	acks := &acknowledged{entries: map[uint64]string{}}
	for range 50 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "LEDGER_TEST_DIR="+dir, "LEDGER_TEST_SECRET="+secret, "LEDGER_TEST_PUBLIC="+public)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		ok(t, err)
		ok(t, child.Start())
		killAfter(t, child, out, acks, 20+mathrand.IntN(150))

		s, _, err := local.Open(dir, local.Options{})
		ok(t, err)
		l := openLog(t, config(k, s, startClock()))
		acks.check(t, l)
		_, tails, err := verify(k, dir, nil, l.Checkpoint())
		ok(t, err)
		if len(tails) != 0 {
			t.Fatalf("after a reopen there is %v", tails)
		}
		l.Close()
		ok(t, s.Close())
	}
	if len(acks.entries) < 50*20 {
		t.Fatalf("only %d entries were acknowledged", len(acks.entries))
	}
}

// killAfter kills a child once it has said that so many entries are durable,
// and takes in what it had said by then.
func killAfter(t *testing.T, child *exec.Cmd, out io.Reader, acks *acknowledged, lines int) {
	t.Helper()
	in := bufio.NewReader(out)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			break // what stands behind the last line end was not said
		}
		var n uint64
		var text string
		_, err = fmt.Sscanf(line, "%d %s\n", &n, &text)
		ok(t, err)
		said, err := hex.DecodeString(text)
		ok(t, err)
		acks.add(n, string(said))
		if lines--; lines == 0 {
			ok(t, child.Process.Kill())
		}
	}
	if child.Wait() == nil || lines > 0 {
		t.Fatalf("the child ended by itself, %d lines early", lines)
	}
}

// A full disk refuses, changes nothing, and is forgotten once there is room.
func TestDiskFull(t *testing.T) {
	n := newNode(t)
	_, err := n.Append(ctx, entry("a", 1))
	ok(t, err)
	n.disk.Fill(100)
	for i := range 5 {
		_, err = n.Append(ctx, entry("a", i), value(1))
		want(t, err, trust.Unavailable)
		_, _, err = n.Do(ctx, func(head tally, next trust.Stamp) ([]ledger.Entry, error) {
			if head["a"] != 1 || next.Position.N != 1 {
				t.Errorf("a refused batch is still seen: %v, %v", head, next)
			}
			return []ledger.Entry{entry("b", i)}, nil
		})
		want(t, err, trust.Unavailable)
	}
	if n.Size() != 1 || n.Head()["b"] != 0 {
		t.Fatalf("size is %d, state %v", n.Size(), n.Head())
	}
	n.disk.Free()
	_, err = n.Append(ctx, entry("a", 2), value(1))
	ok(t, err)
	_, _, err = verify(n.key, n.dir, n.disk, n.Checkpoint())
	ok(t, err)
	n.close(t)
}

// After an fsync error the log is dead for good, and says so.
func TestSyncError(t *testing.T) {
	n := newNode(t)
	_, err := n.Append(ctx, entry("a", 1))
	ok(t, err)
	n.disk.FailSync()
	_, err = n.Append(ctx, entry("a", 2))
	want(t, err, trust.Internal)
	want(t, <-n.Fatal(), trust.Internal)
	for i := range 5 {
		_, err = n.Append(ctx, entry("a", i))
		want(t, err, trust.Internal)
		_, _, err = n.Do(ctx, func(tally, trust.Stamp) ([]ledger.Entry, error) { return nil, nil })
		want(t, err, trust.Internal)
	}
	if n.Size() != 1 || n.Head()["a"] != 1 {
		t.Fatal("something is published that may not be durable")
	}
	n.Log.Close()
	_ = n.store.Close()
	cfg := config(n.key, n.store, n.clock)
	want(t, n.store.Append(ctx, store.Batch{Log: cfg.Log}), trust.Internal)
}

// Two ledgers on one log: the head moves under one of them, which ends rather
// than fork it.
func TestTwoWritersDoNotFork(t *testing.T) {
	n := newNode(t)
	second := openLog(t, config(n.key, n.store, n.clock))
	_, err := n.Append(ctx, entry("a", 1))
	ok(t, err)
	_, err = second.Append(ctx, entry("a", 2))
	want(t, err, trust.Conflict)
	want(t, <-second.Fatal(), trust.Conflict)
	second.Close()
	_, err = n.Append(ctx, entry("a", 3))
	ok(t, err)
	n.close(t)
}
