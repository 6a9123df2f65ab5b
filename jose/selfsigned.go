package jose

import (
	"slices"

	"github.com/entente-id/entente/canonical"
)

// SelfSigned is a proof that brings the key it is signed with, such as a DPoP
// proof (RFC 9449, section 4.2), before its signature was checked. It is made
// only by ParseSelfSigned, and is no Unverified: nothing that takes a token takes
// it.
type SelfSigned struct {
	u   *Unverified
	key Key
}

// ParseSelfSigned reads a proof as ParseBytes reads a token, but for the header,
// which has alg, jwk and typ and nothing else. The key must be one that ParseKey
// takes, and the algorithm the key's own. The proof must not change until it has
// been verified. It fails with Invalid and a Fault.
func ParseSelfSigned(proof []byte, form Form) (SelfSigned, error) {
	var s SelfSigned
	var err error
	s.u, err = parse(proof, form, func(text []byte, form Form) (h Header, err error) {
		h, s.key, err = readSelfSignedHeader(text, form.algs())
		return h, err
	})
	return s, err
}

// Key gives the key that the proof brought, which is anybody's.
func (s SelfSigned) Key() Key { return s.key }

// Verify checks the signature with the key that the proof brought and gives the
// payload: the one object ever parsed from it, which must not be changed. That it
// holds says that whoever made the proof has the private key. It fails with
// Invalid and the fault Signature.
func (s SelfSigned) Verify() (canonical.Object, error) {
	v, err := s.u.Verify(s.key)
	return v.Claims(), err
}

func readSelfSignedHeader(text []byte, algs []Alg) (Header, Key, error) {
	o, err := canonical.ParseObject(text)
	if err != nil {
		return Header{}, Key{}, refuse(HeaderJSON)
	}
	for _, f := range forbidden {
		if _, found := o[f.name]; found && f.fault != HeaderJWK {
			return Header{}, Key{}, refuse(f.fault)
		}
	}
	alg, _ := o.Text("alg")
	typ, _ := o.Text("typ")
	jwk, isKey := o["jwk"].(canonical.Object)
	switch {
	case !slices.Contains(algs, Alg(alg)):
		return Header{}, Key{}, refuse(AlgUnknown)
	case typ == "":
		return Header{}, Key{}, refuse(Typ)
	case !isKey:
		return Header{}, Key{}, refuse(KeyUnfit)
	case len(o) != 3:
		return Header{}, Key{}, refuse(HeaderMember)
	}
	key, err := ownKey(jwk, Alg(alg), algs)
	return Header{Alg: Alg(alg), Type: mediaType(typ)}, key, err
}

// ownKey builds the key of a proof. An RSA key that names no algorithm is for
// the one that the header names; every other has one by its type.
func ownKey(jwk canonical.Object, alg Alg, algs []Alg) (Key, error) {
	if checkPublic(jwk) != nil || foreign(jwk, "sig", algs) != "" {
		return Key{}, refuse(KeyUnfit)
	}
	key, err := build(jwk)
	if err != nil {
		return Key{}, refuse(KeyUnfit)
	}
	if key.Alg() != alg {
		key, err = key.As(alg)
	}
	if err != nil {
		return Key{}, refuse(AlgMismatch)
	}
	return key, nil
}
