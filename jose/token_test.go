package jose_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"reflect"
	"strings"
	"testing"

	oracle "github.com/go-jose/go-jose/v4"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
)

// Every algorithm against every key: only the diagonal verifies.
func TestAlgorithmMatrix(t *testing.T) {
	for _, signed := range jose.Algs() {
		token := foreignToken(signed, private(signed, false), map[oracle.HeaderKey]any{"kid": "k", "typ": "JWT"}, payload)
		for _, held := range jose.Algs() {
			v, err := accept(token, publicKey(held, "k"), anyType)
			if signed != held {
				wantFault(t, fmt.Sprintf("%s under %s", signed, held), err, jose.AlgMismatch)
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", signed, err)
				continue
			}
			want := must(canonical.ParseObject([]byte(payload)))
			if !reflect.DeepEqual(v.Claims(), want) || v.Header() != (jose.Header{Alg: signed, KeyID: "k", Type: "jwt"}) ||
				v.Hash() != sha256.Sum256([]byte(token)) || !v.Key().Equal(publicKey(held, "k")) {
				t.Errorf("%s: got %+v", signed, v)
			}
		}
		_, err := accept(token, must(jose.NewKey(private(signed, true).Public(), signed, "k")), anyType)
		wantFault(t, string(signed)+" under a stranger's key", err, jose.Signature)
	}
}

// The header may not talk a key into another algorithm, even one it could do.
func TestHeaderCannotChooseTheAlgorithm(t *testing.T) {
	for _, claimed := range []string{"ES384", "none", "None", "NONE", "nOnE", "HS256", "EdDSA ", "es256", "ES256K", "Ed25519", "RSA-OAEP", ""} {
		token := esToken(`{"alg":"`+claimed+`","kid":"k"}`, payload)
		_, err := jose.Parse(token, anyType)
		want := jose.AlgUnknown
		if claimed == "" {
			want = jose.HeaderMember
		}
		wantFault(t, claimed, err, want)
	}
	token := esToken(`{"alg":"EdDSA","kid":"k"}`, payload)
	_, err := accept(token, publicKey(jose.ES256, "k"), anyType)
	wantFault(t, "header of EdDSA, signature of ES256", err, jose.AlgMismatch)
	_, err = accept(token, jose.Key{}, anyType)
	wantFault(t, "no key", err, jose.AlgMismatch)
	unsigned := b64(`{"alg":"none"}`) + "." + b64(payload) + "."
	_, err = jose.Parse(unsigned, anyType)
	wantFault(t, "unsigned", err, jose.AlgUnknown)
}

func TestHeaderRules(t *testing.T) {
	for header, want := range map[string]jose.Fault{
		`{"alg":"ES256","crit":["exp"]}`:                    jose.HeaderCrit,
		`{"alg":"ES256","crit":null}`:                       jose.HeaderCrit,
		`{"alg":"ES256","b64":true}`:                        jose.HeaderB64,
		`{"alg":"ES256","b64":false,"crit":["b64"]}`:        jose.HeaderCrit,
		`{"alg":"ES256","jku":"https://evil.example/keys"}`: jose.HeaderJKU,
		`{"alg":"ES256","jwk":{"kty":"EC"}}`:                jose.HeaderJWK,
		`{"alg":"ES256","x5u":"https://evil.example"}`:      jose.HeaderX5U,
		`{"alg":"ES256","x5c":[]}`:                          jose.HeaderX5C,
		`{"alg":"ES256","zip":"DEF"}`:                       jose.HeaderZip,
		`{"alg":"ES256","enc":"A256GCM"}`:                   jose.HeaderEnc,
		`{"alg":"ES256","cty":"JWT"}`:                       jose.HeaderMember,
		`{"alg":"ES256","x5t":"abc"}`:                       jose.HeaderMember, // its form says nothing of thumbprints
		`{"alg":"ES256","extra":1}`:                         jose.HeaderMember,
		`{"alg":"ES256","kid":7}`:                           jose.HeaderMember,
		`{"alg":"ES256","kid":null}`:                        jose.HeaderMember,
		`{"alg":"ES256","kid":""}`:                          jose.HeaderMember,
		`{"alg":"ES256","typ":["JWT"]}`:                     jose.HeaderMember,
		`{"alg":["ES256"]}`:                                 jose.HeaderMember,
		`{"ALG":"ES256"}`:                                   jose.HeaderMember,
		`{}`:                                                jose.AlgUnknown,
		`{"kid":"k"}`:                                       jose.AlgUnknown,
		`{"alg":"ES256","alg":"ES256"}`:                     jose.HeaderJSON,
		`{"alg":"ES256","Alg":"none"}`:                      jose.HeaderJSON,
		`{"alg":"ES256","a\u006cg":"none"}`:                 jose.HeaderJSON,
		`{"alg":"ES256"} ` + "\x00":                         jose.HeaderJSON,
		`{"alg":"ES256"`:                                    jose.HeaderJSON,
		`["ES256"]`:                                         jose.HeaderJSON,
		`null`:                                              jose.HeaderJSON,
		``:                                                  jose.HeaderJSON,
		`{"alg":"ES256","typ":"dpop+jwt"}`:                  jose.Typ,
		`{"alg":"ES256","typ":"application/at+jwt;v=1"}`:    jose.Typ,
		`{"alg":"ES256","typ":"application/"}`:              jose.Typ, // not an absent one
		`{"alg":"ES256","typ":"x/at+jwt"}`:                  jose.Typ,
	} {
		_, err := jose.Parse(esToken(header, payload), anyType)
		wantFault(t, header, err, want)
	}
}

