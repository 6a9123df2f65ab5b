package node_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// stream is what a watch stream has said so far.
type stream struct {
	mu     sync.Mutex
	events []node.SessionEvent
	stop   context.CancelFunc
	ended  chan error
}

func watch(t *testing.T, n *nodetest.Node, point, cursor string) *stream {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s := &stream{stop: stop, ended: make(chan error, 1)}
	go func() {
		s.ended <- n.Watch(ctx, point, cursor, func(e node.SessionEvent) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.events = append(s.events, e)
			return nil
		})
	}()
	t.Cleanup(stop)
	s.await(t, func([]node.SessionEvent) bool { return true })
	return s
}

// await waits until what was said, which is something, is as expected.
func (s *stream) await(t *testing.T, expected func([]node.SessionEvent) bool) []node.SessionEvent {
	t.Helper()
	var said []node.SessionEvent
	nodetest.Eventually(t, "the watch stream to say it", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		said = append(said[:0], s.events...)
		return len(said) > 0 && expected(said)
	})
	return said
}

// end waits for the end of one session.
func (s *stream) end(t *testing.T, reference string) (end node.SessionEvent) {
	t.Helper()
	s.await(t, func(said []node.SessionEvent) bool {
		for _, e := range said {
			if e.Kind == node.SessionEnded && e.Reference == reference {
				end = e
			}
		}
		return end.Reference != ""
	})
	return end
}

func (s *stream) ends() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Kind == node.SessionEnded {
			n++
		}
	}
	return n
}

// open asks for a session.
func open(t *testing.T, ward *nodetest.Ward, token []byte) node.Answer {
	t.Helper()
	ask := ward.Ask(token)
	ask.Session = true
	a := answer(t, ward.Host, ask)
	if !a.Permit {
		t.Fatalf("no session: %s", a.Reason)
	}
	return a
}

// An open session ends with what it rests on, whatever that is; the end is a
// recorded decision, and no other session's (R81).
func TestASessionEndsWithItsGround(t *testing.T) {
	for _, c := range []struct {
		name   string
		end    func(*testing.T, *nodetest.Ward)
		reason trust.Reason
	}{
		{"the subject is revoked at home", func(t *testing.T, w *nodetest.Ward) { revoke(t, w, "nurse-1") }, trust.SubjectRevoked},
		{"the agreement is suspended", func(t *testing.T, w *nodetest.Ward) {
			done(t, w.Home.SuspendAgreement(t.Context(), w.Home.Admin, w.Agreement, "incident"))
		}, trust.AgreementSuspended},
		{"the partner falls silent", func(_ *testing.T, w *nodetest.Ward) {
			w.Home.World.Cut(w.Host, w.Home)
			w.Host.Clock.Shift(61 * time.Second)
		}, trust.Stale},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ward := wardOf(t, nil)
			s := watch(t, ward.Host, "pep", "")
			one := open(t, ward, nurse(ward, "nurse-1"))
			c.end(t, ward)
			e := s.end(t, one.Reference)
			if e.Reason != c.reason || e.Decision == "" || e.Decision == one.Reference {
				t.Errorf("it ended by %+v, want %s", e, c.reason)
			}
			told, err := ward.Host.Explain(t.Context(), ward.Host.Admin, e.Decision)
			if done(t, err); told.Permit || told.Reason != c.reason {
				t.Errorf("the end is recorded as %+v", told)
			}
		})
	}
}

func TestASessionEndsWithItsToken(t *testing.T) {
	t.Parallel()
	ward := wardOf(t, nil)
	s := watch(t, ward.Host, "pep", "")
	other := open(t, ward, nurse(ward, "nurse-2"))
	now := time.Now().Unix()
	one := open(t, ward, ward.Home.World.Token(ward.Issuer, "nurse-1", ward.Audience, map[string]any{"exp": now + 10})) // time to open it
	if e := s.end(t, one.Reference); e.Reason != trust.TokenExpired || time.Now().Unix() < now+10 {
		t.Errorf("it ended by %+v", e)
	}
	if s.ends() != 1 {
		t.Error("another session ended with it")
	}
	done(t, ward.Host.Release("pep", other.Reference))
	refused(t, "releasing it again", ward.Host.Release("pep", other.Reference), trust.NotFound)
	refused(t, "releasing another's", ward.Host.Release("other", one.Reference), trust.NotFound)
	revoke(t, ward, "nurse-2")
	await(t, ward, nurse(ward, "nurse-2"), trust.SubjectRevoked)
	s.await(t, func(said []node.SessionEvent) bool { return said[len(said)-1].Kind == node.WatchAlive })
	if s.ends() != 1 {
		t.Error("the end of a session was told that had been released")
	}
}

