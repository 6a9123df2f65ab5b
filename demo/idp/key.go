package idp

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"sync"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/ory/fosite/token/jwt"

	"github.com/entente-id/entente/trust"
)

// keyring signs every token with its newest key. It is the library's signer
// where that one falls short: it sets kid, signs with Ed25519 too, and writes a
// single audience as a string. Reading an ID token back (id_token_hint) is left
// to the library.
type keyring struct {
	jwt.DefaultSigner
	alg jose.SignatureAlgorithm

	mu       sync.Mutex
	keys     []jose.JSONWebKey // newest first, at most two; the first signs
	next     *jose.JSONWebKey  // published ahead
	revision int
}

func newKeyring(alg string) (*keyring, error) {
	if alg == "" {
		alg = string(jose.ES256)
	}
	k := &keyring{alg: jose.SignatureAlgorithm(alg)}
	k.GetPrivateKey = func(context.Context) (any, error) { return k.newest().Key, nil }
	return k, k.rotate()
}

// announce publishes the next key, which signs nothing yet.
func (k *keyring) announce() error {
	private, err := newPrivateKey(k.alg)
	if err != nil {
		return err
	}
	key := jose.JSONWebKey{Key: private, Algorithm: string(k.alg), Use: "sig"}
	print, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return trust.Errorf(trust.Internal, "naming a signing key: %w", err)
	}
	key.KeyID = base64.RawURLEncoding.EncodeToString(print)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.next = &key
	k.revision++
	return nil
}

// rotate puts the announced key in front, or a new one, and keeps the one before
// it.
func (k *keyring) rotate() error {
	k.mu.Lock()
	announced := k.next != nil
	k.mu.Unlock()
	if !announced {
		if err := k.announce(); err != nil {
			return err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.next != nil {
		k.keys = append([]jose.JSONWebKey{*k.next}, k.keys[:min(len(k.keys), 1)]...)
		k.next = nil
	}
	return nil
}

// retire publishes the signing key alone.
func (k *keyring) retire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = k.keys[:1]
	k.revision++
}

func newPrivateKey(alg jose.SignatureAlgorithm) (any, error) {
	switch alg {
	case jose.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.RS256:
		return rsa.GenerateKey(rand.Reader, 2048)
	case jose.EdDSA:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, trust.Errorf(trust.Invalid, "signing algorithm %q is not one of ES256, RS256, EdDSA", alg)
}

func (k *keyring) newest() jose.JSONWebKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys[0]
}

func (k *keyring) current() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.revision
}

// public gives the published keys, newest first, and their revision.
func (k *keyring) public() (jose.JSONWebKeySet, int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var set jose.JSONWebKeySet
	for _, key := range k.keys {
		set.Keys = append(set.Keys, key.Public())
	}
	if k.next != nil {
		set.Keys = append(set.Keys, k.next.Public())
	}
	return set, k.revision
}

// Generate signs claims as a compact JWT and gives it with its signature part,
// by which the library files it.
func (k *keyring) Generate(ctx context.Context, claims jwt.MapClaims, header jwt.Mapper) (string, string, error) {
	if aud, ok := claims["aud"].([]string); ok && len(aud) == 1 {
		claims["aud"] = aud[0]
	}
	if k.alg == jose.EdDSA {
		// OpenID Connect Core, 3.1.3.6 ties this hash to the alg's own; the
		// library would always use SHA-256. It is optional in the code flow.
		delete(claims, "at_hash")
	}
	payload, err := json.Marshal(map[string]any(claims), json.Deterministic(true))
	if err != nil {
		return "", "", err
	}
	typ, ok := header.ToMap()["typ"].(string)
	if !ok {
		typ = "JWT"
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.alg, Key: k.newest()}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return "", "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", "", err
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		return "", "", err
	}
	signature, err := k.GetSignature(ctx, token)
	return token, signature, err
}
