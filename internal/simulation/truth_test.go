package simulation_test

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/trust"
)

// truth is what was promised, and to whom: what the invariants are held against.
// Its times are the true ones.
type truth struct {
	mu       sync.Mutex
	ended    map[person][]ending
	approved map[[2]int]map[int]trust.Engagement // by host and home, and person: the last whose approval was asked for
	stopped  map[int]map[int]time.Time           // by link and node: since when the node has suspended it
	marks    map[mark]uint64
	faults   []error
}

// person is one of a home's people.
type person struct{ home, who int }

// ending is a revocation that was acknowledged: up to which engagement, and when.
type ending struct {
	engagement trust.Engagement
	at         time.Time
}

// mark is a number that never falls, crash or not.
type mark struct {
	at   int
	what string
}

func newTruth() *truth {
	return &truth{
		ended: map[person][]ending{}, approved: map[[2]int]map[int]trust.Engagement{}, stopped: map[int]map[int]time.Time{}, marks: map[mark]uint64{},
	}
}

func (t *truth) fault(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = append(t.faults, fmt.Errorf(format, args...))
}

func (t *truth) err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return errors.Join(t.faults...)
}

// endsAt notes what a home has acknowledged.
func (t *truth) endsAt(p person, e trust.Engagement, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended[p] = append(t.ended[p], ending{e, at})
	t.keeps(p.home, endedMark(p.home, p.who), uint64(e))
}

func (t *truth) approves(host int, p person, e trust.Engagement) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := [2]int{host, p.home}
	if t.approved[k] == nil {
		t.approved[k] = map[int]trust.Engagement{}
	}
	t.approved[k][p.who] = max(t.approved[k][p.who], e)
}

// stops notes that a node has suspended a link, for good.
func (t *truth) stops(link, by int, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped[link] == nil {
		t.stopped[link] = map[int]time.Time{}
	}
	if _, ok := t.stopped[link][by]; !ok {
		t.stopped[link][by] = at
	}
}

func (t *truth) isStopped(link int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.stopped[link]) > 0
}

// permitted holds a permit, asked for at asked, against what was promised.
func (t *truth) permitted(i int, l link, who int, asked time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := person{l.home, who}
	for _, e := range t.ended[p] {
		if after := asked.Sub(e.at); after > bound && t.approved[[2]int{l.host, l.home}][who] <= e.engagement {
			t.faults = append(t.faults, fmt.Errorf("node %d permits person %d of node %d, %s after engagement %d ended there; the bound is %s",
				l.host, who, l.home, after, e.engagement, bound))
		}
	}
	for by, at := range t.stopped[i] {
		within := bound
		if by == l.host {
			within = 0
		}
		if after := asked.Sub(at); after > within {
			t.faults = append(t.faults, fmt.Errorf("node %d permits on link %d, %s after node %d suspended it", l.host, i, after, by))
		}
	}
}

// keeps sees that a number has not fallen. Who calls it has the lock since before
// the number was read.
func (t *truth) keeps(at int, what string, n uint64) {
	m := mark{at, what}
	if n < t.marks[m] {
		t.faults = append(t.faults, fmt.Errorf("node %d: %s falls from %d to %d", at, what, t.marks[m], n))
	}
	t.marks[m] = max(n, t.marks[m])
}

// look holds the state of every node that runs against what was promised, and
// what it was before.
func (p *play) look() {
	for _, n := range p.players {
		if r := n.current(); r != nil {
			p.lookAt(n, r)
		}
	}
}

func (p *play) lookAt(n *player, r *run) {
	p.truth.mu.Lock()
	defer p.truth.mu.Unlock()
	s := r.State()
	for _, other := range p.players {
		if other == n {
			continue
		}
		for _, lane := range edge.Lanes() {
			_, in := s.Edge.Position(other.ID, lane)
			p.truth.keeps(n.at, fmt.Sprintf("the last message on the %s lane of node %d", lane, other.at), in)
			p.truth.keeps(n.at, fmt.Sprintf("the next message on the %s lane to node %d", lane, other.at), s.Edge.Next(other.ID, lane))
		}
		if rule, broken := s.Edge.Broken(other.ID); broken {
			p.truth.faults = append(p.truth.faults, fmt.Errorf("node %d: nobody lied, and the edge to node %d is broken by %s", n.at, other.at, rule))
		}
	}
	for home := range p.players {
		for who := range people {
			ended, _ := s.Revocation.Ended(p.key(n, home, who))
			p.truth.keeps(n.at, endedMark(home, who), uint64(ended))
		}
	}
}

func endedMark(home, who int) string {
	return fmt.Sprintf("the ended engagement of person %d of node %d", who, home)
}
