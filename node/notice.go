package node

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"iter"
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// notice is one event that an entry is told by. About is set for what is no
// person's; else person is, with the name that the organisation knows them by.
type notice struct {
	event     signal.Type
	about     signal.SubjectID
	person    trust.SubjectKey
	namespace string
	subject   string
	extra     canonical.Object // members of the event beside those that all have
	why       string           // for an administrator; names nobody
}

// told is what receivers hear of each kind of entry: the one table. A kind that
// is not here ends and gives back no trust in anybody this organisation answers
// for.
var told = map[string]func(*Node, context.Context, trust.Event, ledger.Record) (iter.Seq[notice], error){
	revocation.Revoked{}.EventKind().Name:           tellRevoked,
	revocation.Bulk{}.EventKind().Name:              tellBulk,
	revocation.EngagementOpened{}.EventKind().Name:  tellOpened,
	revocation.CredentialRevoked{}.EventKind().Name: tellCredential,
	suspension.Suspended{}.EventKind().Name:         tellSuspended,
	suspension.Resumed{}.EventKind().Name:           tellResumed,
	suspension.Lapsed{}.EventKind().Name:            tellLapsed,
}

// signalTypes are the event types that told gives.
var signalTypes = []signal.Type{signal.SessionRevoked, signal.AccountDisabled, signal.AccountEnabled, signal.CredentialCompromise}

// disabled is how it is told that an own person is out, or stopped: the account is
// disabled until it is enabled, and sessions end now. It is not purged, since it
// may come back under the same name.
func disabled(key trust.SubjectKey, namespace, subject, why string) []notice {
	off := notice{event: signal.AccountDisabled, person: key, namespace: namespace, subject: subject}
	out := off
	out.event, out.why = signal.SessionRevoked, why
	return []notice{off, out}
}

// left is why whose engagement ended is out.
const left = "the engagement has ended"

// tellRevoked: of an own key or issuer, everything that it said is void, whoever
// it said it of.
func tellRevoked(n *Node, ctx context.Context, e trust.Event, r ledger.Record) (iter.Seq[notice], error) {
	revoked := e.(revocation.Revoked)
	t := revoked.Target
	if t.Participant != n.self || !revoked.From.IsZero() {
		return nil, nil
	}
	everybody := signal.SubjectID{Format: signal.Complex, Parts: map[signal.Member]signal.SubjectID{
		signal.Tenant: {Format: signal.URI, ID: t.Issuer.String()},
	}}
	switch t.Kind {
	case revocation.Subject:
		var text revokeText
		if err := n.unsealed(ctx, t.Subject, r, &text); err != nil {
			return nil, err
		}
		return slices.Values(disabled(t.Subject, text.Message.Namespace, text.Message.Subject, left)), nil
	case revocation.Key:
		const why = "a signing key of the issuer is trusted no longer"
		return slices.Values([]notice{
			{event: signal.CredentialCompromise, about: everybody, why: why, extra: canonical.Object{"credential_type": "x509"}},
			{event: signal.SessionRevoked, about: everybody, why: why},
		}), nil
	case revocation.Issuer:
		return slices.Values([]notice{{event: signal.SessionRevoked, about: everybody, why: "the issuer is trusted no longer"}}), nil
	default:
		return nil, nil
	}
}

// tellBulk: many engagements ended in one act.
func tellBulk(n *Node, ctx context.Context, e trust.Event, r ledger.Record) (iter.Seq[notice], error) {
	b := e.(revocation.Bulk)
	if b.Participant != n.self || !b.From.IsZero() {
		return nil, nil
	}
	var text bulkText
	if err := n.unsealed(ctx, b.List, r, &text); err != nil {
		return nil, err
	}
	return func(yield func(notice) bool) {
		i := 0
		for m := range revocation.Unpack(b.Marks) { // in the order of the people
			if i == len(text.People) {
				return
			}
			for _, w := range disabled(m.Subject, text.People[i].Namespace, text.People[i].Subject, left) {
				if !yield(w) {
					return
				}
			}
			i++
		}
	}, nil
}

// tellOpened: the home vouches for somebody again.
func tellOpened(n *Node, ctx context.Context, e trust.Event, r ledger.Record) (iter.Seq[notice], error) {
	opened := e.(revocation.EngagementOpened)
	if opened.Participant != n.self || !opened.From.IsZero() {
		return nil, nil
	}
	var text joinerText
	if err := n.unsealed(ctx, opened.Subject, r, &text); err != nil {
		return nil, err
	}
	return n.enabled(opened.Subject, text.Message.Namespace, text.Message.Subject), nil
}

