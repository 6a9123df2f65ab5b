package simulation_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/store/storetest"
	"github.com/entente-id/entente/trust"
)

// disk is what a node's store has made durable. A batch is on it whole or not
// at all, and some time after it was handed over.
type disk struct {
	mu        sync.Mutex
	logs      map[string]*tape
	once      map[[16]byte]trust.Once
	registers map[[2]string][]byte
	quota     int
	writing   []*store.Batch // handed over and not durable yet
}

// tape is one log. What was written to it is never changed, so that a copy of it
// shares everything.
type tape struct {
	batches []written
	hashes  []store.Hash
	head    store.Head
	copied  int // batches that were there when the disk was copied
}

// written is a batch on a tape; first is the number of its first record.
type written struct {
	at         time.Time
	first      uint64
	records    []store.Record
	checkpoint []byte
}

func newDisk() *disk {
	return &disk{
		logs: map[string]*tape{store.TrustLog: {}, store.DecisionLog: {}},
		once: map[[16]byte]trust.Once{}, registers: map[[2]string][]byte{}, quota: 250_000,
	}
}

// clone gives a disk with the same on it.
func (d *disk) clone() *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	twin := &disk{logs: map[string]*tape{}, once: maps.Clone(d.once), registers: maps.Clone(d.registers), quota: d.quota}
	for name, t := range d.logs {
		twin.logs[name] = &tape{batches: slices.Clip(t.batches), hashes: slices.Clip(t.hashes), head: t.head, copied: len(t.batches)}
	}
	return twin
}

// handle is a disk as one run of a node has it open; takes is how long it takes
// to make a batch durable.
type handle struct {
	*disk
	takes time.Duration

	closed bool // guarded by the disk's mutex
}

var _ store.Store = (*handle)(nil)

// open gives the disk to a new run.
func (d *disk) open(takes time.Duration) *handle { return &handle{disk: d, takes: takes} }

// crash ends a run at once. Of the batches under way each is durable if kept
// says so; nobody will ever know.
func (h *handle) crash(kept func() bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, b := range h.writing {
		if kept() {
			h.keep(b)
		}
	}
	h.writing = nil
}

func (h *handle) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	return nil
}

// usable says why the handle cannot be used, if it cannot.
func (h *handle) usable(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return trust.Errorf(trust.Unavailable, "the store was not asked: %w", ctx.Err())
	case h.closed:
		return trust.Errorf(trust.Internal, "the store is closed")
	default:
		return nil
	}
}

func (h *handle) log(name string) (*tape, error) {
	t, ok := h.logs[name]
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "log %q is not there", name)
	}
	return t, nil
}

func (h *handle) Append(ctx context.Context, b store.Batch) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.check(ctx, &b); err != nil {
		return err
	}
	copied := copyOf(b)
	if h.takes > 0 {
		h.writing = append(h.writing, copied)
		h.mu.Unlock()
		time.Sleep(h.takes)
		h.mu.Lock()
		if h.closed {
			return trust.Errorf(trust.Internal, "the machine failed in the middle of a write")
		}
		h.writing = slices.DeleteFunc(h.writing, func(w *store.Batch) bool { return w == copied })
		if err := h.check(ctx, &b); err != nil {
			return err
		}
	}
	h.keep(copied)
	return nil
}

func copyOf(b store.Batch) *store.Batch {
	b.Records, b.Checkpoint = slices.Clone(b.Records), bytes.Clone(b.Checkpoint)
	for i, r := range b.Records {
		b.Records[i] = store.Record{Leaf: bytes.Clone(r.Leaf), Sealed: bytes.Clone(r.Sealed)}
	}
	b.Hashes, b.Once = slices.Clone(b.Hashes), slices.Clone(b.Once)
	return &b
}

// check says whether a batch may follow what is there.
func (h *handle) check(ctx context.Context, b *store.Batch) error {
	if err := h.usable(ctx); err != nil {
		return err
	}
	t, err := h.log(b.Log)
	if err != nil {
		return err
	}
	size := int64(t.head.Size)
	switch {
	case b.Expect.Size != t.head.Size || !bytes.Equal(b.Expect.Checkpoint, t.head.Checkpoint):
		return trust.Errorf(trust.Conflict, "the %s log has another head", b.Log)
	case len(b.Records) == 0 || tlog.StoredHashCount(size+int64(len(b.Records))) != int64(len(t.hashes)+len(b.Hashes)):
		return trust.Errorf(trust.Invalid, "%d records come with %d hashes", len(b.Records), len(b.Hashes))
	}
	for _, verdict := range h.verdicts(b.At, b.Once) {
		if verdict != nil {
			return verdict
		}
	}
	return nil
}

// keep puts a batch on its tape.
func (d *disk) keep(b *store.Batch) {
	t := d.logs[b.Log]
	for key, o := range d.once {
		if o.Expires <= b.At {
			delete(d.once, key)
		}
	}
	for _, o := range b.Once {
		d.once[o.Key] = o
	}
	t.batches = append(t.batches, written{time.Now(), t.head.Size, b.Records, b.Checkpoint})
	t.hashes = append(t.hashes, b.Hashes...)
	t.head = store.Head{Size: t.head.Size + uint64(len(b.Records)), Checkpoint: b.Checkpoint}
}

// lose takes the newest batch of a log off the disk, as no disk may.
func (d *disk) lose(log string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.logs[log]
	last := len(t.batches) - 1
	first := t.batches[last].first
	t.batches = slices.Clip(t.batches[:last])
	t.hashes = slices.Clip(t.hashes[:tlog.StoredHashCount(int64(first))])
	t.head = store.Head{Size: first}
	if last > 0 {
		t.head.Checkpoint = t.batches[last-1].checkpoint
	}
}

