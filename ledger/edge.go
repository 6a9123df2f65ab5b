package ledger

import (
	"crypto/sha256"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/store"
)

// edge is the right edge of a tree: the roots of its complete subtrees, the
// largest first. It is all that is needed to add entries and know the root.
type edge struct {
	size  uint64
	roots []Hash
}

// add puts a leaf's hash behind the others and gives the hashes it adds to the
// stored ones, appended to stored.
func (e *edge) add(leaf Hash, stored []store.Hash) []store.Hash {
	h := leaf
	stored = append(stored, h)
	for n := e.size; n&1 == 1; n >>= 1 {
		last := len(e.roots) - 1
		h = nodeHash(e.roots[last], h)
		e.roots = e.roots[:last]
		stored = append(stored, h)
	}
	e.roots = append(e.roots, h)
	e.size++
	return stored
}

// nodeHash is the hash of an inner node (RFC 6962, section 2.1), as tlog.NodeHash
// gives it, by one call of the hash.
func nodeHash(left, right Hash) Hash {
	var node [1 + 2*tlog.HashSize]byte
	node[0] = 1
	copy(node[1:], left[:])
	copy(node[1+tlog.HashSize:], right[:])
	return sha256.Sum256(node[:])
}

// root gives the hash of the whole tree.
func (e *edge) root() Hash {
	last := len(e.roots) - 1
	if last < 0 {
		return emptyRoot()
	}
	h := e.roots[last]
	for i := last - 1; i >= 0; i-- {
		h = nodeHash(e.roots[i], h)
	}
	return h
}

// copyTo makes to the same edge, in its own memory.
func (e *edge) copyTo(to *edge) {
	to.size = e.size
	to.roots = append(to.roots[:0], e.roots...)
}

// readEdge gives the edge of the tree of the given size.
func readEdge(size uint64, r tlog.HashReader) (edge, error) {
	e := edge{size: size}
	var indexes []int64
	var first uint64
	for level := bits.Len64(size) - 1; level >= 0; level-- {
		if size>>level&1 == 1 {
			indexes = append(indexes, tlog.StoredHashIndex(level, int64(first>>level)))
			first += 1 << level
		}
	}
	if len(indexes) == 0 {
		return e, nil
	}
	roots, err := r.ReadHashes(indexes)
	e.roots = roots
	return e, err
}
