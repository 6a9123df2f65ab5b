package jose

import "crypto"

// Alg is a signature algorithm by its JOSE name (RFC 7518, RFC 8037).
type Alg string

const (
	ES256 Alg = "ES256" // ECDSA on P-256 with SHA-256
	EdDSA Alg = "EdDSA" // Ed25519 only
	RS256 Alg = "RS256" // RSASSA-PKCS1-v1_5 with SHA-256
	PS256 Alg = "PS256" // RSASSA-PSS with SHA-256 and a salt of 32 bytes
)

// Algs lists the algorithms there are.
func Algs() []Alg { return []Alg{ES256, EdDSA, RS256, PS256} }

// Valid reports whether a is one of the four algorithms.
func (a Alg) Valid() bool {
	switch a {
	case ES256, EdDSA, RS256, PS256:
		return true
	default:
		return false
	}
}

// hash is what a signs: the SHA-256 of its input, or the input itself.
func (a Alg) hash() crypto.Hash {
	if a == EdDSA {
		return 0
	}
	return crypto.SHA256
}
