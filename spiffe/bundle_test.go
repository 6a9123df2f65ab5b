package spiffe_test

import (
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/spiffe"
	"github.com/entente-id/entente/trust"
)

func jwtKey(kid string, with object) object {
	o := object{"use": "jwt-svid", "kid": kid}
	for name, v := range with {
		o[name] = v
	}
	return jwk(ec(elliptic.P256()).Public(), o)
}

// A bundle in order, with all that is to be left out of it.
func TestParseBundle(t *testing.T) {
	a, b := root("prod.rxw.example"), newCA(authorityTemplate("prod.rxw.example"), rsa2048(), nil)
	plain := authorityTemplate("upstream")
	plain.URIs = nil
	doc := document(object{"extra": 1},
		a.jwk(nil), b.jwk(nil), newCA(plain, ec(elliptic.P384()), nil).jwk(nil), a.jwk(nil),
		jwtKey("k1", nil), jwtKey("k2", object{"alg": "ES256"}),
		jwk(ec(elliptic.P384()).Public(), object{"use": "jwt-svid", "kid": "k3"}),
		jwk(ec(elliptic.P521()).Public(), object{"use": "jwt-svid", "kid": "k4"}),
		jwk(rsa2048().Public(), object{"use": "jwt-svid", "kid": "k5", "alg": "PS512"}),
		jwk(rsa2048().Public(), object{"use": "jwt-svid", "kid": "k6"}),
		// Left out: another use, none, and keys that sign no JWT-SVID.
		jwtKey("", object{"use": "wit-svid"}), jwtKey("x", object{"use": nil}), jwtKey("x", object{"use": "sig"}), jwtKey("x", object{"use": 1}),
		jwk(ed().Public(), object{"use": "jwt-svid", "kid": "ed"}), jwtKey("hs", object{"alg": "EdDSA"}),
	)
	got, err := spiffe.ParseBundle(rxw, doc)
	if err != nil || got.Unusable() != "" || got.Empty() {
		t.Fatalf("%v %s", err, got.Unusable())
	}
	if got.Sequence() != 7 || got.RefreshHint() != 60 || got.Authorities() != 3 || got.TrustDomain() != rxw {
		t.Errorf("sequence %d, hint %d, %d authorities", got.Sequence(), got.RefreshHint(), got.Authorities())
	}
	want := map[string]jose.Alg{"k1": jose.ES256, "k2": jose.ES256, "k3": jose.ES384, "k4": jose.ES512, "k5": jose.PS512, "k6": jose.RS256}
	for _, key := range got.Keys().Keys() {
		if want[key.KeyID()] != key.Alg() {
			t.Errorf("key %s is for %s", key.KeyID(), key.Alg())
		}
		delete(want, key.KeyID())
	}
	if len(want) > 0 {
		t.Errorf("left out: %v", want)
	}
	again := must(spiffe.ParseBundle(rxw, got.Document()))
	if string(again.Document()) != string(got.Document()) || again.Authorities() != 3 || len(again.Keys().Keys()) != 6 {
		t.Error("it does not read back")
	}
}

// Where keys cannot be used, every SVID of the trust domain is untrusted.
func TestUnusableKeys(t *testing.T) {
	a, other := root("prod.rxw.example"), root("prod.rxw.example")
	noCA, noSign, foreign, path, weak := authorityTemplate("x"), authorityTemplate("x"), authorityTemplate("x"), authorityTemplate("x"), authorityTemplate("x")
	noCA.IsCA, noSign.KeyUsage = false, x509.KeyUsageDigitalSignature
	noCA.URIs, noSign.URIs, weak.URIs = nil, nil, nil
	foreign.URIs, path.URIs = []*url.URL{uri("spiffe://prod.rje.example")}, []*url.URL{uri("spiffe://prod.rxw.example/ca")}
	text := base64.StdEncoding.EncodeToString(a.certificate.Raw)
	for what, keys := range map[string]any{
		"absent": nil, "null": jsonNull{}, "no list": object{}, "a text": "x", "too many": make([]object, 65), "no keys": []any{"x"},
		"a kid on an authority":        []object{a.jwk(object{"kid": "a"})},
		"no x5c":                       []object{a.jwk(object{"x5c": nil})},
		"an empty x5c":                 []object{a.jwk(object{"x5c": []string{}})},
		"two in x5c":                   []object{a.jwk(object{"x5c": []string{text, text}})},
		"x5c of another type":          []object{a.jwk(object{"x5c": text})},
		"x5c in base64url":             []object{a.jwk(object{"x5c": []string{b64(a.certificate.Raw)}})},
		"a line break in x5c":          []object{a.jwk(object{"x5c": []string{text[:8] + "\n" + text[8:]}})},
		"no certificate in x5c":        []object{a.jwk(object{"x5c": []string{"AAAA"}})},
		"something behind it":          []object{a.jwk(object{"x5c": []string{base64.StdEncoding.EncodeToString(append(der(a.certificate), 0))}})},
		"another key beside x5c":       []object{jwk(other.certificate.PublicKey, object{"use": "x509-svid", "x5c": []string{text}})},
		"no key beside x5c":            []object{{"use": "x509-svid", "x5c": []string{text}}},
		"no authority":                 []object{newCA(noCA, ec(elliptic.P256()), nil).jwk(nil)},
		"may not sign":                 []object{newCA(noSign, ec(elliptic.P256()), nil).jwk(nil)},
		"another trust domain's name":  []object{newCA(foreign, ec(elliptic.P256()), nil).jwk(nil)},
		"a path in its name":           []object{newCA(path, ec(elliptic.P256()), nil).jwk(nil)},
		"a weak RSA key":               []object{newCA(weak, rsa1024(), nil).jwk(nil)},
		"an unknown curve":             []object{newCA(weak, ec(elliptic.P224()), nil).jwk(nil)},
		"a private member":             []object{a.jwk(object{"d": "AA"})},
		"a JWT key without kid":        []object{jwtKey("", object{"kid": nil})},
		"a JWT key with an empty kid":  []object{jwtKey("", nil)},
		"two JWT keys of a kid":        []object{jwtKey("k", nil), jwtKey("k", nil)},
		"a private JWT key":            []object{jwtKey("k", object{"d": "AA"})},
		"a symmetric JWT key":          []object{{"use": "jwt-svid", "kid": "k", "kty": "oct", "k": "AAAA"}},
		"a JWT key off its curve":      []object{jwtKey("k", object{"x": b64(make([]byte, 32))})},
		"a weak JWT key":               []object{jwk(rsa1024().Public(), object{"use": "jwt-svid", "kid": "k"})},
		"one in order, one that isn't": []object{a.jwk(nil), jwtKey("k", object{"kid": nil})},
	} {
		with := object{"keys": keys}
		if _, null := keys.(jsonNull); null {
			with["keys"] = (*int)(nil)
		}
		got, err := spiffe.ParseBundle(rxw, document(with))
		if err != nil || got.Unusable() == "" || !got.Empty() || got.Sequence() != 7 {
			t.Errorf("%s: %v, unusable %q, empty %v", what, err, got.Unusable(), got.Empty())
		}
	}
	if got := must(spiffe.ParseBundle(rxw, document(nil))); !got.Empty() || got.Unusable() != "" {
		t.Errorf("an empty list: %q", got.Unusable())
	}
}