// What changes rules without ending the session leaves it open.
func TestASessionOutlivesWhatDoesNotConcernIt(t *testing.T) {
	ward := wardOf(t, nil)
	s := watch(t, ward.Host, "pep", "")
	one := open(t, ward, nurse(ward, "nurse-1"))
	revoke(t, ward, "nurse-2")
	await(t, ward, nurse(ward, "nurse-2"), trust.SubjectRevoked)
	_, err := ward.Host.AddEnforcementPoint(t.Context(), ward.Host.Admin, "another")
	done(t, err)
	before := len(entries(t, ward.Host, "decisions", ""))
	said := s.await(t, func(said []node.SessionEvent) bool { return len(said) > 3 })
	if s.ends() != 0 || len(entries(t, ward.Host, "decisions", "")) != before {
		t.Errorf("told %+v", said)
	}
	revoke(t, ward, "nurse-1") // by now it has been judged again, by other rules
	s.end(t, one.Reference)
}

// Without a stream nobody could be told of an end: no session, and the call
// alone is permitted. The stream of another enforcement point does not help.
func TestNoSessionWithoutAStream(t *testing.T) {
	ward := wardOf(t, nil)
	ask := ward.Ask(nurse(ward, "nurse-1"))
	want(t, ward, ask.Evidence[0].Token, trust.Permit) // and is remembered
	_, err := ward.Host.AddEnforcementPoint(t.Context(), ward.Host.Admin, "another")
	done(t, err)
	watch(t, ward.Host, "another", "")
	ask.Session = true
	denied := answer(t, ward.Host, ask)
	if denied.Reason != trust.Unwatched {
		t.Errorf("the answer is %s", denied.Reason)
	}
	told, err := ward.Host.Explain(t.Context(), ward.Host.Admin, denied.Reference)
	if done(t, err); told.Reason != trust.Unwatched || !strings.Contains(told.Checks[9].Text, "watch stream") {
		t.Errorf("explained as %+v", told)
	}
	s := watch(t, ward.Host, "pep", "")
	if a := answer(t, ward.Host, ask); !a.Permit {
		t.Errorf("with a stream the answer is %s", a.Reason)
	}
	s.stop()
	<-s.ended
	if a := answer(t, ward.Host, ask); a.Reason != trust.Unwatched {
		t.Errorf("after the stream the answer is %s", a.Reason)
	}
}

// A stream that was cut off goes on where it was; one that may have missed an
// end is told to ask for everything again.
func TestAStreamGoesOn(t *testing.T) {
	ward := wardOf(t, nil)
	s := watch(t, ward.Host, "pep", "")
	one, two := open(t, ward, nurse(ward, "nurse-1")), open(t, ward, nurse(ward, "nurse-2"))
	revoke(t, ward, "nurse-1")
	first := s.end(t, one.Reference)
	s.stop()
	<-s.ended
	revoke(t, ward, "nurse-2")
	await(t, ward, nurse(ward, "nurse-2"), trust.SubjectRevoked)
	again := watch(t, ward.Host, "pep", first.Cursor)
	second := again.end(t, two.Reference)
	if again.ends() != 1 {
		t.Errorf("after %s it says %+v", first.Cursor, again.events)
	}
	if later := watch(t, ward.Host, "pep", ""); later.events[0].Kind != node.WatchAlive || later.ends() != 0 {
		t.Errorf("a new stream begins with %+v", later.events)
	}
	for _, unknown := range []string{"0123456789abcdef-1", "x", strings.Replace(second.Cursor, "-2", "-3", 1), "-2"} {
		if fresh := watch(t, ward.Host, "pep", unknown); fresh.events[0].Kind != node.SessionsReset {
			t.Errorf("after %q it says %+v", unknown, fresh.events)
		}
	}
	done(t, ward.Host.RemoveEnforcementPoint(t.Context(), ward.Host.Admin, "pep"))
	refused(t, "the stream of one that was removed", <-again.ended, trust.Denied)
}

// A stream does not keep a node that stops.
func TestAStreamEndsWithTheNode(t *testing.T) {
	ward := wardOf(t, nil)
	s := watch(t, ward.Host, "pep", "")
	ward.Host.Stop()
	done(t, <-s.ended)
}
