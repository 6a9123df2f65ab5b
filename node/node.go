// Package node is the shell around the pure core: one organisation's node. Each
// use case is a file: take the snapshot, verify, ask the core, append, deliver.
// It decides the order of those steps and nothing else; the rules live with
// their nouns. It is the only opener of sealed parts, and it refuses to know
// which protocol or screen a request came through.
package node

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"io"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// Config is what a node stands on. All fields but Refresh, Receipts, DrillEvery,
// Meter, Post, Base and Load are required.
type Config struct {
	Store     store.Store
	Keys      Keys
	Clock     Clock
	Rand      io.Reader // cryptographic
	Fetch     Fetcher
	Send      Sender
	Log       *slog.Logger
	Heartbeat time.Duration // between two questions to a partner for its word
	Refresh   time.Duration // between two fetches of an issuer's keys; 0 is KeysRefresh
	Receipts  time.Duration // between two questions to a host for receipts; 0 is ReceiptsEvery
	Meter     Meter         // nil counts nothing
	// DrillEvery is the mean time between two drills of a link; 0 holds none that
	// nobody asks for.
	DrillEvery time.Duration
	Post       Poster // nil: no stream is pushed
	Base       string // the address, without a path, of what the node publishes; empty: its own identifier
	// Load reads a state checkpoint; nil is state.Load. Many nodes that begin with
	// the same one may share what was read.
	Load func(data []byte) (*state.Snapshot, []byte, error)
}

// Keys are the secrets a node works with. They never leave their room: a method
// signs, seals or commits.
type Keys interface {
	Signer(participant.KeyUse) jose.Signer
	// Former gives the key that signed before the current one, for a partner that
	// does not know the current one yet.
	Former(participant.KeyUse) (jose.Signer, bool)
	// NoteSigner signs checkpoints of a time; NoteVerifiers know every key that
	// ever did.
	NoteSigner(origin string, at int64) (note.Signer, error)
	NoteVerifiers(origin string) (note.Verifiers, error)
	// Certify makes a card's records those by which keys are used. It fails with
	// NotFound for a key that is not held.
	Certify([]participant.KeyRecord) error
	// Announce makes a next key of each use, which is used once a card certifies
	// it. It is durable when Announce returns.
	Announce(uses []participant.KeyUse, window trust.Window) ([]participant.KeyRecord, error)
	// Subject gives the key by which this ledger knows a subject.
	Subject(participant, namespace, subject string) trust.SubjectKey
	// Commit gives a commitment to a plain value of a domain, such as "resource".
	Commit(domain, value string) [16]byte
	// Reference renders a position so that outsiders learn nothing from it.
	Reference(trust.Position) string
	ParseReference(string) (trust.Position, bool)
	// Seal encrypts under the owner's data key, which is durable before Seal
	// returns; the zero owner is the node itself.
	Seal(ctx context.Context, owner trust.SubjectKey, plaintext []byte) ([]byte, error)
	// SealGround encrypts, for this node alone, what the credential id was issued
	// on; OpenGround gives it back.
	SealGround(id string, plaintext []byte) ([]byte, error)
	OpenGround(id string, sealed []byte) ([]byte, error)
	// Unseal fails with NotFound once the owner's key was erased.
	Unseal(ctx context.Context, owner trust.SubjectKey, sealed []byte) ([]byte, error)
	// EraseUpTo destroys the owners' data keys, each unless that was done as often
	// as is said beside it. It is durable when EraseUpTo returns.
	EraseUpTo(ctx context.Context, owners iter.Seq2[trust.SubjectKey, int]) error
	// Erasures gives every owner whose key was destroyed, with how often.
	Erasures(ctx context.Context) (map[trust.SubjectKey]int, error)
}

// Clock tells the time and how long ago something was, by whichever of wall
// clock and time since boot says longer.
type Clock interface {
	Now() time.Time
	Mark() clock.Mark
	Since(clock.Mark) time.Duration
	// NotBefore lets the time be at (Unix seconds) at least, from now on.
	NotBefore(at int64)
	// Stamp is the time to be written down, in Unix seconds: never one that is not
	// confirmed.
	Stamp() int64
	// Confirm says that the time was right at a mark, Await that nobody has said so
	// yet, Doubt that it is not to be relied on before somebody does.
	Confirm(clock.Mark)
	Await()
	Doubt()
	// Machine is the time as the machine says it; Accept takes it as it is.
	Machine() time.Time
	Accept()
}

// Fetcher gets a document from an address registered beforehand.
type Fetcher interface {
	Get(ctx context.Context, url string) ([]byte, error)
	// GetFrom gets it from a server that verify accepts by the certificates it
	// shows, leaf first, in place of the web's authorities.
	GetFrom(ctx context.Context, url string, verify func([]*x509.Certificate) error) ([]byte, error)
}

// Poster carries a signed event to a receiver's address, which an operator
// registered, with the receiver's own Authorization header; "" is none. It follows
// no redirect.
type Poster interface {
	Post(ctx context.Context, url, contentType, authorization string, body []byte) (Posted, error)
	// Delete asks for what is at an address to be deleted.
	Delete(ctx context.Context, url, authorization string) (Posted, error)
}

// Posted is a receiver's answer; Body is at most 64 KiB. Wait is what it asks for
// before another attempt.
type Posted struct {
	Status int
	Body   []byte
	Wait   time.Duration
}

// Sender carries a request to a partner's node over mutual TLS.
type Sender interface {
	Send(ctx context.Context, to participant.Partner, r Outgoing) (Incoming, error)
}

// Outgoing is a request to a partner's node; Incoming its answer. Former asks
// for the TLS key from before the current one, which the partner may know alone.
type Outgoing struct {
	Method, Path, ContentType string
	Body                      []byte
	Former                    bool
}

