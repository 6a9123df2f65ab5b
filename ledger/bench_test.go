package ledger_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/trust"
)

// body is as large as a decision's.
var body = fmt.Appendf(nil, `{"agreement":"rxw-rje-care","outcome":"permit","subject":"%032x","token":"%064x"}`, 7, 9)

// raw is the floor: a group commit of the same bytes by the same callers that
// neither hashes nor signs nor numbers anything.
type raw struct {
	mu     sync.Mutex
	wake   *sync.Cond
	group  *rawGroup
	file   *os.File
	closed bool
	groups int
}

type rawGroup struct {
	entries [][]byte
	done    chan struct{}
}

func newRaw(b *testing.B) *raw {
	file, err := os.Create(filepath.Join(b.TempDir(), "raw"))
	if err != nil {
		b.Fatal(err)
	}
	r := &raw{file: file}
	r.wake = sync.NewCond(&r.mu)
	go r.write()
	return r
}

func (r *raw) append(entry []byte) {
	r.mu.Lock()
	if r.group == nil {
		r.group = &rawGroup{done: make(chan struct{})}
		r.wake.Signal()
	}
	g := r.group
	g.entries = append(g.entries, entry)
	r.mu.Unlock()
	<-g.done
}

func (r *raw) write() {
	var buf []byte
	for {
		r.mu.Lock()
		for r.group == nil && !r.closed {
			r.wake.Wait()
		}
		g := r.group
		r.group = nil
		r.mu.Unlock()
		if g == nil {
			return
		}
		buf = buf[:0]
		for _, e := range g.entries {
			buf = append(buf, e...)
		}
		if _, err := r.file.Write(buf); err != nil {
			panic(err)
		}
		if err := syscall.Fdatasync(int(r.file.Fd())); err != nil {
			panic(err)
		}
		r.groups++
		close(g.done)
	}
}

func (r *raw) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.wake.Signal()
}

// counted counts checkpoints.
type counted struct {
	note.Signer
	n atomic.Int64
}

func (c *counted) Sign(msg []byte) ([]byte, error) {
	c.n.Add(1)
	return c.Signer.Sign(msg)
}

func decisionLog(b *testing.B, o local.Options) (*ledger.Log[struct{}], *counted) {
	k := newKey(b)
	signer := &counted{Signer: k.Signer}
	s := openStore(b, b.TempDir(), o)
	l, err := ledger.Open(context.Background(), ledger.Config[struct{}]{
		Store: s, Log: store.DecisionLog, Origin: origin, Signer: func(int64) (note.Signer, error) { return signer, nil }, Verifiers: k.verifiers(),
		Now: func() int64 { return time.Now().Unix() }, Rand: rand.Reader,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		l.Close()
		s.Close()
	})
	return l, signer
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// drive lets callers append until b.N entries are durable.
func drive(b *testing.B, callers int, appendOne func()) {
	var left atomic.Int64
	left.Store(int64(b.N))
	before := cpu()
	b.ResetTimer()
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				appendOne()
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/1e3/float64(b.N), "cpu-µs/entry")
}

// BenchmarkDurable compares durable appends with the raw floor at equal callers
// and equal bytes an entry.
func BenchmarkDurable(b *testing.B) {
	for _, callers := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("raw/%d", callers), func(b *testing.B) {
			r := newRaw(b)
			defer r.close()
			entry := bytes.Repeat([]byte{'x'}, len(body)+16+60+8)
			drive(b, callers, func() { r.append(entry) })
			b.ReportMetric(float64(b.N)/float64(r.groups), "entries/sync")
		})
		b.Run(fmt.Sprintf("ledger/%d", callers), func(b *testing.B) {
			l, signer := decisionLog(b, local.Options{})
			drive(b, callers, func() {
				if _, err := l.Append(context.Background(), ledger.Entry{Kind: "decision", Version: 1, Body: body}); err != nil {
					panic(err)
				}
			})
			b.ReportMetric(float64(b.N)/float64(signer.n.Load()), "entries/sync")
		})
	}
}

// BenchmarkSize appends to a log of a thousand and of a million entries.
func BenchmarkSize(b *testing.B) {
	for _, size := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			l, _ := decisionLog(b, local.Options{})
			fill(b, l, size)
			drive(b, 64, func() {
				if _, err := l.Append(context.Background(), ledger.Entry{Kind: "decision", Version: 1, Body: body}); err != nil {
					panic(err)
				}
			})
		})
	}
}

// fill adds entries by commands, a thousand at a time.
func fill(b *testing.B, l *ledger.Log[struct{}], size int) {
	entries := make([]ledger.Entry, 1000)
	for i := range entries {
		entries[i] = ledger.Entry{Kind: "decision", Version: 1, Body: []byte(`{}`)}
	}
	for range size / len(entries) {
		_, _, err := l.Do(context.Background(), func(struct{}, trust.Stamp) ([]ledger.Entry, error) { return entries, nil })
		if err != nil {
			b.Fatal(err)
		}
	}
}
