package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

const (
	bulkSubjects = 100_000
	bulkCallers  = 4
	bulkMillion  = 1_000_000
)

// bulkTimes is what it costs to end many at once. Waits are those of the host,
// which takes the list over the edge, decides and records meanwhile.
type bulkTimes struct {
	Subjects    int     `json:"subjects"`
	EntriesHome int     `json:"entries_home"`
	CommitsHome int     `json:"commits_home"`
	EntriesHost int     `json:"entries_host"`
	CommitsHost int     `json:"commits_host"`
	Home        float64 `json:"home_ms"` // from the call to its answer
	Host        float64 `json:"host_ms"` // from when the link is up, until all have ended
	// Commit is the group commit that holds the act, as a single revocation beside
	// it sees it: the longest of these. No decision is to wait longer.
	Commit float64 `json:"group_commit_ms"`
	Wait   float64 `json:"longest_decision_ms"`
	Over   float64 `json:"longest_decision_over_group_commit"`
	Before float64 `json:"longest_decision_before_ms"` // in two seconds without the act
	Memory float64 `json:"mb_per_million"`             // of people at a host, which keeps two marks of each
}

// measureBulk ends many people of a home in one act while the host decides about
// others without a pause.
func measureBulk(ctx context.Context, dir string, _ size, r *report) (err error) {
	tb := &program{ctx: ctx, dir: filepath.Join(dir, "bulk")}
	defer tb.rescue(&err)
	defer tb.end()
	b := &r.Bulk
	b.Subjects, b.Memory = bulkSubjects, marksInMemory()
	t := nodetest.NewWorld(tb)
	t.Heartbeat = 2 * time.Second
	home, host := t.Found(nil)
	ward := t.NewWard(home, host, nil)
	leavers := make([]node.Leaver, bulkSubjects)
	for i := range leavers {
		leavers[i] = node.Leaver{Issuer: ward.Issuer.URL, Subject: fmt.Sprintf("7f3c9a52-0000-4000-8000-%012d", i)}
	}
	t.Cut(home, host)
	began := time.Now()
	if _, err := home.RevokeMany(ctx, home.Admin, leavers, "left", "", nil); err != nil {
		return err
	}
	b.Home = millis(time.Since(began))

	decisions := without(ctx, bulkCallers, decide(ctx, ward))
	commits := without(ctx, 1, revokeOne(ctx, ward))
	time.Sleep(time.Second)
	decisions.longest.Store(0)
	time.Sleep(2 * time.Second)
	b.Before = millis(time.Duration(decisions.longest.Swap(0)))
	commits.longest.Store(0)
	began = time.Now()
	t.Heal(home, host)
	nodetest.Eventually(tb, "the act to arrive", func() bool { return host.State().Revocation.Tombstones.Len() >= bulkSubjects })
	b.Host = millis(time.Since(began))
	if err := first(decisions.stop(), commits.stop()); err != nil {
		return err
	}
	b.Wait, b.Commit = millis(time.Duration(decisions.longest.Load())), millis(time.Duration(commits.longest.Load()))
	b.Over = rounded(b.Wait / b.Commit)
	gone := ward.Ask(t.Token(ward.Issuer, leavers[0].Subject, ward.Audience, nil))
	if answer := host.Decide(ctx, gone); answer.Reason != trust.SubjectRevoked {
		return fmt.Errorf("whoever left in a bulk act is answered %s", answer.Reason)
	}
	if b.EntriesHome, b.CommitsHome, err = bulkEntries(ctx, home); err != nil {
		return err
	}
	b.EntriesHost, b.CommitsHost, err = bulkEntries(ctx, host)
	return err
}

// decide asks about those who stay.
func decide(ctx context.Context, ward *nodetest.Ward) func(i int) error {
	asks := make([]node.Ask, 64)
	for i := range asks {
		asks[i] = ward.Ask(ward.Host.World.Token(ward.Issuer, fmt.Sprint("stays-", i), ward.Audience, nil))
	}
	return func(i int) error {
		if answer := ward.Host.Decide(ctx, asks[i%len(asks)]); !answer.Permit && ctx.Err() == nil {
			return fmt.Errorf("whoever stays is denied: %s", answer.Reason)
		}
		return nil
	}
}

