package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"math"
	"slices"

	"github.com/entente-id/entente/trust"
)

// Status is what the registry says of an algorithm with keys of a kind.
type Status string

// The statuses of an algorithm.
const (
	Current      Status = "current"
	Transitional Status = "transitional" // accepted until a day
	Refused      Status = "refused"
)

// Algorithm is a row of the registry: an algorithm with keys of one kind. An
// algorithm or a kind of key that has no row is refused like one whose row says
// so.
type Algorithm struct {
	Name   Alg           `json:"name"`
	Keys   string        `json:"keys"`
	Status Status        `json:"status"`
	Until  trust.Instant `json:"until,omitzero"` // of a transitional one: from then on it is refused
	Uses   []Use         `json:"uses,omitempty"`
	Why    string        `json:"why,omitempty"`

	kty              string
	curve            elliptic.Curve
	minBits, maxBits int // of an RSA modulus
	hash             crypto.Hash
}

// Registry gives every row.
func Registry() []Algorithm {
	all := slices.Clone(registry)
	for i := range all {
		all[i].Uses = slices.Clone(all[i].Uses)
	}
	return all
}

const (
	minRSA   = 2048
	minLong  = 3072 // from here on a modulus has the strength of 128 bits
	maxRSA   = 8192 // beyond it one check would cost as much as hundreds
	endOf112 = 1924992000
)

var (
	callers = []Use{ForToken, ForProof, ForAssertion, ForLink}
	nodes   = []Use{ForCredential, ForMessage, ForStatement, ForTLS}
	svids   = []Use{ForSVID, ForCertificate}
)

// registry is all that this node knows about signatures: which it takes, for
// what, under which keys and until when. Of the algorithms that one type of key
// on one curve can have, the first is that of a key which names none.
var registry = slices.Concat(
	[]Algorithm{
		{Name: ES256, Keys: "P-256", Status: Current, Uses: slices.Concat(callers, svids, nodes), kty: "EC", curve: elliptic.P256(), hash: crypto.SHA256},
		{Name: EdDSA, Keys: "Ed25519", Status: Current, Uses: slices.Concat(callers, []Use{ForCertificate}, nodes, []Use{ForCheckpoint, ForDocument}), kty: "OKP"},
	},
	modulus(RS256, crypto.SHA256, callers, svids),
	modulus(PS256, crypto.SHA256, callers, []Use{ForSVID}),
	[]Algorithm{
		{Name: ES384, Keys: "P-384", Status: Current, Uses: svids, kty: "EC", curve: elliptic.P384(), hash: crypto.SHA384},
		{Name: ES512, Keys: "P-521", Status: Current, Uses: svids, kty: "EC", curve: elliptic.P521(), hash: crypto.SHA512},
	},
	[]Algorithm{
		{Name: MLDSA44, Keys: "ML-DSA-44", Status: Current, Uses: []Use{ForMessage, ForStatement, ForCheckpoint}, kty: "AKP"},
	},
	modulus(RS384, crypto.SHA384, []Use{ForSVID}),
	modulus(RS512, crypto.SHA512, []Use{ForSVID}),
	modulus(PS384, crypto.SHA384, []Use{ForSVID}),
	modulus(PS512, crypto.SHA512, []Use{ForSVID}),
	[]Algorithm{
		{Name: "none", Keys: "none", Status: Refused, Why: "signs nothing"},
		{Name: "HS256, HS384, HS512", Keys: "symmetric", Status: Refused, Why: "whoever verifies could sign"},
		{Name: "ES256K", Keys: "secp256k1", Status: Refused, Why: "not in the standard library, and nobody's need"},
		{Name: "EdDSA", Keys: "Ed448", Status: Refused, Why: "not in the standard library, and nobody's need"},
		{Name: "RS…, PS…", Keys: "RSA below 2048 bits", Status: Refused, Why: "too weak"},
		{Name: "RS…, PS…", Keys: "RSA beyond 8192 bits", Status: Refused, Why: "one check would cost as much as hundreds"},
	},
)

// modulus gives the rows of an RSA algorithm. Short moduli have 112 bits of
// strength, which end with 2030 (NIST SP 800-57 part 1 rev. 5, section 5.6.3).
func modulus(name Alg, hash crypto.Hash, uses ...[]Use) []Algorithm {
	long := Algorithm{Name: name, Status: Current, Uses: slices.Concat(uses...), kty: "RSA", minBits: minLong, maxBits: maxRSA, hash: hash}
	short := long
	short.Status, short.Until, short.minBits, short.maxBits = Transitional, endOf112, minRSA, minLong-1
	rows := []Algorithm{long, short}
	for i := range rows {
		rows[i].Keys = fmt.Sprintf("RSA, %d to %d bits", rows[i].minBits, rows[i].maxBits)
	}
	return rows
}

// shape reports whether a JWK of this type, curve and algorithm is of the row's
// kind, as far as that can be told before its numbers are read.
func (a *Algorithm) shape(kty, crv, alg string) bool {
	switch {
	case a.Status == Refused || a.kty != kty:
		return false
	case kty == "RSA":
		return true
	case kty == "AKP": // the algorithm is the type (RFC 9964, section 3)
		return string(a.Name) == alg
	default:
		return a.Keys == crv
	}
}

// rowOf gives the row of an algorithm that a key fits, nil when there is none.
func rowOf(alg Alg, kty string, curve elliptic.Curve, bits int) *Algorithm {
	for i := range registry {
		row := &registry[i]
		if row.Name == alg && row.Status != Refused && row.kty == kty && row.curve == curve && row.minBits <= bits && bits <= row.maxBits {
			return row
		}
	}
	return nil
}

// Ends gives when the registry stops accepting keys of this kind, in Unix
// seconds; it lies beyond every time for one that is current.
func (k Key) Ends() int64 {
	if k.k == nil || k.k.row.Until == 0 {
		return math.MaxInt64
	}
	return int64(k.k.row.Until)
}

// FitKey makes a key without a kid for the first algorithm of a use that keys of
// its type are for. It fails with Invalid.
func FitKey(public crypto.PublicKey, use Use) (Key, error) {
	var kty string
	var curve elliptic.Curve
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		kty, curve = "EC", p.Curve
	case ed25519.PublicKey:
		kty = "OKP"
	case *rsa.PublicKey:
		kty = "RSA"
	}
	for i := range registry {
		if row := &registry[i]; row.kty == kty && row.curve == curve && slices.Contains(row.Uses, use) {
			return NewKey(public, row.Name, "")
		}
	}
	return Key{}, unfit("", "is of a type or on a curve that is not accepted for "+string(use))
}
