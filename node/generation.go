package node

import "sync"

// generations is a bounded cache in two generations: when the young one is
// full, it becomes the old one, and what nobody asked for meanwhile is
// forgotten.
type generations[K comparable, V any] struct {
	mu         sync.RWMutex
	limit      int
	young, old map[K]V
}

func newGenerations[K comparable, V any](limit int) *generations[K, V] {
	return &generations[K, V]{limit: limit, young: map[K]V{}}
}

// Get gives a value that is still remembered.
func (g *generations[K, V]) Get(k K) (V, bool) {
	g.mu.RLock()
	v, ok := g.young[k]
	if ok {
		g.mu.RUnlock()
		return v, true
	}
	v, ok = g.old[k]
	g.mu.RUnlock()
	if ok {
		g.Put(k, v)
	}
	return v, ok
}

// Put remembers a value.
func (g *generations[K, V]) Put(k K, v V) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.young) >= g.limit {
		g.old, g.young = g.young, make(map[K]V, g.limit)
	}
	g.young[k] = v
}
