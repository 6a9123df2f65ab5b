// Package pep is for policy enforcement points written in Go: it keeps the
// sessions that they let in no longer than their node permits. It decides
// nothing and caches no answer.
package pep

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/trust"
)

const (
	watchPath   = "/access/v1/watch"
	sessionPath = "/access/v1/session/"
	maxLine     = 4 << 10 // bytes of an event's line
	keptEnds    = 1 << 10 // that came before their session was held

	defaultSilence = 3 * time.Second
	firstRetry     = 50 * time.Millisecond
	lastRetry      = 2 * time.Second
)

// Config says how a node is reached.
type Config struct {
	// Node is the address of its enforcement listener, without a path.
	Node string
	// Credential is the enforcement point's own bearer credential.
	Credential string
	// Client carries the requests, and has no timeout of its own; nil is
	// http.DefaultClient.
	Client *http.Client
	// Silence is for how long the node may say nothing before every session is
	// cut; 0 is three seconds. A node says something every second.
	Silence time.Duration
}

// ErrCut is why a session ends about which the node can say nothing any more:
// its stream was silent, broke, or may have missed an end.
var ErrCut = errors.New("pep: the node's watch stream does not vouch for the session any more")

// Ended is why a session ends that the node does not permit any more (R81). The
// reason is for the enforcement point's own eyes; Decision is the reference of
// the denial.
type Ended struct {
	Reason   trust.Reason
	Decision string
}

func (e *Ended) Error() string { return "pep: the session is permitted no longer: " + string(e.Reason) }

// Sessions are the sessions that an enforcement point has let in and a node
// looks after. Its methods may be called by any goroutine.
type Sessions struct {
	config Config

	mu    sync.Mutex
	live  bool   // a stream is open, and says so
	cuts  uint64 // how often every session was cut
	held  map[string]context.CancelCauseFunc
	ended map[string]*Ended // that are not held
	order []string          // of ended, oldest first
}

// NewSessions makes a set without any session; Run keeps it.
func NewSessions(c Config) *Sessions {
	c.Node = strings.TrimSuffix(c.Node, "/")
	c.Client = cmp.Or(c.Client, http.DefaultClient)
	c.Silence = cmp.Or(c.Silence, defaultSilence)
	return &Sessions{config: c, held: map[string]context.CancelCauseFunc{}, ended: map[string]*Ended{}}
}

// Open lets a session in. Ask asks the node, with context.session, and gives the
// permit's context.id, or the error to return. The session's context ends when
// the node permits it no longer, with *Ended or ErrCut as its cause, or with ctx; whoever
// closes the session calls release. It fails with Unavailable where no stream is
// open, and where it broke while ask was asking.
func (s *Sessions) Open(ctx context.Context, ask func(context.Context) (id string, err error)) (session context.Context, release func(), err error) {
	s.mu.Lock()
	live, cuts := s.live, s.cuts
	s.mu.Unlock()
	if !live {
		return nil, nil, trust.Errorf(trust.Unavailable, "no watch stream of %s is open; a session waits for one", s.config.Node)
	}
	id, err := ask(ctx)
	if err != nil {
		return nil, nil, err
	}
	session, cancel := context.WithCancelCause(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	end, over := s.ended[id]
	switch {
	case over: // before it was held
		cancel(end)
	case s.cuts != cuts:
		cancel(ErrCut)
		return nil, nil, trust.Errorf(trust.Unavailable, "the watch stream of %s broke while a session was asked for; ask again", s.config.Node)
	default:
		s.held[id] = cancel
	}
	return session, func() { s.release(id, cancel) }, nil
}

func (s *Sessions) release(id string, cancel context.CancelCauseFunc) {
	cancel(context.Canceled)
	s.mu.Lock()
	_, held := s.held[id]
	delete(s.held, id)
	s.mu.Unlock()
	if !held {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), s.config.Silence)
	defer stop()
	if r, err := s.request(ctx, http.MethodDelete, sessionPath+id); err == nil {
		if answer, err := s.config.Client.Do(r); err == nil { // a session that is not given back ends by itself
			_ = answer.Body.Close()
		}
	}
}

// Live reports whether a stream is open.
func (s *Sessions) Live() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live
}

// Run holds the node's watch stream, again and again, until ctx ends; then every
// session is cut.
func (s *Sessions) Run(ctx context.Context) {
	defer s.cut()
	cursor := ""
	for retry := firstRetry; ctx.Err() == nil; retry = min(2*retry, lastRetry) {
		began := time.Now()
		cursor = s.follow(ctx, cursor)
		s.cut()
		if time.Since(began) > lastRetry {
			retry = firstRetry
		}
		select {
		case <-ctx.Done():
		case <-time.After(retry):
		}
	}
}

// follow reads one stream to its end, and gives where to go on.
func (s *Sessions) follow(ctx context.Context, cursor string) string {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	silence := time.AfterFunc(s.config.Silence, stop)
	defer silence.Stop()
	r, err := s.request(ctx, http.MethodGet, watchPath)
	if err != nil {
		return cursor
	}
	if cursor != "" {
		r.Header.Set("Last-Event-ID", cursor)
	}
	answer, err := s.config.Client.Do(r)
	if err != nil {
		return cursor
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return ""
	}
	return s.read(answer.Body, cursor, func() { silence.Reset(s.config.Silence) })
}

func (s *Sessions) request(ctx context.Context, method, path string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, s.config.Node+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+s.config.Credential)
	return r, nil
}

// read takes server-sent events (WHATWG HTML, section 9.2) as the node writes
// them: a field a line, an empty line behind each event.
func (s *Sessions) read(in io.Reader, cursor string, heard func()) string {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	var id, kind, data string
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			id = value
		case "event":
			kind = value
		case "data":
			data = value
		case "":
			if !s.take(kind, data) {
				return ""
			}
			heard()
			cursor, id, kind, data = id, "", "", ""
		}
	}
	return cursor
}

// take takes one event in; false for one that cannot be read, after which
// nothing is known.
func (s *Sessions) take(kind, data string) bool {
	switch kind {
	case "ended":
		var e struct {
			ID       string       `json:"id"`
			Reason   trust.Reason `json:"reason"`
			Decision string       `json:"decision"`
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil || e.ID == "" {
			return false
		}
		s.end(e.ID, &Ended{e.Reason, e.Decision})
	case "reset":
		s.cut()
	case "alive":
	default:
		return false
	}
	s.mu.Lock()
	s.live = true
	s.mu.Unlock()
	return true
}

func (s *Sessions) end(id string, why *Ended) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel, held := s.held[id]; held {
		cancel(why)
		delete(s.held, id)
		return
	}
	if len(s.order) == keptEnds {
		delete(s.ended, s.order[0])
		s.order = s.order[1:]
	}
	s.ended[id], s.order = why, append(s.order, id)
}

// cut ends every session.
func (s *Sessions) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live = false
	s.cuts++
	for id, cancel := range s.held {
		cancel(ErrCut)
		delete(s.held, id)
	}
}
