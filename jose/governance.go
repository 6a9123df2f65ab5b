package jose

import (
	"crypto/ed25519"
	"strings"

	"github.com/entente-id/entente/trust"
)

const governancePrefix = "ed25519:"

// ParseGovernanceKey reads an Ed25519 key as documents that people sign write
// it: "ed25519:" and the 32 bytes in strict base64url. Its kid is its
// thumbprint. It fails with Invalid.
func ParseGovernanceKey(text string) (Key, error) {
	body, ok := strings.CutPrefix(text, governancePrefix)
	raw, strictly := decode([]byte(body))
	if !ok || !strictly || len(raw) != ed25519.PublicKeySize {
		return Key{}, trust.Errorf(trust.Invalid, "governance key is not written %s and 32 bytes in base64url", governancePrefix)
	}
	key, err := NewKey(ed25519.PublicKey(raw), EdDSA, "")
	if err != nil {
		return Key{}, err
	}
	return NewKey(ed25519.PublicKey(raw), EdDSA, key.Thumbprint())
}

// GovernanceText writes an EdDSA key as ParseGovernanceKey reads it, and "" for
// any other key.
func (k Key) GovernanceText() string {
	if k.Alg() != EdDSA {
		return ""
	}
	return governancePrefix + encode(k.k.public.(ed25519.PublicKey))
}
