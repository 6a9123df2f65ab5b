package local

import (
	"slices"
	"sync"

	"github.com/entente-id/entente/trust"
)

// onceTable holds the single-use values that have been burned and have not
// expired. It never forgets one before its time: an edge that has its quota is
// refused.
type onceTable struct {
	quota int

	mu      sync.Mutex
	used    map[[16]byte]burned
	expires map[int64][][16]byte // by expiry, so that forgetting costs what was burned
	edges   map[trust.ParticipantID]uint32
	counts  []int // by edge
	now     int64
}

// burned has no pointer, so that the garbage collector skips the values.
type burned struct {
	expires int64
	edge    uint32
}

func newOnceTable(quota int) *onceTable {
	return &onceTable{
		quota: quota, used: map[[16]byte]burned{}, expires: map[int64][][16]byte{},
		edges: map[trust.ParticipantID]uint32{},
	}
}

// verdicts says of each value whether it may be burned after those before it.
func (o *onceTable) verdicts(at int64, values []trust.Once) []error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.forget(at)
	errs := make([]error, len(values))
	var added []trust.Once
	for i, v := range values {
		if errs[i] = o.check(v); errs[i] == nil && o.add(v) {
			added = append(added, v)
		}
	}
	o.remove(added)
	return errs
}

// burn takes all the values or fails with the first verdict against one. It
// gives those that undo gives back if the batch does not become durable.
func (o *onceTable) burn(at int64, values []trust.Once) (taken []trust.Once, err error) {
	if len(values) == 0 {
		return nil, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.forget(at)
	for _, v := range values {
		if err := o.check(v); err != nil {
			o.remove(taken)
			return nil, err
		}
		if o.add(v) {
			taken = append(taken, v)
		}
	}
	return taken, nil
}

func (o *onceTable) undo(taken []trust.Once) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.remove(taken)
}

// load takes values that a segment says were burned, whatever the quota.
func (o *onceTable) load(values []trust.Once) {
	for _, v := range values {
		if _, used := o.used[v.Key]; !used {
			o.add(v)
		}
	}
}

func (o *onceTable) check(v trust.Once) error {
	if _, used := o.used[v.Key]; used {
		return trust.Errorf(trust.Conflict, "single-use value %x has been used; it can be used once", v.Key)
	}
	if edge, known := o.edges[v.Edge]; known && o.counts[edge] >= o.quota {
		return trust.Errorf(trust.Unavailable, "edge %s has %d unexpired single-use values, its quota; a further one waits until one of them expires", v.Edge, o.quota)
	}
	return nil
}

func (o *onceTable) add(v trust.Once) bool {
	if v.Expires <= o.now {
		return false
	}
	edge, known := o.edges[v.Edge]
	if !known {
		edge = uint32(len(o.counts))
		o.edges[v.Edge] = edge
		o.counts = append(o.counts, 0)
	}
	o.used[v.Key] = burned{v.Expires, edge}
	o.expires[v.Expires] = append(o.expires[v.Expires], v.Key)
	o.counts[edge]++
	return true
}

// remove undoes the adding of values, which were added of late. One that has
// expired meanwhile is gone already.
func (o *onceTable) remove(values []trust.Once) {
	for _, v := range slices.Backward(values) {
		b, there := o.used[v.Key]
		if !there {
			continue
		}
		delete(o.used, v.Key)
		o.counts[b.edge]--
		keys := o.expires[v.Expires]
		for i, key := range slices.Backward(keys) {
			if key == v.Key {
				o.expires[v.Expires] = slices.Delete(keys, i, i+1)
				break
			}
		}
	}
}

// forget drops what has expired at time at. Time does not go back.
func (o *onceTable) forget(at int64) {
	if at <= o.now {
		return
	}
	if at-o.now <= int64(len(o.expires)) {
		for second := o.now + 1; second <= at; second++ {
			o.drop(second)
		}
	} else {
		for second := range o.expires {
			if second <= at {
				o.drop(second)
			}
		}
	}
	o.now = at
}

func (o *onceTable) drop(second int64) {
	for _, key := range o.expires[second] {
		o.counts[o.used[key].edge]--
		delete(o.used, key)
	}
	delete(o.expires, second)
}
