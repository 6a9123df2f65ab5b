package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"

	"filippo.io/mldsa"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// Key is a public key that verifies signatures of one algorithm. It is made
// only by ParseKey and NewKey, which refuse unfit keys; the zero value is
// invalid and verifies nothing.
type Key struct{ k *record }

type record struct {
	alg        Alg
	row        *Algorithm
	chosen     bool // the JWK itself named alg
	kid        string
	public     crypto.PublicKey
	thumbprint string
	jwk        []byte
}

const (
	maxKeyID  = 256
	maxRSAExp = 1<<31 - 1
	size256   = 32 // bytes of a P-256 coordinate, an Ed25519 point, a SHA-256
)

// NewKey makes a key of an *ecdsa.PublicKey on P-256 (ES256), P-384 (ES384) or
// P-521 (ES512), an ed25519.PublicKey (EdDSA), an *rsa.PublicKey of 2048 to 8192
// bits (RS256 to RS512, PS256 to PS512) or an *mldsa.PublicKey (ML-DSA-44). kid may be empty. The key is copied. It fails with Invalid.
func NewKey(public crypto.PublicKey, alg Alg, kid string) (Key, error) {
	return newKey(public, alg, kid, true)
}

func newKey(public crypto.PublicKey, alg Alg, kid string, chosen bool) (Key, error) {
	if len(kid) > maxKeyID {
		return Key{}, trust.Errorf(trust.Invalid, "key has a kid of %d bytes; the most is %d", len(kid), maxKeyID)
	}
	var f fitting
	var err error
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		f, err = fitEC(p, alg)
	case ed25519.PublicKey:
		f, err = fitEd25519(p, alg)
	case *rsa.PublicKey:
		f, err = fitRSA(p, alg)
	case *mldsa.PublicKey:
		f, err = fitMLDSA(p, alg)
	default:
		return Key{}, unfit(kid, "is of no known type; elliptic curves, Ed25519, RSA and ML-DSA-44 are")
	}
	if err != nil {
		return Key{}, unfit(kid, err.Error())
	}
	k := &record{alg: alg, row: f.row, chosen: chosen, kid: kid, public: f.own}
	if err := k.describe(f.members); err != nil {
		return Key{}, err
	}
	return Key{k}, nil
}

// describe fixes the thumbprint and the JWK of a key from the members that its
// type requires (RFC 7638, section 3.2).
func (k *record) describe(members map[string]string) error {
	required, err := canonical.Marshal(members)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(required)
	k.thumbprint = base64.RawURLEncoding.EncodeToString(sum[:])
	members["alg"], members["use"] = string(k.alg), "sig" // alg is required of AKP, and there already
	if k.kid != "" {
		members["kid"] = k.kid
	}
	k.jwk, err = canonical.Marshal(members)
	return err
}

func unfit(kid, text string) error {
	if kid == "" {
		return trust.Errorf(trust.Invalid, "key %s", text)
	}
	return trust.Errorf(trust.Invalid, "key %q %s", kid, text)
}

// fitting is a key that fits a row of the registry: a copy of it, and the
// members that its type requires.
type fitting struct {
	row     *Algorithm
	own     crypto.PublicKey
	members map[string]string
}

// coordinate is how many bytes a coordinate, and half a signature, has.
func coordinate(c elliptic.Curve) int { return (c.Params().BitSize + 7) / 8 }

func fitEC(p *ecdsa.PublicKey, alg Alg) (f fitting, err error) {
	if p != nil && p.Curve != nil {
		f.row = rowOf(alg, "EC", p.Curve, 0)
	}
	if f.row == nil {
		return f, trust.Errorf(trust.Invalid, "on an elliptic curve must be on P-256 and for ES256, or on P-384 and for ES384, or on P-521 and for ES512")
	}
	point, err := p.Bytes()
	if err != nil {
		return f, errNoPoint
	}
	if f.own, err = ecdsa.ParseUncompressedPublicKey(p.Curve, point); err != nil {
		return f, errNoPoint
	}
	size := coordinate(p.Curve)
	x, y := encode(point[1:1+size]), encode(point[1+size:])
	f.members = map[string]string{"kty": "EC", "crv": p.Curve.Params().Name, "x": x, "y": y}
	return f, nil
}

var errNoPoint = trust.Errorf(trust.Invalid, "is not a point of its curve that can sign")

