package jose

import (
	"crypto"
	_ "crypto/sha512" // what crypto.SHA384 and crypto.SHA512 mean
	"slices"
)

// Alg is a signature algorithm by its JOSE name (RFC 7518, RFC 8037).
type Alg string

const (
	ES256 Alg = "ES256" // ECDSA on P-256 with SHA-256
	EdDSA Alg = "EdDSA" // Ed25519 only
	RS256 Alg = "RS256" // RSASSA-PKCS1-v1_5 with SHA-256
	PS256 Alg = "PS256" // RSASSA-PSS with SHA-256 and a salt of 32 bytes
)

// Beside RS256, ES256 and PS256 these sign JWT-SVIDs, and nothing else here.
const (
	ES384 Alg = "ES384" // ECDSA on P-384 with SHA-384
	ES512 Alg = "ES512" // ECDSA on P-521 with SHA-512
	RS384 Alg = "RS384"
	RS512 Alg = "RS512"
	PS384 Alg = "PS384" // with a salt of 48 bytes
	PS512 Alg = "PS512" // with a salt of 64 bytes
)

// Algs lists the algorithms of tokens in general.
func Algs() []Alg { return []Alg{ES256, EdDSA, RS256, PS256} }

// SVIDAlgs lists the algorithms of JWT-SVIDs (SPIFFE JWT-SVID, section 2.1).
func SVIDAlgs() []Alg {
	return []Alg{RS256, RS384, RS512, ES256, ES384, ES512, PS256, PS384, PS512}
}

var general = Algs()

// Valid reports whether a is one of the algorithms of tokens in general.
func (a Alg) Valid() bool { return slices.Contains(general, a) }

// hash is what a signs: a digest of its input, or with 0 the input itself.
func (a Alg) hash() crypto.Hash {
	switch a {
	case ES384, RS384, PS384:
		return crypto.SHA384
	case ES512, RS512, PS512:
		return crypto.SHA512
	case EdDSA:
		return 0
	default:
		return crypto.SHA256
	}
}
