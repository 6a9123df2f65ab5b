package local

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// logFile is one log's segments and tree. One goroutine at a time appends; any
// number read what has been published.
type logFile struct {
	name string // of the log, and of its directory
	dir  string // the data directory
	fs   FS
	tree *treeFile

	writing sync.Mutex // held by append
	buf     []byte
	until   int64 // the latest expiry of any single-use value in the log

	mu       sync.RWMutex // guards what follows
	segments []*segment
	size     int64 // of the last segment
	head     store.Head
	damage   *store.Damage // at the end of what can be read
}

// openLog finds a log's files; scan then reads the end of it.
func openLog(fsys FS, dir, name string, flag int) (*logFile, error) {
	l := &logFile{name: name, dir: dir, fs: fsys}
	names, err := fsys.ReadDir(filepath.Join(dir, name))
	if err != nil {
		return l, internal("reading directory %s: %w", name, err)
	}
	for _, file := range names {
		if filepath.Ext(file) != ".seg" {
			continue
		}
		want := l.segmentName(len(l.segments))
		if filepath.Join(name, file) != want {
			return l, &store.Damage{Log: name, File: want, Rule: fmt.Sprintf("the file is missing; %s follows", file)}
		}
		opened, err := fsys.OpenFile(filepath.Join(dir, want), flag)
		if err != nil {
			return l, internal("opening %s: %w", want, err)
		}
		l.segments = append(l.segments, &segment{log: name, name: want, file: opened})
	}
	tree := filepath.Join(name, "tree")
	file, err := fsys.OpenFile(filepath.Join(dir, tree), flag)
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(l.segments) == 0:
		return l, nil
	case errors.Is(err, fs.ErrNotExist):
		return l, &store.Damage{Log: name, File: tree, Rule: "the file is missing"}
	case err != nil:
		return l, internal("opening %s: %w", tree, err)
	}
	l.tree = &treeFile{log: name, name: tree, file: file}
	return l, nil
}

func (l *logFile) segmentName(i int) string {
	return filepath.Join(l.name, fmt.Sprintf("%08d.seg", i+1))
}

// last is the segment that is appended to.
func (l *logFile) last() *segment { return l.segments[len(l.segments)-1] }

// create makes the log's first files, the tree before the segment, so that no
// crash leaves a segment without a tree.
func (l *logFile) create() error {
	if err := l.fs.MkdirAll(filepath.Join(l.dir, l.name)); err != nil {
		return full("making directory %s: %w", l.name, err)
	}
	if l.tree == nil {
		name := filepath.Join(l.name, "tree")
		file, err := l.createFile(name)
		if err != nil {
			return err
		}
		l.tree = &treeFile{log: l.name, name: name, file: file}
	}
	return l.begin()
}

// begin begins a new segment at the head.
func (l *logFile) begin() error {
	name := l.segmentName(len(l.segments))
	file, err := l.createFile(name)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.segments = append(l.segments, &segment{log: l.name, name: name, file: file, first: l.head.Size})
	l.size = 0
	return nil
}

func (l *logFile) createFile(name string) (File, error) {
	file, err := l.fs.OpenFile(filepath.Join(l.dir, name), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, full("making %s: %w", name, err)
	}
	if err := l.fs.SyncDir(filepath.Join(l.dir, l.name)); err != nil {
		return nil, errors.Join(internal("syncing directory %s: %w", l.name, err), file.Close())
	}
	return file, nil
}

// recover makes a log ready for appends: what a crash left behind its end is cut
// off, and the tree hashes of the part that was read are computed again.
func (l *logFile) recover() (scan, error) {
	s := scan{log: l, repair: true}
	if err := s.end(); err != nil {
		return s, err
	}
	if err := s.unexpired(); err != nil {
		return s, err
	}
	if len(l.segments) == 0 {
		return s, l.create()
	}
	last := l.last()
	if s.tail != nil {
		if err := last.file.Truncate(l.size); err != nil {
			return s, internal("cutting %s: %w", last.name, err)
		}
	}
	// After a kill the last frames may be in memory only, and what is read from
	// them is acted upon from here on.
	if err := last.file.Sync(); err != nil {
		return s, internal("syncing %s: %w", last.name, err)
	}
	return s, l.tree.repair(s.first, s.leaves)
}

