package node

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

// The kinds of message on an edge, version 1 of each.
const (
	kindFramework     = "framework"
	kindStatement     = "statement"
	kindOffer         = "agreement-offer"
	kindCountersign   = "agreement-countersign"
	kindMove          = "agreement-move"
	kindCaughtUp      = "agreement-caught-up"
	kindSuspension    = "suspension"
	kindRevocation    = "revocation"
	kindBulk          = "revocation-bulk"
	kindEngagement    = "engagement"
	kindSignal        = "signal"
	kindCard          = "card"
	kindNotice        = "notice"
	kindResumption    = "resumption"
	kindAlias         = "alias"
	kindDispute       = "dispute"
	kindErased        = "erased"
	kindUnsupported   = "unsupported"
	kindEpoch         = "epoch"
	kindEpochTaken    = "epoch-taken"
	kindBreakGlass    = "break-glass"
	kindHello         = edge.HelloKind
	eventPrefix       = "urn:entente:edge:"
	eventVersion      = ":1"
	setType           = "secevent+jwt"
	maxMessage        = 512 << 10 // bytes of a signed message between nodes
	verificationEvent = "https://schemas.openid.net/secevent/ssf/event-type/verification"
)

// message is a security event token on an edge (RFC 8417): typ secevent+jwt,
// no sub, no exp, one event. Edge carries its place in the stream.
type message struct {
	Iss    trust.ParticipantID       `json:"iss"`
	Aud    trust.ParticipantID       `json:"aud"`
	Iat    int64                     `json:"iat"`
	Jti    string                    `json:"jti"`
	Edge   place                     `json:"edge"`
	Events map[string]jsontext.Value `json:"events"`
}

// place is where a message stands: the sender's epoch, the lane and the number
// in it, from 1.
type place struct {
	Epoch uint32    `json:"epoch"`
	Lane  edge.Lane `json:"lane"`
	N     uint64    `json:"n"`
}

// The contents, by kind. Each stands as the one member of events.
type (
	frameworkMessage struct {
		Signed framework.Signed `json:"signed"`
	}
	statementMessage struct {
		Statement string `json:"statement"` // entity-statement+jwt
	}
	offerMessage struct {
		Bytes     []byte `json:"bytes"`
		Signature []byte `json:"signature"`
	}
	countersignMessage struct {
		ID        string `json:"id"`
		Hash      string `json:"hash"`
		Signature []byte `json:"signature"`
	}
	moveMessage struct {
		ID string          `json:"id"`
		To agreement.Stage `json:"to"`
	}
	caughtUpMessage struct {
		ID string `json:"id"`
	}
	suspensionMessage struct {
		Participant trust.ParticipantID `json:"participant"`
	}
	cardMessage struct {
		Card participant.SignedCard `json:"card"`
	}
	// revocationMessage names the subject in plain: the receiver knows it by a
	// key of its own.
	revocationMessage struct {
		Kind       revocation.TargetKind `json:"kind"`
		Issuer     trust.IssuerID        `json:"issuer,omitzero"`
		Namespace  string                `json:"namespace,omitempty"`
		Subject    string                `json:"subject,omitempty"`
		Pairwise   string                `json:"pairwise,omitempty"` // the subject's name in grants for the receiver
		Engagement trust.Engagement      `json:"engagement,omitempty"`
		Thumbprint string                `json:"thumbprint,omitempty"`
	}
	// signalMessage is what a signal did to people of the sender, likewise: to
	// Subjects, names of one of them, or to everybody of Issuer where none is named.
	signalMessage struct {
		Type      signal.Type    `json:"type"`
		At        int64          `json:"at"`
		Issuer    trust.IssuerID `json:"issuer"`
		Namespace string         `json:"namespace"`
		Subjects  []string       `json:"subjects,omitempty"`
		Pairwise  string         `json:"pairwise,omitempty"`
		Session   string         `json:"session,omitempty"`
		Device    string         `json:"device,omitempty"`
		Narrowed  bool           `json:"narrowed,omitzero"`
		Mark      signal.Mark    `json:"mark"`
		Raises    bool           `json:"raises,omitzero"`
	}
	engagementMessage struct {
		Namespace  string           `json:"namespace"`
		Subject    string           `json:"subject"`
		Pairwise   string           `json:"pairwise,omitempty"`
		Engagement trust.Engagement `json:"engagement"`
		Since      int64            `json:"since"`
	}
)

