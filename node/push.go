package node

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/trust"
)

const (
	firstPushRetry = 500 * time.Millisecond
	lastPushRetry  = 5 * time.Minute
	maxPushWait    = time.Hour // that a receiver may ask for
	lookAtStreams  = time.Minute
	// keptFor is for how many seconds a running stream owes the same event before
	// it is paused: its receiver learns that, and nothing is dropped.
	keptFor = 7 * 86400
)

// keepStreams pushes what streams owe, each by itself, and pauses those whose
// receiver has fallen too far behind, until ctx ends.
func (n *Node) keepStreams(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	var mu sync.Mutex
	running := map[string]bool{}
	look := time.NewTicker(lookAtStreams)
	defer look.Stop()
	for {
		changed := n.trust.Watch()
		for s := range n.State().Stream.All() {
			mu.Lock()
			if s.Delivery.Method == stream.Push && !running[s.ID] {
				running[s.ID] = true
				id := s.ID
				all.Go(func() {
					n.keepPushing(ctx, id)
					mu.Lock()
					defer mu.Unlock()
					delete(running, id)
				})
			}
			mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-look.C:
			n.pauseBehind(ctx)
		}
	}
}

// pauseBehind pauses each running stream that owes an event for longer than is
// kept.
func (n *Node) pauseBehind(ctx context.Context) {
	for s := range n.State().Stream.All() {
		if s.Status != stream.Enabled {
			continue
		}
		i, ok, err := n.next(ctx, s)
		if err != nil {
			n.Log.Warn("what a stream owes could not be read", "error", err)
			continue
		}
		if ok && n.Now()-max(i.claims.Iat, s.Since) > keptFor {
			n.hold(ctx, stream.Moved{ID: s.ID, To: stream.Paused, Party: stream.Transmitter, Rule: stream.Behind})
		}
	}
}

// hold pauses a stream.
func (n *Node) hold(ctx context.Context, m stream.Moved) {
	if _, err := n.change(ctx, func(c *change) error { return c.take(c.Stream.Move(m)) }); err != nil && ctx.Err() == nil {
		n.Log.Error("a stream could not be paused", "reason", string(m.Rule), "error", err)
	}
}

// next gives the first item that a stream owes.
func (n *Node) next(ctx context.Context, s *stream.Stream) (item, bool, error) {
	o, err := n.outlet(ctx, s.ID)
	if err != nil {
		return item{}, false, err
	}
	defer o.Unlock()
	items, err := n.owed(ctx, s, o, 1)
	if err != nil || len(items) == 0 {
		return item{}, false, err
	}
	return items[0], true, nil
}

// keepPushing sends what a stream owes, in order, each until it is taken, until
// the stream is pushed no more. A receiver that is down costs nobody else
// anything.
func (n *Node) keepPushing(ctx context.Context, id string) {
	retry := firstPushRetry
	for ctx.Err() == nil {
		changed, asked := n.trust.Watch(), n.outlets.signal()
		s, ok := n.State().Stream.Get(id)
		if !ok || s.Delivery.Method != stream.Push {
			return
		}
		i, owed, err := n.next(ctx, s)
		if err == nil && !owed {
			waitEither(ctx, changed, asked)
			continue
		}
		var pause time.Duration
		if err == nil {
			pause, err = n.push(ctx, s, i)
		}
		if err == nil {
			retry = firstPushRetry
			continue
		}
		n.Log.Debug("an event was not taken yet", "n", i.n, "error", err)
		n.waitToPush(ctx, s, max(retry, min(pause, maxPushWait)))
		retry = min(2*retry, lastPushRetry)
	}
}

func waitEither(ctx context.Context, one, other <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-one:
	case <-other:
	}
}

// waitToPush waits before the next attempt; a change of the stream itself ends
// the waiting, other entries do not.
func (n *Node) waitToPush(ctx context.Context, s *stream.Stream, d time.Duration) {
	done := time.NewTimer(d)
	defer done.Stop()
	for {
		changed := n.trust.Watch()
		if now, ok := n.State().Stream.Get(s.ID); !ok || now.Moved != s.Moved || now.Settings != s.Settings {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-done.C:
			return
		case <-changed:
		}
	}
}

// push sends one item (RFC 8935, section 2). An error is for another attempt,
// not before the time it comes with. What the receiver refuses for good pauses
// the stream.
func (n *Node) push(ctx context.Context, s *stream.Stream, i item) (time.Duration, error) {
	if n.Post == nil {
		return 0, trust.Errorf(trust.Unavailable, "this node pushes nothing")
	}
	settings, err := n.settings(ctx, s)
	if err != nil {
		return 0, err
	}
	jws, err := n.signed(i)
	if err != nil {
		return 0, err
	}
	answer, err := n.Post.Post(ctx, s.Delivery.Endpoint, setMediaType, settings.Authorization, []byte(jws))
	switch {
	case trust.KindOf(err) == trust.Denied, trust.KindOf(err) == trust.Invalid:
		return 0, n.refuse(ctx, s, i, Rejected{Code: "unreachable", Words: err.Error()})
	case err != nil:
		return 0, err
	case answer.Status >= 200 && answer.Status < 300:
		n.Meter.Signalled(string(stream.Push), 1)
		return 0, n.taken(ctx, s, i)
	case answer.Status >= 500, answer.Status == http.StatusTooManyRequests, answer.Status == http.StatusRequestTimeout, answer.Status == http.StatusTooEarly:
		return answer.Wait, trust.Errorf(trust.Unavailable, "the receiver answered %d", answer.Status)
	default:
		return 0, n.refuse(ctx, s, i, rejection(answer))
	}
}

// rejection reads why a receiver refuses (RFC 8935, section 2.3).
func rejection(answer Posted) Rejected {
	var body struct {
		Err         string `json:"err"`
		Description string `json:"description"`
	}
	if err := canonical.DecodeLoose(answer.Body, &body); err != nil || body.Err == "" {
		body.Description = "status " + strconv.Itoa(answer.Status)
	}
	return Rejected{Code: body.Err, Words: body.Description}
}

func (n *Node) taken(ctx context.Context, s *stream.Stream, i item) error {
	o, err := n.outlet(ctx, s.ID)
	if err != nil {
		return err
	}
	defer o.Unlock()
	return n.take(ctx, s, o, i)
}

// refuse records that a receiver refused an item and pauses its stream, which
// still owes it: when the stream runs again it is sent again. What was about the
// stream itself is not.
func (n *Node) refuse(ctx context.Context, s *stream.Stream, i item, why Rejected) error {
	if i.n == 0 {
		if err := n.taken(ctx, s, i); err != nil {
			return err
		}
	}
	var moves []stream.Moved
	if s.Status == stream.Enabled {
		moves = append(moves, stream.Moved{ID: s.ID, To: stream.Paused, Party: stream.Transmitter, Rule: stream.Refused})
	}
	return n.rejected(ctx, s.ID, i, why, moves...)
}
