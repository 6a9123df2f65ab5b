package node

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

const (
	mostSignals  = 200              // tokens of one transmitter that are taken in a second
	mostAsked    = 16               // verifications of one transmitter that are awaited at a time
	slowestRetry = 30 * time.Second // of a transmitter that does not answer
)

// feeds are what this process knows of the transmitters that it hears. It is kept
// in memory alone: after a start each is silent until it answers.
type feeds struct {
	mu sync.Mutex
	of map[string]*feed // by name
}

// feed is one of them. Its age runs from when the verification was asked for
// that it answered last.
type feed struct {
	proven clock.Mark
	known  bool
	off    bool                  // the transmitter said that the stream is not enabled
	asked  map[string]clock.Mark // by the state that was sent
	order  []string              // of asked, the oldest first

	keys jose.KeySet // of a transmitter that has its own
	read bool        // those were, since it is heard

	second int64 // the one in which heard tokens came
	heard  int
}

func newFeeds() *feeds { return &feeds{of: map[string]*feed{}} }

// with does something about one feed.
func (f *feeds) with(name string, do func(*feed)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of[name] == nil {
		f.of[name] = &feed{asked: map[string]clock.Mark{}}
	}
	do(f.of[name])
}

// forget begins anew with a transmitter of this name.
func (f *feeds) forget(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.of, name)
}

// ask notes that a verification was asked for.
func (f *feeds) ask(name, nonce string, at clock.Mark) {
	f.with(name, func(w *feed) {
		if len(w.order) == mostAsked {
			delete(w.asked, w.order[0])
			w.order = w.order[1:]
		}
		w.asked[nonce], w.order = at, append(w.order, nonce)
	})
}

// answered notes a verification; false for one that nobody asked for, which
// proves nothing.
func (f *feeds) answered(name, nonce string) (ok bool) {
	f.with(name, func(w *feed) {
		at, asked := w.asked[nonce]
		if !asked {
			return
		}
		ok = true
		if !w.known || w.proven.Boot < at.Boot {
			w.proven, w.known = at, true
		}
		delete(w.asked, nonce)
	})
	return ok
}

// Hears reports whether a transmitter may send another token now.
func (n *Node) Hears(name string) (may bool) {
	n.signals.with(name, func(w *feed) {
		if now := n.Now(); w.second != now {
			w.second, w.heard = now, 0
		}
		w.heard++
		may = w.heard <= mostSignals
	})
	return may
}

// feedAge is how many seconds ago the transmitter of an issuer proved that it is
// heard, 1 at least; 0 where an issuer has none, -1 of one that proved nothing
// since the start or has its stream not enabled.
func (n *Node) feedAge(s *state.Snapshot, issuer string, now clock.Mark) int64 {
	t, there := s.Signal.Feed(issuer)
	if !there || !t.Feeds() {
		return 0
	}
	age := int64(-1)
	n.signals.with(t.Name, func(w *feed) {
		switch {
		case !w.known || w.off:
		case now.Boot < w.proven.Boot:
			age = 1
		default:
			age = max(int64((now.Since(w.proven)+time.Second-1)/time.Second), 1)
		}
	})
	return age
}

// feedsHold looks again at the feeds that a remembered permit was given by.
func (p *standing) feedsHold(n *Node, s *state.Snapshot, o, made *decision.Observed, issuer string, now clock.Mark) bool {
	if made.FeedAge == 0 {
		return true
	}
	o.FeedAge = n.feedAge(s, issuer, now)
	return o.FeedAge >= 0 && o.FeedAge <= p.MaxFeedAge
}

// aboutStream takes a token that is about its own stream: the answer to a
// verification that we asked for (SSF 1.0, section 8.1.4), or its status (8.1.5).
func (n *Node) aboutStream(t *signal.Transmitter, token *signal.Token) error {
	if !token.Subject.Equal(signal.OpaqueOf(t.StreamID)) {
		return signal.Refuse(signal.AccessDenied, "transmitter %s speaks of another stream than %s", t.Name, t.StreamID)
	}
	if token.Type == signal.StreamUpdated {
		status, _ := token.Content.Text("status")
		n.signals.with(t.Name, func(w *feed) { w.off = status != "enabled" })
		return nil
	}
	nonce, _ := token.Content.Text("state")
	if n.signals.answered(t.Name, nonce) {
		n.signals.with(t.Name, func(w *feed) { w.off = false }) // what verifies is enabled
	}
	return nil
}

// keepFeeds listens to every transmitter there is until ctx ends.
func (n *Node) keepFeeds(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	running := map[string]context.CancelFunc{}
	heard := map[string]trust.Position{}
	for ctx.Err() == nil {
		changed := n.trust.Watch()
		now := map[string]trust.Position{}
		for t := range n.State().Signal.All() {
			if t.Feeds() {
				now[t.Name] = t.At
			}
		}
		for name, stop := range running {
			if now[name] != heard[name] {
				stop()
				delete(running, name)
				delete(heard, name)
				n.signals.forget(name)
			}
		}
		for name, at := range now {
			if running[name] == nil {
				one, stop := context.WithCancel(ctx)
				running[name], heard[name] = stop, at
				all.Go(func() { n.keepFeed(one, name) })
			}
		}
		wait(ctx, changed, time.Minute)
	}
	for _, stop := range running {
		stop()
	}
}