// render signs the content of one queued message, in the epoch that the ledger is
// in now. Signing again gives the same content, by which a repeated delivery is
// recognised whatever key signed it.
func (n *Node) render(by jose.Signer, to trust.ParticipantID, q edge.Queued, at trust.Stamp, content []byte) (string, error) {
	id := sha256.Sum256([]byte(n.self.String() + "\n" + to.String() + "\n" + at.Position.String()))
	return jose.Sign(by, setType, message{
		Iss: n.self, Aud: to, Iat: at.At, Jti: hex.EncodeToString(id[:16]),
		Edge:   place{Epoch: n.trust.Epoch(), Lane: q.Lane, N: q.N},
		Events: map[string]jsontext.Value{eventPrefix + q.Kind + eventVersion: content},
	})
}

// open verifies a message from a partner and gives it with its kind and
// content. Errors are Denied for a signature, Invalid for a shape.
func (n *Node) open(from participant.Partner, jws []byte) (message, string, []byte, error) {
	var m message
	payload, err := n.verifyStream(from, jws)
	if err != nil {
		return m, "", nil, err
	}
	if err := canonical.Decode(payload, &m); err != nil {
		return m, "", nil, err
	}
	if m.Iss != from.Card.ID || m.Aud != n.self {
		return m, "", nil, trust.Errorf(trust.Denied, "a message from %s to %s came on the edge of %s", m.Iss, m.Aud, from.Card.ID)
	}
	if !m.Edge.Lane.Valid() || m.Edge.N == 0 || m.Edge.Epoch == 0 {
		return m, "", nil, trust.Errorf(trust.Invalid, "a message carries its place on the edge: epoch, lane and number; this one stands nowhere")
	}
	if len(m.Events) != 1 || m.Jti == "" || m.Iat == 0 {
		return m, "", nil, trust.Errorf(trust.Invalid, "a message carries jti, iat and one event; this one has %d events", len(m.Events))
	}
	for uri, content := range m.Events {
		kind, ok := strings.CutPrefix(uri, eventPrefix)
		if ok {
			kind, ok = strings.CutSuffix(kind, eventVersion)
		}
		if !ok {
			return m, uri, content, nil // a kind we do not know; the caller decides by lane
		}
		return m, kind, content, nil
	}
	panic("unreachable: one event")
}

// verifyStream checks a partner's signature and gives the payload's bytes.
func (n *Node) verifyStream(from participant.Partner, jws []byte) ([]byte, error) {
	keys := from.Keys(participant.StreamKey, n.Now())
	return verifyBy(func(int64) []jose.Key { return keys }, jws, jose.Form{Types: []string{setType}, Use: jose.ForMessage, MaxBytes: maxMessage})
}

// verifyBy checks a JWS against the one key that its kid names, of those that are
// good for its iat, and gives its claims rendered again, for a strict reader of
// their shape.
func verifyBy(goodAt func(iat int64) []jose.Key, jws []byte, form jose.Form) ([]byte, error) {
	u, err := jose.Parse(string(jws), form)
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "a signed message cannot be read: %w", err)
	}
	iat, _ := u.UnverifiedClaims().Int("iat")
	for _, k := range goodAt(iat) {
		if k.KeyID() == u.Header().KeyID {
			v, err := u.Verify(k)
			if err != nil {
				return nil, trust.Errorf(trust.Denied, "a signed message fails its signature: %w", err)
			}
			return canonical.Marshal(v.Claims())
		}
	}
	return nil, trust.Errorf(trust.Denied, "a signed message names a key that is not registered for it now")
}
