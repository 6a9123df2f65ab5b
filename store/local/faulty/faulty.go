// Package faulty is a disk in memory for tests. It loses what was not synced
// when it crashes, tears the write that was under way, fills up, fails to sync,
// and shows its bytes to be flipped. It keeps the contract of local.FS and no
// other: what it does is what a real disk may do.
package faulty

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/trust"
)

// Disk is a disk. The zero value is an empty one.
type Disk struct {
	mu     sync.Mutex
	files  map[string]*content
	synced map[string]*content // what directories durably name
	locked map[string]bool
	room   *int64 // bytes that may still be written, nil for no limit
	broken bool   // whether the next sync fails
	writes int    // until the power goes, if positive
	off    bool   // after a crash nobody can use it
}

var _ local.FS = (*Disk)(nil)

// content is a file's bytes: as a reader sees them, as they are durable, and
// what lies between.
type content struct {
	now     []byte
	durable []byte
	pending []operation
}

// operation is a write, or with nil data a cut.
type operation struct {
	at   int64
	data []byte
}

func (o operation) apply(b []byte) []byte {
	if o.data == nil {
		return resized(b, o.at)
	}
	b = resized(b, max(int64(len(b)), o.at+int64(len(o.data))))
	copy(b[o.at:], o.data)
	return b
}

// torn is what a crash leaves of a write: its beginning, and at times the length
// of all of it with nothing in the rest.
func (o operation) torn(random *rand.Rand) operation {
	at := random.IntN(len(o.data))
	if random.IntN(2) == 0 {
		return operation{at: o.at, data: o.data[:at]}
	}
	data := make([]byte, len(o.data))
	copy(data, o.data[:at])
	return operation{at: o.at, data: data}
}

func resized(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}

// Crash cuts the power: the disk can no longer be used, and the one it gives
// holds what was synced, and of each file's other writes none, some, or some
// and the beginning of the next, as random says.
func (d *Disk) Crash(random *rand.Rand) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
	after := &Disk{files: map[string]*content{}}
	for _, name := range slices.Sorted(maps.Keys(d.synced)) {
		c := d.synced[name]
		bytes := slices.Clone(c.durable)
		kept := random.IntN(len(c.pending) + 1)
		for _, o := range c.pending[:kept] {
			bytes = o.apply(bytes)
		}
		if kept < len(c.pending) && len(c.pending[kept].data) > 0 {
			bytes = c.pending[kept].torn(random).apply(bytes)
		}
		after.files[name] = &content{now: bytes, durable: slices.Clone(bytes)}
	}
	after.synced = maps.Clone(after.files)
	return after
}

// FailPower lets the power go in the middle of the n-th write from now on. Crash
// then gives what the disk holds.
func (d *Disk) FailPower(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes = n
}

// Clone gives a copy of what a reader sees now, all of it durable.
func (d *Disk) Clone() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	twin := &Disk{files: map[string]*content{}}
	for name, c := range d.files {
		twin.files[name] = &content{now: slices.Clone(c.now), durable: slices.Clone(c.now)}
	}
	twin.synced = maps.Clone(twin.files)
	return twin
}

// Fill lets room more bytes be written; then the disk is full.
func (d *Disk) Fill(room int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.room = &room
}

// Free makes room without end.
func (d *Disk) Free() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.room = nil
}

// FailSync lets the next sync fail, and lose what it was to make durable.
func (d *Disk) FailSync() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = true
}

// Names gives the names of the files there are, sorted.
func (d *Disk) Names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.files))
}

// Bytes gives a file's bytes themselves, to be looked at or changed.
func (d *Disk) Bytes(name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.files[name].now
}

// Cut shortens a file.
func (d *Disk) Cut(name string, size int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.files[name].now = d.files[name].now[:size]
}

// Remove takes a file away.
func (d *Disk) Remove(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.files, name)
	delete(d.synced, name)
}

func (d *Disk) check() error {
	if d.off {
		return syscall.EIO
	}
	return nil
}

// MkdirAll does nothing: a directory is there when a file in it is.
func (d *Disk) MkdirAll(string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.check()
}

// ReadDir gives the names of the files in a directory.
func (d *Disk) ReadDir(dir string) ([]string, error) {
	var names []string
	for _, name := range d.Names() {
		if filepath.Dir(name) == filepath.Clean(dir) {
			names = append(names, filepath.Base(name))
		}
	}
	return names, nil
}

// OpenFile opens a file.
func (d *Disk) OpenFile(name string, flag int) (local.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.check(); err != nil {
		return nil, err
	}
	c, there := d.files[name]
	if !there {
		if flag&os.O_CREATE == 0 {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		if d.room != nil && *d.room <= 0 {
			return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.ENOSPC}
		}
		c = &content{}
		if d.files == nil {
			d.files, d.synced = map[string]*content{}, map[string]*content{}
		}
		d.files[name] = c
	}
	return &file{disk: d, content: c}, nil
}

// SyncDir makes the names in a directory durable.
func (d *Disk) SyncDir(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, c := range d.files {
		if filepath.Dir(name) == filepath.Clean(dir) {
			d.synced[name] = c
		}
	}
	return d.check()
}

// Lock takes a name, or fails with Conflict.
func (d *Disk) Lock(name string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locked[name] {
		return nil, trust.Errorf(trust.Conflict, "data directory %s is in use", filepath.Dir(name))
	}
	if d.locked == nil {
		d.locked = map[string]bool{}
	}
	d.locked[name] = true
	return unlock(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.locked, name)
	}), nil
}

type unlock func()

func (u unlock) Close() error {
	u()
	return nil
}

type file struct {
	disk    *Disk
	content *content
}

func (f *file) ReadAt(p []byte, at int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.check(); err != nil {
		return 0, err
	}
	if at >= int64(len(f.content.now)) {
		return 0, io.EOF
	}
	n := copy(p, f.content.now[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(p []byte, at int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.check(); err != nil {
		return 0, err
	}
	n := len(p)
	if room := f.disk.room; room != nil {
		n = int(min(int64(n), *room))
		*room -= int64(n)
	}
	o := operation{at: at, data: slices.Clone(p[:n])}
	if n > 0 {
		f.content.now = o.apply(f.content.now)
		f.content.pending = append(f.content.pending, o)
	}
	if f.disk.writes--; f.disk.writes == 0 {
		f.disk.off = true
		return 0, syscall.EIO
	}
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (f *file) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.check(); err != nil {
		return err
	}
	if room := f.disk.room; room != nil && size < int64(len(f.content.now)) {
		*room += int64(len(f.content.now)) - size
	}
	o := operation{at: size}
	f.content.now = o.apply(f.content.now)
	f.content.pending = append(f.content.pending, o)
	return nil
}

func (f *file) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.broken {
		f.disk.broken = false
		f.content.pending = nil
		return errors.New("input/output error")
	}
	if err := f.disk.check(); err != nil {
		return err
	}
	for _, o := range f.content.pending {
		f.content.durable = o.apply(f.content.durable)
	}
	f.content.pending = nil
	return nil
}

func (f *file) Size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return int64(len(f.content.now)), f.disk.check()
}

func (f *file) Close() error { return nil }
