package jose_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/jose"
)

// The key and thumbprint of RFC 7638, section 3.1.
const rfc7638 = `{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`

// The keys of RFC 8037, appendix A.2, and RFC 7517, appendix A.1.
const (
	rfc8037 = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	rfc7517 = `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"sig","kid":"1"}`
)

func TestThumbprints(t *testing.T) {
	for jwk, want := range map[string]string{
		rfc7638: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", // RFC 7638, section 3.1
		rfc8037: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", // RFC 8037, appendix A.3
	} {
		if got := must(jose.ParseKey([]byte(jwk))).Thumbprint(); got != want {
			t.Errorf("thumbprint %s, want %s", got, want)
		}
	}
}

// The key and token of RFC 7515, appendix A.3.
func TestVerifyRFC7515Example(t *testing.T) {
	key := must(jose.ParseKey([]byte(`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`)))
	token := "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ." +
		"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
	v, err := accept(token, key, anyType)
	if iss, _ := v.Claims().Text("iss"); err != nil || iss != "joe" {
		t.Errorf("got %v, %v", v.Claims(), err)
	}
}

func TestMarshalledKeyIsCanonicalAndReadsBack(t *testing.T) {
	got := string(must(json.Marshal(must(jose.ParseKey([]byte(rfc7517))))))
	want := `{"alg":"ES256","crv":"P-256","kid":"1","kty":"EC","use":"sig","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, alg := range jose.Algs() {
		key := publicKey(alg, "k")
		var back jose.Key
		if err := json.Unmarshal(must(json.Marshal(key)), &back); err != nil || !back.Equal(key) || back.Thumbprint() != key.Thumbprint() {
			t.Errorf("%s: %v", alg, err)
		}
		if key.Equal(must(jose.NewKey(private(alg, true).Public(), alg, "k"))) || key.Equal(publicKey(alg, "l")) || key.Equal(jose.Key{}) {
			t.Errorf("%s: equal to another key", alg)
		}
	}
	var none struct{ K jose.Key }
	if err := json.Unmarshal(must(json.Marshal(none)), &none); err != nil || !none.K.IsZero() {
		t.Errorf("zero key: %+v, %v", none, err)
	}
}

func TestRSAKeyWithoutAlgorithm(t *testing.T) {
	bare := must(jose.ParseKey([]byte(strings.Replace(rfc7638, `"alg":"RS256",`, "", 1))))
	if bare.Alg() != jose.RS256 {
		t.Errorf("an RSA key without alg is for %q", bare.Alg())
	}
	pss, err := bare.As(jose.PS256)
	if err != nil || pss.Alg() != jose.PS256 || pss.Thumbprint() != bare.Thumbprint() || pss.KeyID() != bare.KeyID() {
		t.Errorf("as PS256: %+v, %v", pss, err)
	}
	_, err = pss.As(jose.RS256)
	wantRefused(t, "a second time", err, "by its own word")
	_, err = bare.As(jose.ES256)
	wantRefused(t, "as ES256", err, "RS256 or PS256")
	_, err = must(jose.ParseKey([]byte(rfc7638))).As(jose.PS256)
	wantRefused(t, "against its alg", err, "by its own word")
	_, err = jose.Key{}.As(jose.PS256)
	wantRefused(t, "no key", err, "missing")
}

func TestParseKeyRefuses(t *testing.T) {
	with := func(jwk, member string) string { return jwk[:len(jwk)-1] + "," + member + "}" }
	for _, jwk := range []string{rfc7638, rfc8037, rfc7517} {
		for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
			_, err := jose.ParseKey([]byte(with(jwk, `"`+member+`":null`)))
			wantRefused(t, member, err, "only public keys")
		}
		_, err := jose.ParseKey([]byte(with(jwk, `"key_ops":["sign"]`)))
		wantRefused(t, "key_ops", err, "key_ops")
		_, err = jose.ParseKey([]byte(with(jwk, `"key_ops":"verify"`)))
		wantRefused(t, "key_ops as text", err, "key_ops")
		_, err = jose.ParseKey([]byte(with(jwk, `"KTY":"oct"`)))
		wantRefused(t, "case variant", err, "appears twice")
		if _, err = jose.ParseKey([]byte(with(jwk, `"x5t":"abc","x5c":["MIIB"],"key_ops":["verify"],"nbf":1493763266`))); err != nil {
			t.Errorf("members that do not matter: %v", err)
		}
	}
	for text, jwk := range map[string]string{
		"symmetric":                       `{"kty":"oct","alg":"HS256"}`,
		"type or on a curve":              strings.Replace(rfc7517, "P-256", "P-384", 1),
		"curve that is not known":         strings.Replace(rfc8037, "Ed25519", "X25519", 1),
		"is of a type":                    `{"kty":"AKP","pub":"AAAA"}`,
		"by its use":                      strings.Replace(rfc7517, `"sig"`, `"enc"`, 1),
		"algorithm that is not known":     with(rfc7517, `"alg":"ES384"`),
		"P-256 and for ES256":             with(rfc7517, `"alg":"RS256"`),
		"its algorithm is EdDSA":          with(rfc8037, `"alg":"ES256"`),
		"its algorithm is RS256 or PS256": strings.Replace(rfc7638, `"RS256"`, `"ES256"`, 1),
		"not 32 bytes":                    strings.Replace(rfc7517, "MKBC", "KBC", 1),
		"not a point":                     strings.Replace(rfc7517, "MKBC", "NKBC", 1),
		"no member x in strict base64url": strings.Replace(rfc8037, `HURo"`, `HURo="`, 1),
		"no member n in strict":           strings.Replace(rfc7638, `"0vx7`, `"+vx7`, 1),
		"no member e in strict":           strings.Replace(rfc7638, `"AQAB"`, `""`, 1),
		"leading zeros":                   strings.Replace(rfc7638, `"AQAB"`, `"AAEAAQ"`, 1),
		"exponent beyond":                 strings.Replace(rfc7638, `"AQAB"`, `"AQAAAAE"`, 1),
		"odd exponent of 3":               strings.Replace(rfc7638, `"AQAB"`, `"AQ"`, 1),
		"without an odd exponent":         strings.Replace(rfc7638, `"AQAB"`, `"AQAA"`, 1),
		"exponent of 3 to 2^31-1":         strings.Replace(rfc7638, `"AQAB"`, `"gAAAAQ"`, 1),
		"without an odd modulus":          strings.Replace(rfc7638, `qDKgw"`, `qDKgg"`, 1),
		"2048 to 8192 bits":               strings.Replace(rfc7638, `"0vx7`, `"vx7w`, 1)[:198] + `","e":"AQAB"}`,
		"member kid that is not a text":   with(rfc8037, `"kid":1`),
		"member use that is not a text":   with(rfc8037, `"use":["sig"]`),
		"member alg that is not a text":   with(rfc8037, `"alg":null`),
		"kid of 257 bytes":                with(rfc8037, `"kid":"`+strings.Repeat("k", 257)+`"`),
		"larger than a JWK":               with(rfc8037, `"x5c":"`+strings.Repeat("A", 16<<10)+`"`),
		"is not an object":                `[]`,
	} {
		_, err := jose.ParseKey([]byte(jwk))
		wantRefused(t, jwk[:min(len(jwk), 60)], err, text)
	}
}

