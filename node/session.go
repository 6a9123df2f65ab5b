package node

import (
	"context"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

const (
	maxSessions = 10_000           // open at one enforcement point
	keptEnds    = 1 << 10          // that a stream which was cut off can still catch up with
	aliveEvery  = time.Second      // a stream on which nothing happens says so
	orphanAfter = 30 * time.Second // without any stream, what an enforcement point relied on is forgotten
	lookEvery   = 500 * time.Millisecond
	endAtOnce   = 256 // sessions: their records share a sync
)

// sessions are the permits that enforcement points still rely on, and wait to be
// told the end of (R81). They live as long as the process: after a start, every
// stream begins with a reset.
type sessions struct {
	rand   io.Reader
	lasts  context.Context // ends with the node, and every stream with it
	finish context.CancelFunc

	looking sync.Mutex // held by who looks at them and ends them

	mu     sync.Mutex
	points map[string]*watched // by enforcement point
}

// watched is what one enforcement point relies on.
type watched struct {
	run     string // random; cursors of another run are not known
	streams int
	left    time.Time // when the last stream ended
	open    map[string]*permit
	ends    []SessionEvent // the newest, at most keptEnds
	told    uint64         // how many ends there were
	changed chan struct{}  // closed when there is another
}

// SessionEventKind is what a watch stream says.
type SessionEventKind string

// The kinds: one session ended; every session has to be asked for again, since
// ends may have been missed; nothing happened for a while.
const (
	SessionEnded  SessionEventKind = "ended"
	SessionsReset SessionEventKind = "reset"
	WatchAlive    SessionEventKind = "alive"
)

// SessionEvent is one event of a watch stream. Cursor is where to go on after it.
type SessionEvent struct {
	Kind      SessionEventKind
	Cursor    string
	Reference string       // of the permit that ended
	Reason    trust.Reason // why
	Decision  string       // reference of the denial that ended it; empty where that could not be recorded
}

func newSessions(rand io.Reader) *sessions {
	s := &sessions{rand: rand, points: map[string]*watched{}}
	s.lasts, s.finish = context.WithCancel(context.Background())
	return s
}

// watched reports whether an enforcement point holds a stream, and room for
// another session.
func (s *sessions) watched(point string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.points[point]
	return w != nil && w.streams > 0 && len(w.open) < maxSessions
}

// open begins to look after a permit. An enforcement point whose streams have
// all gone meanwhile will be told to ask again.
func (s *sessions) open(reference string, p *permit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.points[p.ask.EnforcementPoint]; w != nil {
		w.open[reference] = p
	}
}

// close stops looking after a permit; false where there was none.
func (s *sessions) close(point, reference string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.points[point]
	if w == nil || w.open[reference] == nil {
		return false
	}
	delete(w.open, reference)
	return true
}

// end tells an enforcement point that a permit is one no longer.
func (s *sessions) end(point string, e SessionEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.points[point]
	if w == nil || w.open[e.Reference] == nil {
		return
	}
	delete(w.open, e.Reference)
	w.told++
	e.Kind, e.Cursor = SessionEnded, w.cursor(w.told)
	if len(w.ends) == keptEnds {
		w.ends = append(w.ends[:0], w.ends[1:]...)
	}
	w.ends = append(w.ends, e)
	close(w.changed)
	w.changed = make(chan struct{})
}

// renew keeps a permit in the place of an older one.
func (s *sessions) renew(reference string, p *permit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.points[p.ask.EnforcementPoint]; w != nil && w.open[reference] != nil {
		w.open[reference] = p
	}
}

// all gives what is looked after, by reference, and forgets enforcement points
// that went away.
func (s *sessions) all(now time.Time) map[string]*permit {
	s.mu.Lock()
	defer s.mu.Unlock()
	every := map[string]*permit{}
	for point, w := range s.points {
		if w.streams == 0 && now.Sub(w.left) > orphanAfter {
			delete(s.points, point)
			continue
		}
		for reference, p := range w.open {
			every[reference] = p
		}
	}
	return every
}

// enter adds a stream and gives the number of the last end that its cursor has
// seen; false where that cannot be told, so that ends may have been missed. An
// empty cursor has seen whatever there was.
func (s *sessions) enter(point, cursor string) (w *watched, seen uint64, known bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w = s.points[point]
	if w == nil {
		var run [8]byte
		if _, err := io.ReadFull(s.rand, run[:]); err != nil {
			return nil, 0, false, trust.Errorf(trust.Internal, "drawing the run of a watch stream: %w", err)
		}
		w = &watched{run: hex.EncodeToString(run[:]), open: map[string]*permit{}, changed: make(chan struct{})}
		s.points[point] = w
	}
	w.streams++
	if cursor == "" {
		return w, w.told, true, nil
	}
	run, number, _ := strings.Cut(cursor, "-")
	seen, err = strconv.ParseUint(number, 10, 64)
	if err != nil || run != w.run || seen > w.told || seen+uint64(len(w.ends)) < w.told {
		return w, w.told, false, nil
	}
	return w, seen, true, nil
}

func (s *sessions) leave(w *watched, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.streams--
	w.left = now
}

// since gives the ends after number seen, and a channel that is closed with the
// next one; false where some are kept no more.
func (s *sessions) since(w *watched, seen uint64) (ends []SessionEvent, last uint64, changed <-chan struct{}, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	missing := w.told - seen
	if missing > uint64(len(w.ends)) {
		return nil, w.told, w.changed, false
	}
	ends = append(ends, w.ends[uint64(len(w.ends))-missing:]...)
	return ends, w.told, w.changed, true
}

func (w *watched) cursor(n uint64) string { return w.run + "-" + strconv.FormatUint(n, 10) }

// Watch tells an enforcement point, as long as ctx and the node last, which of the permits
// that it opened sessions on have ended; and at least every second that it is
// alive. It goes on after cursor, if that is one that it gave; where ends may
// have been missed it begins with a reset. It returns the error of tell, and
// Denied once the enforcement point is removed.
func (n *Node) Watch(ctx context.Context, point, cursor string, tell func(SessionEvent) error) error {
	w, seen, known, err := n.sessions.enter(point, cursor)
	if err != nil {
		return err
	}
	defer func() { n.sessions.leave(w, time.Now()) }()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(n.sessions.lasts, stop)()
	for first := true; ctx.Err() == nil; first = false {
		ends, last, changed, kept := n.sessions.since(w, seen)
		if !kept || !known {
			ends = []SessionEvent{{Kind: SessionsReset, Cursor: w.cursor(last)}}
		} else if len(ends) == 0 && !first {
			ends = []SessionEvent{{Kind: WatchAlive, Cursor: w.cursor(last)}}
		} else if first {
			ends = append(ends, SessionEvent{Kind: WatchAlive, Cursor: w.cursor(last)})
		}
		for _, e := range ends {
			if err := tell(e); err != nil {
				return err
			}
		}
		seen, known = last, true
		wait(ctx, changed, aliveEvery)
		if !n.State().Service.HasEnforcementPoint(point) {
			return trust.Errorf(trust.Denied, "enforcement point %s is registered no longer", point)
		}
	}
	return nil
}

// Release ends a session that its enforcement point relies on no longer. One
// that is not open is NotFound.
func (n *Node) Release(point, reference string) error {
	if !n.sessions.close(point, reference) {
		return trust.Errorf(trust.NotFound, "session %.40q is not open", reference)
	}
	return nil
}

// keepSessions looks at every open session whenever trust changed, and twice a
// second at what ends by time and silence.
func (n *Node) keepSessions(ctx context.Context) {
	defer n.sessions.finish()
	for ctx.Err() == nil {
		changed := n.trust.Watch()
		n.lookAtAll(ctx)
		wait(ctx, changed, lookEvery)
	}
}

// lookAtAll looks at every session.
func (n *Node) lookAtAll(ctx context.Context) {
	n.sessions.looking.Lock()
	defer n.sessions.looking.Unlock()
	n.lookAt(ctx, n.sessions.all(time.Now()))
}

// sessionEnd is why a session ended, and the denial that did it; the zero
// position where that could not be recorded.
type sessionEnd struct {
	reason trust.Reason
	denial trust.Position
}

// lookAt looks at sessions, at many at a time where they end, and gives the ends
// by reference. Who calls it holds the lock.
func (n *Node) lookAt(ctx context.Context, open map[string]*permit) map[string]sessionEnd {
	s, now := n.State(), n.Clock.Mark()
	var mu sync.Mutex
	ends := map[string]sessionEnd{}
	var ending sync.WaitGroup
	free := make(chan struct{}, endAtOnce)
	for reference, p := range open {
		if s.Rules == p.rules {
			if p.stillHolds(n, s, now, new(decision.Observed)) {
				continue
			}
		}
		free <- struct{}{}
		ending.Go(func() {
			if end, ended := n.look(ctx, s, reference, p); ended {
				mu.Lock()
				ends[reference] = end
				mu.Unlock()
			}
			<-free
		})
	}
	ending.Wait()
	return ends
}

// look asks again whether a permit that a session rests on would be given. Where
// it would not, that is a decision with a record of its own, and the enforcement
// point is told.
func (n *Node) look(ctx context.Context, s *state.Snapshot, reference string, p *permit) (end sessionEnd, ended bool) {
	v := n.judgeAgain(ctx, s, &p.ask, n.Clock.Mark(), p.made.Duty)
	if v.decision.Permit {
		n.sessions.renew(reference, newPermit(v, &p.ask, p.of))
		return end, false
	}
	if ctx.Err() != nil {
		return end, false // the node is stopping; whatever could not be asked is no end
	}
	v.decision.Burn = nil // what the permit used up
	end.reason = v.decision.Reason
	e := SessionEvent{Reference: reference, Reason: end.reason}
	at, err := n.record(ctx, s, v, &p.ask)
	if err != nil {
		n.Log.Error("the end of a session could not be recorded; it is told all the same", "error", err)
	} else {
		e.Decision, end.denial = n.Keys.Reference(at), at
	}
	n.Meter.Decided(false, e.Reason)
	n.sessions.end(p.ask.EnforcementPoint, e)
	return end, true
}
