package node

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"io"

	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

// TransmitterPrefix begins what a transmitter authenticates itself with, so that a
// leaked one can be found; 32 random bytes in base64url follow.
const TransmitterPrefix = "ent_set_"

// AddTransmitter lets a foreign transmitter's signals count, and gives the secret
// that it pushes them with: here and never again.
// token is what we authenticate ourselves with where we ask it; "" is nothing.
func (n *Node) AddTransmitter(ctx context.Context, a Actor, d signal.Document, token string) (secret string, err error) {
	random, err := n.drawTransmitterSecret()
	if err != nil {
		return "", err
	}
	return TransmitterPrefix + base64.RawURLEncoding.EncodeToString(random), n.addTransmitter(ctx, a, d, token, random)
}

func (n *Node) drawTransmitterSecret() ([]byte, error) {
	random := make([]byte, credentialBytes)
	if _, err := io.ReadFull(n.Rand, random); err != nil {
		return nil, trust.Errorf(trust.Internal, "drawing a secret: %w", err)
	}
	return random, nil
}

func (n *Node) addTransmitter(ctx context.Context, a Actor, d signal.Document, token string, random []byte) error {
	_, err := n.write(ctx, a, func(c *change) error {
		events, err := c.Signal.Add(c.issuerOf, d, sha256.Sum256(random), a.ID)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := c.addSealed(e, sealed{text: transmitterText{token}}); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// transmitterText is the sealed part of signal.TransmitterAdded.
type transmitterText struct {
	Token string `json:"token,omitempty"`
}

// transmitterToken gives what we authenticate ourselves with at a transmitter.
func (n *Node) transmitterToken(ctx context.Context, t *signal.Transmitter) (string, error) {
	record, err := n.trust.Entry(ctx, t.At.N)
	if err != nil {
		return "", err
	}
	plain, err := n.Keys.Unseal(ctx, trust.SubjectKey{}, record.Sealed)
	if err != nil {
		return "", err
	}
	text, err := parse[transmitterText](plain)
	return text.Token, err
}

// issuerOf gives the participant that an issuer speaks for.
func (c *change) issuerOf(issuer trust.IssuerID) (trust.ParticipantID, error) {
	_, _, owner, err := c.speaks(issuer.String())
	return owner, err
}

// VerifyTransmitter asks a transmitter for a verification now. The answer comes as
// its other tokens do.
func (n *Node) VerifyTransmitter(ctx context.Context, a Actor, name string) error {
	if err := n.read(a); err != nil {
		return err
	}
	t, ok := n.State().Signal.Transmitter(name)
	if !ok || !t.Feeds() {
		return trust.Errorf(trust.NotFound, "transmitter %s of a stream is not known", name)
	}
	token, err := n.transmitterToken(ctx, &t)
	if err != nil {
		return err
	}
	return n.askTransmitter(ctx, &t, token)
}

// RemoveTransmitter lets its signals count no longer.
func (n *Node) RemoveTransmitter(ctx context.Context, a Actor, name string) error {
	_, err := n.write(ctx, a, func(c *change) error { return c.take(c.Signal.Remove(name, a.ID)) })
	return err
}

// Transmitter is one that is heard here.
type Transmitter struct {
	signal.Document
	At trust.Position `json:"at"` // of the entry that added it
	// Age is how many seconds ago it proved last that it is heard; -1 never, 0 of
	// one that is no feed.
	Age int64 `json:"age"`
}

// Transmitters lists those that are heard here, by name.
func (n *Node) Transmitters(context.Context) ([]Transmitter, error) {
	var all []Transmitter
	s, now := n.State(), n.Clock.Mark()
	for t := range s.Signal.All() {
		all = append(all, Transmitter{Document: t.Document, At: t.At, Age: n.feedAge(s, t.Issuer.String(), now)})
	}
	return all, nil
}

// TransmitterOf finds whose secret this is.
func (n *Node) TransmitterOf(secret []byte) (name string, ok bool) {
	sum := sha256.Sum256(secret)
	for t := range n.State().Signal.All() {
		if subtle.ConstantTimeCompare(sum[:], t.Secret) == 1 {
			return t.Name, true
		}
	}
	return "", false
}
