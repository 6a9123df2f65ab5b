package node

import (
	"encoding/binary"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// How much is counted: places in all, which never become more, and slices of the
// time of a rule.
const (
	tallyShards = 64
	tallySets   = 64 // of a shard
	tallyWays   = 4  // places of a set
	tallySlices = 8
)

// tallies count what rules ask for, by rule and whom. There is a fixed number of
// places: where one is wanted and none of its set is free, the smallest count is
// forgotten. What is counted lies within the rule's time; up to an eighth of that
// time is left out at its far end. A node starts at nothing: what a rule
// did stands in the ledger.
type tallies struct {
	seed   maphash.Seed
	rules  atomic.Pointer[armed]
	shards [tallyShards]shard
}

type shard struct {
	mu   sync.Mutex
	sets *[tallySets]set // nil until something is counted
	_    [48]byte        // no two in one line of a processor's cache
}

// set is the places at which a key may stand, and the keys that do.
type set struct {
	keys   [tallyWays][2]uint64
	counts [tallyWays]count
}

// count is one place: how much in each slice of width seconds, the newest being
// slice last.
type count struct {
	width, last int64
	in          [tallySlices]uint32
}

// armed are the rules that count as things happen, and the change of rules after
// which they were read.
type armed struct {
	changes uint64
	volume  []armedRule
	reissue []armedRule
	delay   []armedRule
}

type armedRule struct {
	incident.Rule
	id uint64 // another one once the rule is another
}

func newTallies() *tallies { return &tallies{seed: maphash.MakeSeed()} }

// armedBy gives the rules of s that count.
func (t *tallies) armedBy(s *state.Snapshot) *armed {
	if a := t.rules.Load(); a != nil && a.changes == s.Incident.Changes {
		return a
	}
	a := &armed{changes: s.Incident.Changes}
	for _, r := range s.Incident.Rules() {
		one := armedRule{r, maphash.Comparable(t.seed, r)}
		switch r.When {
		case incident.Volume:
			a.volume = append(a.volume, one)
		case incident.Reissue:
			a.reissue = append(a.reissue, one)
		case incident.Delay:
			a.delay = append(a.delay, one)
		case incident.Breach, incident.Leak, incident.Posture: // counted by the fold
		}
	}
	t.rules.Store(a)
	return a
}

// whom is by what a rule counts somebody: a subject, or a participant.
func (t *tallies) whom(r *armedRule, subject trust.SubjectKey, participant trust.ParticipantID) [2]uint64 {
	if r.Per == incident.PerSubject {
		return [2]uint64{binary.LittleEndian.Uint64(subject[:8]) ^ r.id, binary.LittleEndian.Uint64(subject[8:])}
	}
	return [2]uint64{maphash.String(t.seed, participant.String()), r.id}
}

// add counts so many more of a rule's at now (Unix seconds), and gives the count
// of its time if that is as much as the rule says; then it begins anew. Else it
// gives 0.
func (t *tallies) add(r *armedRule, key [2]uint64, more uint32, now int64) uint64 {
	width := max(r.Within/tallySlices, 1)
	slice := now / width
	s := &t.shards[key[0]%tallyShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sets == nil {
		s.sets = new([tallySets]set)
	}
	c := s.sets[key[0]/tallyShards%tallySets].find(key, width, now)
	c.move(slice)
	if in := &c.in[slice%tallySlices]; *in > ^uint32(0)-more {
		*in = ^uint32(0)
	} else {
		*in += more
	}
	if sum := c.sum(now, min(r.Within/width, tallySlices)); sum >= r.Count {
		*c = count{}
		return sum
	}
	return 0
}

// find gives the place of a key: its own, or else the one that counts least.
func (all *set) find(key [2]uint64, width, now int64) *count {
	for i := range all.keys {
		if c := &all.counts[i]; all.keys[i] == key && c.width == width {
			return c
		}
	}
	least, smallest := 0, ^uint64(0)
	for i := range all.counts {
		if sum := all.counts[i].sum(now, tallySlices); sum < smallest {
			least, smallest = i, sum
		}
	}
	all.keys[least], all.counts[least] = key, count{width: width, last: now / width}
	return &all.counts[least]
}

// move forgets the slices that lie behind a new one.
func (c *count) move(slice int64) {
	c.last = max(c.last, slice-tallySlices)
	for ; c.last < slice; c.last++ {
		c.in[(c.last+1)%tallySlices] = 0
	}
}

// sum is the count of so many slices up to now.
func (c *count) sum(now, slices int64) (sum uint64) {
	if c.width == 0 {
		return 0
	}
	for i := c.last; i > now/c.width-slices && i > c.last-tallySlices; i-- {
		sum += uint64(c.in[i%tallySlices])
	}
	return sum
}
