package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"sync"

	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/trust"
)

const (
	receiverTTL    = 600 // seconds for which a receiver's token is good
	receiverTokens = 16  // of one client; the oldest goes first
	secretSize     = 32  // bytes
)

// receivers are the tokens by which clients use their streams. They are random
// and live in memory alone: after a start a client asks for another.
type receivers struct {
	mu     sync.Mutex
	tokens map[string][]receiverToken // by client, oldest first
}

type receiverToken struct {
	hash    [sha256.Size]byte
	manages bool
	expires int64
}

// Receiver is a client of ours that has streams of signals, and showed a token.
type Receiver struct {
	n       *Node
	id      string
	manages bool
}

// ReceiverToken gives a client that may have streams a token for them, good for
// ttl seconds: to change them and take events, or to look at them only. False
// for any other client.
func (n *Node) ReceiverToken(id string, manage bool) (secret []byte, ttl int64, ok bool) {
	c, known := registry{n.State(), n}.RegisteredClient(id)
	if _, may := c.MayReceive(); !known || !may {
		return nil, 0, false
	}
	secret = make([]byte, secretSize)
	if _, err := io.ReadFull(n.Rand, secret); err != nil {
		n.Log.Error("drawing a receiver's token", "error", err)
		return nil, 0, false
	}
	r, now := &n.receivers, n.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	live := slices.DeleteFunc(r.tokens[id], func(t receiverToken) bool { return now >= t.expires })
	if len(live) >= receiverTokens {
		live = slices.Delete(live, 0, len(live)-receiverTokens+1)
	}
	if r.tokens == nil {
		r.tokens = map[string][]receiverToken{}
	}
	r.tokens[id] = append(live, receiverToken{sha256.Sum256(secret), manage, now + receiverTTL})
	return secret, receiverTTL, true
}

// Receiver finds whose token this is. A client that has ended, or may have
// streams no longer, has none.
func (n *Node) Receiver(secret []byte) (*Receiver, bool) {
	hash, now := sha256.Sum256(secret), n.Now()
	n.receivers.mu.Lock()
	defer n.receivers.mu.Unlock()
	for id, tokens := range n.receivers.tokens {
		for _, t := range tokens {
			if t.hash == hash && now < t.expires {
				_, may := n.mayReceive(id)
				return &Receiver{n, id, t.manages}, may
			}
		}
	}
	return nil, false
}

func (n *Node) mayReceive(id string) (client.Signals, bool) {
	c, _ := n.State().Client.Get(id)
	return c.MayReceive()
}

// randomID gives 16 random bytes as text.
func (n *Node) randomID() (string, error) {
	var random [16]byte
	if _, err := io.ReadFull(n.Rand, random[:]); err != nil {
		return "", trust.Errorf(trust.Internal, "drawing an identifier: %w", err)
	}
	return hex.EncodeToString(random[:]), nil
}

// manage fails with Denied for a token that only looks.
func (r *Receiver) manage() error {
	if !r.manages {
		return trust.Errorf(trust.Denied, "the token is for reading streams only")
	}
	return nil
}

// change is a change by this receiver, who may make it.
func (r *Receiver) change(ctx context.Context, command func(*change) error) error {
	if err := r.manage(); err != nil {
		return err
	}
	_, err := r.n.change(ctx, func(c *change) error {
		if known, _ := c.Client.Get(r.id); known.Ended || known.Document.Signals == nil {
			return trust.Errorf(trust.Denied, "client %s may not have streams", r.id)
		}
		return command(c)
	})
	return err
}
