// Package table holds the large tables of a snapshot: maps that never change.
// An edit gives a new table that shares every page it did not touch with the
// old one, so that a snapshot stays whole for whoever is still reading it.
//
// It decides how rows are laid out in memory and nothing else; what a row means
// is its owner's affair. Rows stand in pages, sorted by key; pages stand in
// chunks, chunks under one root. A page is found by the leading bits of the key,
// and their number grows with the table so that a page holds some 64 rows. Where
// V holds no pointers neither does a page, and the garbage collector skips it.
package table

import (
	"encoding/binary"
	"iter"
	"slices"
	"sort"
)

const (
	rowsPerPage = 64 // the average above which the number of pages doubles
	chunkBits   = 7  // 128 pages to a chunk
	maxBits     = 28 // more pages than any table needs
	chunkMask   = 1<<chunkBits - 1
)

type row[V any] struct {
	key Key
	val V
}

type page[V any] []row[V]

type chunk[V any] []page[V]

// Table maps keys to values. The zero value is an empty table. A Table is a
// small value; copies of it are the same table. Any number of goroutines may
// read one, and make new ones out of it, at the same time.
type Table[V any] struct {
	chunks []chunk[V]
	bits   int // the pages are 1<<bits
	count  int
}

// Len gives the number of rows.
func (t Table[V]) Len() int { return t.count }

// Get finds the value under key.
func (t Table[V]) Get(key Key) (V, bool) {
	p := t.page(pageOf(key, t.bits))
	if i, found := p.seek(key, t.bits); found {
		return p[i].val, true
	}
	var zero V
	return zero, false
}

// With gives the table in which key stands for val.
func (t Table[V]) With(key Key, val V) Table[V] {
	return t.apply([]change[V]{{row: row[V]{key, val}}})
}

// Without gives the table that has no row under key.
func (t Table[V]) Without(key Key) Table[V] {
	if _, found := t.Get(key); !found {
		return t
	}
	return t.apply([]change[V]{{row: row[V]{key: key}, gone: true}})
}

// All yields every row in key order.
func (t Table[V]) All() iter.Seq2[Key, V] {
	return func(yield func(Key, V) bool) {
		for _, c := range t.chunks {
			for _, p := range c {
				for i := range p {
					if !yield(p[i].key, p[i].val) {
						return
					}
				}
			}
		}
	}
}

func (t Table[V]) page(n int) page[V] {
	if t.chunks == nil {
		return nil
	}
	return t.chunks[n>>chunkBits][n&chunkMask]
}

// seek is find for a key of which the page has bits in common: since keys are
// hashes, it stands near the place that its next bits say, and the rows on the
// way there lie side by side in memory.
func (p page[V]) seek(key Key, bits int) (int, bool) {
	high, low := halves(key)
	at := int((high << bits >> 32) * uint64(len(p)) >> 32)
	first, last := max(at-nearby, 0), min(at+nearby, len(p))
	for at > first && !p.before(at-1, high, low) {
		at--
	}
	for at < last && p.before(at, high, low) {
		at++
	}
	if at == first && at > 0 || at == last && at < len(p) {
		return p.find(key)
	}
	return at, at < len(p) && p[at].key == key
}

// nearby is how many rows off seek looks.
const nearby = 24

// before reports whether row i stands before a key, given as halves.
func (p page[V]) before(i int, high, low uint64) bool {
	h, l := halves(p[i].key)
	return h < high || h == high && l < low
}

// find gives the index at which key stands or would stand.
func (p page[V]) find(key Key) (int, bool) {
	high, low := halves(key)
	lo, hi := 0, len(p)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if p.before(mid, high, low) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(p) && p[lo].key == key
}

// halves gives a key as two numbers that order as its bytes do.
func halves(key Key) (high, low uint64) {
	return binary.BigEndian.Uint64(key[:8]), binary.BigEndian.Uint64(key[8:])
}

func pageOf(key Key, bits int) int {
	return int(uint64(binary.BigEndian.Uint32(key[:4])) >> (32 - bits))
}

// apply gives the table after changes, which are sorted by key and name each
// key once.
func (t Table[V]) apply(changes []change[V]) Table[V] {
	next := Table[V]{bits: t.bitsAfter(changes), count: t.count}
	if t.chunks != nil && next.bits == t.bits {
		next.chunks = slices.Clone(t.chunks)
		next.rewriteTouched(t, changes)
	} else {
		next.chunks = make([]chunk[V], max(1, 1<<next.bits>>chunkBits))
		next.rewriteAll(t, changes)
	}
	return next
}

// bitsAfter gives the number of leading bits for the table after changes. Pages
// only ever become more: a table that shrank is likely to grow again.
func (t Table[V]) bitsAfter(changes []change[V]) int {
	bits := t.bits
	if t.count+len(changes) <= rowsPerPage<<bits {
		return bits
	}
	count := t.count
	for _, c := range changes {
		switch _, found := t.Get(c.key); {
		case found && c.gone:
			count--
		case !found && !c.gone:
			count++
		}
	}
	for count > rowsPerPage<<bits && bits < maxBits {
		bits++
	}
	return bits
}

func (t *Table[V]) rewriteTouched(old Table[V], changes []change[V]) {
	copied := -1
	for len(changes) > 0 {
		n := pageOf(changes[0].key, t.bits)
		end := 1 + sort.Search(len(changes)-1, func(i int) bool { return pageOf(changes[i+1].key, t.bits) > n })
		if c := n >> chunkBits; c != copied {
			t.chunks[c] = slices.Clone(t.chunks[c])
			copied = c
		}
		before := old.page(n)
		after := merge(before, changes[:end])
		t.chunks[n>>chunkBits][n&chunkMask] = after
		t.count += len(after) - len(before)
		changes = changes[end:]
	}
}

func (t *Table[V]) rewriteAll(old Table[V], changes []change[V]) {
	t.count = 0
	pages := 1 << t.bits
	for n := range pages {
		if n&chunkMask == 0 {
			t.chunks[n>>chunkBits] = make(chunk[V], min(pages, 1<<chunkBits))
		}
		before := old.page(n >> (t.bits - old.bits))
		from := sort.Search(len(before), func(i int) bool { return pageOf(before[i].key, t.bits) >= n })
		to := from + sort.Search(len(before)-from, func(i int) bool { return pageOf(before[from+i].key, t.bits) > n })
		end := sort.Search(len(changes), func(i int) bool { return pageOf(changes[i].key, t.bits) > n })
		after := merge(before[from:to], changes[:end])
		t.chunks[n>>chunkBits][n&chunkMask] = after
		t.count += len(after)
		changes = changes[end:]
	}
}

// merge gives a page of exactly the length it needs.
func merge[V any](before page[V], changes []change[V]) page[V] {
	length := len(before)
	for i := range changes {
		switch _, found := before.find(changes[i].key); {
		case found && changes[i].gone:
			length--
		case !found && !changes[i].gone:
			length++
		}
	}
	if length == 0 {
		return nil
	}
	after := make(page[V], 0, length)
	for i := range changes {
		at, found := before.find(changes[i].key)
		after = append(after, before[:at]...)
		if !changes[i].gone {
			after = append(after, changes[i].row)
		}
		if found {
			at++
		}
		before = before[at:]
	}
	return append(after, before...)
}
