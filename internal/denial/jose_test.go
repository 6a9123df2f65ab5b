package denial_test

import (
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"filippo.io/mldsa/x509"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// form is what a kind of signed proof is like, for the cases that hold of every
// kind.
type form struct {
	types    []string // every spelling of typ that is right; "" is none
	signers  []*signer
	maxBytes int

	thumbprints bool // x5t and x5t#S256 may stand in the header
}

// joseCases are the cases of the JOSE layer: they hold for every signed token,
// whatever it says.
func joseCases(f form) []spoil {
	return slices.Concat(algorithmCases(f), typeCases(f), headerCases(f), kidCases(f), signatureCases(f), base64Cases(), formCases(f), jsonCases())
}

// Every algorithm name against every key that is registered.
func algorithmCases(f form) []spoil {
	c := cases{rule: "algorithm confusion"}
	names := []string{
		"ES256", "EdDSA", "RS256", "PS256", "none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "RS384", "RS512", "PS384", "PS512",
		"ES384", "ES512", "ES256K", "Ed25519", "Ed448", "es256", "ES256 ", " ES256", "RSA1_5", "RSA-OAEP", "dir", "A128KW", "ML-DSA-44", "SHA256withECDSA",
	}
	for _, s := range f.signers {
		for _, name := range names {
			if name == string(s.key.Alg()) {
				continue
			}
			c.add(fmt.Sprintf("%s under a key for %s", name, s.key.Alg()), trust.TokenAlgorithm, func(d *draft) {
				d.header["alg"], d.header["kid"], d.signer = name, s.key.KeyID(), s
			})
		}
		public := must(x509.MarshalPKIXPublicKey(s.private.Public()))
		jwk := string(must(s.key.MarshalJSON()))
		for what, secret := range map[string]string{
			"DER": string(public), "PEM": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})), "JWK": jwk, "nothing": "",
		} {
			c.add(fmt.Sprintf("HS256 with the %s of the %s key as secret", what, s.key.Alg()), trust.TokenAlgorithm, func(d *draft) {
				d.header["alg"], d.header["kid"], d.sign = "HS256", s.key.KeyID(), macWith(secret)
			})
		}
		// RS256 and PS256 are the same key: the signature must be of the key's own.
		for _, as := range []jose.Alg{jose.RS256, jose.PS256} {
			if s.key.Alg() != as && (s.key.Alg() == jose.RS256 || s.key.Alg() == jose.PS256) {
				c.add(fmt.Sprintf("signed as %s under a key for %s", as, s.key.Alg()), trust.BadSignature, func(d *draft) {
					d.header["alg"], d.header["kid"] = string(s.key.Alg()), s.key.KeyID()
					d.sign = func(input []byte) []byte { return signAs(as, s.private, input) }
				})
			}
		}
		c.add("control: "+string(s.key.Alg()), "", func(d *draft) {
			d.header["alg"], d.header["kid"], d.signer = string(s.key.Alg()), s.key.KeyID(), s
		})
	}
	for name, value := range map[string]any{"absent": absent, "null": nil, "empty": "", "a number": 256, "a list": []any{"ES256"}, "an object": object{"alg": "ES256"}, "true": true} {
		want := trust.TokenHeader
		if value == absent {
			want = trust.TokenAlgorithm
		}
		c.add("alg "+name, want, func(d *draft) { put(d.header, "alg", value) })
	}
	c.add("unsigned", trust.TokenAlgorithm, func(d *draft) {
		d.header["alg"] = "none"
		d.sign = func([]byte) []byte { return nil }
	})
	return c.all
}

// Every type of token against every path.
func typeCases(f form) []spoil {
	c := cases{rule: "one token type used as another"}
	all := []any{
		"at+jwt", "JWT", "entity-statement+jwt", "secevent+jwt", "oauth-id-jag+jwt", "txntoken+jwt", "statuslist+jwt", "wit+jwt", "wpt+jwt", "dpop+jwt",
		"client-authentication+jwt", "trust-mark+jwt", "trust-mark-delegation+jwt", "resolve-response+jwt", "jwk-set+jwt", "token-introspection+jwt",
		"logout+jwt", "kb+jwt", "dc+sd-jwt", "JOSE", "JOSE+JSON", "at+jwt ", " at+jwt", "at+jwt2", "at jwt", "at", "jwt+at", "at+jwt;v=1", "application/", "application",
		"application/application/at+jwt", "text/at+jwt", "x/at+jwt", "at+jwt\x00", "*", "application/*", absent,
	}
	for _, typ := range all {
		name, _ := typ.(string)
		if slices.Contains(f.types, strings.ToLower(name)) {
			c.add(fmt.Sprintf("control: typ %q", name), "", func(d *draft) { put(d.header, "typ", typ) })
			continue
		}
		c.add(fmt.Sprintf("typ %q", name), trust.TokenType, func(d *draft) { put(d.header, "typ", typ) })
	}
	for name, value := range map[string]any{"null": nil, "empty": "", "a number": 1, "a list": []any{f.types[0]}, "true": true} {
		c.add("typ "+name, trust.TokenHeader, func(d *draft) { d.header["typ"] = value })
	}
	if f.types[0] != "" {
		for _, typ := range []string{"application/" + f.types[0], strings.ToUpper(f.types[0]), "Application/" + f.types[0]} {
			c.add("control: typ "+typ, "", func(d *draft) { d.header["typ"] = typ })
		}
	}
	return c.all
}

