package ledger

import (
	"runtime"
	"sync"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// groupBytes is how much a group of requests may hold before a new one begins.
const groupBytes = 16 << 20

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

// queue is where callers meet the writer. The stamps of requests never fall
// along it.
type queue[S any] struct {
	mu     sync.Mutex
	wake   *sync.Cond
	groups []*group[S]
	at     int64 // the newest stamp given
	usual  int   // requests of the last group
	closed error
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
		q.wake.Signal()
	}
	g := q.groups[last]
	g.requests = append(g.requests, r)
	g.bytes += len(r.record.Leaf) + len(r.record.Sealed)
	return g, nil
}

// take waits for the next group; nil means that the queue is closed and empty.
func (q *queue[S]) take() *group[S] {
	q.gather()
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.groups) == 0 {
		if q.closed != nil {
			return nil
		}
		q.wake.Wait()
	}
	g := q.groups[0]
	q.groups = append(q.groups[:0], q.groups[1:]...)
	q.usual = len(g.requests)
	return g
}

// gather lets the callers that the last group has woken run first: mostly they
// ask again, and then one group holds them all instead of the first few. It
// waits for nobody who does not run at once.
func (q *queue[S]) gather() {
	for range 16 {
		q.mu.Lock()
		waiting := 0
		if len(q.groups) > 0 {
			waiting = len(q.groups[0].requests)
		}
		enough := waiting >= 2*q.usual // as many again queued while the last group went down
		q.mu.Unlock()
		if enough {
			return
		}
		runtime.Gosched()
	}
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
