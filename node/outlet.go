package node

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"sync"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/trust"
)

const (
	outletBucket   = "stream.progress" // stream to its progress
	maxOutstanding = 1000              // items past the first that a receiver has not taken
)

// outlets are how far each stream's receiver is. What a stream owes is read from
// the trust log every time; the registers hold what was taken of it, and may be
// lost: then it is sent again.
type outlets struct {
	mu   sync.Mutex
	all  map[string]*outlet
	news chan struct{} // closed when something that no entry tells of is owed

	at    trust.Position // of the large entry that was opened last, and what it is told by
	large iter.Seq[notice]
}

func (o *outlets) signal() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.news == nil {
		o.news = make(chan struct{})
	}
	return o.news
}

func (o *outlets) changed() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.news != nil {
		close(o.news)
	}
	o.news = make(chan struct{})
}

// outlet is one stream's. Whoever holds it holds its lock.
type outlet struct {
	sync.Mutex
	loaded bool
	progress
}

// progress is what a receiver has taken. Entries before From are done with, and
// the first Part of what that one is told by; Done are the items taken out of turn
// behind it.
type progress struct {
	From   uint64        `json:"from"`
	Part   int           `json:"part,omitzero"`
	Done   []taken       `json:"done,omitempty"`
	Told   uint64        `json:"told,omitzero"`  // up to which change of status it was told
	Asked  int64         `json:"asked,omitzero"` // when it last asked for a verification, Unix seconds
	Verify *verification `json:"verify,omitzero"`
}

type taken struct {
	N    uint64 `json:"n"`
	Part int    `json:"part,omitzero"`
	Jti  string `json:"jti"`
}

// verification is one that the receiver asked for and has not had.
type verification struct {
	Jti   string `json:"jti"`
	State string `json:"state,omitempty"`
	At    int64  `json:"at"`
}

// outlet gives a stream's, locked, with its progress read.
func (n *Node) outlet(ctx context.Context, id string) (*outlet, error) {
	n.outlets.mu.Lock()
	if n.outlets.all == nil {
		n.outlets.all = map[string]*outlet{}
	}
	o := n.outlets.all[id]
	if o == nil {
		o = &outlet{}
		n.outlets.all[id] = o
	}
	n.outlets.mu.Unlock()
	o.Lock()
	if o.loaded {
		return o, nil
	}
	value, err := n.Store.Get(ctx, outletBucket, id)
	if err == nil {
		err = canonical.Decode(value, &o.progress)
	}
	if err != nil && trust.KindOf(err) != trust.NotFound {
		o.Unlock()
		return nil, trust.Errorf(trust.Unavailable, "reading the progress of a stream: %w", err)
	}
	o.loaded = true
	return o, nil
}

// save makes the progress durable.
func (n *Node) save(ctx context.Context, id string, o *outlet) error {
	value, err := canonical.Marshal(o.progress)
	if err != nil {
		return err
	}
	return n.Store.Put(ctx, store.Pair{Bucket: outletBucket, Key: id, Value: value})
}

// forget drops what is known of a stream that is one no longer.
func (n *Node) forget(ctx context.Context, id string) error {
	n.outlets.mu.Lock()
	delete(n.outlets.all, id)
	n.outlets.mu.Unlock()
	return n.Store.Put(ctx, store.Pair{Bucket: outletBucket, Key: id})
}

// owed gives at most limit items that a stream's receiver has not taken, the
// oldest first, and before them what is about the stream itself: of a paused
// stream, or of one whose receiver may have none any more, that alone.
func (n *Node) owed(ctx context.Context, s *stream.Stream, o *outlet, limit int) ([]item, error) {
	rights, may := n.mayReceive(s.Client)
	if !may {
		return nil, nil
	}
	items := n.aboutItself(s, o)
	if s.Status != stream.Enabled || len(items) >= limit {
		return items[:min(len(items), limit)], nil
	}
	if o.From < s.From {
		o.behind(s.From, 0)
	}
	sought := &search{n: n, s: s, o: o, rights: rights, limit: limit, items: items}
	known := n.State().At.Position.N // what an entry is told by may rest on the state after it
	for from := o.From; ; {
		records, err := n.trust.Read(ctx, from, readAtOnce)
		if err != nil {
			return nil, err
		}
		if later := slices.IndexFunc(records, func(r ledger.Record) bool { return r.Position.N > known }); later >= 0 {
			records = records[:later]
		}
		for _, r := range records {
			if full, err := sought.entry(ctx, r); full || err != nil {
				return sought.items, err
			}
		}
		from += uint64(len(records))
		if len(records) < readAtOnce {
			if !sought.found {
				o.behind(from, 0)
			}
			return sought.items, nil
		}
	}
}

