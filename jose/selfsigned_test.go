package jose_test

import (
	"crypto"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	oracle "github.com/go-jose/go-jose/v4"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
)

var proofForm = jose.Form{Types: []string{"dpop+jwt"}}

// jwkOf is the public JWK of the one private key for alg, with its members as
// change has them; a null takes one away.
func jwkOf(alg jose.Alg, change string) string {
	var o, more map[string]any
	check(json.Unmarshal(must(json.Marshal(oracle.JSONWebKey{Key: private(alg, false).Public()})), &o))
	check(json.Unmarshal([]byte(change), &more))
	for name, v := range more {
		if o[name] = v; v == nil {
			delete(o, name)
		}
	}
	return string(must(json.Marshal(o)))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// selfSigned has this very header and a true signature of alg.
func selfSigned(alg jose.Alg, header string) string {
	input := b64(header) + "." + b64(payload)
	return input + "." + b64(string(signature(alg, input)))
}

func provenBy(proof string) (canonical.Object, error) {
	s, err := jose.ParseSelfSigned([]byte(proof), proofForm)
	if err != nil {
		return nil, err
	}
	return s.Verify()
}

func TestSelfSigned(t *testing.T) {
	want := must(canonical.ParseObject([]byte(payload)))
	for _, alg := range jose.Algs() {
		for _, change := range []string{`{}`, `{"alg":"` + string(alg) + `"}`, `{"kid":"k","use":"sig","key_ops":["verify"],"x":null}`} {
			if alg == jose.ES256 || alg == jose.EdDSA {
				change = strings.Replace(change, `,"x":null`, "", 1)
			}
			proof := selfSigned(alg, fmt.Sprintf(`{"typ":"dpop+jwt","alg":%q,"jwk":%s}`, alg, jwkOf(alg, change)))
			s, err := jose.ParseSelfSigned([]byte(proof), proofForm)
			if err != nil {
				t.Errorf("%s %s: %v", alg, change, err)
				continue
			}
			claims, err := s.Verify()
			if err != nil || !reflect.DeepEqual(claims, want) || s.Key().Thumbprint() != publicKey(alg, "").Thumbprint() {
				t.Errorf("%s %s: %v, key %s (%v)", alg, change, claims, s.Key().Thumbprint(), err)
			}
			_, err = jose.Parse(proof, jose.Form{Types: []string{"dpop+jwt"}})
			wantFault(t, "as a token", err, jose.HeaderJWK)
		}
	}
}

func TestSelfSignedRefuses(t *testing.T) {
	own := jwkOf(jose.ES256, `{}`)
	head := func(members string) string { return `{"typ":"dpop+jwt","alg":"ES256",` + members + `}` }
	key := func(change string) string { return head(`"jwk":` + jwkOf(jose.ES256, change)) }
	for header, want := range map[string]jose.Fault{
		`{"alg":"ES256","jwk":` + own + `}`:                  jose.Typ,
		`{"typ":"","alg":"ES256","jwk":` + own + `}`:         jose.Typ,
		`{"typ":7,"alg":"ES256","jwk":` + own + `}`:          jose.Typ,
		`{"typ":"JWT","alg":"ES256","jwk":` + own + `}`:      jose.Typ,
		`{"typ":"at+jwt","alg":"ES256","jwk":` + own + `}`:   jose.Typ,
		`{"typ":"dpop+jwt","jwk":` + own + `}`:               jose.AlgUnknown,
		`{"typ":"dpop+jwt","alg":"none","jwk":` + own + `}`:  jose.AlgUnknown,
		`{"typ":"dpop+jwt","alg":"HS256","jwk":` + own + `}`: jose.AlgUnknown,
		`{"typ":"dpop+jwt","alg":"ES384","jwk":` + own + `}`: jose.AlgUnknown,
		`{"typ":"dpop+jwt","alg":"EdDSA","jwk":` + own + `}`: jose.AlgMismatch,
		`{"typ":"dpop+jwt","alg":"RS256","jwk":` + own + `}`: jose.AlgMismatch,
		`{"typ":"dpop+jwt","alg":"ES256"}`:                   jose.KeyUnfit,
		`{"typ":"dpop+jwt","alg":"ES256","kid":"k"}`:         jose.KeyUnfit,
		head(`"jwk":null`):                                jose.KeyUnfit,
		head(`"jwk":"` + "x" + `"`):                       jose.KeyUnfit,
		head(`"jwk":[` + own + `]`):                       jose.KeyUnfit,
		head(`"jwk":{}`):                                  jose.KeyUnfit,
		head(`"jwk":{"keys":[` + own + `]}`):              jose.KeyUnfit,
		head(`"jwk":{"kty":"oct","k":"AAAA"}`):            jose.KeyUnfit,
		key(`{"d":"AAAA"}`):                               jose.KeyUnfit, // check 7
		key(`{"k":"AAAA"}`):                               jose.KeyUnfit,
		key(`{"use":"enc"}`):                              jose.KeyUnfit,
		key(`{"key_ops":["sign"]}`):                       jose.KeyUnfit,
		key(`{"alg":"RS256"}`):                            jose.KeyUnfit,
		key(`{"crv":"P-384"}`):                            jose.KeyUnfit,
		key(`{"x":"AAAA"}`):                               jose.KeyUnfit,
		key(`{"y":null}`):                                 jose.KeyUnfit,
		head(`"kid":"k","jwk":` + own):                    jose.HeaderMember,
		head(`"nonce":"n","jwk":` + own):                  jose.HeaderMember,
		head(`"crit":["exp"],"jwk":` + own):               jose.HeaderCrit,
		head(`"b64":true,"jwk":` + own):                   jose.HeaderB64,
		head(`"jku":"https://evil.example","jwk":` + own): jose.HeaderJKU,
		head(`"x5u":"https://evil.example","jwk":` + own): jose.HeaderX5U,
		head(`"x5c":[],"jwk":` + own):                     jose.HeaderX5C,
		head(`"zip":"DEF","jwk":` + own):                  jose.HeaderZip,
		head(`"enc":"A256GCM","jwk":` + own):              jose.HeaderEnc,
		head(`"jwk":` + own + `,"jwk":` + own):            jose.HeaderJSON,
		head(`"jwk":` + own + `,"JWK":` + own):            jose.HeaderJSON,
		head(`"jwk":{"kty":"EC","kty":"EC"}`):             jose.HeaderJSON,
		`null`:                                            jose.HeaderJSON,
		head(`"jwk":` + string(must(json.Marshal(oracle.JSONWebKey{Key: ecOther.Public()})))): jose.Signature, // check 6
	} {
		_, err := provenBy(selfSigned(jose.ES256, header))
		wantFault(t, header, err, want)
	}
	weak := string(must(json.Marshal(oracle.JSONWebKey{Key: newRSA(1024).Public()})))
	_, err := provenBy(selfSigned(jose.RS256, `{"typ":"dpop+jwt","alg":"RS256","jwk":`+weak+`}`))
	wantFault(t, "RSA of 1024 bits", err, jose.KeyUnfit)
	_, err = provenBy(selfSigned(jose.PS256, `{"typ":"dpop+jwt","alg":"PS256","jwk":`+jwkOf(jose.PS256, `{"alg":"RS256"}`)+`}`))
	wantFault(t, "RSA key for another algorithm by its own word", err, jose.AlgMismatch)
	good := selfSigned(jose.ES256, head(`"jwk":`+own))
	for name, proof := range map[string]string{
		"padded": good + "=", "two": good + "," + good, "space": " " + good, "four parts": good + ".", "JWE": good + "..", "empty": "",
	} {
		if _, err := provenBy(proof); jose.FaultOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A self-signed proof holds under the key it brings, and go-jose sees the same
// key and payload.
func FuzzSelfSigned(f *testing.F) {
	for _, alg := range jose.Algs() {
		f.Add(fmt.Sprintf(`{"typ":"dpop+jwt","alg":%q,"jwk":%s}`, alg, jwkOf(alg, `{}`)), payload, "")
	}
	f.Add(`{"typ":"dpop+jwt","alg":"ES256","jwk":`+jwkOf(jose.ES256, `{"d":"AA"}`)+`}`, payload, "=")
	f.Fuzz(func(t *testing.T, header, body, noise string) {
		for _, alg := range jose.Algs() {
			input := b64(header) + "." + b64(body)
			proof := input + "." + b64(string(signature(alg, input))) + noise
			s, err := jose.ParseSelfSigned([]byte(proof), proofForm)
			if err == nil {
				_, err = s.Verify()
			}
			if err != nil {
				if jose.FaultOf(err) == "" {
					t.Fatalf("%v has no fault", err)
				}
				continue
			}
			theirs, err := oracle.ParseSignedCompact(proof, []oracle.SignatureAlgorithm{oracle.SignatureAlgorithm(alg)})
			if err != nil {
				t.Fatalf("go-jose does not read %s: %v", proof, err)
			}
			key := theirs.Signatures[0].Header.JSONWebKey
			text, err := theirs.Verify(key)
			if err != nil || string(text) != body || b64(string(must(key.Thumbprint(crypto.SHA256)))) != s.Key().Thumbprint() {
				t.Fatalf("go-jose disagrees on %s: %v", proof, err)
			}
		}
	})
}
