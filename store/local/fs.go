package local

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/entente-id/entente/trust"
)

// FS is what the logs need of a file system. Tests give one that loses what was
// not synced, fills up or fails.
type FS interface {
	// MkdirAll makes a directory that is durable when it returns.
	MkdirAll(dir string) error
	// ReadDir gives the names in a directory, sorted; none if it is not there.
	ReadDir(dir string) ([]string, error)
	// OpenFile opens a file with the flags of package os. One that is not there
	// fails with fs.ErrNotExist.
	OpenFile(name string, flag int) (File, error)
	// SyncDir makes the creation of files in a directory durable.
	SyncDir(dir string) error
	// Lock takes a file for this process alone until it is closed, or fails
	// with Conflict.
	Lock(name string) (io.Closer, error)
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Size() (int64, error)
	Truncate(size int64) error
	// Sync makes what was written durable (fdatasync).
	Sync() error
}

type disk struct{}

func (disk) MkdirAll(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return disk{}.SyncDir(filepath.Dir(dir))
}

func (disk) ReadDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

func (disk) OpenFile(name string, flag int) (File, error) {
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return &diskFile{File: f}, nil
}

func (disk) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (disk) Lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(trust.Errorf(trust.Conflict,
			"data directory %s is in use by another process; one process has it at a time", filepath.Dir(name)), f.Close())
	}
	return f, nil
}

// diskFile is a file of the machine. What it has written and synced leaves the
// page cache at once: a log is written once and seldom read, and pages that are
// used over again cost a fraction of ones the kernel has to find for it.
type diskFile struct {
	*os.File
	from, to int64 // synced, or about to be, and still cached
}

func (f *diskFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// WriteAt is called by one goroutine at a time, as Sync is.
func (f *diskFile) WriteAt(b []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(b, at)
	f.from, f.to = min(f.from, at), max(f.to, at+int64(n))
	return n, err
}

func (f *diskFile) Sync() error {
	if err := syncData(f.File); err != nil {
		return err
	}
	if f.to-f.from >= uncacheAfter {
		uncache(f.File, f.from, f.to)
		f.from = f.to
	}
	return nil
}

// uncacheAfter is how many bytes leave the page cache together.
const uncacheAfter = 1 << 20
