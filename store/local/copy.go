package local

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// Copied is what a copy of a log came to: its head, and how many bytes of its
// segments were new.
type Copied struct {
	Head  store.Head
	Bytes int64
}

// Copy brings the logs in directory to up to what those in directory from hold
// now, whether or not a process is writing to them, and gives the heads by log.
// Bytes that are there are not written again, so a copy that was interrupted goes
// on where it ended; whenever it is, what stands in to is a ledger, an older one at
// worst. Everything is durable and read back when it returns. Registers are not
// copied. It fails with Conflict where to holds another ledger, or more of this one
// than from does; and with a *store.Damage for bytes that are not as they were
// written.
func Copy(ctx context.Context, from, to string, o Options) (map[string]Copied, error) {
	o = o.withDefaults()
	source, _, err := OpenReader(from, o)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	if err := source.continues(ctx, to, o); err != nil {
		return nil, err
	}
	all := map[string]Copied{}
	for _, name := range logNames() {
		head, err := source.Head(ctx, name)
		if err != nil {
			return nil, err
		}
		n, err := source.logs[name].copyTo(ctx, to)
		if err != nil {
			return nil, err
		}
		all[name] = Copied{head, n}
	}
	return all, reread(ctx, to, o, all)
}

// continues checks that what a copy holds already is the beginning of r.
func (r *Reader) continues(ctx context.Context, to string, o Options) error {
	earlier, _, err := OpenReader(to, o)
	if err != nil {
		return err
	}
	defer earlier.Close()
	for _, name := range logNames() {
		there, err := earlier.Head(ctx, name)
		if err != nil {
			return err
		}
		here, err := r.Head(ctx, name)
		if err != nil {
			return err
		}
		if there.Size == 0 {
			continue
		}
		if there.Size > here.Size {
			return trust.Errorf(trust.Conflict, "%s holds %d entries of the %s log, the ledger %d; a copy is never cut", to, there.Size, name, here.Size)
		}
		last := there.Size - 1
		old, err := earlier.Read(ctx, store.Query{Log: name, From: last, Max: 1})
		if err != nil {
			return err
		}
		now, err := r.Read(ctx, store.Query{Log: name, From: last, Max: 1})
		if err != nil {
			return err
		}
		if !bytes.Equal(old.Runs[0].Checkpoint, now.Runs[0].Checkpoint) {
			return trust.Errorf(trust.Conflict, "%s is of another ledger: its %s log has another checkpoint at entry count %d", to, name, there.Size)
		}
	}
	return nil
}

// copyTo writes what a copy lacks: the tree before the frames it is of, as the log
// itself does.
func (l *logFile) copyTo(ctx context.Context, to string) (written int64, err error) {
	if l.tree == nil || l.head.Size == 0 {
		return 0, nil
	}
	if err := (disk{}).MkdirAll(filepath.Join(to, l.name)); err != nil {
		return 0, full("making %s: %w", filepath.Join(to, l.name), err)
	}
	if _, err := copyFile(ctx, l.tree.file, filepath.Join(to, l.tree.name), tlog.StoredHashCount(int64(l.head.Size))*hashSize); err != nil {
		return 0, err
	}
	for i, s := range l.segments {
		size := l.size
		if i < len(l.segments)-1 {
			if size, err = s.file.Size(); err != nil {
				return written, internal("reading %s: %w", s.name, err)
			}
		}
		n, err := copyFile(ctx, s.file, filepath.Join(to, s.name), size)
		if err != nil {
			return written, err
		}
		written += n
	}
	return written, (disk{}).SyncDir(filepath.Join(to, l.name))
}

// copyFile makes the file to as long as size, by the bytes of from.
func copyFile(ctx context.Context, from io.ReaderAt, to string, size int64) (written int64, err error) {
	f, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 0, full("writing %s: %w", to, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return 0, internal("reading %s: %w", to, err)
	}
	const piece = 1 << 20
	for at := info.Size(); at < size; {
		if err := ctx.Err(); err != nil {
			return written, trust.Errorf(trust.Unavailable, "copying to %s: %w", to, err)
		}
		n, err := io.Copy(io.NewOffsetWriter(f, at), io.NewSectionReader(from, at, min(piece, size-at)))
		if err != nil || n == 0 {
			return written, full("writing %s: %w", to, errors.Join(err, io.ErrUnexpectedEOF))
		}
		at, written = at+n, written+n
	}
	if written == 0 {
		return 0, nil
	}
	if err := f.Sync(); err != nil {
		return written, internal("syncing %s: %w", to, err)
	}
	return written, nil
}

// reread opens the copy as an auditor would: its heads are the source's.
func reread(ctx context.Context, to string, o Options, all map[string]Copied) error {
	r, _, err := OpenReader(to, o)
	if err != nil {
		return err
	}
	defer r.Close()
	for name, c := range all {
		head, err := r.Head(ctx, name)
		if err != nil {
			return err
		}
		if head.Size != c.Head.Size || !bytes.Equal(head.Checkpoint, c.Head.Checkpoint) {
			return trust.Errorf(trust.Internal, "%s holds %d entries of the %s log after %d were written", to, head.Size, name, c.Head.Size)
		}
	}
	return nil
}