func TestNewKeyRefuses(t *testing.T) {
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	//lint:ignore SA1019 only the raw coordinates can name a point that is off the curve
	offCurve := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}
	huge := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 8192, 1), E: 65537}
	for name, key := range map[string]crypto.PublicKey{
		"P-384": &p384.PublicKey, "off the curve": offCurve, "short Ed25519": ed25519.PublicKey("short"), "huge RSA": huge,
		"weak RSA": &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 2046, 1), E: 65537}, "empty RSA": &rsa.PublicKey{},
		"nil": nil, "private": ecKey, "bytes": []byte("secret"),
	} {
		for _, alg := range append(jose.Algs(), "", "none", "HS256") {
			if k, err := jose.NewKey(key, alg, "k"); err == nil || !k.IsZero() {
				t.Errorf("%s for %s was taken", name, alg)
			}
		}
	}
	for _, alg := range jose.Algs() {
		for _, claimed := range []jose.Alg{"", "none", "HS256", "ES384"} {
			_, err := jose.NewKey(private(alg, false).Public(), claimed, "")
			wantRefused(t, fmt.Sprintf("%s key for %q", alg, claimed), err, "")
		}
	}
}

// The points of small order and their other encodings, as listed in "Taming the
// many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020), table 6b, and two that
// are no points. Under each of the first a forged signature can hold.
func TestEd25519KeysThatCannotSign(t *testing.T) {
	for _, point := range []string{
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"0200000000000000000000000000000000000000000000000000000000000000", // y=2 is off the curve
		"0700000000000000000000000000000000000000000000000000000000000000", // so is y=7
	} {
		_, err := jose.NewKey(ed25519.PublicKey(must(hex.DecodeString(point))), jose.EdDSA, "")
		wantRefused(t, point, err, "not a point")
	}
	for low := 0xed; low <= 0xff; low++ { // y not reduced, with either sign of x
		for _, high := range []byte{0x7f, 0xff} {
			point := append([]byte{byte(low)}, bytes.Repeat([]byte{0xff}, 31)...)
			point[31] = high
			_, err := jose.NewKey(ed25519.PublicKey(point), jose.EdDSA, "")
			wantRefused(t, hex.EncodeToString(point), err, "not a point")
		}
	}
	for range 50 {
		if _, err := jose.NewKey(newEd().Public(), jose.EdDSA, ""); err != nil {
			t.Fatal(err)
		}
	}
}