// Nothing in a header brings a key, names one beyond its kid, or asks for more.
func headerCases(f form) []spoil {
	c := cases{rule: "embedded keys and other header members"}
	evil := newSigner(jose.ES256, "evil", false)
	jwk := object{}
	if err := jsonInto(string(must(evil.key.MarshalJSON())), &jwk); err != nil {
		panic(err)
	}
	for name, values := range map[string][]any{
		"jwk": {jwk, nil, object{}, "x"}, "jku": {"https://idp.rxw.example/jwks", "https://evil.example/jwks", "", nil}, "x5u": {"https://evil.example/c.pem", nil},
		"x5c": {[]any{"MIIB"}, []any{}, nil}, "x5t": {"", nil, 1, []any{"abc"}, object{}}, "x5t#S256": {"", nil, true, []any{"abc"}}, "X5T": {"abc"}, "x5t#s256": {"abc"}, "x5t#S512": {"abc"}, "crit": {[]any{}, []any{"exp"}, []any{"b64"}, []any{"alg"}, "exp", nil},
		"b64": {true, false, nil}, "zip": {"DEF", nil}, "enc": {"A256GCM", nil}, "cty": {"JWT", "x"}, "nonce": {"n"}, "url": {"https://records.rje.example"},
		"epk": {object{}}, "apu": {"x"}, "p2c": {1 << 30}, "iss": {"https://idp.rxw.example"}, "exp": {1}, "trust_chain": {[]any{"a.b.c"}}, "": {"x"}, "ALG": {"none"}, "Kid": {"x"},
		"extra": {nil, 1, "x", object{}, []any{}}, "svt": {"x"}, "ppt": {"shaken"}, "tag": {"x"}, "p2s": {"x"}, "iv": {"x"},
	} {
		for i, value := range values {
			want := trust.TokenHeader
			if name == "ALG" || name == "Kid" {
				want = trust.EvidenceMalformed // a case variant of a member that is there
			}
			c.add(fmt.Sprintf("%s, form %d", name, i), want, func(d *draft) { d.header[name] = value })
			if name == "jwk" || name == "jku" {
				c.add(fmt.Sprintf("%s, form %d, signed with that key", name, i), want, func(d *draft) {
					d.header[name], d.header["kid"], d.signer = value, "evil", evil
				})
			}
		}
	}
	for _, name := range []string{"x5t", "x5t#S256"} {
		// A thumbprint chooses no key: not beside the kid, and not in its place.
		if !f.thumbprints {
			c.add("a thumbprint in "+name, trust.TokenHeader, func(d *draft) { d.header[name] = f.signers[0].key.Thumbprint() })
			continue
		}
		c.add("control: a thumbprint in "+name, "", func(d *draft) { d.header[name] = "ykNaY4qM_ta4k2TgZOCEYLkcYlA" })
		c.add("a thumbprint in "+name+" and no kid", trust.UnknownKey, func(d *draft) {
			d.header[name] = f.signers[0].key.Thumbprint()
			delete(d.header, "kid")
		})
		c.add("a thumbprint in "+name+" and another kid", trust.UnknownKey, func(d *draft) {
			d.header[name], d.header["kid"] = f.signers[0].key.Thumbprint(), "unheard"
		})
		c.add("a thumbprint in "+name+", signed with that key", trust.BadSignature, func(d *draft) {
			d.header[name], d.signer = evil.key.Thumbprint(), evil
			d.header["alg"], d.header["kid"] = string(jose.ES256), kidOf(f, jose.ES256)
		})
	}
	return c.all
}

// kidOf gives the kid of the signer with an algorithm.
func kidOf(f form, alg jose.Alg) string {
	for _, s := range f.signers {
		if s.key.Alg() == alg {
			return s.key.KeyID()
		}
	}
	return ""
}

func kidCases(f form) []spoil {
	c := cases{rule: "loose matching: kid"}
	kid := f.signers[0].key.KeyID()
	for name, value := range map[string]any{
		"absent": absent, "in lower case": swapCase(kid), "with a space": kid + " ", "with a space before": " " + kid, "a prefix": kid[:len(kid)-1],
		"longer": kid + "0", "with NUL": kid + "\x00", "with a line feed": kid + "\n", "a path": "../" + kid, "an SQL word": "' OR '1'='1", "a URL": "https://evil.example/" + kid,
		"the thumbprint": f.signers[0].key.Thumbprint() + "x", "unheard": "unheard", "very long": strings.Repeat("k", 4096), "percent": strings.ReplaceAll(kid, kid[:1], fmt.Sprintf("%%%02x", kid[0])),
		"full width": string(rune(kid[0])+0xfee0) + kid[1:], "*": "*",
	} {
		c.add("kid "+name, trust.UnknownKey, func(d *draft) { put(d.header, "kid", value) })
	}
	for name, value := range map[string]any{"null": nil, "empty": "", "a number": 1, "a list": []any{kid}, "an object": object{"kid": kid}, "true": true} {
		c.add("kid "+name, trust.TokenHeader, func(d *draft) { d.header["kid"] = value })
	}
	return c.all
}

