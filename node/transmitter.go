package node

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"sync"

	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

// TransmitterPrefix begins what a transmitter authenticates itself with, so that a
// leaked one can be found; 32 random bytes in base64url follow.
const TransmitterPrefix = "ent_set_"

// AddTransmitter lets a foreign transmitter's signals count, and gives the secret
// that it pushes them with: here and never again.
func (n *Node) AddTransmitter(ctx context.Context, a Actor, d signal.Document) (secret string, err error) {
	random := make([]byte, credentialBytes)
	if _, err := io.ReadFull(n.Rand, random); err != nil {
		return "", trust.Errorf(trust.Internal, "drawing a secret: %w", err)
	}
	_, err = n.write(ctx, a, func(c *change) error {
		return c.take(c.Signal.Add(c.issuerOf, d, sha256.Sum256(random), a.ID))
	})
	if err != nil {
		return "", err
	}
	return TransmitterPrefix + base64.RawURLEncoding.EncodeToString(random), nil
}

// issuerOf gives the participant that an issuer speaks for.
func (c *change) issuerOf(issuer trust.IssuerID) (trust.ParticipantID, error) {
	_, _, owner, err := c.speaks(issuer.String())
	return owner, err
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
}

// Transmitters lists those that are heard here, by name.
func (n *Node) Transmitters(context.Context) ([]Transmitter, error) {
	var all []Transmitter
	for t := range n.State().Signal.All() {
		all = append(all, Transmitter{Document: t.Document, At: t.At})
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

// mostSignals is how many tokens of one transmitter are taken in a second.
const mostSignals = 200

// Hears reports whether a transmitter may send another token now.
func (n *Node) Hears(name string) bool {
	n.signals.mu.Lock()
	defer n.signals.mu.Unlock()
	f := n.signals.get(name)
	if now := n.Now(); f.second != now {
		f.second, f.heard = now, 0
	}
	f.heard++
	return f.heard <= mostSignals
}

// feeds are what this process knows of the transmitters that it hears.
type feeds struct {
	mu sync.Mutex
	of map[string]*feed
}

// feed is one of them.
type feed struct {
	second int64 // the one in which heard tokens came
	heard  int
}

func (f *feeds) get(name string) *feed {
	if f.of[name] == nil {
		f.of[name] = &feed{}
	}
	return f.of[name]
}