func TestParseKeySet(t *testing.T) {
	second := strings.Replace(rfc8037, "{", `{"kid":"2",`, 1)
	unlike := []string{
		`{"kty":"EC","crv":"P-384","kid":"1","x":"AA","y":"AA"}`, `{"kty":"AKP","alg":"ML-DSA-44","pub":"AA","kid":"2"}`,
		strings.Replace(rfc7517, `"sig"`, `"enc"`, 1), `{"kty":"OKP","crv":"X25519","x":"AA"}`, `{"kty":"new"}`,
	}
	set, err := jose.ParseKeySet([]byte(`{"keys":[` + rfc7638 + "," + second + "," + strings.Join(unlike, ",") + "," + rfc7517 + `],"extra":1}`))
	if err != nil || len(set.Keys()) != 3 {
		t.Fatalf("got %d keys, %v", len(set.Keys()), err)
	}
	for kid, alg := range map[string]jose.Alg{"1": jose.ES256, "2": jose.EdDSA, "2011-04-29": jose.RS256} {
		if k, err := set.Lookup(kid); err != nil || k.Alg() != alg || k.KeyID() != kid {
			t.Errorf("%s: %v, %v", kid, k.Alg(), err)
		}
	}
	for kid, want := range map[string]jose.Fault{"": jose.KidMissing, "3": jose.KidUnknown, "1 ": jose.KidUnknown} {
		_, err := set.Lookup(kid)
		wantFault(t, kid, err, want)
	}
	var back jose.KeySet
	if err := json.Unmarshal(must(json.Marshal(set)), &back); err != nil || len(back.Keys()) != 3 {
		t.Errorf("reading back: %v", err)
	}
}

func TestSmallKeySets(t *testing.T) {
	for _, jwk := range []string{rfc8037, rfc7517} {
		set := must(jose.ParseKeySet([]byte(`{"keys":[` + jwk + `]}`)))
		if _, err := set.Lookup(""); err != nil {
			t.Errorf("the only key without a kid in the header: %v", err)
		}
		_, err := set.Lookup("other")
		wantFault(t, "the only key under another kid", err, jose.KidUnknown)
	}
	for _, set := range []jose.KeySet{{}, must(jose.ParseKeySet([]byte(`{"keys":[]}`)))} {
		_, err := set.Lookup("")
		wantFault(t, "empty set", err, jose.KidMissing)
		_, err = set.Lookup("1")
		wantFault(t, "empty set", err, jose.KidUnknown)
		if text := string(must(json.Marshal(set))); text != `{"keys":[]}` {
			t.Errorf("empty set is %s", text)
		}
	}
}

func TestParseKeySetRefuses(t *testing.T) {
	many := strings.Repeat(`{"kty":"new"},`, 64)
	for text, jwks := range map[string]string{
		"two keys with the kid":    `{"keys":[` + rfc7517 + `,` + strings.Replace(rfc8037, "{", `{"kid":"1",`, 1) + `]}`,
		"one of them has no kid":   `{"keys":[` + rfc7517 + `,` + rfc8037 + `]}`,
		"is symmetric":             `{"keys":[` + rfc7517 + `,{"kty":"oct","k":"AAAA"}]}`,
		"private member d":         `{"keys":[` + strings.Replace(rfc7517, `"sig"`, `"enc","d":"AA"`, 1) + `]}`,
		"not a point":              `{"keys":[` + strings.Replace(rfc7517, "MKBC", "NKBC", 1) + `]}`,
		"no list of at most":       `{"keys":[` + many + rfc7517 + `]}`,
		"no list":                  `{"keys":{}}`,
		"no key at place 1":        `{"keys":[` + rfc7517 + `,"x"]}`,
		"set has no list":          `{}`,
		`"/Keys" appears twice`:    `{"keys":[],"Keys":[]}`,
		"bytes; the most is 65536": `{"keys":[]}` + strings.Repeat(" ", 64<<10),
		"is not an object":         `[]`,
	} {
		_, err := jose.ParseKeySet([]byte(jwks))
		wantRefused(t, jwks[:min(len(jwks), 60)], err, text)
	}
	_, err := jose.NewKeySet(publicKey(jose.ES256, "a"), jose.Key{})
	wantRefused(t, "missing key", err, "missing key")
}
