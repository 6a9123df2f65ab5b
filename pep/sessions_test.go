package pep_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
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

	mu       sync.Mutex
	cursors  []string
	released []string
	status   int
}

func newFake(t *testing.T) *fake {
	f := &fake{said: make(chan string), status: http.StatusOK}
	f.Server = httptest.NewServer(f)
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

func (f *fake) say(cursor, kind, data string) {
	f.said <- fmt.Sprintf("id: %s\nevent: %s\ndata: %s\n\n", cursor, kind, data)
}

func run(t *testing.T, f *fake, silence time.Duration) *pep.Sessions {
	s := pep.NewSessions(pep.Config{Node: f.URL + "/", Credential: "secret", Silence: silence})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	return s
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func open(t *testing.T, s *pep.Sessions, id string) (context.Context, func()) {
	t.Helper()
	ctx, release, err := s.Open(t.Context(), func(context.Context) (string, error) { return id, nil })
	if err != nil {
		t.Fatal(err)
	}
	return ctx, release
}

func TestASessionEndsWhenTheNodeSaysSo(t *testing.T) {
	f := newFake(t)
	s := run(t, f, time.Minute)
	f.say("r-0", "alive", "{}")
	eventually(t, "the stream", s.Live)
	one, _ := open(t, s, "one")
	other, release := open(t, s, "other")
	f.say("r-1", "ended", `{"decision":"d","id":"one","reason":"revocation.subject"}`)
	<-one.Done()
	if end, ok := errors.AsType[*pep.Ended](context.Cause(one)); !ok || end.Reason != trust.SubjectRevoked || end.Decision != "d" {
		t.Errorf("it ended by %v", context.Cause(one))
	}
	if other.Err() != nil {
		t.Error("another session ended with it")
	}
	release()
	if other.Err() == nil || len(f.released) != 1 || f.released[0] != "/access/v1/session/other" {
		t.Errorf("released %v", f.released)
	}
	// An end that overtakes the answer is not lost.
	late, _, err := s.Open(t.Context(), func(context.Context) (string, error) {
		f.say("r-2", "ended", `{"id":"late","reason":"freshness.stale"}`)
		f.say("r-2", "alive", "{}")
		return "late", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	<-late.Done()
	if end, ok := errors.AsType[*pep.Ended](context.Cause(late)); !ok || end.Reason != trust.Stale {
		t.Errorf("it ended by %v", context.Cause(late))
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
			s := run(t, f, 300*time.Millisecond)
			f.say("r-7", "alive", "{}")
			eventually(t, "the stream", s.Live)
			session, _ := open(t, s, "one")
			c.then(f)
			<-session.Done()
			if cause := context.Cause(session); !errors.Is(cause, pep.ErrCut) {
				t.Errorf("it ended by %v", cause)
			}
			eventually(t, "the next stream", func() bool {
				f.mu.Lock()
				defer f.mu.Unlock()
				return len(f.cursors) > 1
			})
			if f.cursors[1] != c.cursor {
				t.Errorf("the next stream goes on after %q, want %q", f.cursors[1], c.cursor)
			}
		})
	}
}

func TestNoSessionIsOpenedWithoutAStream(t *testing.T) {
	f := newFake(t)
	f.status = http.StatusServiceUnavailable
	s := run(t, f, time.Minute)
	never := func(context.Context) (string, error) { t.Error("the node was asked"); return "", nil }
	if _, _, err := s.Open(t.Context(), never); trust.KindOf(err) != trust.Unavailable {
		t.Errorf("without a stream: %v", err)
	}
	f.mu.Lock()
	f.status = http.StatusOK
	f.mu.Unlock()
	f.say("r-0", "alive", "{}")
	eventually(t, "the stream", s.Live)
	denied := errors.New("denied")
	if _, _, err := s.Open(t.Context(), func(context.Context) (string, error) { return "", denied }); !errors.Is(err, denied) {
		t.Errorf("a denial: %v", err)
	}
	held, _ := open(t, s, "held")
	_, _, err := s.Open(t.Context(), func(context.Context) (string, error) {
		f.say("r-1", "reset", "{}")
		<-held.Done()
		return "one", nil
	})
	if trust.KindOf(err) != trust.Unavailable {
		t.Errorf("a stream that broke meanwhile: %v", err)
	}
}