// Incoming is a partner's answer; Body is at most 1 MiB.
type Incoming struct {
	Status int
	Body   []byte
}

// Meter counts what a node does. Labels come from fixed sets.
type Meter interface {
	Decided(permit bool, reason trust.Reason)
	Heartbeat(answered bool)
	Delivered(lane string, accepted bool)
	// Signalled counts events that receivers of a delivery method took.
	Signalled(method string, count int)
}

// Node is one running node. Its methods may be called by any goroutine.
type Node struct {
	Config
	self      trust.ParticipantID
	demo      bool
	codec     *state.Codec
	trust     *ledger.Log[*state.Snapshot]
	kept      atomic.Pointer[trust.Stamp] // of the state checkpoint on disk
	dated     atomic.Pointer[dated]
	decisions *ledger.Log[struct{}]
	views     *views
	issuers   *issuerKeys
	memo      *memo
	sessions  *sessions
	strangers trespasses
	watches   watches // of who is monitored after a dispute
	statuses  *statusLists
	signals   *feeds
	drills    *drills
	canaries  canaries
	tokens    *tokenCache
	lists     *gathered
	receipts  *receiptLog
	usage     *usage
	recovery  recovery
	receivers receivers
	outlets   outlets
	tally     *tallies
	wake      map[trust.ParticipantID]chan struct{}
	wakeLock  sync.Mutex
	started   clock.Mark
	kick      chan struct{} // the set of partners or issuers changed
}

// Open starts a node on a store that Create has begun. It folds the trust log;
// an entry of a kind this binary does not know stops it with Conflict.
func Open(ctx context.Context, c Config) (*Node, error) {
	n := &Node{
		Config: c, codec: state.NewCodec(), kick: make(chan struct{}, 1),
		wake: map[trust.ParticipantID]chan struct{}{}, started: c.Clock.Mark(),
	}
	if n.Meter == nil {
		n.Meter = noMeter{}
	}
	n.views, n.issuers, n.memo, n.tokens, n.sessions = newViews(), newIssuerKeys(c.Refresh), newMemo(), newTokenCache(), newSessions(c.Rand)
	n.statuses, n.lists, n.receipts = newStatusLists(), newGathered(), newReceiptLog()
	n.signals = newFeeds()
	n.tally = newTallies()
	n.usage = newUsage()
	n.drills = newDrills()
	if n.Config.Receipts == 0 {
		n.Config.Receipts = ReceiptsEvery
	}
	if err := n.openTrust(ctx, 0); err != nil {
		return nil, err
	}
	self := n.State().Participant.Self()
	if self == nil {
		return nil, trust.Errorf(trust.Conflict, "the ledger is empty; entente init begins one")
	}
	n.self, n.demo = self.Card.ID, self.Card.Demo
	if err := n.Keys.Certify(self.Card.Keys); err != nil {
		return nil, err
	}
	if err := n.destroyErased(ctx); err != nil {
		return nil, err
	}
	var err error
	n.decisions, err = openLog(ctx, c, n.trust.Epoch(), store.DecisionLog, self.Card.DecisionOrigin, struct{}{}, nil, trust.Position{})
	if err != nil {
		return nil, err
	}
	n.goForward()
	if err := n.loadReceipts(ctx); err != nil {
		return nil, err
	}
	return n, n.loadWatermarks(ctx)
}

// State gives the newest durable snapshot, by the rules that hold now. A time that
// is not confirmed puts no rules in force; by one that is in doubt everything is
// denied.
func (n *Node) State() *state.Snapshot {
	head := n.trust.Head()
	if head.Framework.Next == nil {
		return head
	}
	if d := n.dated.Load(); d != nil && d.head == head {
		return d.now
	}
	now := head.On(n.Clock.Stamp())
	if now != head {
		n.dated.Store(&dated{head, now})
	}
	return now
}

// dated is a snapshot whose rules have given way to others by their date.
type dated struct{ head, now *state.Snapshot }

// Self is this node's participant.
func (n *Node) Self() trust.ParticipantID { return n.self }

// Now is the node's time, in whole seconds.
func (n *Node) Now() int64 { return n.Clock.Now().Unix() }

// Fatal delivers the error after which nothing can be recorded any more; the
// process must end, so that what was promised and what is kept stay the same.
func (n *Node) Fatal() <-chan error {
	out := make(chan error, 1)
	go func() {
		select {
		case err := <-n.trust.Fatal():
			out <- err
		case err := <-n.decisions.Fatal():
			out <- err
		}
	}()
	return out
}

// Close ends both logs; everything acknowledged is durable already.
func (n *Node) Close() error {
	if err := n.saveCheckpoint(context.Background()); err != nil {
		n.Log.Warn("state checkpoint not written; the next start folds the whole log", "error", err)
	}
	n.trust.Close()
	n.decisions.Close()
	return nil
}

// Actor is a local operator who was authenticated.
type Actor struct {
	ID    string
	Roles []trust.Role
}

// Operator finds whose credential this is.
func (n *Node) Operator(credential []byte) (Actor, bool) {
	o, ok := n.State().Operator.ByCredential(sha256.Sum256(credential))
	return Actor{ID: o.ID, Roles: o.Roles}, ok
}

// EnforcementPoint finds whose credential this is.
func (n *Node) EnforcementPoint(credential []byte) (string, bool) {
	return n.State().Service.EnforcementPoint(sha256.Sum256(credential))
}

type noMeter struct{}

func (noMeter) Decided(bool, trust.Reason) {}
func (noMeter) Heartbeat(bool)             {}
func (noMeter) Delivered(string, bool)     {}
func (noMeter) Signalled(string, int)      {}
