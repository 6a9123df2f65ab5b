package pep_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/entente-id/entente/pep"
	"github.com/entente-id/entente/trust"
)

// fake is a node whose watch streams say what a test sends.
type fake struct {
	*httptest.Server
	said chan string

	mu        sync.Mutex
	cursors   []string
	released  []string
	reported  []string
	questions []string
	asking    func() // while a question is answered
	next      string // the reference of the next permit; empty denies
	ttl       int
	status    int
}

func newFake(t *testing.T) *fake {
	f := &fake{said: make(chan string), status: http.StatusOK}
	f.Server = httptest.NewTLSServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	status := f.status
	switch {
	case r.Header.Get("Authorization") != "Bearer secret":
		status = http.StatusUnauthorized
	case r.Method == http.MethodDelete:
		f.released = append(f.released, r.URL.Path)
	case r.URL.Path == "/access/v1/evaluation":
		f.mu.Unlock()
		f.evaluate(w, r)
		return
	case r.Method == http.MethodPost:
		body, _ := io.ReadAll(r.Body)
		f.reported = append(f.reported, r.URL.Path+" "+string(body))
		if status == http.StatusOK {
			status = http.StatusNoContent
		}
	default:
		f.cursors = append(f.cursors, r.Header.Get("Last-Event-ID"))
	}
	f.mu.Unlock()
	w.WriteHeader(status)
	if r.Method != http.MethodGet || status != http.StatusOK {
		return
	}
	for {
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case text := <-f.said:
			if text == "" {
				return
			}
			_, _ = w.Write([]byte(text))
		}
	}
}

func (f *fake) evaluate(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.questions = append(f.questions, string(body))
	asking, next, ttl := f.asking, f.next, f.ttl
	f.mu.Unlock()
	if asking != nil {
		asking()
	}
	_, _ = fmt.Fprintf(w, `{"decision":%t,"context":{"id":%q,"reason":"permit","ttl":%d}}`, next != "", next, ttl)
}

func (f *fake) say(cursor, kind, data string) {
	f.said <- fmt.Sprintf("id: %s\nevent: %s\ndata: %s\n\n", cursor, kind, data)
}