func fitEd25519(p ed25519.PublicKey, alg Alg) (f fitting, err error) {
	if f.row = rowOf(alg, "OKP", nil, 0); f.row == nil {
		return f, trust.Errorf(trust.Invalid, "is an Ed25519 key; its algorithm is EdDSA")
	}
	if !signingPoint(p) {
		return f, errNoPoint
	}
	f.own, f.members = ed25519.PublicKey(bytes.Clone(p)), map[string]string{"kty": "OKP", "crv": "Ed25519", "x": encode(p)}
	return f, nil
}

func fitRSA(p *rsa.PublicKey, alg Alg) (f fitting, err error) {
	if rowOf(alg, "RSA", nil, minRSA) == nil {
		return f, trust.Errorf(trust.Invalid, "is an RSA key; its algorithm is RS256 or PS256, or for JWT-SVIDs a longer form of these")
	}
	if p != nil && p.N != nil && p.N.Bit(0) == 1 {
		f.row = rowOf(alg, "RSA", nil, p.N.BitLen())
	}
	switch {
	case f.row == nil:
		return f, trust.Errorf(trust.Invalid, "is an RSA key without an odd modulus of %d to %d bits", minRSA, maxRSA)
	case guessable(p.N):
		return f, trust.Errorf(trust.Invalid, "is an RSA key of a generator whose keys can be guessed (CVE-2017-15361)")
	case p.E < 3 || p.E > maxRSAExp || p.E%2 == 0:
		return f, trust.Errorf(trust.Invalid, "is an RSA key without an odd exponent of 3 to 2^31-1")
	}
	e := big.NewInt(int64(p.E)).Bytes()
	f.own, f.members = &rsa.PublicKey{N: new(big.Int).Set(p.N), E: p.E}, map[string]string{"kty": "RSA", "n": encode(p.N.Bytes()), "e": encode(e)}
	return f, nil
}

func fitMLDSA(p *mldsa.PublicKey, alg Alg) (f fitting, err error) {
	if f.row = rowOf(alg, "AKP", nil, 0); f.row == nil || p == nil || p.Parameters() != mldsa.MLDSA44() {
		return f, trust.Errorf(trust.Invalid, "is an ML-DSA key; its algorithm is ML-DSA-44")
	}
	f.own, f.members = p, map[string]string{"kty": "AKP", "alg": string(alg), "pub": encode(p.Bytes())}
	return f, nil
}

// As gives an RSA key whose JWK named no algorithm under alg, as whoever
// registers it decides. It fails with Invalid.
func (k Key) As(alg Alg) (Key, error) {
	switch {
	case k.IsZero():
		return Key{}, unfit("", "is missing")
	case k.k.chosen && alg != k.k.alg:
		return Key{}, unfit(k.k.kid, "is for "+string(k.k.alg)+" by its own word")
	}
	return newKey(k.k.public, alg, k.k.kid, true)
}

// IsZero reports whether k is the invalid zero value.
func (k Key) IsZero() bool { return k.k == nil }

// Alg gives the one algorithm the key verifies, or "" of the zero value.
func (k Key) Alg() Alg {
	if k.k == nil {
		return ""
	}
	return k.k.alg
}

// KeyID gives the kid, or "" when the key has none.
func (k Key) KeyID() string {
	if k.k == nil {
		return ""
	}
	return k.k.kid
}

// Thumbprint gives the SHA-256 JWK thumbprint (RFC 7638) in base64url, 43
// characters. It depends on the key alone, not on its kid or algorithm.
func (k Key) Thumbprint() string {
	if k.k == nil {
		return ""
	}
	return k.k.thumbprint
}

// Equal reports whether k and other have the same JWK.
func (k Key) Equal(other Key) bool {
	if k.k == nil || other.k == nil {
		return k.k == other.k
	}
	return bytes.Equal(k.k.jwk, other.k.jwk)
}

// MarshalJSON gives the canonical public JWK, always with alg and use; null for
// the zero value.
func (k Key) MarshalJSON() ([]byte, error) {
	if k.k == nil {
		return []byte("null"), nil
	}
	return bytes.Clone(k.k.jwk), nil
}

// UnmarshalJSON is ParseAnyKey; null gives the zero value.
func (k *Key) UnmarshalJSON(data []byte) (err error) {
	if string(data) == "null" {
		*k = Key{}
		return nil
	}
	*k, err = ParseAnyKey(data)
	return err
}
