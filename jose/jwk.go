package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"math/big"
	"slices"

	"filippo.io/mldsa"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// maxKeySize bounds one JWK, certificate chain included, in bytes.
const maxKeySize = 16 << 10

// ParseKey reads an issuer's public signing key in JWK form (RFC 7517). It refuses
// private and symmetric members, keys for another use, points off their curve,
// weak RSA and an alg that is not of the key's type; members that say nothing
// about this are ignored, as the standard has it. An RSA key without alg is for
// RS256 until As says otherwise. It fails with Invalid.
func ParseKey(jwk []byte) (Key, error) {
	return parseKey(jwk, general)
}

// ParseAnyKey is ParseKey for a key of any use, such as those of a card. It says
// nothing about what the key is for.
func ParseAnyKey(jwk []byte) (Key, error) { return parseKey(jwk, every) }

func parseKey(jwk []byte, algs []Alg) (Key, error) {
	if len(jwk) > maxKeySize {
		return Key{}, unfit("", "is larger than a JWK may be")
	}
	o, err := canonical.ParseObject(jwk)
	if err != nil {
		return Key{}, err
	}
	if err := checkPublic(o); err != nil {
		return Key{}, err
	}
	if reason := foreign(o, "sig", algs); reason != "" {
		return Key{}, unfit(keyID(o), reason)
	}
	return build(o)
}

// ReadKey is ParseKey for a JWK that was read already, of a use and of
// algorithms that its owner's standard names. A sound public key of another
// type, curve or algorithm is left out as in a set: known is false.
func ReadKey(jwk canonical.Object, use string, algs []Alg) (key Key, known bool, err error) {
	if err := checkPublic(jwk); err != nil {
		return Key{}, false, err
	}
	if foreign(jwk, use, algs) != "" {
		return Key{}, false, nil
	}
	key, err = build(jwk)
	return key, err == nil, err
}

// secrets are the private and symmetric members of every key type (RFC 7518,
// section 6; the AKP type adds priv).
var secrets = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}

func checkPublic(o canonical.Object) error {
	if kty, _ := o.Text("kty"); kty == "oct" {
		return unfit(keyID(o), "is symmetric; only public keys belong here")
	}
	for _, name := range secrets {
		if _, found := o[name]; found {
			return unfit(keyID(o), "has the private member "+name+"; only public keys belong here")
		}
	}
	for _, name := range []string{"kty", "crv", "alg", "use", "kid"} {
		if v, found := o[name]; found {
			if s, ok := v.(string); !ok || s == "" {
				return unfit(keyID(o), "has a member "+name+" that is not a text")
			}
		}
	}
	return nil
}

func keyID(o canonical.Object) string {
	kid, _ := o.Text("kid")
	return kid[:min(len(kid), maxKeyID)]
}

// foreign says why a sound public key is none that could verify here, or "".
func foreign(o canonical.Object, wanted string, algs []Alg) string {
	if use, found := o.Text("use"); found && use != wanted {
		return "is not for signatures by its use"
	}
	if ops, found := o["key_ops"]; found {
		if list, _ := ops.([]any); !slices.Contains(list, any("verify")) {
			return "is not for verifying by its key_ops"
		}
	}
	if alg, found := o.Text("alg"); found && !slices.Contains(algs, Alg(alg)) {
		return "is for an algorithm that is not known here"
	}
	if row := firstRow(o); row == nil || !slices.Contains(algs, row.Name) {
		return "is of a type or on a curve that is not known here"
	}
	return ""
}

// firstRow gives the row of the algorithm that a key of its type and curve is for
// where it names none, nil where there is none.
func firstRow(o canonical.Object) *Algorithm {
	kty, _ := o.Text("kty")
	crv, _ := o.Text("crv")
	alg, _ := o.Text("alg")
	for i := range registry {
		if row := &registry[i]; row.shape(kty, crv, alg) {
			return row
		}
	}
	return nil
}

func build(o canonical.Object) (Key, error) {
	var public crypto.PublicKey
	var err error
	row := firstRow(o)
	switch row.kty {
	case "OKP":
		public, err = readOKP(o)
	case "RSA":
		public, err = readRSA(o)
	case "AKP":
		public, err = readMLDSA(o)
	default:
		public, err = readEC(o, row.curve)
	}
	if err != nil {
		return Key{}, unfit(keyID(o), err.Error())
	}
	alg := row.Name
	named, chosen := o.Text("alg")
	if chosen {
		alg = Alg(named)
	}
	kid, _ := o.Text("kid")
	return newKey(public, alg, kid, chosen)
}

// readEC follows RFC 7518, section 6.2.1: coordinates in full length.
func readEC(o canonical.Object, curve elliptic.Curve) (crypto.PublicKey, error) {
	x, errX := octets(o, "x")
	y, errY := octets(o, "y")
	if size := coordinate(curve); errX != nil || errY != nil || len(x) != size || len(y) != size {
		return nil, trust.Errorf(trust.Invalid, "has coordinates that are not %d bytes in base64url", size)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, errNoPoint
	}
	return public, nil
}

// readOKP follows RFC 8037, section 2.
func readOKP(o canonical.Object) (crypto.PublicKey, error) {
	x, err := octets(o, "x")
	if err != nil {
		return nil, err
	}
	return ed25519.PublicKey(x), nil
}

// readRSA follows RFC 7518, section 6.3.1: numbers without leading zeros.
func readRSA(o canonical.Object) (crypto.PublicKey, error) {
	n, err := octets(o, "n")
	if err != nil {
		return nil, err
	}
	e, err := octets(o, "e")
	if err != nil {
		return nil, err
	}
	if n[0] == 0 || e[0] == 0 || len(e) > 4 {
		return nil, trust.Errorf(trust.Invalid, "has a number with leading zeros or an exponent beyond 2^31-1")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, nil
}

// readMLDSA follows RFC 9964, section 3.
func readMLDSA(o canonical.Object) (crypto.PublicKey, error) {
	pub, err := octets(o, "pub")
	if err != nil {
		return nil, err
	}
	public, err := mldsa.NewPublicKey(mldsa.MLDSA44(), pub)
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "has a member pub that is not %d bytes in base64url", mldsa.MLDSA44PublicKeySize)
	}
	return public, nil
}

// octets gives a base64url member of one byte or more.
func octets(o canonical.Object, name string) ([]byte, error) {
	s, _ := o.Text(name)
	b, ok := decode([]byte(s))
	if !ok || len(b) == 0 {
		return nil, trust.Errorf(trust.Invalid, "has no member %s in strict base64url", name)
	}
	return b, nil
}
