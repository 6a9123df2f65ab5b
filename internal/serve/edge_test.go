package serve_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/entente-id/entente/internal/serve"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

func TestAServerWithoutAPinnedKeyIsRefused(t *testing.T) {
	guest, other := newParty(t, "guest.example"), newParty(t, "host.example")
	var heard bool
	p := newPlane(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { heard = true }), serve.DefaultLimits(), newRegistry(guest))
	e := newEdge(t, guest)
	if _, err := e.Send(t.Context(), p.partner(other.key(t)), hello); trust.KindOf(err) != trust.Denied {
		t.Errorf("another key: %v", err)
	}
	if _, err := e.Send(t.Context(), p.partner(), hello); trust.KindOf(err) != trust.Denied {
		t.Errorf("no key: %v", err)
	}
	ended := p.partner(p.host.key(t))
	ended.Card.Keys[0].Window.NotAfter = now
	if _, err := e.Send(t.Context(), ended, hello); trust.KindOf(err) != trust.Denied {
		t.Errorf("a key past its window: %v", err)
	}
	otherUse := p.partner(p.host.key(t))
	otherUse.Card.Keys[0].Use = participant.TokenKey
	if _, err := e.Send(t.Context(), otherUse, hello); trust.KindOf(err) != trust.Denied {
		t.Errorf("a key for another use: %v", err)
	}
	if heard {
		t.Error("the request reached a server that was not pinned")
	}
	if reply, err := e.Send(t.Context(), p.partner(other.key(t), p.host.key(t)), hello); err != nil || reply.Status != http.StatusOK || !heard {
		t.Errorf("one of two keys: %d, %v", reply.Status, err)
	}
}

// A connection opened while a key was pinned is not used after it is not.
func TestAnUnpinnedServerIsNotSpokenToAgain(t *testing.T) {
	guest, other := newParty(t, "guest.example"), newParty(t, "host.example")
	p := newPlane(t, echo, serve.DefaultLimits(), newRegistry(guest))
	e := newEdge(t, guest)
	if _, err := e.Send(t.Context(), p.partner(p.host.key(t)), hello); err != nil {
		t.Fatal(err)
	}
	if reply, err := e.Send(t.Context(), p.partner(other.key(t)), hello); trust.KindOf(err) != trust.Denied {
		t.Errorf("%+v, %v", reply, err)
	}
}

func TestWhatAnAnswerMayBe(t *testing.T) {
	guest := newParty(t, "guest.example")
	mux := http.NewServeMux()
	var followed bool
	mux.Handle("/redirect", http.RedirectHandler("/followed", http.StatusTemporaryRedirect))
	mux.HandleFunc("/followed", func(http.ResponseWriter, *http.Request) { followed = true })
	mux.HandleFunc("/conflict", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusConflict)
		io.WriteString(w, `{"expected":3}`)
	})
	mux.HandleFunc("/full", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("a", 1<<20)) })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("a", 1<<20+1)) })
	p := newPlane(t, mux, serve.DefaultLimits(), newRegistry(guest))
	e := newEdge(t, guest)
	for _, c := range []struct {
		path   string
		status int
		kind   trust.ErrorKind
	}{
		{"/redirect", http.StatusTemporaryRedirect, ""},
		{"/conflict", http.StatusConflict, ""},
		{"/full", http.StatusOK, ""},
		{"/endless", 0, trust.Invalid},
		{"/missing", http.StatusNotFound, ""},
	} {
		reply, err := e.Send(t.Context(), p.partner(p.host.key(t)), node.Outgoing{Method: http.MethodPost, Path: c.path})
		if trust.KindOf(err) != c.kind || reply.Status != c.status {
			t.Errorf("%s: %d, %v", c.path, reply.Status, err)
		}
	}
	if followed {
		t.Error("a redirect was followed")
	}
}

func TestAPartnerThatIsNotThere(t *testing.T) {
	guest := newParty(t, "guest.example")
	p := newPlane(t, echo, serve.DefaultLimits(), newRegistry(guest))
	e := newEdge(t, guest)
	gone := p.partner(p.host.key(t))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Card.Endpoint = "https://" + listener.Addr().String()
	listener.Close()
	if _, err := e.Send(t.Context(), gone, hello); trust.KindOf(err) != trust.Unavailable {
		t.Errorf("nobody listens: %v", err)
	}
	if reply, err := e.Send(t.Context(), p.partner(p.host.key(t)), hello); err != nil || reply.Status != http.StatusOK {
		t.Errorf("back at its new address: %d, %v", reply.Status, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Send(ended, p.partner(p.host.key(t)), hello); trust.KindOf(err) != trust.Unavailable {
		t.Errorf("a context that has ended: %v", err)
	}
	for _, endpoint := range []string{"http://" + p.address, "", "https://a b", p.address} {
		plain := p.partner(p.host.key(t))
		plain.Card.Endpoint = endpoint
		if _, err := e.Send(t.Context(), plain, hello); trust.KindOf(err) != trust.Invalid {
			t.Errorf("endpoint %q: %v", endpoint, err)
		}
	}
}
