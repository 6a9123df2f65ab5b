package jose

import (
	"crypto"
	_ "crypto/sha512" // what crypto.SHA384 and crypto.SHA512 mean
	"slices"
)

// Alg is a signature algorithm by its JOSE name (RFC 7518, RFC 8037, RFC 9964).
type Alg string

const (
	ES256 Alg = "ES256" // ECDSA on P-256 with SHA-256
	EdDSA Alg = "EdDSA" // Ed25519 only
	RS256 Alg = "RS256" // RSASSA-PKCS1-v1_5 with SHA-256
	PS256 Alg = "PS256" // RSASSA-PSS with SHA-256 and a salt of 32 bytes
	ES384 Alg = "ES384" // ECDSA on P-384 with SHA-384
	ES512 Alg = "ES512" // ECDSA on P-521 with SHA-512
	RS384 Alg = "RS384"
	RS512 Alg = "RS512"
	PS384 Alg = "PS384" // with a salt of 48 bytes
	PS512 Alg = "PS512" // with a salt of 64 bytes

	MLDSA44 Alg = "ML-DSA-44" // FIPS 204 by RFC 9964, with an empty context
)

// Use is what something is signed for.
type Use string

// The uses of signatures, partners' first.
const (
	ForToken       Use = "token"            // access and ID tokens of registered issuers
	ForSVID        Use = "jwt-svid"         // JWT-SVIDs (SPIFFE JWT-SVID, section 2.1)
	ForCertificate Use = "x509-svid"        // X509-SVIDs, what certifies them, and certificates of clients (RFC 8705)
	ForProof       Use = "dpop"             // DPoP proofs (RFC 9449)
	ForAssertion   Use = "client-assertion" // client authentication (RFC 7523)
	ForLink        Use = "delegation"       // links of delegation
	ForCredential  Use = "credential"       // a node's own tokens
	ForMessage     Use = "message"          // messages between nodes
	ForStatement   Use = "statement"        // statements of issuers
	ForCheckpoint  Use = "checkpoint"       // checkpoints of logs
	ForTLS         Use = "tls"              // connections between nodes
	ForDocument    Use = "document"         // cards, frameworks, agreements
)

// Uses lists the uses there are.
func Uses() []Use {
	return []Use{
		ForToken, ForSVID, ForCertificate, ForProof, ForAssertion, ForLink,
		ForCredential, ForMessage, ForStatement, ForCheckpoint, ForTLS, ForDocument,
	}
}

// accepted is the registry by use.
var accepted = func() map[Use][]Alg {
	all := map[Use][]Alg{}
	for _, a := range registry {
		for _, use := range a.Uses {
			if !slices.Contains(all[use], a.Name) {
				all[use] = append(all[use], a.Name)
			}
		}
	}
	return all
}()

// every is what any use accepts.
var every = func() (all []Alg) {
	for _, use := range Uses() {
		all = append(all, accepted[use]...)
	}
	return all
}()

// general is what Form takes where it names no use.
var general = accepted[ForToken]

// Algs lists the algorithms that are accepted for a use.
func (u Use) Algs() []Alg { return slices.Clone(accepted[u]) }

// Admits reports whether an algorithm is accepted for a use.
func (u Use) Admits(a Alg) bool { return slices.Contains(accepted[u], a) }

// Algs lists the algorithms of issuers' tokens.
func Algs() []Alg { return ForToken.Algs() }

// digest is what an algorithm signs: a digest of its input, or with 0 the input
// itself.
func (k *record) digest() crypto.Hash { return k.row.hash }
