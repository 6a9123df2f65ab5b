package table

import (
	"bytes"
	"slices"
)

type change[V any] struct {
	row[V]
	gone bool
}

// Batch gathers changes to a table, so that a page that many of them touch is
// copied once. It belongs to one goroutine.
type Batch[V any] struct {
	base    Table[V]
	changes []change[V]
}

// Edit begins a batch of changes to t, which itself stays as it is.
func (t Table[V]) Edit() *Batch[V] { return &Batch[V]{base: t} }

// Put lets key stand for val.
func (b *Batch[V]) Put(key Key, val V) {
	b.changes = append(b.changes, change[V]{row: row[V]{key, val}})
}

// Delete removes the row under key, if there is one.
func (b *Batch[V]) Delete(key Key) {
	b.changes = append(b.changes, change[V]{row: row[V]{key: key}, gone: true})
}

// Table gives the table with the changes made so far, the later of two to one
// key counting. The batch may go on from there.
func (b *Batch[V]) Table() Table[V] {
	if len(b.changes) > 0 {
		b.base = b.base.apply(lastOfEach(b.changes))
		b.changes = nil
	}
	return b.base
}

// lastOfEach sorts changes by key and keeps the last one made to each.
func lastOfEach[V any](changes []change[V]) []change[V] {
	slices.SortStableFunc(changes, func(x, y change[V]) int { return bytes.Compare(x.key[:], y.key[:]) })
	kept := changes[:0]
	for i := range changes {
		if i+1 < len(changes) && changes[i+1].key == changes[i].key {
			continue
		}
		kept = append(kept, changes[i])
	}
	return kept
}
