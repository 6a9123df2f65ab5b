package spiffe

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"maps"
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

const (
	maxBundle = 64 << 10 // bytes
	maxKeys   = 64
)

// The uses of a bundle's keys (SPIFFE Trust Domain and Bundle, section 4.2.2).
const (
	useX509 = "x509-svid"
	useJWT  = "jwt-svid"
)

// Bundle is what a trust domain publishes of itself: the authorities that sign
// its X509-SVIDs and the keys that sign its JWT-SVIDs. It is made only by
// ParseBundle; the zero value belongs to no trust domain and verifies nothing.
type Bundle struct {
	domain      trust.IssuerID
	sequence    int64
	hint        int64
	unusable    string
	authorities []*authority
	keys        jose.KeySet
	text        []byte
}

// authority is a certificate that X509-SVIDs of the trust domain lead to.
type authority struct {
	certificate *x509.Certificate
	key         jose.Key
}

// ParseBundle reads the bundle document of a trust domain: a JWK Set of at most
// 64 KiB and 64 keys with spiffe_sequence and spiffe_refresh_hint (SPIFFE Trust
// Domain and Bundle, section 4). Keys of another use, or of none, are left out,
// and so are those of a type that signs no SVID. Where keys is absent or is no
// list, or where one key of the two uses is not as the standard has it, nothing
// in it can be used and the bundle is Unusable: every SVID of the trust domain
// is untrusted, as under an empty one. It fails with Invalid for what is no
// bundle document at all.
func ParseBundle(domain trust.IssuerID, document []byte) (Bundle, error) {
	if !domain.TrustDomain() {
		return Bundle{}, trust.Errorf(trust.Invalid, "issuer %q is not a trust domain; only those have bundles", domain)
	}
	if len(document) > maxBundle {
		return Bundle{}, trust.Errorf(trust.Invalid, "bundle of %s has %d bytes; the most is %d", domain, len(document), maxBundle)
	}
	o, err := canonical.ParseObject(document)
	if err != nil {
		return Bundle{}, err
	}
	b := Bundle{domain: domain}
	for name, to := range map[string]*int64{"spiffe_sequence": &b.sequence, "spiffe_refresh_hint": &b.hint} {
		if _, stated := o[name]; !stated {
			continue
		}
		n, ok := o.Int(name)
		if !ok || n < 0 {
			return Bundle{}, trust.Errorf(trust.Invalid, "bundle of %s has a %s that is no whole number from 0 on", domain, name)
		}
		*to = n
	}
	if b.text, err = canonical.Marshal(o); err != nil {
		return Bundle{}, err
	}
	if err := b.readKeys(o); err != nil {
		b.authorities, b.keys, b.unusable = nil, jose.KeySet{}, err.Error()
	}
	return b, nil
}

func (b *Bundle) readKeys(o canonical.Object) error {
	list, ok := o["keys"].([]any)
	if !ok || len(list) > maxKeys {
		return trust.Errorf(trust.Invalid, "it has no list of at most %d keys", maxKeys)
	}
	var keys []jose.Key
	for i, v := range list {
		jwk, ok := v.(canonical.Object)
		if !ok {
			return trust.Errorf(trust.Invalid, "it has something that is no key at place %d", i)
		}
		var err error
		switch use, _ := jwk.Text("use"); use {
		case useX509:
			err = b.readAuthority(jwk)
		case useJWT:
			keys, err = readKey(jwk, keys)
		default:
		}
		if err != nil {
			return trust.Errorf(trust.Invalid, "its key at place %d is refused: %w", i, err)
		}
	}
	var err error
	b.keys, err = jose.NewKeySet(keys...)
	return err
}

// readKey reads a key that signs JWT-SVIDs (section 4.2.2 of the same).
func readKey(jwk canonical.Object, keys []jose.Key) ([]jose.Key, error) {
	if kid, ok := jwk.Text("kid"); !ok || kid == "" {
		return nil, trust.Errorf(trust.Invalid, "a key for JWT-SVIDs has a kid")
	}
	key, known, err := jose.ReadKey(jwk, useJWT, jose.ForSVID.Algs())
	if err != nil || !known {
		return keys, err
	}
	return append(keys, key), nil
}

