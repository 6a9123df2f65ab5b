package serve_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/entente-id/entente/internal/serve"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

var silent = slog.New(slog.DiscardHandler)

// party is a node's TLS identity.
type party struct {
	id          trust.ParticipantID
	certificate tls.Certificate
}

func newParty(t testing.TB, host string) party {
	t.Helper()
	id, err := trust.ParseParticipantID("https://" + host)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return party{id, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}
}

func (p party) own() (tls.Certificate, error) { return p.certificate, nil }

func (p party) pin() [32]byte { return sha256.Sum256(p.certificate.Leaf.RawSubjectPublicKeyInfo) }

// key is the same key as a card has it.
func (p party) key(t testing.TB) jose.Key {
	t.Helper()
	key, err := jose.NewKey(p.certificate.Leaf.PublicKey, jose.ES256, "tls-1")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// clientTLS is a configuration of the standard library, for a client that is
// not ours.
func (p party) clientTLS() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{p.certificate}, InsecureSkipVerify: true}
}

// registry says whose keys are trusted, and can change its mind.
type registry struct {
	mu    sync.Mutex
	known map[[32]byte]trust.ParticipantID
}

func newRegistry(parties ...party) *registry {
	r := &registry{known: map[[32]byte]trust.ParticipantID{}}
	for _, p := range parties {
		r.known[p.pin()] = p.id
	}
	return r
}

func (r *registry) owner(spki [32]byte) (trust.ParticipantID, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id, ok := r.known[spki]
	return id, ok
}

func (r *registry) suspend(p party) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.known, p.pin())
}

// plane is a running partner listener.
type plane struct {
	address string
	host    party
	known   *registry
}

// newPlane serves h to the parties in known until the test ends.
func newPlane(t testing.TB, h http.Handler, l serve.Limits, known *registry) plane {
	t.Helper()
	host := newParty(t, "host.example")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := serve.NewServer(serve.Authenticated(known.owner, h), l, silent)
	server.TLSConfig = serve.PartnerTLS(host.own, known.owner)
	var g serve.Group
	g.Add("partners", listener, server)
	run(t, &g)
	return plane{listener.Addr().String(), host, known}
}

// run serves a group until the test ends.
func run(t testing.TB, g *serve.Group) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- g.Run(ctx, time.Minute) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("stopping: %v", err)
		}
	})
}

// partner is the plane's node as a card describes it, with these TLS keys.
func (p plane) partner(keys ...jose.Key) participant.Partner {
	card := participant.Card{ID: p.host.id, Endpoint: "https://" + p.address}
	for _, k := range keys {
		card.Keys = append(card.Keys, participant.KeyRecord{Use: participant.TLSKey, Key: k, Window: window})
	}
	return participant.Partner{Card: card}
}

// The keys of every card here are valid in window, and it is now.
const now = 1_793_620_800

var window = trust.Window{NotBefore: now - 60, NotAfter: now + 60}

func newEdge(t testing.TB, p party) *serve.Edge {
	t.Helper()
	e := serve.NewEdge(p.own, nil, func() int64 { return now })
	t.Cleanup(e.Close)
	return e
}

// echo answers with the caller and the body.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	io.WriteString(w, serve.Caller(r.Context()).String()+" "+r.Proto+" "+string(body))
})

var hello = node.Outgoing{Method: http.MethodPost, Path: "/edge/v1/messages", ContentType: "text/plain", Body: []byte("hello")}