func (h *handle) Once(_ context.Context, at int64, values []trust.Once) ([]error, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.verdicts(at, values), nil
}

func (d *disk) verdicts(at int64, values []trust.Once) []error {
	if len(values) == 0 {
		return nil
	}
	used, counts := map[[16]byte]bool{}, map[trust.ParticipantID]int{}
	for key, o := range d.once {
		if o.Expires > at {
			used[key] = true
			counts[o.Edge]++
		}
	}
	out := make([]error, len(values))
	for i, v := range values {
		switch {
		case used[v.Key]:
			out[i] = trust.Errorf(trust.Conflict, "single-use value %x has been used", v.Key)
		case counts[v.Edge] >= d.quota:
			out[i] = trust.Errorf(trust.Unavailable, "edge %s has its quota of single-use values", v.Edge)
		case v.Expires > at:
			used[v.Key] = true
			counts[v.Edge]++
		}
	}
	return out
}

func (h *handle) Read(ctx context.Context, q store.Query) (store.Page, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var page store.Page
	if err := h.usable(ctx); err != nil {
		return page, err
	}
	t, err := h.log(q.Log)
	if err != nil {
		return page, err
	}
	for _, i := range q.Hashes {
		if i < 0 || i >= int64(len(t.hashes)) {
			return page, trust.Errorf(trust.NotFound, "tree hash %d is not there", i)
		}
		page.Hashes = append(page.Hashes, t.hashes[i])
	}
	from, left := q.From, q.Max
	begin, _ := slices.BinarySearchFunc(t.batches, from, func(w written, n uint64) int {
		if w.first+uint64(len(w.records)) <= n {
			return -1
		}
		return 1
	})
	for _, w := range t.batches[begin:] {
		if left <= 0 {
			break
		}
		records := w.records[from-w.first:]
		records = records[:min(left, len(records))]
		page.Runs = append(page.Runs, store.Run{
			First: from, Records: records, End: w.first + uint64(len(w.records)), Checkpoint: w.checkpoint,
		})
		from, left = from+uint64(len(records)), left-len(records)
	}
	return page, nil
}

func (h *handle) Head(ctx context.Context, log string) (store.Head, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.usable(ctx); err != nil {
		return store.Head{}, err
	}
	t, err := h.log(log)
	if err != nil {
		return store.Head{}, err
	}
	return t.head, nil
}

func (h *handle) Put(ctx context.Context, pairs ...store.Pair) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.usable(ctx); err != nil {
		return err
	}
	for _, p := range pairs {
		if p.Bucket == "" || p.Key == "" {
			return trust.Errorf(trust.Invalid, "register %q/%q has no name", p.Bucket, p.Key)
		}
	}
	for _, p := range pairs {
		if p.Value == nil {
			delete(h.registers, [2]string{p.Bucket, p.Key})
			continue
		}
		h.registers[[2]string{p.Bucket, p.Key}] = append([]byte{}, p.Value...)
	}
	return nil
}

func (h *handle) Get(ctx context.Context, bucket, key string) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.usable(ctx); err != nil {
		return nil, err
	}
	value, ok := h.registers[[2]string{bucket, key}]
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "register %s/%s is not there", bucket, key)
	}
	return append([]byte{}, value...), nil
}

func (h *handle) Scan(ctx context.Context, bucket, prefix, after string, limit int) ([]store.Pair, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.usable(ctx); err != nil {
		return nil, err
	}
	var out []store.Pair
	for name, value := range h.registers {
		if name[0] == bucket && strings.HasPrefix(name[1], prefix) && (after == "" || name[1] > after) {
			out = append(out, store.Pair{Bucket: bucket, Key: name[1], Value: append([]byte{}, value...)})
		}
	}
	slices.SortFunc(out, func(a, b store.Pair) int { return strings.Compare(a.Key, b.Key) })
	return out[:min(limit, len(out))], nil
}

// The disk of the simulation keeps what every store keeps.
func TestDisk(t *testing.T) {
	storetest.Run(t, func(*testing.T) func() store.Store {
		d := newDisk()
		d.quota = storetest.OnceQuota
		return func() store.Store { return d.open(0) }
	})
}

// What was acknowledged outlives a crash; what was under way is there or not.
func TestACrashOfTheDisk(t *testing.T) {
	for _, kept := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			d := newDisk()
			h := d.open(time.Second)
			batch := store.Batch{Log: store.TrustLog, Records: []store.Record{{Leaf: []byte("leaf")}}, Hashes: make([]store.Hash, 1), Checkpoint: []byte("1\n")}
			ended := batch
			ended.Log = store.DecisionLog
			if err := h.Append(t.Context(), ended); err != nil {
				t.Fatal(err)
			}
			failed := make(chan error, 1)
			go func() { failed <- h.Append(t.Context(), batch) }()
			time.Sleep(time.Second / 2)
			h.crash(func() bool { return kept })
			if err := <-failed; trust.KindOf(err) != trust.Internal {
				t.Errorf("kept %t: the batch under way fails with %v", kept, err)
			}
			again := d.open(0)
			for log, want := range map[string]bool{store.DecisionLog: true, store.TrustLog: kept} {
				if head, err := again.Head(t.Context(), log); err != nil || (head.Size == 1) != want {
					t.Errorf("kept %t: the %s log has %d entries, %v", kept, log, head.Size, err)
				}
			}
		})
	}
}
