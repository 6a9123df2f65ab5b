package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"

	oracle "github.com/go-jose/go-jose/v4"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// One private key of each type, and two where a test needs a stranger.
var (
	ecKey, ecOther   = newEC(), newEC()
	edKey, edOther   = newEd(), newEd()
	rsaKey, rsaOther = newRSA(2048), newRSA(2048)
)

func newEC() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return must(k, err)
}

func newEd() ed25519.PrivateKey {
	_, k, err := ed25519.GenerateKey(rand.Reader)
	return must(k, err)
}

func newRSA(bits int) *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	return must(k, err)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// private gives the private key for alg; stranger another one of its type.
func private(alg jose.Alg, stranger bool) crypto.Signer {
	pair := map[jose.Alg][2]crypto.Signer{
		jose.ES256: {ecKey, ecOther}, jose.EdDSA: {edKey, edOther},
		jose.RS256: {rsaKey, rsaOther}, jose.PS256: {rsaKey, rsaOther},
	}[alg]
	if stranger {
		return pair[1]
	}
	return pair[0]
}

func publicKey(alg jose.Alg, kid string) jose.Key {
	return must(jose.NewKey(private(alg, false).Public(), alg, kid))
}

// foreignToken is a token that go-jose made: with its header, in its order.
func foreignToken(alg jose.Alg, key any, header map[oracle.HeaderKey]any, payload string) string {
	options := &oracle.SignerOptions{ExtraHeaders: header}
	s := must(oracle.NewSigner(oracle.SigningKey{Algorithm: oracle.SignatureAlgorithm(alg), Key: key}, options))
	return must(must(s.Sign([]byte(payload))).CompactSerialize())
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// esToken is a token with this very header and payload and a true ES256
// signature by the one key.
func esToken(header, payload string) string {
	input := b64(header) + "." + b64(payload)
	s := must(jose.NewSigner(ecKey, "k"))
	return input + "." + b64(string(must(s.Sign([]byte(input)))))
}

var anyType = jose.Form{Types: []string{"", "JWT", "at+jwt"}}

// accept runs the whole path.
func accept(token string, key jose.Key, form jose.Form) (jose.Verified, error) {
	u, err := jose.Parse(token, form)
	if err != nil {
		return jose.Verified{}, err
	}
	return u.Verify(key)
}

func wantFault(t *testing.T, what string, err error, want jose.Fault) {
	t.Helper()
	if jose.FaultOf(err) != want || trust.KindOf(err) != trust.Invalid {
		t.Errorf("%s: got %v (fault %q), want Invalid with fault %q", what, err, jose.FaultOf(err), want)
	}
}

// wantRefused is for keys and key sets.
func wantRefused(t *testing.T, what string, err error, text string) {
	t.Helper()
	if trust.KindOf(err) != trust.Invalid || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: got %v, want Invalid with %q", what, err, text)
	}
}

const payload = `{"iss":"https://login.rxw.example","sub":"f3b1c9de-4b57-4f08-a2b4-3d1f0e6e7a11","aud":["https://records.host.example"],
"exp":1790000300,"nbf":1790000000,"iat":1790000000,"jti":"b0d5a8f7c6e54c1e9a7d2f3b","client_id":"ward-portal","scope":"openid read",
"acr":"https://refeds.org/profile/mfa","amr":["pwd","hwk"],"sid":"08a5019c-17e1-4977-8f42-65a12843ea02",
"roles":["consultant"],"groups":["cardiology"],"purpose":"TREAT","cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}`