// tellSuspended: an own person is stopped, until an entry says that they go on.
func tellSuspended(n *Node, ctx context.Context, e trust.Event, r ledger.Record) (iter.Seq[notice], error) {
	stopped := e.(suspension.Suspended)
	t := stopped.Target
	if t.Kind != suspension.Subject || t.Participant != n.self || !stopped.From.IsZero() {
		return nil, nil
	}
	var text NoticeText
	if err := n.unsealed(ctx, t.Subject, r, &text); err != nil {
		return nil, err
	}
	return slices.Values(disabled(t.Subject, text.Namespace, text.Subject, "the account is suspended")), nil
}

// tellResumed: two people let an own person go on.
func tellResumed(n *Node, ctx context.Context, e trust.Event, r ledger.Record) (iter.Seq[notice], error) {
	resumed := e.(suspension.Resumed)
	t := resumed.Target
	if t.Kind != suspension.Subject || t.Participant != n.self || !resumed.From.IsZero() {
		return nil, nil
	}
	var text resumeText
	if err := n.unsealed(ctx, t.Subject, r, &text); err != nil {
		return nil, err
	}
	return n.enabled(t.Subject, text.Namespace, text.Subject), nil
}

// tellLapsed: what stopped an own person ended by itself; who it was, its entry
// says.
func tellLapsed(n *Node, ctx context.Context, e trust.Event, _ ledger.Record) (iter.Seq[notice], error) {
	lapsed := e.(suspension.Lapsed)
	t := lapsed.Target
	if t.Participant != n.self {
		return nil, nil
	}
	r, err := n.trust.Entry(ctx, lapsed.Of.N)
	if err != nil {
		return nil, err
	}
	var text NoticeText
	if err := n.unsealed(ctx, t.Subject, r, &text); err != nil {
		return nil, err
	}
	return n.enabled(t.Subject, text.Namespace, text.Subject), nil
}

// enabled is how it is told that an own person may go on; nothing of whose
// engagement is over, or who is stopped: another entry will end that. The state is
// at least that of the entry it is asked for.
func (n *Node) enabled(key trust.SubjectKey, namespace, subject string) iter.Seq[notice] {
	s := n.State()
	if _, alive := (&change{Snapshot: s, n: n}).engagement(key); !alive || s.Suspension.Stands(key) {
		return nil
	}
	return slices.Values([]notice{{event: signal.AccountEnabled, person: key, namespace: namespace, subject: subject}})
}

// tellCredential: a credential that this node issued ended before its time. It is
// named by its jti: whose it is, its holder knows.
func tellCredential(n *Node, _ context.Context, e trust.Event, _ ledger.Record) (iter.Seq[notice], error) {
	about := signal.SubjectID{Format: signal.JWTID, Issuer: n.self.String(), ID: e.(revocation.CredentialRevoked).Credential}
	return slices.Values([]notice{{event: signal.SessionRevoked, about: about, why: "the credential was given back"}}), nil
}

func (n *Node) unsealed(ctx context.Context, owner trust.SubjectKey, r ledger.Record, into any) error {
	text, err := n.Keys.Unseal(ctx, owner, r.Sealed)
	if err != nil {
		return err
	}
	return canonical.Decode(text, into)
}

// notices gives what an entry is told by, in an order that stays. Of a person who
// was erased nothing can be said any more, and nobody is left to say it of.
func (n *Node) notices(ctx context.Context, r ledger.Record) (iter.Seq[notice], error) {
	none := slices.Values([]notice{})
	tell, ok := told[r.Kind]
	if !ok {
		return none, nil
	}
	n.outlets.mu.Lock()
	large, known := n.outlets.large, n.outlets.at == r.Position
	n.outlets.mu.Unlock()
	if known {
		return large, nil
	}
	e, err := n.codec.Decode(trust.Kind{Name: r.Kind, Version: r.Version}, r.Body)
	if err != nil {
		return none, err
	}
	all, err := tell(n, ctx, e, r)
	switch {
	case trust.KindOf(err) == trust.NotFound:
		n.Log.Info("an entry cannot be told to receivers; who it is about was erased", "position", r.Position.String())
		return none, nil
	case err != nil || all == nil:
		return none, err
	}
	if len(r.Sealed) > largeEntry {
		n.outlets.mu.Lock()
		n.outlets.at, n.outlets.large = r.Position, all
		n.outlets.mu.Unlock()
	}
	return all, nil
}

