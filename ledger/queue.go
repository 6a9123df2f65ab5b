package ledger

import (
	"runtime"
	"sync"
	"time"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// groupBytes is how much a group of requests may hold before a new one begins.
const groupBytes = 16 << 20

// yields is how often the writer lets others run before it takes the next group,
// crowd how many callers at once are worth waiting for, and patience how long at
// most.
const (
	yields   = 16
	crowd    = 16
	patience = time.Millisecond
)

// request is one caller's wish: a finished entry, or a command that makes some.
type request[S any] struct {
	at int64

	entry  Entry
	salt   [saltSize]byte
	space  []byte // holds the leaf; used again
	record store.Record
	hash   Hash
	once   []trust.Once

	command func(head S, next trust.Stamp) ([]Entry, error)

	// What became of it, to be read when its group is done.
	first uint64
	count int
	state S
	err   error
}

// render makes the stored form of a finished entry.
func (r *request[S]) render() {
	if r.command == nil {
		r.space, r.hash = r.entry.leaf(r.space, r.salt, r.at)
		r.record = store.Record{Leaf: r.space[1:], Sealed: r.entry.Sealed}
	}
}

// group is the requests that go down together. One channel wakes all callers.
type group[S any] struct {
	requests []*request[S]
	bytes    int
	done     chan struct{}
}

// fail lets every request of the group fail with err.
func (g *group[S]) fail(err error) {
	for _, r := range g.requests {
		r.err = err
	}
}

// queue is where callers meet the writer. The stamps of requests never fall
// along it.
type queue[S any] struct {
	mu      sync.Mutex
	wake    *sync.Cond
	groups  []*group[S]
	at      int64     // the newest stamp given
	usual   int       // requests of the last group
	began   time.Time // when it was taken
	awaited int       // as many waiting requests wake the writer; 0 any
	closed  error
}

// put adds r and gives the group to wait for. Where a newer stamp has been given
// meanwhile, which happens as one second follows another, r takes that one.
func (q *queue[S]) put(r *request[S]) (*group[S], error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed != nil {
		return nil, q.closed
	}
	if r.at < q.at {
		r.at = q.at
		r.render()
	}
	q.at = r.at
	last := len(q.groups) - 1
	if last < 0 || q.groups[last].bytes >= groupBytes {
		q.groups = append(q.groups, &group[S]{requests: make([]*request[S], 0, q.usual), done: make(chan struct{})})
		last++
	}
	g := q.groups[last]
	g.requests = append(g.requests, r)
	if n := len(g.requests); last > 0 || n == max(q.awaited, 1) {
		q.wake.Signal()
	}
	g.bytes += len(r.record.Leaf) + len(r.record.Sealed)
	return g, nil
}

// take waits for the next group; nil means that the queue is closed and empty.
func (q *queue[S]) take() *group[S] {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.gather()
	for len(q.groups) == 0 {
		if q.closed != nil {
			return nil
		}
		q.wake.Wait()
	}
	g := q.groups[0]
	q.groups = append(q.groups[:0], q.groups[1:]...)
	q.usual = len(g.requests)
	q.began = time.Now()
	return g
}

// gather waits a little for the callers that the last group has woken: mostly
// they ask again, and then one group holds them and those that have queued
// meanwhile, where otherwise the two would take turns for ever, each at the
// price of a whole sync. It lets whoever can run do so first. Beyond that it
// waits for a crowd only, and for less time than a sync takes.
func (q *queue[S]) gather() {
	all := q.usual + q.waiting()
	for range yields {
		if q.waiting() >= all || q.closed != nil {
			return
		}
		q.mu.Unlock()
		runtime.Gosched()
		q.mu.Lock()
	}
	if all < crowd {
		return
	}
	q.awaited = all
	last := time.AfterFunc(min(time.Since(q.began)/2, patience), func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.awaited = 0
		q.wake.Signal()
	})
	for q.waiting() < q.awaited && q.closed == nil {
		q.wake.Wait()
	}
	last.Stop()
	q.awaited = 0
}

// waiting is how many requests the next group holds so far.
func (q *queue[S]) waiting() int {
	if len(q.groups) == 0 {
		return 0
	}
	return len(q.groups[0].requests)
}

// close refuses further requests.
func (q *queue[S]) close() { q.refuse(trust.Errorf(trust.Unavailable, "the log is closed")) }

// refuse lets every request from here on fail with err.
func (q *queue[S]) refuse(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed == nil {
		q.closed = err
	}
	q.wake.Signal()
}

// drain gives the groups that nobody will write.
func (q *queue[S]) drain() []*group[S] {
	q.mu.Lock()
	defer q.mu.Unlock()
	groups := q.groups
	q.groups = nil
	return groups
}