// keepFeed asks one transmitter to verify its stream, reads its keys where it has
// its own, and polls it where that is agreed. It runs on real time.
func (n *Node) keepFeed(ctx context.Context, name string) {
	t, ok := n.State().Signal.Transmitter(name)
	if !ok {
		return
	}
	token, err := n.transmitterToken(ctx, &t)
	if err != nil {
		n.Log.Error("a transmitter cannot be asked", "transmitter", name, "error", err)
		return
	}
	var loops sync.WaitGroup
	defer loops.Wait()
	if t.JWKSURI != "" {
		loops.Go(func() { n.repeat(ctx, &t, n.issuers.refresh, n.readTransmitterKeys) })
	}
	if t.Delivery == signal.Poll {
		loops.Go(func() {
			n.repeat(ctx, &t, n.Config.Heartbeat, func(ctx context.Context, t *signal.Transmitter) error { return n.poll(ctx, t, token) })
		})
	}
	every := max(n.Config.Heartbeat, time.Duration(feedBound(n.State()))*time.Second/4)
	n.repeat(ctx, &t, every, func(ctx context.Context, t *signal.Transmitter) error { return n.askTransmitter(ctx, t, token) })
}

// repeat does one thing again and again; what fails sooner, and less and less
// often, but as often as the feed's keys are asked for.
func (n *Node) repeat(ctx context.Context, t *signal.Transmitter, every time.Duration, do func(context.Context, *signal.Transmitter) error) {
	retry := min(every, time.Second)
	for ctx.Err() == nil {
		pause := every
		if err := do(ctx, t); err != nil && ctx.Err() == nil {
			n.Log.Warn("a transmitter does not answer as it should", "transmitter", t.Name, "error", err)
			pause, retry = retry, min(2*retry, slowestRetry)
		} else {
			retry = min(every, time.Second)
		}
		wait(ctx, nil, pause)
	}
}

// feedBound is for how many seconds a feed may be silent: what a foreign
// transmitter proves is held to the basic tier, or, where the framework has none,
// to the laxest that it has.
func feedBound(s *state.Snapshot) int64 { return decision.FeedBound(s) }

// askTransmitter asks for a verification event (SSF 1.0, section 8.1.4.2).
// The answer may come at once; one that cannot be verified would be refused, so that
// its keys are read first where they never were.
func (n *Node) askTransmitter(ctx context.Context, t *signal.Transmitter, token string) error {
	if t.JWKSURI != "" {
		read := false
		n.signals.with(t.Name, func(w *feed) { read = w.read })
		if !read {
			if err := n.readTransmitterKeys(ctx, t); err != nil {
				return err
			}
		}
	}
	random := make([]byte, nonceBytes)
	if _, err := io.ReadFull(n.Rand, random); err != nil {
		return trust.Errorf(trust.Internal, "drawing a nonce: %w", err)
	}
	nonce := base64.RawURLEncoding.EncodeToString(random)
	body, err := canonical.Marshal(struct {
		StreamID string `json:"stream_id"`
		State    string `json:"state"`
	}{t.StreamID, nonce})
	if err != nil {
		return err
	}
	n.signals.ask(t.Name, nonce, n.Clock.Mark())
	answer, err := n.postTo(ctx, t.VerifyURI, token, body)
	if err == nil && answer.Status != http.StatusNoContent && answer.Status != http.StatusOK && answer.Status != http.StatusAccepted {
		err = trust.Errorf(trust.Unavailable, "transmitter %s answers %d to a verification", t.Name, answer.Status)
	}
	return err
}

func (n *Node) postTo(ctx context.Context, address, token string, body []byte) (Posted, error) {
	if n.Post == nil {
		return Posted{}, trust.Errorf(trust.Unavailable, "this node posts nothing")
	}
	authorization := ""
	if token != "" {
		authorization = "Bearer " + token
	}
	return n.Post.Post(ctx, address, "application/json", authorization, body)
}

// readTransmitterKeys fetches the keys of a transmitter that has its own. A set
// that does not parse changes nothing: the last good one stays.
func (n *Node) readTransmitterKeys(ctx context.Context, t *signal.Transmitter) error {
	text, err := n.Fetch.Get(ctx, t.JWKSURI)
	if err != nil {
		return err
	}
	keys, err := jose.ParseKeySet(text)
	if err == nil {
		n.signals.with(t.Name, func(w *feed) { w.keys, w.read = keys, true })
	}
	return err
}

// transmitterKeys gives the keys that count for a transmitter: its issuer's, or
// its own where it has some.
func (n *Node) transmitterKeys(s *state.Snapshot, t *signal.Transmitter) (keys jose.KeySet) {
	if t.JWKSURI == "" {
		speaker, _ := s.Speaker(t.Issuer.String())
		return speaker.Keys
	}
	n.signals.with(t.Name, func(w *feed) { keys = w.keys })
	return keys
}