func run(t *testing.T, f *fake, silence time.Duration) *pep.Node {
	t.Helper()
	n, err := pep.New(pep.Config{Node: f.URL + "/", Credential: "secret", Client: f.Client(), Silence: silence})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { n.Run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	return n
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for until := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// open opens a session, which the node calls id.
func open(t *testing.T, f *fake, n *pep.Node, id string) pep.Session {
	t.Helper()
	f.set(func() { f.next = id })
	answer, session, err := n.Open(t.Context(), pep.Question{})
	if err != nil || !answer.Permit {
		t.Fatal(answer, err)
	}
	return session
}

func (f *fake) set(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

func TestASessionEndsWhenTheNodeSaysSo(t *testing.T) {
	f := newFake(t)
	n := run(t, f, time.Minute)
	f.say("r-0", "alive", "{}")
	eventually(t, "the stream", n.Live)
	one, other := open(t, f, n, "one"), open(t, f, n, "other")
	f.say("r-1", "ended", `{"decision":"d","id":"one","reason":"revocation.subject"}`)
	<-one.Context.Done()
	if end, ok := errors.AsType[*pep.Ended](context.Cause(one.Context)); !ok || end.Reason != trust.SubjectRevoked || end.Decision != "d" {
		t.Errorf("it ended by %v", context.Cause(one.Context))
	}
	if other.Context.Err() != nil {
		t.Error("another session ended with it")
	}
	other.Release()
	if other.Context.Err() == nil || len(f.released) != 1 || f.released[0] != "/access/v1/session/other" {
		t.Errorf("released %v", f.released)
	}
	// An end that overtakes the answer is not lost.
	f.set(func() {
		f.asking = func() {
			f.say("r-2", "ended", `{"id":"late","reason":"freshness.stale"}`)
			f.say("r-2", "alive", "{}")
		}
	})
	late := open(t, f, n, "late")
	<-late.Context.Done()
	if end, ok := errors.AsType[*pep.Ended](context.Cause(late.Context)); !ok || end.Reason != trust.Stale {
		t.Errorf("it ended by %v", context.Cause(late.Context))
	}
}

// Whatever leaves unknown whether a session has ended cuts it.
func TestASessionIsCutWhereNothingIsKnown(t *testing.T) {
	for name, c := range map[string]struct {
		then   func(*fake)
		cursor string // of the next stream
	}{
		"the stream breaks":       {func(f *fake) { f.said <- "" }, "r-7"},
		"a reset":                 {func(f *fake) { f.say("r-9", "reset", "{}"); f.said <- "" }, "r-9"},
		"an event of no kind":     {func(f *fake) { f.say("r-9", "news", "{}") }, ""},
		"an end of no session":    {func(f *fake) { f.say("r-9", "ended", `{"reason":"x"}`) }, ""},
		"an end that is not JSON": {func(f *fake) { f.say("r-9", "ended", `{`) }, ""},
		"silence":                 {func(*fake) {}, "r-7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			silence := time.Minute
			if name == "silence" {
				silence = 5 * time.Second // within which a session has to be opened
			}
			n := run(t, f, silence)
			f.say("r-7", "alive", "{}")
			eventually(t, "the stream", n.Live)
			session := open(t, f, n, "one")
			c.then(f)
			<-session.Context.Done()
			if cause := context.Cause(session.Context); !errors.Is(cause, pep.ErrCut) {
				t.Errorf("it ended by %v", cause)
			}
			var cursors []string
			eventually(t, "the next stream", func() bool {
				f.set(func() { cursors = slices.Clone(f.cursors) })
				return len(cursors) > 1
			})
			if cursors[1] != c.cursor {
				t.Errorf("the next stream goes on after %q, want %q", cursors[1], c.cursor)
			}
		})
	}
}

func TestNoSessionIsOpenedWithoutAStream(t *testing.T) {
	f := newFake(t)
	f.status = http.StatusServiceUnavailable
	n := run(t, f, time.Minute)
	if _, _, err := n.Open(t.Context(), pep.Question{}); trust.KindOf(err) != trust.Unavailable || len(f.questions) != 0 {
		t.Errorf("without a stream: %v, asked %v", err, f.questions)
	}
	f.set(func() { f.status = http.StatusOK })
	f.say("r-0", "alive", "{}")
	eventually(t, "the stream", n.Live)
	if answer, session, err := n.Open(t.Context(), pep.Question{}); err != nil || answer.Permit || session.Context != nil {
		t.Errorf("a denial: %+v, %v", answer, err)
	}
	held := open(t, f, n, "held")
	f.set(func() {
		f.asking = func() {
			f.say("r-1", "reset", "{}")
			<-held.Context.Done()
		}
	})
	if _, _, err := n.Open(t.Context(), pep.Question{}); trust.KindOf(err) != trust.Unavailable {
		t.Errorf("a stream that broke meanwhile: %v", err)
	}
}

// A guarded handler that lasts is told when its session ends (R81).
func TestAGuardedSession(t *testing.T) {
	f := newFake(t)
	n := run(t, f, time.Minute)
	f.say("r-0", "alive", "{}")
	eventually(t, "the stream", n.Live)
	f.set(func() { f.next = "one" })
	g := &pep.Guard{Node: n, Target: func(*http.Request) (pep.Target, error) { return pep.Target{}, nil }}
	served := make(chan error)
	h := g.WrapSession(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		served <- nil
		<-r.Context().Done()
		served <- context.Cause(r.Context())
	}))
	go call(h, "Authorization: Bearer ey.J.x")
	<-served
	f.say("r-1", "ended", `{"id":"one","reason":"revocation.subject"}`)
	if end, ok := errors.AsType[*pep.Ended](<-served); !ok || end.Reason != trust.SubjectRevoked {
		t.Errorf("it ended by %v", end)
	}
}