func swapCase(s string) string {
	if lower := strings.ToLower(s); lower != s {
		return lower
	}
	return strings.ToUpper(s)
}

// order is that of P-256.
var order, _ = new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)

func signatureCases(f form) []spoil {
	c := cases{rule: "signatures that do not hold"}
	pair := func(r, s *big.Int) func([]byte) []byte {
		return func([]byte) []byte {
			out := make([]byte, 64)
			r.FillBytes(out[:32])
			s.FillBytes(out[32:])
			return out
		}
	}
	n, one, none := order, big.NewInt(1), big.NewInt(0)
	psychic := map[string]func([]byte) []byte{
		"r and s zero": pair(none, none), "r zero": pair(none, one), "s zero": pair(one, none), "r and s one": pair(one, one), "r is the order": pair(n, one),
		"s is the order": pair(one, n), "both the order": pair(n, n), "all ones": pair(new(big.Int).Sub(new(big.Int).Lsh(one, 256), one), new(big.Int).Sub(new(big.Int).Lsh(one, 256), one)),
	}
	for _, s := range f.signers {
		alg := string(s.key.Alg())
		with := func(sign func([]byte) []byte) func(*draft) {
			return func(d *draft) { d.header["alg"], d.header["kid"], d.sign = alg, s.key.KeyID(), sign }
		}
		add := func(name string, sign func([]byte) []byte) { c.add(alg+": "+name, trust.BadSignature, with(sign)) }
		size := len(s.sign([]byte("x")))
		add("empty", func([]byte) []byte { return nil })
		add("one byte", func([]byte) []byte { return []byte{1} })
		add("zeros", func([]byte) []byte { return make([]byte, size) })
		add("cut by one", func(in []byte) []byte { return s.sign(in)[:size-1] })
		add("longer by a zero", func(in []byte) []byte { return append(s.sign(in), 0) })
		add("a zero before", func(in []byte) []byte { return append([]byte{0}, s.sign(in)...) })
		add("twice", func(in []byte) []byte { return slices.Repeat(s.sign(in), 2) })
		add("last bit flipped", func(in []byte) []byte { out := s.sign(in); out[size-1] ^= 1; return out })
		add("first bit flipped", func(in []byte) []byte { out := s.sign(in); out[0] ^= 0x80; return out })
		add("of the payload alone", func(in []byte) []byte { return s.sign(in[strings.IndexByte(string(in), '.')+1:]) })
		add("of another text", func(in []byte) []byte { return s.sign(append([]byte("entente card v1\n"), in...)) })
		stranger := newSigner(s.key.Alg(), s.key.KeyID(), true)
		add("of another key", stranger.sign)
		if s.key.Alg() != jose.ES256 {
			continue
		}
		for name, sign := range psychic {
			add(name, sign)
		}
		add("in DER", func(in []byte) []byte {
			out := s.sign(in)
			r, v := new(big.Int).SetBytes(out[:32]), new(big.Int).SetBytes(out[32:])
			return der(r, v)
		})
		add("s plus the order", func(in []byte) []byte {
			out := s.sign(in)
			v := new(big.Int).Add(new(big.Int).SetBytes(out[32:]), order)
			return append(out[:32], v.Bytes()...)
		})
		add("r and s exchanged", func(in []byte) []byte { out := s.sign(in); return slices.Concat(out[32:], out[:32]) })
		c.add(alg+": claims changed afterwards", trust.BadSignature, func(d *draft) {
			d.header["alg"], d.header["kid"], d.signer = alg, s.key.KeyID(), s
			more := d.copy()
			d.text = func(token string) string {
				p := strings.Split(token, ".")
				more.claims["changed"] = true
				return p[0] + "." + b64(render(more.claims)) + "." + p[2]
			}
		})
		c.add(alg+": header changed afterwards", trust.BadSignature, func(d *draft) {
			d.header["alg"], d.header["kid"], d.signer = alg, s.key.KeyID(), s
			more := d.copy()
			d.text = part0(func(string) string { return b64(" " + render(more.header)) })
		})
	}
	return c.all
}

func part0(change func(string) string) func(string) string {
	return func(token string) string {
		first, rest, _ := strings.Cut(token, ".")
		return change(first) + "." + rest
	}
}

func der(r, s *big.Int) []byte {
	integer := func(n *big.Int) []byte {
		b := n.Bytes()
		if b[0]&0x80 != 0 {
			b = append([]byte{0}, b...)
		}
		return append([]byte{2, byte(len(b))}, b...)
	}
	body := slices.Concat(integer(r), integer(s))
	return append([]byte{0x30, byte(len(body))}, body...)
}