// follows fails with Conflict where b does not expect the head there is.
func (l *logFile) follows(b *store.Batch) error {
	if b.Expect.Size != l.head.Size || !bytes.Equal(b.Expect.Checkpoint, l.head.Checkpoint) {
		return trust.Errorf(trust.Conflict, "%s log ends with entry count %d, not %d under the expected checkpoint; a batch follows the head", l.name, l.head.Size, b.Expect.Size)
	}
	return nil
}

// append makes b durable: one write and one sync of the segment.
func (l *logFile) append(b *store.Batch, limit int64) error {
	first := l.head.Size
	count := tlog.StoredHashCount(int64(first))
	if want := tlog.StoredHashCount(int64(first)+int64(len(b.Records))) - count; want == 0 || int64(len(b.Hashes)) != want {
		return trust.Errorf(trust.Invalid, "batch of %d entries after %d has %d tree hashes; it adds %d", len(b.Records), first, len(b.Hashes), want)
	}
	if l.size >= limit {
		if err := l.tree.file.Sync(); err != nil {
			return internal("syncing %s: %w", l.tree.name, err)
		}
		if err := l.begin(); err != nil {
			return err
		}
	}
	buf, h, err := appendFrame(l.buf[:0], b, first, l.until)
	if err != nil {
		return err
	}
	l.buf = buf
	if err := l.write(buf, count, b.Hashes); err != nil {
		return err
	}
	if err := l.last().file.Sync(); err != nil {
		return internal("syncing %s: %w", l.last().name, err)
	}
	l.until = h.until
	l.last().note(mark{first: first, offset: l.size})
	l.mu.Lock()
	l.size += int64(len(buf))
	l.head = store.Head{Size: h.end(), Checkpoint: append([]byte(nil), b.Checkpoint...)}
	l.mu.Unlock()
	return nil
}

// write puts down the tree hashes, of which count are there, and the frame, or
// leaves both files as they were.
func (l *logFile) write(frame []byte, count int64, hashes []store.Hash) error {
	err := l.tree.append(count, hashes)
	if err == nil {
		_, err = l.last().file.WriteAt(frame, l.size)
	}
	if err == nil {
		return nil
	}
	if cut := errors.Join(l.last().file.Truncate(l.size), l.tree.file.Truncate(count*hashSize)); cut != nil {
		return internal("cutting the %s log after a failed write: %w", l.name, cut)
	}
	return full("%s log takes no entry, its write failed; it does once there is room: %w", l.name, err)
}

// read gives the runs and hashes of q that have been published.
func (l *logFile) read(q store.Query) (page store.Page, err error) {
	l.mu.RLock()
	segments, size, head, damage := l.segments, l.size, l.head, l.damage
	l.mu.RUnlock()
	if len(q.Hashes) > 0 {
		switch {
		case l.tree == nil && damage != nil:
			return page, damage
		case l.tree == nil:
			return page, trust.Errorf(trust.NotFound, "%s log has no tree hash; it is empty", l.name)
		}
		if page.Hashes, err = l.tree.read(q.Hashes, tlog.StoredHashCount(int64(head.Size))); err != nil {
			return page, err
		}
	}
	from, left := q.From, q.Max
	for left > 0 && from < head.Size {
		i := sort.Search(len(segments), func(i int) bool { return segments[i].first > from }) - 1
		end := size
		if i < len(segments)-1 {
			if end, err = segments[i].file.Size(); err != nil {
				return page, internal("reading %s: %w", segments[i].name, err)
			}
		}
		runs, err := segments[i].read(from, left, end)
		page.Runs = append(page.Runs, runs...)
		if err != nil {
			return page, err
		}
		for _, run := range runs {
			from = run.First + uint64(len(run.Records))
			left -= len(run.Records)
		}
		if left > 0 && from < head.Size && (i+1 == len(segments) || segments[i+1].first != from) {
			return page, &store.Damage{Log: l.name, File: segments[i].name, From: end, To: end, Size: from,
				Rule: fmt.Sprintf("the segment ends with entry count %d, and what follows it does not begin there", from)}
		}
	}
	if left > 0 && q.Max > 0 && damage != nil && len(page.Runs) == 0 {
		return page, damage
	}
	return page, nil
}

// close closes every file.
func (l *logFile) close() error {
	var errs []error
	if l.tree != nil {
		errs = append(errs, l.tree.file.Close())
	}
	for _, s := range l.segments {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(errs...)
}
