package participant

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
)

// spki gives the SHA-256 of a key's SubjectPublicKeyInfo, as a certificate shows
// it. Nodes have keys for ES256 and EdDSA only.
func spki(k jose.Key) ([32]byte, bool) {
	jwk, err := k.MarshalJSON()
	if err != nil {
		return [32]byte{}, false
	}
	o, err := canonical.ParseObject(jwk)
	if err != nil {
		return [32]byte{}, false
	}
	x, y := octets(o, "x"), octets(o, "y")
	var public crypto.PublicKey
	switch k.Alg() {
	case jose.ES256:
		public, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	case jose.EdDSA:
		public = ed25519.PublicKey(x)
	default: // no card certifies an RSA key for TLS
	}
	if err != nil || public == nil {
		return [32]byte{}, false
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	return sha256.Sum256(der), err == nil
}

func octets(o canonical.Object, name string) []byte {
	text, _ := o.Text(name)
	b, _ := base64.RawURLEncoding.DecodeString(text)
	return b
}
