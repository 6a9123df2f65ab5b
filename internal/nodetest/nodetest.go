// Package nodetest runs whole nodes in one process for tests: real ledgers on
// disk, real keys, real signatures, with a direct call in place of the network.
// It decides nothing that a node decides.
package nodetest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/trust"
)

// TB is what a World asks of a test, or of a benchmark that is its own program.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
	TempDir() string
	Context() context.Context
}

var _ TB = (testing.TB)(nil)

// World is some nodes that can reach each other, and the issuers they fetch
// keys from.
type World struct {
	T TB
	// Heartbeat is how often its nodes ask for their partners' word.
	Heartbeat time.Duration
	// Configure, if set, changes what a node is opened with.
	Configure func(*Node, *node.Config)
	// Making, if set, says how a node's keyring makes keys after the first.
	Making func(*Node) keyring.Making

	mu      sync.Mutex
	nodes   map[trust.ParticipantID]*Node
	cut     map[[2]trust.ParticipantID]bool
	pages   map[string][]byte
	shown   map[string][]*x509.Certificate
	between Interceptor
	posts   map[string]Post
}

// Interceptor stands between two nodes: it sees what to answered from, and gives
// what from sees.
type Interceptor func(from, to *Node, r node.Outgoing, answered node.Incoming) node.Incoming

// Node is one node of a World with the people and keys around it.
type Node struct {
	*node.Node
	World      *World
	ID         trust.ParticipantID
	Dir        string
	Governance jose.Signer
	Admin      node.Actor
	Clock      clock.Demo
	Machine    *Machine

	stop func()
}

// Machine is this one's clocks, the wall clock as a person may set it.
type Machine struct {
	clock.System
	ahead atomic.Int64
}

// Set sets the wall clock ahead of the true time, or back.
func (m *Machine) Set(ahead time.Duration) { m.ahead.Store(int64(ahead)) }

// Wall is the time of day.
func (m *Machine) Wall() time.Time {
	if ahead := time.Duration(m.ahead.Load()); ahead != 0 {
		return m.System.Wall().Round(0).Add(ahead)
	}
	return m.System.Wall()
}

// NewWorld makes an empty world that ends with the test.
func NewWorld(t TB) *World {
	return &World{
		T: t, Heartbeat: 20 * time.Millisecond, nodes: map[trust.ParticipantID]*Node{}, cut: map[[2]trust.ParticipantID]bool{}, pages: map[string][]byte{},
		shown: map[string][]*x509.Certificate{}, posts: map[string]Post{},
	}
}

// Publish puts a document at an address that every node may fetch.
func (w *World) Publish(url string, body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages[url] = body
}

// Get is the nodes' way to fetch.
func (w *World) Get(_ context.Context, url string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	body, ok := w.pages[url]
	if !ok {
		return nil, trust.Errorf(trust.Unavailable, "nothing is published at %s", url)
	}
	return body, nil
}

// Show sets the certificates that the server of an address shows, leaf first.
func (w *World) Show(url string, chain ...*x509.Certificate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shown[url] = chain
}

// GetFrom is the nodes' way to fetch from a server that proves itself otherwise
// than by the web.
func (w *World) GetFrom(ctx context.Context, url string, verify func([]*x509.Certificate) error) ([]byte, error) {
	w.mu.Lock()
	shown := w.shown[url]
	w.mu.Unlock()
	if err := verify(shown); err != nil {
		return nil, err
	}
	return w.Get(ctx, url)
}

// Cut stops all traffic from one node to another.
func (w *World) Cut(from, to *Node) { w.setCut(from, to, true) }

// Heal lets traffic from one node to another through again.
func (w *World) Heal(from, to *Node) { w.setCut(from, to, false) }

// Intercept lets i stand between all nodes; nil is nobody.
func (w *World) Intercept(i Interceptor) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.between = i
}

func (w *World) setCut(from, to *Node, cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut[[2]trust.ParticipantID{from.ID, to.ID}] = cut
}