// revokeOne ends somebody else at the host.
func revokeOne(ctx context.Context, ward *nodetest.Ward) func(i int) error {
	return func(i int) error {
		_, err := ward.Host.Revoke(ctx, ward.Host.Admin, node.RevokeRequest{
			Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: fmt.Sprint("other-", i), Reason: "left",
		})
		return err
	}
}

func millis(d time.Duration) float64 { return rounded(float64(d.Nanoseconds()) / 1e6) }

// pauseless is callers who do something again and again.
type pauseless struct {
	longest atomic.Int64 // nanoseconds
	stop    func() error
}

// without lets callers do op without a pause until stop is called, which gives an
// error there was.
func without(ctx context.Context, callers int, op func(i int) error) *pauseless {
	p := &pauseless{}
	ended := make(chan struct{})
	var all sync.WaitGroup
	var failed atomic.Pointer[error]
	for c := range callers {
		all.Go(func() {
			for i := c; ctx.Err() == nil; i += callers {
				select {
				case <-ended:
					return
				default:
				}
				began := time.Now()
				if err := op(i); err != nil {
					failed.Store(&err)
					return
				}
				took := int64(time.Since(began))
				for old := p.longest.Load(); took > old && !p.longest.CompareAndSwap(old, took); old = p.longest.Load() {
				}
			}
		})
	}
	p.stop = func() error {
		close(ended)
		all.Wait()
		if err := failed.Load(); err != nil {
			return *err
		}
		return nil
	}
	return p
}

// bulkEntries counts the entries that hold the act, and the commits.
func bulkEntries(ctx context.Context, n *nodetest.Node) (entries, commits int, err error) {
	page, err := n.Config.Store.Read(ctx, store.Query{Log: store.TrustLog, Max: 1 << 20})
	if err != nil {
		return 0, 0, err
	}
	for _, run := range page.Runs {
		before := entries
		for _, record := range run.Records {
			if bytes.Contains(record.Leaf, []byte(`"kind":"revocation.bulk"`)) {
				entries++
			}
		}
		if entries > before {
			commits++
		}
	}
	return entries, commits, nil
}

// marksInMemory is the megabytes of heap that a million ended people take.
func marksInMemory() float64 {
	marks := make([]revocation.Mark, revocation.MaxMarks)
	before := settledHeap()
	var s revocation.State
	for first := 0; first < 2*bulkMillion; first += len(marks) {
		for i := range marks {
			marks[i] = revocation.Mark{Subject: subject(uint64(first + i + 1)), Engagement: 1}
		}
		s = s.Apply(revocation.Bulk{Marks: revocation.Pack(marks)}, trust.Stamp{})
	}
	after := settledHeap()
	runtime.KeepAlive(marks)
	runtime.KeepAlive(s)
	return rounded((after - before) / 1e6)
}

// settledHeap is the bytes in use once collecting frees no more: what pools and
// finalizers hold from the parts before goes in several rounds.
func settledHeap() float64 {
	var m runtime.MemStats
	for last := uint64(math.MaxUint64); ; last = m.HeapAlloc {
		runtime.GC()
		runtime.ReadMemStats(&m)
		if m.HeapAlloc >= last {
			return float64(m.HeapAlloc)
		}
	}
}

func (r *report) printBulk(w io.Writer) {
	b := r.Bulk
	fmt.Fprintf(w, "%d revoked in one act    entries %d, commits %d, %.0f ms at home; %d, %d, %.0f ms at the host\n",
		b.Subjects, b.EntriesHome, b.CommitsHome, b.Home, b.EntriesHost, b.CommitsHost, b.Host)
	fmt.Fprintf(w, "  its group commit          %8.2f ms; longest decision meanwhile %.2f, before %.2f\n", b.Commit, b.Wait, b.Before)
	fmt.Fprintf(w, "  a million people          %8.2f MB\n", b.Memory)
}
