//go:build pkcs11

package pkcs11

import (
	"crypto"
	"crypto/elliptic"
	"io"
	"time"

	"github.com/ThalesGroup/crypto11"

	"github.com/entente-id/entente/trust"
)

// A signature waits for a session of the token no longer than this; of sessions
// there are so many at most.
const (
	patience    = 5 * time.Second
	maxSessions = 32
)

// Token is an open token. Its methods may be called by any goroutine.
type Token struct {
	label string
	open  *crypto11.Context
}

// Open opens a token and logs in. It fails with Unavailable when the module
// cannot be loaded, has no such token or refuses the PIN, and as reading the PIN
// fails.
func Open(c Config) (*Token, error) {
	pin, err := readPIN(c.PINFile)
	if err != nil {
		return nil, err
	}
	open, err := crypto11.Configure(&crypto11.Config{
		Path: c.Module, TokenLabel: c.Label, Pin: pin, MaxSessions: maxSessions, PoolWaitTimeout: patience,
	})
	if err != nil {
		return nil, trust.Errorf(trust.Unavailable, "opening token %q by %s: %w", c.Label, c.Module, err)
	}
	return &Token{c.Label, open}, nil
}

// Make makes a P-256 key under an identifier that no other has. The private half
// is sensitive and cannot be extracted.
func (t *Token) Make(id string) (crypto.Signer, error) {
	made, err := t.open.GenerateECDSAKeyPairWithLabel([]byte(id), []byte("entente "+id), elliptic.P256())
	if err != nil {
		return nil, t.failed("making key "+id, err)
	}
	return key{t, id, made}, nil
}

// Find gives the key of an identifier. It fails with NotFound when there is none.
func (t *Token) Find(id string) (crypto.Signer, error) {
	found, err := t.find(id)
	if err != nil {
		return nil, err
	}
	return key{t, id, found}, nil
}

func (t *Token) find(id string) (crypto11.Signer, error) {
	found, err := t.open.FindKeyPairs([]byte(id), nil)
	switch {
	case err != nil:
		return nil, t.failed("finding key "+id, err)
	case len(found) == 0:
		return nil, trust.Errorf(trust.NotFound, "token %q has no key %s", t.label, id)
	case len(found) > 1:
		return nil, trust.Errorf(trust.Invalid, "token %q has %d keys %s; an identifier is one key's", t.label, len(found), id)
	}
	return found[0], nil
}

// Destroy ends a key for good. It fails with NotFound when there is none.
func (t *Token) Destroy(id string) error {
	found, err := t.find(id)
	if err != nil {
		return err
	}
	if err := found.Delete(); err != nil {
		return t.failed("destroying key "+id, err)
	}
	return nil
}

// Close logs out.
func (t *Token) Close() error {
	if err := t.open.Close(); err != nil {
		return t.failed("closing it", err)
	}
	return nil
}

func (t *Token) failed(doing string, err error) error {
	return trust.Errorf(trust.Unavailable, "token %q, %s: %w", t.label, doing, err)
}

// key is a private key in a token.
type key struct {
	token *Token
	id    string
	crypto11.Signer
}

// Sign is crypto.Signer's. The token has its own source of randomness.
func (k key) Sign(rand io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	signature, err := k.Signer.Sign(rand, digest, o)
	if err != nil {
		return nil, k.token.failed("signing with key "+k.id, err)
	}
	return signature, nil
}