func TestTypeMustBeAskedFor(t *testing.T) {
	for _, c := range []struct {
		typ   string
		types []string
		ok    bool
	}{
		{"at+jwt", []string{"at+jwt"}, true},
		{"AT+JWT", []string{"at+jwt"}, true},
		{"application/at+jwt", []string{"at+jwt"}, true},
		{"Application/At+Jwt", []string{"AT+jwt"}, true},
		{"JWT", []string{"at+jwt"}, false},
		{"", []string{"at+jwt"}, false},
		{"", []string{""}, true},
		{"JWT", []string{""}, false},
		{"at+jwt", nil, false},
		{"", nil, false},
	} {
		header := `{"alg":"ES256"}`
		if c.typ != "" {
			header = `{"alg":"ES256","typ":"` + c.typ + `"}`
		}
		_, err := accept(esToken(header, payload), publicKey(jose.ES256, "k"), jose.Form{Types: c.types})
		if c.ok && err != nil {
			t.Errorf("%q among %q: %v", c.typ, c.types, err)
		}
		if !c.ok {
			wantFault(t, fmt.Sprintf("%q among %q", c.typ, c.types), err, jose.Typ)
		}
	}
}

func TestPayloadRules(t *testing.T) {
	for _, text := range []string{
		``, `null`, `[]`, `"x"`, `1`, `{"iss":"a","iss":"b"}`, `{"iss":"a","ISS":"b"}`, `{"iss":"a"}{}`,
		"{\"iss\":\"\xff\"}", `{"iss":"\ud800"}`, strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40),
	} {
		_, err := jose.Parse(esToken(`{"alg":"ES256"}`, text), anyType)
		wantFault(t, text, err, jose.PayloadJSON)
	}
}

func TestFormOfTheText(t *testing.T) {
	good := esToken(`{"alg":"ES256","kid":"k"}`, payload)
	part := strings.Split(good, ".")
	for name, c := range map[string]struct {
		token string
		want  jose.Fault
	}{
		"empty":              {"", jose.Malformed},
		"one part":           {part[0], jose.Malformed},
		"two parts":          {part[0] + "." + part[1], jose.Malformed},
		"four parts":         {good + ".", jose.Malformed},
		"JWE":                {good + "..", jose.Encrypted},
		"JSON serialisation": {`{"payload":"` + part[1] + `","signatures":[{"protected":"` + part[0] + `","signature":"` + part[2] + `"}]}`, jose.Malformed},
		"JSON with dots":     {`{"payload":"a.b.c"}`, jose.Base64},
		"detached":           {part[0] + ".." + part[2], jose.PayloadJSON},
		"no header":          {"." + part[1] + "." + part[2], jose.HeaderJSON},
		"padded":             {part[0] + "=." + part[1] + "." + part[2], jose.Base64},
		"padded signature":   {good + "==", jose.Base64},
		"leading space":      {" " + good, jose.Base64},
		"trailing space":     {good + " ", jose.Base64},
		"trailing newline":   {good + "\n", jose.Base64},
		"inner newline":      {part[0] + ".\n" + part[1] + "." + part[2], jose.Base64},
		"inner CRLF":         {part[0] + "." + part[1][:4] + "\r\n" + part[1][4:] + "." + part[2], jose.Base64},
		"standard alphabet":  {part[0] + "." + part[1] + "." + "+/" + part[2][2:], jose.Base64},
		"not ASCII":          {part[0] + "." + part[1] + "." + part[2] + "é", jose.Base64},
		"stray bits":         {part[0] + "." + part[1] + "." + strayBits(part[2]), jose.Base64},
		"too large":          {good + strings.Repeat("A", jose.MaxToken), jose.TooLarge},
		"many dots":          {strings.Repeat(".", 1<<20), jose.TooLarge},
	} {
		_, err := jose.Parse(c.token, anyType)
		wantFault(t, name, err, c.want)
	}
	if _, err := jose.Parse(good, jose.Form{Types: []string{""}, MaxBytes: len(good)}); err != nil {
		t.Errorf("as long as the form allows: %v", err)
	}
	_, err := jose.Parse(good, jose.Form{Types: []string{""}, MaxBytes: len(good) - 1})
	wantFault(t, "one byte longer than the form allows", err, jose.TooLarge)
}