// New begins a node with one admin who holds the given further roles.
func (w *World) New(host string, roles ...trust.Role) *Node {
	w.T.Helper()
	id := Must(trust.ParseParticipantID("https://" + host))(w.T)
	n := &Node{World: w, ID: id, Dir: w.T.TempDir(), Machine: new(Machine)}
	n.Clock = clock.NewDemo(n.Machine)
	_, private, err := ed25519.GenerateKey(rand.Reader)
	check(w.T, err)
	n.Governance = Must(jose.NewSigner(private, ""))(w.T)
	recipient := Must(keyring.CreateUnlock(filepath.Join(n.Dir, "unlock.key")))(w.T)
	now := time.Now().Unix()
	window := trust.Window{NotBefore: now - 60, NotAfter: now + 365*86400}
	check(w.T, keyring.Create(filepath.Join(n.Dir, "keys.age"), recipient, window))
	keys := n.keys()
	card := Must(participant.DraftCard(participant.Card{
		Kind: "Card", ID: id, Name: host, GovernanceKey: n.Governance.Key().GovernanceText(),
		Endpoint: "https://" + host + ":8443", TrustOrigin: host + "/trust", DecisionOrigin: host + "/decisions",
		Keys: keys.Records(window), Issued: trust.Instant(now), Demo: true,
	}))(w.T)
	signed := Must(participant.SignCard(n.Governance, card))(w.T)
	check(w.T, keys.Close())
	n.Admin = node.Actor{ID: "op-admin", Roles: append([]trust.Role{operator.Admin}, roles...)}
	n.with(func(c node.Config) {
		check(w.T, node.Create(w.T.Context(), c, node.Birth{
			Card:     signed,
			Operator: operator.Added{ID: n.Admin.ID, Roles: n.Admin.Roles, Credential: make([]byte, 32)},
			Name:     "first admin",
		}))
	})
	n.Start()
	w.T.Cleanup(n.Stop)
	return n
}

func (n *Node) keys() *keyring.Keyring {
	var making keyring.Making
	if n.World.Making != nil {
		making = n.World.Making(n)
	}
	return Must(keyring.OpenWith(making, filepath.Join(n.Dir, "keys.age"), filepath.Join(n.Dir, "unlock.key"), func() int64 { return n.Clock.Now().Unix() }))(n.World.T)
}

// with calls f with a configuration whose store and keys close afterwards.
func (n *Node) with(f func(node.Config)) {
	c, closeAll := n.config()
	defer closeAll()
	f(c)
}

func (n *Node) config() (node.Config, func()) {
	keys := n.keys()
	files, _, err := local.Open(filepath.Join(n.Dir, "data"), local.Options{})
	check(n.World.T, err)
	c := node.Config{
		Store: files, Keys: keys, Clock: n.Clock, Rand: rand.Reader, Fetch: n.World, Post: n.World, Send: sender{n},
		Log: slog.New(slog.NewTextHandler(testWriter{n.World.T}, &slog.HandlerOptions{Level: slog.LevelWarn})), Heartbeat: n.World.Heartbeat,
	}
	if n.World.Configure != nil {
		n.World.Configure(n, &c)
	}
	return c, func() { check(n.World.T, errors.Join(files.Close(), keys.Close())) }
}

// Bulk stops the node, appends events to its trust log as they are, without
// asking any rule, and starts it again: for states that would take too long to
// reach by acting.
func (n *Node) Bulk(count int, event func(i int) trust.Event) {
	n.World.T.Helper()
	n.Stop()
	codec := state.NewCodec()
	n.Append(count, func(i int) ledger.Entry {
		kind, body, err := codec.Encode(event(i))
		check(n.World.T, err)
		return ledger.Entry{Kind: kind.Name, Version: kind.Version, Body: body}
	})
	n.Start()
}

// Append appends entries to the trust log of a stopped node as they are.
func (n *Node) Append(count int, entry func(i int) ledger.Entry) {
	n.World.T.Helper()
	n.with(func(c node.Config) {
		check(n.World.T, appendRaw(n.World.T.Context(), c, n.State().Participant.Self().Card, count, entry))
	})
}

