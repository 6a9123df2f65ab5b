package local

import (
	"context"
	"errors"
	"os"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// Reader reads a data directory and changes nothing in it.
type Reader struct{ logs map[string]*logFile }

var _ store.Reader = (*Reader)(nil)

// OpenReader opens a data directory, or a copy of one, for an auditor. It takes
// no lock, so a node may be running on it: the reader sees what the logs held
// when it was opened. Bytes of an interrupted write behind the end of a log or
// its tree are left there and given as Tails. Damage does not fail here but
// where the damaged bytes are read, after all that stands before them.
func OpenReader(dir string, o Options) (*Reader, []store.Tail, error) {
	o = o.withDefaults()
	r := &Reader{logs: map[string]*logFile{}}
	var tails []store.Tail
	for _, name := range logNames() {
		l, err := openLog(o.FS, dir, name, os.O_RDONLY)
		r.logs[name] = l
		end := scan{log: l}
		if scanErr := end.end(); err == nil {
			err = scanErr
		}
		damage, damaged := errors.AsType[*store.Damage](err)
		if err != nil && !damaged {
			return nil, nil, errors.Join(err, r.Close())
		}
		l.damage = damage
		if end.tail != nil {
			tails = append(tails, *end.tail)
		}
		if rest := l.treeTail(); rest != nil && !damaged {
			tails = append(tails, *rest)
		}
	}
	return r, tails, nil
}

// treeTail is what the tree file holds beyond the log's entries.
func (l *logFile) treeTail() *store.Tail {
	if l.tree == nil {
		return nil
	}
	size, err := l.tree.file.Size()
	if rest := size - tlog.StoredHashCount(int64(l.head.Size))*hashSize; err == nil && rest > 0 {
		return &store.Tail{Log: l.name, File: l.tree.name, Bytes: rest, Size: l.head.Size}
	}
	return nil
}

// Read gives entries and tree hashes, as store.Reader says.
func (r *Reader) Read(ctx context.Context, q store.Query) (store.Page, error) {
	if err := ctx.Err(); err != nil {
		return store.Page{}, trust.Errorf(trust.Unavailable, "reading the %s log: %w", q.Log, err)
	}
	l, err := r.log(q.Log)
	if err != nil {
		return store.Page{}, err
	}
	return l.read(q)
}

// Head gives the end of a log, as store.Reader says.
func (r *Reader) Head(_ context.Context, log string) (store.Head, error) {
	l, err := r.log(log)
	if err != nil {
		return store.Head{}, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.damage != nil {
		return l.head, l.damage
	}
	return l.head, nil
}

// Close closes the files.
func (r *Reader) Close() error {
	var errs []error
	for _, l := range r.logs {
		errs = append(errs, l.close())
	}
	return errors.Join(errs...)
}

func (r *Reader) log(name string) (*logFile, error) {
	l, ok := r.logs[name]
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "log %q is not there; the logs are trust and decisions", name)
	}
	return l, nil
}
