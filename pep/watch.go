package pep

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/trust"
)

const (
	maxLine    = 4 << 10 // bytes of an event's line
	keptEnds   = 1 << 10 // that came before their session was held
	firstRetry = 50 * time.Millisecond
	lastRetry  = 2 * time.Second
)

// watch is what the node's stream says, and the sessions that it says it of.
type watch struct {
	mu    *sync.Mutex
	live  bool   // a stream is open, and says so
	cuts  uint64 // how often every session was cut
	held  map[string]context.CancelCauseFunc
	ended map[string]*Ended // that are not held
	order []string          // of ended, oldest first
}

func newWatch() watch {
	return watch{mu: new(sync.Mutex), held: map[string]context.CancelCauseFunc{}, ended: map[string]*Ended{}}
}

func (w *watch) state() (cuts uint64, live bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cuts, w.live
}

// hold keeps a session until its end; false where every session was cut since
// there were that many cuts. An end that came first is not lost.
func (w *watch) hold(reference string, cuts uint64, cancel context.CancelCauseFunc) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	end, over := w.ended[reference]
	switch {
	case over:
		cancel(end)
	case w.cuts != cuts:
		return false
	default:
		w.held[reference] = cancel
	}
	return true
}

// drop reports whether the session was held.
func (w *watch) drop(reference string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, held := w.held[reference]
	delete(w.held, reference)
	return held
}

func (w *watch) end(reference string, why *Ended) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if cancel, held := w.held[reference]; held {
		cancel(why)
		delete(w.held, reference)
		return
	}
	if len(w.order) == keptEnds {
		delete(w.ended, w.order[0])
		w.order = w.order[1:]
	}
	w.ended[reference], w.order = why, append(w.order, reference)
}

// cut ends every session.
func (w *watch) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live = false
	w.cuts++
	for reference, cancel := range w.held {
		cancel(ErrCut)
		delete(w.held, reference)
	}
}

// keepWatching holds the node's stream, again and again, until ctx ends.
func (n *Node) keepWatching(ctx context.Context) {
	defer n.watch.cut()
	cursor := ""
	for retry := firstRetry; ctx.Err() == nil; retry = min(2*retry, lastRetry) {
		began := time.Now()
		cursor = n.follow(ctx, cursor)
		n.watch.cut()
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
func (n *Node) follow(ctx context.Context, cursor string) string {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	silence := time.AfterFunc(n.config.Silence, stop)
	defer silence.Stop()
	answer, err := n.send(ctx, http.MethodGet, watchPath, nil, "Last-Event-ID", cursor)
	if err != nil {
		return cursor
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return ""
	}
	return n.watch.read(answer.Body, cursor, func() { silence.Reset(n.config.Silence) })
}

// read takes server-sent events (WHATWG HTML, section 9.2) as the node writes
// them: a field a line, an empty line behind each event.
func (w *watch) read(in io.Reader, cursor string, heard func()) string {
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
			if !w.take(kind, data) {
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
func (w *watch) take(kind, data string) bool {
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
		w.end(e.ID, &Ended{e.Reason, e.Decision})
	case "reset":
		w.cut()
	case "alive":
	default:
		return false
	}
	w.mu.Lock()
	w.live = true
	w.mu.Unlock()
	return true
}