func appendRaw(ctx context.Context, c node.Config, self participant.Card, count int, entry func(int) ledger.Entry) error {
	verifiers, err := c.Keys.NoteVerifiers(self.TrustOrigin)
	if err != nil {
		return err
	}
	log, err := ledger.Open(ctx, ledger.Config[struct{}]{
		Store: c.Store, Log: store.TrustLog, Origin: self.TrustOrigin, Verifiers: verifiers,
		Signer: func(at int64) (note.Signer, error) { return c.Keys.NoteSigner(self.TrustOrigin, at) },
		Now:    func() int64 { return c.Clock.Now().Unix() }, Rand: c.Rand,
	})
	if err != nil {
		return err
	}
	defer log.Close()
	const group = 4096
	for first := 0; first < count; first += group {
		_, _, err := log.Do(ctx, func(struct{}, trust.Stamp) ([]ledger.Entry, error) {
			var entries []ledger.Entry
			for i := first; i < min(first+group, count); i++ {
				entries = append(entries, entry(i))
			}
			return entries, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Reboot stops the node and starts it by a clock that remembers nothing.
func (n *Node) Reboot() {
	n.World.T.Helper()
	n.Stop()
	n.Clock = clock.NewDemo(n.Machine)
	n.Start()
}

// Start opens the node and lets it run.
func (n *Node) Start() {
	n.World.T.Helper()
	check(n.World.T, n.TryStart())
}

// TryStart is Start for a node that may refuse to.
func (n *Node) TryStart() error {
	c, closeAll := n.config()
	opened, err := node.Open(n.World.T.Context(), c)
	if err != nil {
		closeAll()
		return err
	}
	n.Node = opened
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { n.Run(ctx) })
	n.stop = sync.OnceFunc(func() {
		n.World.mu.Lock()
		delete(n.World.nodes, n.ID)
		n.World.mu.Unlock()
		cancel()
		running.Wait()
		check(n.World.T, n.Close())
		closeAll()
	})
	n.World.mu.Lock()
	n.World.nodes[n.ID] = n
	n.World.mu.Unlock()
	return nil
}

// Stop ends the node in good order; Start opens it again.
func (n *Node) Stop() { n.stop() }

// sender calls the other node directly, with the status codes of the partner
// plane.
type sender struct{ from *Node }

func (s sender) Send(ctx context.Context, to participant.Partner, r node.Outgoing) (node.Incoming, error) {
	w := s.from.World
	w.mu.Lock()
	other := w.nodes[to.Card.ID]
	cut := w.cut[[2]trust.ParticipantID{s.from.ID, to.Card.ID}]
	between := w.between
	w.mu.Unlock()
	if other == nil || cut {
		return node.Incoming{}, trust.Errorf(trust.Unavailable, "%s cannot be reached", to.Card.ID)
	}
	in, err := other.Serve(ctx, s.from.ID, r)
	if err == nil && between != nil {
		in = between(s.from, other, r, in)
	}
	return in, err
}

// Serve answers a partner's request as the partner plane does.
func (n *Node) Serve(ctx context.Context, from trust.ParticipantID, r node.Outgoing) (node.Incoming, error) {
	switch r.Path {
	case node.MessagesPath:
		err := n.ReceiveMessage(ctx, from, r.Body)
		if gap, ok := errors.AsType[*node.Gap](err); ok {
			body, _ := canonical.Marshal(struct {
				Expected uint64   `json:"expected"`
				Need     []string `json:"need,omitempty"`
			}{gap.Expected, gap.Need})
			return node.Incoming{Status: http.StatusConflict, Body: body}, nil
		}
		if err != nil {
			return node.Incoming{Status: http.StatusBadRequest}, nil
		}
		return node.Incoming{Status: http.StatusAccepted}, nil
	case node.ChunksPath:
		if err := n.ReceiveChunk(ctx, from, r.Body); err != nil {
			return node.Incoming{Status: http.StatusBadRequest}, nil
		}
		return node.Incoming{Status: http.StatusAccepted}, nil
	case node.HeartbeatPath:
		var nonce node.Nonce
		if err := canonical.Decode(r.Body, &nonce); err != nil {
			return node.Incoming{Status: http.StatusBadRequest}, nil
		}
		jws, err := n.Heartbeat(ctx, from, nonce.Nonce)
		if err != nil {
			return node.Incoming{Status: http.StatusForbidden}, nil
		}
		return node.Incoming{Status: http.StatusOK, Body: []byte(jws)}, nil
	case node.ReceivedPath:
		return n.serveReceived(ctx, from, r)
	case node.ReconciliationsPath:
		answer, err := n.Reconciled(ctx, from, r.Body)
		switch {
		case trust.KindOf(err) == trust.Unavailable:
			return node.Incoming{Status: http.StatusServiceUnavailable}, nil
		case err != nil:
			return node.Incoming{Status: http.StatusForbidden}, nil
		default:
			return node.Incoming{Status: http.StatusOK, Body: []byte(answer)}, nil
		}
	case node.ReceiptsPath:
		var ask node.After
		if err := canonical.Decode(r.Body, &ask); err != nil {
			return node.Incoming{Status: http.StatusBadRequest}, nil
		}
		given, err := n.ReceiptsFor(ctx, from, ask)
		if err != nil {
			return node.Incoming{Status: http.StatusServiceUnavailable}, nil
		}
		if given == nil {
			return node.Incoming{Status: http.StatusNoContent}, nil
		}
		body, err := canonical.Marshal(given)
		return node.Incoming{Status: http.StatusOK, Body: body}, err
	case node.CanaryPath, node.DrillsPath:
		return n.serveDrill(ctx, from, r)
	default:
		return node.Incoming{Status: http.StatusNotFound}, nil
	}
}

// testWriter sends a log to the test's own.
type testWriter struct{ t TB }

func (w testWriter) Write(b []byte) (int, error) {
	if w.t.Context().Err() == nil {
		w.t.Logf("%s", b)
	}
	return len(b), nil
}

// Must gives v, or ends the test on err: nodetest.Must(f())(t).
func Must[V any](v V, err error) func(TB) V {
	return func(t TB) V {
		t.Helper()
		check(t, err)
		return v
	}
}

func check(t TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
