package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"

	"filippo.io/mldsa"

	"github.com/entente-id/entente/canonical"
)

// Verified is a token whose signature holds under a key. It is made only by
// Unverified.Verify. That the key is the right one, and what the claims mean,
// is for the caller.
type Verified struct {
	header Header
	claims canonical.Object
	key    Key
	hash   [sha256.Size]byte
}

// Header gives the header.
func (v Verified) Header() Header { return v.header }

// Claims gives the payload: the one object ever parsed from it. It must not be
// changed.
func (v Verified) Claims() canonical.Object { return v.claims }

// Key gives the key that the signature holds under.
func (v Verified) Key() Key { return v.key }

// Hash gives the SHA-256 of the whole token. It names these bytes; it is no
// proof against replay, since whoever holds an ES256 token can write a second
// valid signature for the same claims.
func (v Verified) Hash() [sha256.Size]byte { return v.hash }

// Verify checks the signature with key, whose algorithm the header must repeat,
// and whose kid too when both have one. It fails with Invalid and the fault
// AlgMismatch, KidUnknown or Signature.
func (u *Unverified) Verify(key Key) (Verified, error) { return u.verify(key, nil) }

func (u *Unverified) verify(key Key, tables *Tables) (Verified, error) {
	switch {
	case key.IsZero() || u.header.Alg != key.k.alg:
		return Verified{}, refuse(AlgMismatch)
	case u.header.KeyID != "" && key.k.kid != "" && u.header.KeyID != key.k.kid:
		return Verified{}, refuse(KidUnknown)
	}
	h := sha256.New()
	h.Write(u.raw[:u.signed])
	input := u.raw[:u.signed]
	switch hash := key.k.digest(); hash {
	case 0:
	case crypto.SHA256:
		input = h.Sum(make([]byte, 0, sha256.Size))
	default:
		long := hash.New()
		long.Write(input)
		input = long.Sum(nil)
	}
	if !key.holds(input, u.signature, tables) {
		return Verified{}, refuse(Signature)
	}
	// The hash of the whole token goes on where that of the input stood.
	h.Write(u.raw[u.signed:])
	v := Verified{header: u.header, claims: u.claims, key: key}
	h.Sum(v.hash[:0])
	return v, nil
}

// holds checks a signature over input, which is hashed already for all but
// EdDSA and ML-DSA.
func (k Key) holds(input, signature []byte, tables *Tables) bool {
	switch k.k.alg {
	case ES256:
		if len(signature) != 2*size256 || !inRange(signature[:size256]) || !inRange(signature[size256:]) {
			return false
		}
		if table := tables.of(k); table != nil {
			return holdsBy(table, input, signature[:size256], signature[size256:])
		}
		return ecdsa.VerifyASN1(k.k.public.(*ecdsa.PublicKey), input, derOf(signature))
	case EdDSA:
		return ed25519.Verify(k.k.public.(ed25519.PublicKey), input, signature)
	case MLDSA44:
		return mldsa.Verify(k.k.public.(*mldsa.PublicKey), input, signature, nil) == nil
	case ES384, ES512:
		public := k.k.public.(*ecdsa.PublicKey)
		if len(signature) != 2*coordinate(public.Curve) {
			return false
		}
		return ecdsa.VerifyASN1(public, input, longDER(signature))
	case RS256, RS384, RS512:
		public := k.k.public.(*rsa.PublicKey)
		number, below := belowModulus(public, signature)
		return rsa.VerifyPKCS1v15(public, k.k.digest(), input, number) == nil && below
	case PS256, PS384, PS512:
		public := k.k.public.(*rsa.PublicKey)
		number, below := belowModulus(public, signature)
		options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		return rsa.VerifyPSS(public, k.k.digest(), input, number, options) == nil && below
	default:
		return false
	}
}

// belowModulus tells a signature that is no number below the modulus, which RFC
// 8017 (sections 8.1.2 and 8.2.2) refuses unseen, and gives another in its place
// that costs a whole check: else how long a refusal takes would tell one key from
// another.
func belowModulus(p *rsa.PublicKey, signature []byte) (number []byte, below bool) {
	if len(signature) != p.Size() || new(big.Int).SetBytes(signature).Cmp(p.N) < 0 {
		return signature, true // of another length, the library refuses it
	}
	number = bytes.Clone(signature)
	number[0] = 0
	return number, false
}

// derOf gives the ASN.1 form of r||s (RFC 7518, section 3.4), which the standard
// library verifies without big integers.
func derOf(signature []byte) []byte {
	r, s := signature[:size256], signature[size256:]
	der := append(make([]byte, 0, 2*size256+8), 0x30, 0)
	der = appendInteger(appendInteger(der, r), s)
	der[1] = byte(len(der) - 2)
	return der
}

// longDER is derOf for the larger curves, where speed does not matter.
func longDER(signature []byte) []byte {
	half := len(signature) / 2
	der, err := asn1.Marshal(struct{ R, S *big.Int }{
		new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]),
	})
	if err != nil {
		return nil
	}
	return der
}

var (
	orderOfP256 = elliptic.P256().Params().N
	orderP256   = orderOfP256.Bytes()
	zero        = make([]byte, size256)
)

// inRange reports whether n is one of 1 to the order of P-256 less one.
func inRange(n []byte) bool {
	return !bytes.Equal(n, zero) && bytes.Compare(n, orderP256) < 0
}

func appendInteger(der, n []byte) []byte {
	for n[0] == 0 {
		n = n[1:]
	}
	if n[0]&0x80 == 0 {
		return append(append(der, 2, byte(len(n))), n...)
	}
	return append(append(der, 2, byte(len(n)+1), 0), n...)
}