// search goes through entries for what is owed.
type search struct {
	n      *Node
	s      *stream.Stream
	o      *outlet
	rights client.Signals
	limit  int
	items  []item
	found  bool // something that is owed
}

// entry adds what one entry is told by; true when there are enough.
func (q *search) entry(ctx context.Context, r ledger.Record) (full bool, err error) {
	all, err := q.n.notices(ctx, r)
	if err != nil {
		return false, err
	}
	skip := 0
	if r.Position.N == q.o.From {
		skip = q.o.Part
	}
	i := -1
	for w := range all {
		if i++; i < skip {
			continue
		}
		names, err := q.n.names(ctx, q.s, q.rights, w, r.Position.N)
		if err != nil {
			return false, err
		}
		for _, name := range names {
			owed := q.n.itemOf(q.s, w, name, r.Stamp())
			owed.part = i
			if slices.Contains(q.o.Done, owed.taken()) {
				continue
			}
			if !q.found {
				q.found = true
				q.o.behind(owed.n, i)
			}
			if q.items = append(q.items, owed); len(q.items) >= q.limit {
				return true, nil
			}
		}
	}
	return false, nil
}

// behind notes that nothing before a part of an entry is owed any more.
func (o *outlet) behind(first uint64, part int) {
	o.From, o.Part = first, part
	o.Done = slices.DeleteFunc(o.Done, func(d taken) bool { return d.N < first || d.N == first && d.Part < part })
}

// aboutItself gives what is to be said about the stream itself (SSF 1.0, sections
// 8.1.4 and 8.1.5).
func (n *Node) aboutItself(s *stream.Stream, o *outlet) (items []item) {
	about := func(t signal.Type, jti string, at int64, body canonical.Object) item {
		return item{claims: securityEvent{
			Iss: n.self.String(), Aud: s.Client, Iat: at, Jti: jti, SubID: signal.OpaqueOf(s.ID),
			Events: map[signal.Type]canonical.Object{t: body},
		}}
	}
	if s.MovedBy != stream.Receiver && s.Moved > o.Told {
		body := canonical.Object{"status": string(s.Status)}
		if why := MovedBecause(s); why != "" {
			body["reason"] = why
		}
		i := about(signal.StreamUpdated, n.jti(s, "moved", strconv.FormatUint(s.Moved, 10)), s.Since, body)
		i.moved = s.Moved
		items = append(items, i)
	}
	if v := o.Verify; v != nil && s.Status == stream.Enabled {
		body := canonical.Object{}
		if v.State != "" {
			body["state"] = v.State
		}
		i := about(signal.Verification, v.Jti, v.At, body)
		i.verifies = true
		items = append(items, i)
	}
	return items
}

// movedBecause is what a receiver is told of why its stream was moved.
var movedBecause = map[stream.Rule]string{
	"":             "an operator of the transmitter decided so",
	stream.Refused: "the receiver refused an event",
	stream.Behind:  "the receiver has not taken an event for too long",
}

// MovedBecause gives why the transmitter moved a stream; "" where its receiver
// did.
func MovedBecause(s *stream.Stream) string {
	if s.MovedBy == stream.Receiver {
		return ""
	}
	return movedBecause[s.Rule]
}

// take notes that the receiver has items; it is durable when it returns.
func (n *Node) take(ctx context.Context, s *stream.Stream, o *outlet, items ...item) error {
	for _, i := range items {
		switch {
		case i.verifies:
			if o.Verify != nil && o.Verify.Jti == i.claims.Jti {
				o.Verify = nil
			}
		case i.moved != 0:
			o.Told = max(o.Told, i.moved)
		default:
			if d := i.taken(); !slices.Contains(o.Done, d) {
				o.Done = append(o.Done, d)
			}
		}
	}
	return n.save(ctx, s.ID, o)
}
