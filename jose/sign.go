package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"

	"filippo.io/mldsa"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// Signer signs with the private half of Key.
type Signer interface {
	Key() Key
	// Sign gives the signature of input as a JWS has it: for ES256 r||s in 64
	// bytes. The input is not hashed yet.
	Sign(input []byte) ([]byte, error)
}

type signer struct {
	key     Key
	private crypto.Signer
}

// NewSigner makes a signer of a private key on P-256, or of an Ed25519 or ML-DSA-44
// one, held in memory or elsewhere. An empty kid becomes the key's thumbprint. In memory,
// signatures are deterministic (RFC 6979, RFC 8032, FIPS 204). It fails with Invalid.
func NewSigner(private crypto.Signer, kid string) (Signer, error) {
	var alg Alg
	switch publicOf(private).(type) {
	case *ecdsa.PublicKey:
		alg = ES256
	case ed25519.PublicKey:
		alg = EdDSA
	case *mldsa.PublicKey:
		alg = MLDSA44
	default:
		return nil, trust.Errorf(trust.Invalid, "private key is not for ES256, EdDSA or ML-DSA-44; only these sign")
	}
	key, err := NewKey(publicOf(private), alg, kid)
	if err == nil && kid == "" {
		key, err = NewKey(publicOf(private), alg, key.Thumbprint())
	}
	if err != nil {
		return nil, err
	}
	return &signer{key, private}, nil
}

// publicOf keeps a missing key and a malformed Ed25519 key from panicking in
// Public.
func publicOf(private crypto.Signer) crypto.PublicKey {
	if private == nil {
		return nil
	}
	if k, ok := private.(ed25519.PrivateKey); ok && len(k) != ed25519.PrivateKeySize {
		return nil
	}
	return private.Public()
}

func (s *signer) Key() Key { return s.key }

// Format writes the key's name under every verb: a private key is never printed.
func (s *signer) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "signer(%s)", s.key.KeyID()) }

func (s *signer) Sign(input []byte) ([]byte, error) {
	hash := s.key.k.digest()
	if hash != 0 {
		sum := sha256.Sum256(input)
		input = sum[:]
	}
	signature, err := s.plain(input, hash)
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "signing with key %q: %w", s.key.KeyID(), err)
	}
	if s.key.k.alg == ES256 {
		return rawOf(signature)
	}
	return signature, nil
}

// plain signs without a source of randomness: ECDSA and ML-DSA are deterministic
// then.
func (s *signer) plain(input []byte, hash crypto.Hash) ([]byte, error) {
	if key, ok := s.private.(*mldsa.PrivateKey); ok {
		return key.SignDeterministic(input, nil)
	}
	return s.private.Sign(nil, input, hash)
}

// rawOf is the way back from derOf.
func rawOf(der []byte) ([]byte, error) {
	var n struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &n); err != nil {
		return nil, trust.Errorf(trust.Internal, "reading an ECDSA signature: %w", err)
	}
	raw := make([]byte, 2*size256)
	n.R.FillBytes(raw[:size256])
	n.S.FillBytes(raw[size256:])
	return raw, nil
}

// Sign makes a token of claims, a struct, map or canonical.Object that Marshal
// writes as a JSON object, with the signer's alg and kid and this typ, which
// may be empty. It fails with Invalid for claims and as the signer fails.
func Sign(s Signer, typ string, claims any) (string, error) {
	payload, err := canonical.Marshal(claims)
	if err != nil {
		return "", err
	}
	return SignPayload(s, typ, payload)
}

// SignPayload is Sign for a payload that is canonical JSON already, which is the
// caller's promise.
func SignPayload(s Signer, typ string, payload []byte) (string, error) {
	if len(payload) == 0 || payload[0] != '{' {
		return "", trust.Errorf(trust.Invalid, "claims are no JSON object")
	}
	input := make([]byte, 0, strict.EncodedLen(len(payload))+512)
	input = strict.AppendEncode(input, headerOf(s.Key(), typ))
	input = strict.AppendEncode(append(input, '.'), payload)
	signature, err := s.Sign(input)
	if err != nil {
		return "", err
	}
	return string(strict.AppendEncode(append(input, '.'), signature)), nil
}

// headerOf gives the protected header as canonical JSON.
func headerOf(key Key, typ string) []byte {
	header := append(make([]byte, 0, 128), `{"alg":`...)
	header = canonical.AppendString(header, string(key.Alg()))
	if key.KeyID() != "" {
		header = canonical.AppendString(append(header, `,"kid":`...), key.KeyID())
	}
	if typ != "" {
		header = canonical.AppendString(append(header, `,"typ":`...), typ)
	}
	return append(header, '}')
}

// SignBytes signs payload under a domain with an EdDSA signer: the signed bytes
// are domain, a line feed, payload. No token's signing input holds a line feed,
// so neither signature can pass for the other. It fails with Invalid.
func SignBytes(s Signer, domain string, payload []byte) ([]byte, error) {
	message, err := tagged(s.Key(), domain, payload)
	if err != nil {
		return nil, err
	}
	return s.Sign(message)
}

// VerifyBytes checks a signature that SignBytes made under the same domain. It
// fails with Invalid, and the fault Signature when the signature does not hold.
func VerifyBytes(key Key, domain string, payload, signature []byte) error {
	message, err := tagged(key, domain, payload)
	if err != nil {
		return err
	}
	if !key.holds(message, signature, nil) {
		return trust.Errorf(trust.Invalid, "signature does not hold under key %q for %s: %w", key.KeyID(), domain, Signature)
	}
	return nil
}

func tagged(key Key, domain string, payload []byte) ([]byte, error) {
	switch {
	case !ForDocument.Admits(key.Alg()):
		return nil, trust.Errorf(trust.Invalid, "key %q is not for EdDSA; only such keys sign bytes", key.KeyID())
	case domain == "" || strings.ContainsRune(domain, '\n'):
		return nil, trust.Errorf(trust.Invalid, "signing domain %q is empty or has a line feed", domain)
	}
	return append([]byte(domain+"\n"), payload...), nil
}