// readAuthority reads a certificate that signs X509-SVIDs: the JWK has no kid,
// exactly one certificate, and the key of that certificate.
func (b *Bundle) readAuthority(jwk canonical.Object) error {
	if _, named := jwk["kid"]; named {
		return trust.Errorf(trust.Invalid, "an authority for X509-SVIDs has no kid")
	}
	chain, _ := jwk["x5c"].([]any)
	if len(chain) != 1 {
		return trust.Errorf(trust.Invalid, "an authority for X509-SVIDs has exactly one certificate in x5c")
	}
	text, _ := chain[0].(string)
	der, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || bytes.ContainsAny([]byte(text), "\r\n") {
		return trust.Errorf(trust.Invalid, "the certificate in x5c is not strict base64")
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return trust.Errorf(trust.Invalid, "the certificate in x5c cannot be read")
	}
	key, err := fit(certificate)
	if err != nil {
		return err
	}
	if err := checkAuthority(certificate, b.domain); err != nil {
		return err
	}
	stated, known, err := jose.ReadKey(jwk, useX509, []jose.Alg{key.Alg()})
	if err != nil {
		return err
	}
	if !known || stated.Thumbprint() != key.Thumbprint() {
		return trust.Errorf(trust.Invalid, "the key beside x5c is not that of the certificate")
	}
	for _, a := range b.authorities {
		if a.certificate.Equal(certificate) {
			return nil
		}
	}
	b.authorities = append(b.authorities, &authority{certificate, key})
	return nil
}

// TrustDomain gives whose bundle this is.
func (b Bundle) TrustDomain() trust.IssuerID { return b.domain }

// Sequence gives spiffe_sequence, 0 where none is stated. A document with a
// lower one than was seen before is an old one.
func (b Bundle) Sequence() int64 { return b.sequence }

// RefreshHint gives after how many seconds to look again, 0 where none is
// stated.
func (b Bundle) RefreshHint() int64 { return b.hint }

// Unusable says why nothing in the document could be used; "" of one that is in
// order, which may be empty.
func (b Bundle) Unusable() string { return b.unusable }

// Empty reports whether no SVID of the trust domain is trusted.
func (b Bundle) Empty() bool { return len(b.authorities) == 0 && len(b.keys.Keys()) == 0 }

// Authorities counts the certificates that X509-SVIDs may lead to.
func (b Bundle) Authorities() int { return len(b.authorities) }

// Keys gives the keys that sign JWT-SVIDs.
func (b Bundle) Keys() jose.KeySet { return b.keys }

// Publish gives the document that hands b on, in canonical form, under the
// sequence and the refresh hint (seconds) of whoever does: the authorities and
// keys that count, and nothing else.
func (b Bundle) Publish(sequence, hint int64) ([]byte, error) {
	keys := []any{}
	if o, err := canonical.ParseObject(b.text); err == nil && b.unusable == "" {
		list, _ := o["keys"].([]any)
		for _, v := range list {
			if jwk, ok := v.(canonical.Object); ok && counts(jwk) {
				maps.DeleteFunc(jwk, func(name string, _ any) bool { return !slices.Contains(published, name) })
				keys = append(keys, jwk)
			}
		}
	}
	return canonical.Marshal(canonical.Object{"keys": keys, "spiffe_sequence": sequence, "spiffe_refresh_hint": hint})
}

// published are the members of a key that others need.
var published = []string{"kty", "use", "kid", "alg", "crv", "x", "y", "n", "e", "x5c"}

// counts reports whether a key of a usable bundle is one that verifies.
func counts(jwk canonical.Object) bool {
	switch use, _ := jwk.Text("use"); use {
	case useX509:
		return true
	case useJWT:
		_, known, err := jose.ReadKey(jwk, useJWT, jose.ForSVID.Algs())
		return known && err == nil
	default:
		return false
	}
}

// Document gives the document in canonical form.
func (b Bundle) Document() []byte { return bytes.Clone(b.text) }

// MarshalJSON gives the document in canonical form; null for the zero value.
func (b Bundle) MarshalJSON() ([]byte, error) {
	if b.text == nil {
		return []byte("null"), nil
	}
	return b.Document(), nil
}
