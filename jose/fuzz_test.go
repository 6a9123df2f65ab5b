package jose_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"slices"
	"testing"

	oracle "github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// What we take as a token go-jose takes too, for the same payload; and what
// go-jose takes we take, where it is within our profile.
func FuzzToken(f *testing.F) {
	for _, alg := range jose.Algs() {
		f.Add([]byte(`{"alg":"`+string(alg)+`","kid":"k","typ":"JWT"}`), []byte(payload), uint16(0), "")
	}
	f.Add([]byte(` {"typ":"at+jwt", "alg" : "ES256"}`), []byte(`{"exp":1.5e3}`), uint16(40), "=")
	f.Add([]byte(`{"alg":"ES256","ALG":"none"}`), []byte(`{"a":1,"A":2}`), uint16(0), ".")
	f.Add([]byte(`{"payload":"","signatures":[]}`), []byte(`....`), uint16(0), "")
	f.Fuzz(func(t *testing.T, header, body []byte, at uint16, noise string) {
		input := b64(string(header)) + "." + b64(string(body))
		for _, alg := range named(header) {
			token := input + "." + b64(string(signature(alg, input)))
			place := int(at) % (len(token) + 1)
			token = token[:place] + noise + token[place:]
			v, err := accept(token, publicKey(alg, ""), anyType)
			if err != nil && jose.FaultOf(err) == "" {
				t.Fatalf("%v has no fault", err)
			}
			theirs, bad := oracle.ParseSignedCompact(token, []oracle.SignatureAlgorithm{oracle.SignatureAlgorithm(alg)})
			var text []byte
			if bad == nil {
				text, bad = theirs.Verify(private(alg, false).Public())
			}
			switch {
			case err == nil && (bad != nil || string(text) != string(body) || theirs.Signatures[0].Header.KeyID != v.Header().KeyID):
				t.Fatalf("go-jose disagrees on %s: %v", token, bad)
			case err != nil && bad == nil && noise == "" && withinProfile(header, body, alg):
				t.Fatalf("go-jose takes %s, and it is within our profile: %v", token, err)
			}
		}
	})
}

// named gives the algorithms whose names stand in a header, or one: a signature
// by RSA takes as long as a hundred others.
func named(header []byte) []jose.Alg {
	algs := slices.DeleteFunc(slices.Clone(jose.Algs()), func(alg jose.Alg) bool { return !bytes.Contains(header, []byte(alg)) })
	if len(algs) == 0 {
		return []jose.Alg{jose.ES256}
	}
	return algs
}

// withinProfile: strict JSON, of the header nothing but what a token may have.
func withinProfile(header, body []byte, alg jose.Alg) bool {
	head, err := canonical.ParseObject(header)
	if _, bad := canonical.ParseObject(body); err != nil || bad != nil || len(header)+len(body) > 8<<10 || head["alg"] != string(alg) {
		return false
	}
	for name, value := range head {
		text, ok := value.(string)
		known := name == "alg" || name == "kid" || name == "typ" && slices.Contains([]string{"JWT", "at+jwt"}, text)
		if !ok || text == "" || !known {
			return false
		}
	}
	return true
}

// A key that we take go-jose takes, with the same thumbprint, and it reads back
// the same; a key on P-256 that go-jose takes and writes we take.
func FuzzKey(f *testing.F) {
	for _, jwk := range []string{rfc7638, rfc8037, rfc7517} {
		f.Add([]byte(jwk))
	}
	f.Add([]byte(`{"keys":[` + rfc7638 + `,` + rfc7517 + `,{"kty":"EC","use":"enc"}]}`))
	f.Add([]byte(must(jose.NewKey(edKey.Public(), jose.EdDSA, "")).GovernanceText()))
	f.Add(must(json.Marshal(must(jose.NewKey(ecKey.Public(), jose.ES256, "k")))))
	f.Fuzz(func(t *testing.T, data []byte) {
		if key, err := jose.ParseKey(data); err == nil {
			sameKey(t, key)
		} else if trust.KindOf(err) != trust.Invalid {
			t.Fatalf("%v is not Invalid", err)
		}
		if key, err := jose.ParseGovernanceKey(string(data)); err == nil && (key.GovernanceText() != string(data) || key.KeyID() != key.Thumbprint()) {
			t.Fatalf("governance key %q reads back as %q", data, key.GovernanceText())
		}
		if set, err := jose.ParseKeySet(data); err == nil {
			for _, key := range set.Keys() {
				sameKey(t, key)
			}
			if _, err := jose.ParseKeySet(must(json.Marshal(set))); err != nil {
				t.Fatalf("reading back: %v", err)
			}
		}
		var theirs oracle.JSONWebKey
		if theirs.UnmarshalJSON(data) != nil || !theirs.Valid() || !theirs.IsPublic() {
			return
		}
		if public, ok := theirs.Key.(*ecdsa.PublicKey); ok && public.Curve == elliptic.P256() {
			text := must((&oracle.JSONWebKey{Key: public, Algorithm: "ES256", Use: "sig", KeyID: "k"}).MarshalJSON())
			if _, err := jose.ParseKey(text); err != nil {
				t.Fatalf("go-jose takes and writes %s: %v", text, err)
			}
		}
	})
}

func sameKey(t *testing.T, key jose.Key) {
	t.Helper()
	text := must(json.Marshal(key))
	var theirs oracle.JSONWebKey
	if err := theirs.UnmarshalJSON(text); err != nil || !theirs.Valid() || !theirs.IsPublic() {
		t.Fatalf("go-jose refuses %s: %v", text, err)
	}
	if sum := must(theirs.Thumbprint(crypto.SHA256)); base64.RawURLEncoding.EncodeToString(sum) != key.Thumbprint() {
		t.Fatalf("%s has another thumbprint", text)
	}
	if again, err := jose.ParseKey(text); err != nil || !again.Equal(key) {
		t.Fatalf("%s reads back as %v (%v)", text, again, err)
	}
}
