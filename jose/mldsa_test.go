package jose_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"filippo.io/mldsa"

	"github.com/entente-id/entente/jose"
)

// The example of RFC 9964: its key, its thumbprint as kid, its token.
func TestMLDSAOfTheStandard(t *testing.T) {
	var v struct {
		Seed, JWS string
		JWK       json.RawMessage
	}
	if err := json.Unmarshal(must(os.ReadFile("testdata/rfc9964_mldsa44.json")), &v); err != nil {
		t.Fatal(err)
	}
	key := must(jose.ParseAnyKey(v.JWK))
	if key.Alg() != jose.MLDSA44 || key.Thumbprint() != key.KeyID() {
		t.Errorf("key %q for %s has the thumbprint %s", key.KeyID(), key.Alg(), key.Thumbprint())
	}
	s := must(jose.NewSigner(must(mldsa.NewPrivateKey(mldsa.MLDSA44(), must(hex.DecodeString(v.Seed)))), ""))
	if !s.Key().Equal(key) {
		t.Errorf("the seed gives the key %s", must(s.Key().MarshalJSON()))
	}
	dot := strings.LastIndexByte(v.JWS, '.')
	input, signature := v.JWS[:dot], must(jose.Decode(v.JWS[dot+1:]))
	if !key.Holds([]byte(input), signature, nil) {
		t.Error("the signature does not hold")
	}
	if key.Holds([]byte(input+"x"), signature, nil) {
		t.Error("the signature holds over another text")
	}
}

// Signatures of Project Wycheproof, good and bad.
func TestMLDSAByWycheproof(t *testing.T) {
	var v struct {
		Tests []struct {
			TC                                  int
			Comment, Public, Message, Signature string
			Valid                               bool
		}
	}
	unzipped := must(gzip.NewReader(bytes.NewReader(must(os.ReadFile("testdata/wycheproof_mldsa44.json.gz")))))
	if err := json.NewDecoder(unzipped).Decode(&v); err != nil {
		t.Fatal(err)
	}
	good, bad := 0, 0
	for _, c := range v.Tests {
		jwk := fmt.Sprintf(`{"kty":"AKP","alg":"ML-DSA-44","pub":%q}`, b64(string(must(hex.DecodeString(c.Public)))))
		key, err := jose.ParseAnyKey([]byte(jwk))
		holds := err == nil && key.Holds(must(hex.DecodeString(c.Message)), must(hex.DecodeString(c.Signature)), nil)
		if holds != c.Valid {
			t.Errorf("test %d (%s): holds %v, %v", c.TC, c.Comment, holds, err)
		}
		if c.Valid {
			good++
		} else {
			bad++
		}
	}
	if good < 8 || bad < 8 {
		t.Errorf("only %d good and %d bad ones were tried", good, bad)
	}
}

// A key for ML-DSA-44 signs what nodes tell each other, and is none of an
// issuer's: as a partner's token it is refused, in a key set it is left out.
func TestMLDSAIsForNodes(t *testing.T) {
	s := must(jose.NewSigner(must(mldsa.GenerateKey(mldsa.MLDSA44())), "k"))
	token := must(jose.Sign(s, "JWT", map[string]any{"a": 1}))
	if token != must(jose.Sign(s, "JWT", map[string]any{"a": 1})) {
		t.Error("the same is signed twice differently")
	}
	for _, use := range jose.Uses() {
		_, err := accept(token, s.Key(), jose.Form{Types: []string{"JWT"}, Use: use})
		if node := use == jose.ForMessage || use == jose.ForStatement || use == jose.ForCheckpoint; (err == nil) != node {
			t.Errorf("for %s: %v", use, err)
		}
	}
	form := jose.Form{Types: []string{"JWT"}, Use: jose.ForMessage}
	changed := []byte(token)
	if i := len(changed) - 20; changed[i] == 'A' {
		changed[i] = 'B'
	} else {
		changed[i] = 'A'
	}
	_, err := accept(string(changed), s.Key(), form)
	wantFault(t, "a changed signature", err, jose.Signature)
	_, err = accept(token, publicKey(jose.EdDSA, "k"), form)
	wantFault(t, "under an Ed25519 key", err, jose.AlgMismatch)
	other := must(jose.NewSigner(must(mldsa.GenerateKey(mldsa.MLDSA44())), "k"))
	_, err = accept(token, other.Key(), form)
	wantFault(t, "under another key", err, jose.Signature)

	text := string(must(s.Key().MarshalJSON()))
	if back := must(jose.ParseAnyKey([]byte(text))); !back.Equal(s.Key()) {
		t.Error("the key does not come back")
	}
	_, err = jose.ParseKey([]byte(text))
	wantRefused(t, "as an issuer's", err, "algorithm that is not known here")
	if set := must(jose.ParseKeySet([]byte(`{"keys":[` + text + `]}`))); len(set.Keys()) != 0 {
		t.Error("it is a key of a set")
	}
	for what, jwk := range map[string]string{
		"no algorithm":      strings.Replace(text, `"alg":"ML-DSA-44",`, "", 1),
		"another algorithm": strings.Replace(text, "ML-DSA-44", "ML-DSA-65", 1),
		"a curve instead":   strings.Replace(text, `"alg":"ML-DSA-44"`, `"crv":"ML-DSA-44"`, 1),
		"EdDSA":             strings.Replace(text, "ML-DSA-44", "EdDSA", 1),
		"short":             strings.Replace(text, `"pub":"`, `"pub":"AAAA`, 1),
		"private":           strings.Replace(text, "{", `{"priv":"AAAA",`, 1),
	} {
		if key, err := jose.ParseAnyKey([]byte(jwk)); err == nil {
			t.Errorf("%s: %s", what, must(key.MarshalJSON()))
		}
	}
	if _, err := jose.NewSigner(must(mldsa.GenerateKey(mldsa.MLDSA65())), ""); err == nil {
		t.Error("a key for ML-DSA-65 signs")
	}
	if _, err := jose.NewKey(s.Key().Public(), jose.EdDSA, ""); err == nil {
		t.Error("it is a key for EdDSA")
	}
	if _, err := jose.SignBytes(s, "domain", nil); err == nil {
		t.Error("it signs a document")
	}
}

// A key of any use comes back as it was written, under the thumbprint of its
// parts alone.
func FuzzParseAnyKey(f *testing.F) {
	for _, alg := range jose.Algs() {
		f.Add(must(publicKey(alg, "k").MarshalJSON()))
	}
	f.Add(must(must(jose.NewSigner(must(mldsa.GenerateKey(mldsa.MLDSA44())), "k")).Key().MarshalJSON()))
	f.Add([]byte(`{"kty":"AKP","alg":"ML-DSA-44","pub":"AAAA"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := jose.ParseAnyKey(data)
		if err != nil {
			return
		}
		back, err := jose.ParseAnyKey(must(key.MarshalJSON()))
		if err != nil || !back.Equal(key) || back.Thumbprint() != key.Thumbprint() || len(key.Thumbprint()) != 43 {
			t.Fatalf("%s comes back as %v, %v", data, back, err)
		}
		if !slices.ContainsFunc(jose.Uses(), func(use jose.Use) bool { return use.Admits(key.Alg()) }) {
			t.Fatalf("nothing accepts %s", key.Alg())
		}
	})
}
