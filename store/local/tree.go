package local

import (
	"bytes"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

const hashSize = int64(len(store.Hash{}))

// treeFile keeps a log's tree hashes, one after the other.
type treeFile struct {
	log  string
	name string // relative to the data directory
	file File
	buf  []byte
}

// append writes hashes behind the count that are there. They are on the disk
// for certain only after sync.
func (t *treeFile) append(count int64, hashes []store.Hash) error {
	t.buf = t.buf[:0]
	for i := range hashes {
		t.buf = append(t.buf, hashes[i][:]...)
	}
	_, err := t.file.WriteAt(t.buf, count*hashSize)
	return err
}

// read gives the hashes with the given indexes out of count; runs of
// neighbours are read at once.
func (t *treeFile) read(indexes []int64, count int64) ([]store.Hash, error) {
	hashes := make([]store.Hash, 0, len(indexes))
	for len(indexes) > 0 {
		run := 1
		for run < len(indexes) && indexes[run] == indexes[run-1]+1 {
			run++
		}
		first, last := indexes[0], indexes[run-1]
		if first < 0 || last >= count {
			return nil, trust.Errorf(trust.NotFound, "%s log has no tree hash %d; it has %d", t.log, last, count)
		}
		buf := make([]byte, int64(run)*hashSize)
		if n, err := t.file.ReadAt(buf, first*hashSize); n < len(buf) {
			return nil, t.missing(first*hashSize+int64(n), (last+1)*hashSize, count, err)
		}
		for len(buf) > 0 {
			hashes = append(hashes, store.Hash(buf[:hashSize]))
			buf = buf[hashSize:]
		}
		indexes = indexes[run:]
	}
	return hashes, nil
}

func (t *treeFile) missing(from, to, count int64, err error) error {
	if size, sizeErr := t.file.Size(); sizeErr != nil || size >= to {
		return internal("reading %s: %w", t.name, err)
	}
	level, n := tlog.SplitStoredHashIndex(from / hashSize)
	return &store.Damage{Log: t.log, File: t.name, From: from, To: to, Size: uint64((n+1)<<level - 1),
		Rule: fmt.Sprintf("the file ends before tree hash %d of %d", from/hashSize, count)}
}

// repair computes the hashes of leaves again, which begin with number first,
// and writes from where the file differs. What comes before must be there.
func (t *treeFile) repair(first uint64, leaves []tlog.Hash) error {
	size, err := t.file.Size()
	if err != nil {
		return internal("reading %s: %w", t.name, err)
	}
	base := tlog.StoredHashCount(int64(first))
	if size < base*hashSize {
		return t.missing(size, base*hashSize, base, nil)
	}
	fresh, err := t.compute(first, base, leaves)
	if err != nil {
		return err
	}
	there := make([]byte, min(int64(len(fresh)), size-base*hashSize))
	if n, err := t.file.ReadAt(there, base*hashSize); n < len(there) {
		return internal("reading %s: %w", t.name, err)
	}
	if bytes.Equal(there, fresh) && size == base*hashSize+int64(len(fresh)) {
		return nil
	}
	if _, err := t.file.WriteAt(fresh, base*hashSize); err != nil {
		return full("writing %s: %w", t.name, err)
	}
	if err := t.file.Truncate(base*hashSize + int64(len(fresh))); err != nil {
		return internal("cutting %s: %w", t.name, err)
	}
	// The next start may begin its repair behind what was rewritten here.
	if err := t.file.Sync(); err != nil {
		return internal("syncing %s: %w", t.name, err)
	}
	return nil
}

func (t *treeFile) compute(first uint64, base int64, leaves []tlog.Hash) ([]byte, error) {
	var fresh []byte
	lookup := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			if index >= base {
				hashes[i] = tlog.Hash(fresh[(index-base)*hashSize:][:hashSize])
				continue
			}
			old, err := t.read([]int64{index}, base)
			if err != nil {
				return nil, err
			}
			hashes[i] = old[0]
		}
		return hashes, nil
	})
	for i, leaf := range leaves {
		hashes, err := tlog.StoredHashesForRecordHash(int64(first)+int64(i), leaf, lookup)
		if err != nil {
			return nil, err
		}
		for _, h := range hashes {
			fresh = append(fresh, h[:]...)
		}
	}
	return fresh, nil
}