type jsonNull struct{}

func TestParseBundleRefuses(t *testing.T) {
	for what, doc := range map[string]string{
		"no JSON": "<html>", "a list": "[]", "twice the same": `{"keys":[],"keys":[]}`, "a case variant": `{"keys":[],"Keys":[]}`,
		"a negative sequence": `{"keys":[],"spiffe_sequence":-1}`, "a sequence in text": `{"keys":[],"spiffe_sequence":"1"}`,
		"half a sequence": `{"keys":[],"spiffe_sequence":1.5}`, "a null sequence": `{"keys":[],"spiffe_sequence":null}`,
		"a huge sequence": `{"keys":[],"spiffe_sequence":18446744073709551615}`, "a negative hint": `{"keys":[],"spiffe_refresh_hint":-1}`,
		"a hint in text": `{"keys":[],"spiffe_refresh_hint":"60"}`, "too large": `{"keys":[]}` + strings.Repeat(" ", 64<<10),
	} {
		if _, err := spiffe.ParseBundle(rxw, []byte(doc)); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, id := range []trust.IssuerID{{}, must(trust.ParseIssuerID("https://idp.rxw.example"))} {
		if _, err := spiffe.ParseBundle(id, document(nil)); trust.KindOf(err) != trust.Invalid {
			t.Errorf("a bundle of %q: %v", id, err)
		}
	}
}

// What we can use of a document go-spiffe reads too, with the same authorities
// and keys.
func FuzzParseBundle(f *testing.F) {
	a := root("prod.rxw.example")
	f.Add(document(nil, a.jwk(nil), jwtKey("k", nil)))
	f.Add(document(nil, a.jwk(object{"kid": "x"})))
	f.Add(document(object{"keys": nil}))
	f.Add(document(nil, jwk(rsa2048().Public(), object{"use": "jwt-svid", "kid": "r", "alg": "RS384"})))
	td := spiffeid.RequireTrustDomainFromString("prod.rxw.example")
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := spiffe.ParseBundle(rxw, data)
		if err != nil || got.Empty() {
			return
		}
		// Keys of no use that counts stay out of what is handed on, in whatever form.
		document := must(got.Publish(got.Sequence(), got.RefreshHint()))
		theirs, err := spiffebundle.Parse(td, document)
		if err != nil {
			t.Fatalf("go-spiffe refuses %s: %v", document, err)
		}
		if again := must(spiffe.ParseBundle(rxw, document)); again.Authorities() != got.Authorities() || len(again.Keys().Keys()) != len(got.Keys().Keys()) || again.Unusable() != "" {
			t.Fatalf("%s is handed on as %s", got.Document(), document)
		}
		for _, key := range got.Keys().Keys() {
			if !theirs.HasJWTAuthority(key.KeyID()) {
				t.Fatalf("go-spiffe has no key %q of %s", key.KeyID(), document)
			}
		}
		if got.Authorities() != len(theirs.X509Authorities()) {
			t.Fatalf("%d authorities, go-spiffe has %d of %s", got.Authorities(), len(theirs.X509Authorities()), document)
		}
		if n, stated := theirs.SequenceNumber(); stated && int64(n) != got.Sequence() {
			t.Fatalf("sequence %d, go-spiffe has %d", got.Sequence(), n)
		}
	})
}