// strayBits gives another text that lax decoders read as the same 64 bytes: the
// last of 86 characters carries four bits that mean nothing.
func strayBits(signature string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(signature) - 1
	return signature[:last] + string(alphabet[strings.IndexByte(alphabet, signature[last])|1])
}

func TestSignatureRules(t *testing.T) {
	good := esToken(`{"alg":"ES256","kid":"k"}`, payload)
	cut := strings.LastIndexByte(good, '.')
	order := "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51"
	null, one := strings.Repeat("\x00", 32), strings.Repeat("\x00", 31)+"\x01"
	digest := sha256.Sum256([]byte(good[:cut]))
	raw := string(signature(jose.ES256, good[:cut]))
	der := string(must(ecKey.Sign(rand.Reader, digest[:], crypto.SHA256)))
	for name, text := range map[string]string{
		"empty": "", "psychic": null + null, "r zero": null + one, "s zero": one + null, "small": one + one,
		"r is the order": order + one, "s is the order": one + order, "both are the order": order + order,
		"short": one + one[1:], "long": one + one + "\x00", "DER": der, "s with a leading zero": raw[:32] + "\x00" + raw[32:], "all ones": strings.Repeat("\xff", 64),
	} {
		_, err := accept(good[:cut+1]+b64(text), publicKey(jose.ES256, "k"), anyType)
		wantFault(t, name, err, jose.Signature)
	}
	for _, alg := range jose.Algs() {
		token := foreignToken(alg, private(alg, false), nil, payload)
		for i := strings.IndexByte(token, '.') + 1; i < len(token); i += 97 {
			changed := []byte(token)
			changed[i] = 'A' + (changed[i]-'A'+1)%26
			if _, err := accept(string(changed), publicKey(alg, ""), anyType); err == nil {
				t.Errorf("%s: character %d changed and the token still verifies", alg, i)
			}
		}
	}
}

// RFC 7518, section 3.5: the salt is as long as the hash.
func TestPSSSaltLength(t *testing.T) {
	input := b64(`{"alg":"PS256"}`) + "." + b64(payload)
	digest := sha256.Sum256([]byte(input))
	for salt, want := range map[int]jose.Fault{32: "", 0: jose.Signature, 20: jose.Signature, 64: jose.Signature} {
		if salt == 0 {
			salt = rsa.PSSSaltLengthAuto
		}
		signature := must(rsa.SignPSS(rand.Reader, rsaKey, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: salt}))
		_, err := accept(input+"."+b64(string(signature)), publicKey(jose.PS256, ""), anyType)
		if jose.FaultOf(err) != want {
			t.Errorf("salt %d: %v", salt, err)
		}
	}
}

// N owners share a kid: a token verifies under its own owner's key alone.
func TestSharedKeyID(t *testing.T) {
	const owners = 6
	var sets [owners]jose.KeySet
	var tokens [owners]string
	for i := range owners {
		s := must(jose.NewSigner(newEC(), "shared"))
		sets[i] = must(jose.NewKeySet(s.Key(), must(jose.NewKey(edKey.Public(), jose.EdDSA, "second"))))
		tokens[i] = must(jose.Sign(s, "JWT", map[string]int{"owner": i}))
	}
	for i := range owners {
		for j := range owners {
			_, err := accept(tokens[i], must(sets[j].Lookup("shared")), anyType)
			if i == j && err != nil {
				t.Errorf("owner %d: %v", i, err)
			}
			if i != j {
				wantFault(t, fmt.Sprintf("token of %d under %d", i, j), err, jose.Signature)
			}
		}
	}
}

func TestKeyIDMustBeThatOfTheKey(t *testing.T) {
	token := esToken(`{"alg":"ES256","kid":"k"}`, payload)
	_, err := accept(token, publicKey(jose.ES256, "other"), anyType)
	wantFault(t, "another kid", err, jose.KidUnknown)
	for _, kid := range []string{"k", ""} {
		if _, err := accept(token, publicKey(jose.ES256, kid), anyType); err != nil {
			t.Errorf("kid %q: %v", kid, err)
		}
	}
}

func TestErrorsQuoteNoToken(t *testing.T) {
	const canary = "canary-7f3a"
	for _, token := range []string{
		canary, canary + "." + canary + "." + canary,
		esToken(`{"alg":"`+canary+`"}`, payload), esToken(`{"alg":"ES256","`+canary+`":1}`, payload),
		esToken(`{"alg":"ES256","typ":"`+canary+`"}`, payload), esToken(`{"`+canary+`"`, payload),
		esToken(`{"alg":"ES256"}`, `{"`+canary+`":1,"`+canary+`":"`+canary+`"}`),
		esToken(`{"alg":"ES256","kid":"`+canary+`"}`, `{}`),
	} {
		_, err := accept(token, publicKey(jose.ES256, "k"), anyType)
		for ; err != nil; err = unwrap(err) {
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("error quotes the token: %v", err)
			}
		}
	}
}

func unwrap(err error) error {
	if w, ok := err.(interface{ Unwrap() error }); ok {
		return w.Unwrap()
	}
	return nil
}
