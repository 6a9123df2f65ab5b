package local

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// Options are what a store can be told. The zero value is fit for use.
type Options struct {
	// SegmentSize is the length in bytes from which on a segment takes no more
	// frames; 64 MiB if zero.
	SegmentSize int64
	// OnceQuota is how many unexpired single-use values an edge can have;
	// 250,000 if zero.
	OnceQuota int
	// FS keeps the logs; the machine's own file system if nil.
	FS FS
}

func (o Options) withDefaults() Options {
	if o.SegmentSize == 0 {
		o.SegmentSize = 64 << 20
	}
	if o.OnceQuota == 0 {
		o.OnceQuota = 250_000
	}
	if o.FS == nil {
		o.FS = disk{}
	}
	return o
}

func logNames() []string { return []string{store.TrustLog, store.DecisionLog} }

// Store is a data directory that this process alone has open.
type Store struct {
	Reader
	limit     int64
	lock      io.Closer
	once      *onceTable
	registers *registers
	broken    atomic.Pointer[error]
}

var _ store.Store = (*Store)(nil)

// Open opens a data directory and makes it if it is not there. What a crash has
// left behind the last whole frame of a log is cut off, and given as a Tail. It
// fails with Conflict where another process has the directory, and with a
// *store.Damage where anything else is not as it was written.
func Open(dir string, o Options) (*Store, []store.Tail, error) {
	o = o.withDefaults()
	if err := o.FS.MkdirAll(dir); err != nil {
		return nil, nil, full("making data directory %s: %w", dir, err)
	}
	lock, err := o.FS.Lock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, nil, err
	}
	s := &Store{limit: o.SegmentSize, lock: lock, once: newOnceTable(o.OnceQuota), Reader: Reader{logs: map[string]*logFile{}}}
	tails, err := s.open(dir, o.FS)
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return s, tails, nil
}

func (s *Store) open(dir string, fsys FS) (tails []store.Tail, err error) {
	for _, name := range logNames() {
		l, err := openLog(fsys, dir, name, os.O_RDWR)
		s.logs[name] = l
		if err != nil {
			return nil, err
		}
		end, err := l.recover()
		if err != nil {
			return nil, err
		}
		if end.tail != nil {
			tails = append(tails, *end.tail)
		}
		s.once.forget(end.at)
		s.once.load(end.once)
	}
	s.registers, err = openRegisters(dir)
	return tails, err
}

// Append makes a batch durable, as store.Store says.
func (s *Store) Append(ctx context.Context, b store.Batch) error {
	if err := ctx.Err(); err != nil {
		return trust.Errorf(trust.Unavailable, "appending to the %s log: %w", b.Log, err)
	}
	l, err := s.log(b.Log)
	if err != nil {
		return err
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	if broken := s.broken.Load(); broken != nil {
		return *broken
	}
	if err := l.follows(&b); err != nil {
		return err
	}
	taken, err := s.once.burn(b.At, b.Once)
	if err != nil {
		return err
	}
	if err = l.append(&b, s.limit); err != nil {
		s.once.undo(taken)
	}
	if trust.KindOf(err) == trust.Internal {
		s.broken.CompareAndSwap(nil, &err)
	}
	return err
}

// Once says which values may be burned, as store.Store says.
func (s *Store) Once(_ context.Context, at int64, values []trust.Once) ([]error, error) {
	return s.once.verdicts(at, values), nil
}

// Put writes registers, as store.Store says.
func (s *Store) Put(ctx context.Context, pairs ...store.Pair) error {
	return s.registers.put(ctx, pairs)
}

// Get reads a register, as store.Store says.
func (s *Store) Get(ctx context.Context, bucket, key string) ([]byte, error) {
	return s.registers.get(ctx, bucket, key)
}

// Scan reads registers in key order, as store.Store says.
func (s *Store) Scan(ctx context.Context, bucket, prefix, after string, limit int) ([]store.Pair, error) {
	return s.registers.scan(ctx, bucket, prefix, after, limit)
}

// Close waits for appends under way, makes the trees durable and lets go of the
// directory.
func (s *Store) Close() error {
	closed := error(trust.Errorf(trust.Unavailable, "the store is closed"))
	s.broken.CompareAndSwap(nil, &closed)
	var errs []error
	for _, l := range s.logs {
		l.writing.Lock()
		defer l.writing.Unlock()
		if l.tree != nil {
			errs = append(errs, l.tree.file.Sync())
		}
	}
	errs = append(errs, s.Reader.Close())
	if s.registers != nil {
		errs = append(errs, s.registers.db.Close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}