// largeEntry is from how many sealed bytes on an entry stays open until another
// such one is read.
const largeEntry = 64 << 10

// names gives the subjects by which a stream hears a notice; none, if it does
// not. A person is named as the receiver named them, or where it hears of
// everybody, as each own issuer does that speaks of them.
func (n *Node) names(ctx context.Context, s *stream.Stream, rights client.Signals, w notice, at uint64) ([]signal.SubjectID, error) {
	if !s.Has(w.event) {
		return nil, nil
	}
	if w.about.Format != "" {
		// What no receiver named goes to those that hear of everybody; the end of an
		// issuer or of a key of its own is everybody's affair.
		if rights.All || w.about.Format == signal.Complex {
			return []signal.SubjectID{w.about}, nil
		}
		return nil, nil
	}
	var out []signal.SubjectID
	if rights.All {
		for _, line := range n.State().Participant.Self().Issuers {
			if line.Namespace() == w.namespace {
				out = append(out, signal.SubjectOf(line.Issuer.String(), w.subject))
			}
		}
		return out, nil
	}
	added, ok := s.Added(w.person)
	if !ok || added > at {
		return nil, nil
	}
	r, err := n.trust.Entry(ctx, added)
	if err != nil {
		return nil, err
	}
	var text subjectText
	if err := n.unsealed(ctx, w.person, r, &text); err != nil {
		if trust.KindOf(err) == trust.NotFound {
			return nil, nil
		}
		return nil, err
	}
	return []signal.SubjectID{signal.SubjectOf(text.Issuer, text.Subject)}, nil
}

// subjectText is the sealed part of an added subject, as the receiver named it.
type subjectText struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
}

// securityEvent is a token for a receiver (RFC 8417; SSF 1.0, section 4): no sub,
// no exp, one event.
type securityEvent struct {
	Iss    string                           `json:"iss"`
	Aud    string                           `json:"aud"`
	Iat    int64                            `json:"iat"`
	Jti    string                           `json:"jti"`
	SubID  signal.SubjectID                 `json:"sub_id"`
	Events map[signal.Type]canonical.Object `json:"events"`
}

// item is a token that a stream owes its receiver. The same entry gives the same
// item whenever it is asked for, so that a repetition is known by its jti.
type item struct {
	n        uint64 // of the entry; 0 for one about the stream itself
	part     int    // of what the entry is told by
	moved    uint64 // of stream-updated, the entry that moved the stream
	verifies bool
	claims   securityEvent
}

func (i item) taken() taken { return taken{i.n, i.part, i.claims.Jti} }

func (n *Node) itemOf(s *stream.Stream, w notice, about signal.SubjectID, at trust.Stamp) item {
	body := canonical.Object{}
	for name, v := range w.extra {
		body[name] = v
	}
	if w.why != "" {
		body["event_timestamp"], body["initiating_entity"] = at.At, "admin"
		body["reason_admin"] = canonical.Object{"en": w.why}
	}
	name, _ := canonical.Marshal(about.Object()) // texts alone
	return item{n: at.Position.N, claims: securityEvent{
		Iss: n.self.String(), Aud: s.Client, Iat: at.At, Jti: n.jti(s, at.Position.String(), string(w.event), string(name)),
		SubID: about, Events: map[signal.Type]canonical.Object{w.event: body},
	}}
}

// jti is the same for the same thing said on the same stream.
func (n *Node) jti(s *stream.Stream, parts ...string) string {
	text := n.self.String() + "\n" + s.ID
	for _, p := range parts {
		text += "\n" + p
	}
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func (n *Node) signed(i item) (string, error) {
	return jose.Sign(n.Keys.Signer(participant.StreamKey), signal.SETType, i.claims)
}

// StreamKeys gives the public keys that sign what streams carry, announced ones
// too. It fails with Invalid.
func (n *Node) StreamKeys() (jose.KeySet, error) {
	var keys []jose.Key
	for _, k := range n.State().Participant.Self().Card.Keys {
		if k.Use == participant.StreamKey && n.Now() < k.Window.NotAfter {
			keys = append(keys, k.Key)
		}
	}
	return jose.NewKeySet(keys...)
}

// SignalTypes are the types of events that are sent here.
func (n *Node) SignalTypes() []signal.Type { return signalTypes }
