package node

import "sync"

// generations is a bounded cache in two generations: when the young one is
// full, it becomes the old one, and what nobody asked for meanwhile is
// forgotten. It is cut into parts by the key, so that those who ask for
// different things seldom meet at a lock.
type generations[K comparable, V any] struct {
	part  func(K) uint8
	parts [cacheParts]generation[K, V]
}

const cacheParts = 64

// generation is one part.
type generation[K comparable, V any] struct {
	mu         sync.RWMutex
	limit      int
	young, old map[K]V
	_          [16]byte // no two in one line of a processor's cache
}

// newGenerations makes a cache of at least limit values a generation, where part
// spreads the keys evenly.
func newGenerations[K comparable, V any](limit int, part func(K) uint8) *generations[K, V] {
	g := &generations[K, V]{part: part}
	for i := range g.parts {
		g.parts[i].limit, g.parts[i].young = (limit+cacheParts-1)/cacheParts, map[K]V{}
	}
	return g
}

// byNumber and byHash spread keys that are hashes.
func byNumber(key uint64) uint8 { return uint8(key % cacheParts) }
func byHash(key [32]byte) uint8 { return key[0] % cacheParts }

// Get gives a value that is still remembered.
func (g *generations[K, V]) Get(k K) (V, bool) { return g.parts[g.part(k)].get(k) }

// Put remembers a value.
func (g *generations[K, V]) Put(k K, v V) { g.parts[g.part(k)].put(k, v) }

func (g *generation[K, V]) get(k K) (V, bool) {
	g.mu.RLock()
	v, ok := g.young[k]
	if ok {
		g.mu.RUnlock()
		return v, true
	}
	v, ok = g.old[k]
	g.mu.RUnlock()
	if ok {
		g.put(k, v)
	}
	return v, ok
}

func (g *generation[K, V]) put(k K, v V) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.young) >= g.limit {
		g.old, g.young = g.young, make(map[K]V, g.limit)
	}
	g.young[k] = v
}
