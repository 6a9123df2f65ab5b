package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	oracle "github.com/go-jose/go-jose/v4"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
)

var (
	p384 = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	p521 = must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
)

func svidKey(alg jose.Alg) crypto.Signer {
	switch alg {
	case jose.ES384:
		return p384
	case jose.ES512:
		return p521
	case jose.ES256:
		return ecKey
	default:
		return rsaKey
	}
}

var svidForm = jose.Form{Types: []string{"JWT"}, Use: jose.ForSVID}

// Every algorithm of JWT-SVIDs under every key: only its own verifies, and what
// go-jose signed we verify.
func TestSVIDAlgorithms(t *testing.T) {
	for _, alg := range jose.ForSVID.Algs() {
		header := map[oracle.HeaderKey]any{"kid": "k", "typ": "JWT"}
		token := foreignToken(alg, svidKey(alg), header, payload)
		for _, other := range jose.ForSVID.Algs() {
			key := must(jose.NewKey(svidKey(other).Public(), other, "k"))
			if _, err := accept(token, key, svidForm); (err == nil) != (alg == other) {
				t.Errorf("%s under a key for %s: %v", alg, other, err)
			}
		}
		key := must(jose.NewKey(svidKey(alg).Public(), alg, "k"))
		changed := []byte(token)
		changed[strings.LastIndexByte(token, '.')+5] ^= 1
		_, err := accept(string(changed), key, svidForm)
		if jose.FaultOf(err) != jose.Signature && jose.FaultOf(err) != jose.Base64 {
			t.Errorf("%s with a changed signature: %v", alg, err)
		}
		signature := token[strings.LastIndexByte(token, '.')+1:]
		for what, bad := range map[string]string{"short": signature[4:], "long": signature + "AAAA", "zero": strings.Repeat("A", len(signature))} {
			_, err := accept(token[:len(token)-len(signature)]+bad, key, svidForm)
			wantFault(t, fmt.Sprintf("%s with a %s signature", alg, what), err, jose.Signature)
		}
		_, err = jose.Parse(token, anyType)
		if general := jose.ForToken.Admits(alg); (err == nil) != general {
			t.Errorf("%s as a token in general: %v", alg, err)
		}
	}
	_, err := jose.Parse(foreignToken(jose.EdDSA, edKey, map[oracle.HeaderKey]any{"typ": "JWT"}, payload), svidForm)
	wantFault(t, "EdDSA", err, jose.AlgUnknown)
}

// Keys that sign only JWT-SVIDs are none of a key set in general.
func TestReadKey(t *testing.T) {
	for _, alg := range jose.ForSVID.Algs() {
		key := must(jose.NewKey(svidKey(alg).Public(), alg, "k"))
		text := must(json.Marshal(key))
		o := must(canonical.ParseObject(text))
		if set, err := jose.ParseKeySet([]byte(`{"keys":[` + string(text) + `]}`)); err != nil || len(set.Keys()) == 1 != jose.ForToken.Admits(alg) {
			t.Errorf("%s in a key set: %d keys, %v", alg, len(set.Keys()), err)
		}
		if read, known, err := jose.ReadKey(o, "sig", jose.ForSVID.Algs()); err != nil || !known || !read.Equal(key) {
			t.Errorf("%s: %v, %v", alg, known, err)
		}
		if _, known, err := jose.ReadKey(o, "jwt-svid", jose.ForSVID.Algs()); known || err != nil {
			t.Errorf("%s of another use: %v, %v", alg, known, err)
		}
		var theirs oracle.JSONWebKey
		if err := theirs.UnmarshalJSON(text); err != nil || b64(string(must(theirs.Thumbprint(crypto.SHA256)))) != key.Thumbprint() {
			t.Errorf("%s: go-jose says %v", alg, err)
		}
	}
	o := must(canonical.ParseObject(must(json.Marshal(must(jose.NewKey(p384.Public(), jose.ES384, "k"))))))
	o["alg"] = "RS256"
	_, _, err := jose.ReadKey(o, "sig", jose.ForSVID.Algs())
	wantRefused(t, "a P-384 key for RS256", err, "P-384")
	o["d"] = "AA"
	_, _, err = jose.ReadKey(o, "sig", jose.ForSVID.Algs())
	wantRefused(t, "a private key", err, "private")
}
