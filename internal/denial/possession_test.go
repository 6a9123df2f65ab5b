package denial_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/api/oauth"
	"github.com/entente-id/entente/demo/records"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/pep"
	"github.com/entente-id/entente/trust"
)

// holding is a request of somebody who holds a key, a certificate or both: a
// token, and what is shown beside it.
type holding struct {
	token       *draft
	proof       *draft // nil: none is shown
	certificate string // DER
	method, url string // as the enforcement point states them
	again       string // a DPoP proof that was used before, instead of proof

	w    *world
	text string // the token, once it was rendered
}

// sealed is the token: no two signatures of a key are alike, so it is made once.
func (h *holding) sealed() string {
	if h.text == "" {
		h.text = h.token.token()
	}
	return h.text
}

// bound is one case: how the good request is spoiled, and the reason.
type bound struct {
	rule, name string
	do         func(*holding)
	want       trust.Reason
}

const (
	recordsURL = "https://records.rje.example"
	recordPath = "/wards/w7/records/42"
	clientCert = "a certificate in DER"
)

func thumb(s *signer) string { return s.key.Thumbprint() }

func hash64(text string) string {
	sum := sha256.Sum256([]byte(text))
	return b64(string(sum[:]))
}

// hold is a request in which everything is in order: a token bound to a key, and
// a proof by it.
func (w *world) hold(s *signer) *holding {
	h := &holding{w: w, token: w.good(profiles(w)[evidence.AccessToken]), method: http.MethodGet, url: recordsURL + recordPath}
	h.token.claims["cnf"] = object{"jkt": thumb(s)}
	h.proof = &draft{
		header: object{"typ": "dpop+jwt", "alg": string(s.key.Alg()), "jwk": publicJWK(s)}, signer: s,
		// What a proof need not have it may have: the cases of JSON repeat it.
		claims: object{"jti": fmt.Sprint("proof-", serial.Add(1)), "htm": h.method, "htu": h.url, "iat": w.host.Now(), "iss": "x", "aud": "x"},
	}
	return h
}

// publicJWK is the public key alone.
func publicJWK(s *signer) object {
	var o object
	if err := json.Unmarshal(must(s.key.MarshalJSON()), &o); err != nil {
		panic(err)
	}
	for _, name := range []string{"kid", "use", "alg"} {
		delete(o, name)
	}
	return o
}

// shown renders the request: the token, and context.proof.
func (h *holding) shown() (token string, proof object) {
	token = h.sealed()
	proof = object{}
	switch {
	case h.again != "":
		proof["dpop"], proof["htm"], proof["htu"] = h.again, h.method, h.url
	case h.proof != nil:
		switch ath, set := h.proof.claims["ath"]; {
		case !set:
			h.proof.claims["ath"] = hash64(token)
		case ath == absent:
			delete(h.proof.claims, "ath")
		}
		for name, value := range h.proof.claims {
			put(h.proof.claims, name, value) // which takes absent ones away
		}
		proof["dpop"], proof["htm"], proof["htu"] = h.proof.token(), h.method, h.url
	}
	if h.certificate != "" {
		proof["x5c"] = base64.StdEncoding.EncodeToString([]byte(h.certificate))
	}
	return token, proof
}

func (h *holding) question() object {
	token, proof := h.shown()
	q := question(evidence.AccessToken, token)
	if len(proof) > 0 {
		q["context"].(object)["proof"] = proof
	}
	return q
}

// asked gives the reason that a path gives for the request.
func (h *holding) asked(path string) (trust.Reason, error) {
	w, q := h.w, h.question()
	if path == "explanation" {
		answer := post(w.console, "/v1/explanations", w.admin, must(json.Marshal(object{"enforcement_point": "pep", "request": q})))
		var e node.Explanation
		if err := json.Unmarshal(answer.Body.Bytes(), &e); answer.Code != http.StatusOK || err != nil {
			return "", fmt.Errorf("answered %d %s", answer.Code, answer.Body)
		}
		return e.Reason, nil
	}
	answer := post(w.ask, "/access/v1/evaluation", w.point, must(json.Marshal(q)))
	var told told
	if err := json.Unmarshal(answer.Body.Bytes(), &told); answer.Code != http.StatusOK || err != nil {
		return "", fmt.Errorf("answered %d %s", answer.Code, answer.Body)
	}
	return told.Context.Reason, nil
}

// proofs are the cases of a proof of one key. Used are a token and a proof that
// were shown before.
func (w *world) proofs(s *signer, used [2]string) []bound {
	var all []bound
	rule := "DPoP proof"
	add := func(name string, want trust.Reason, do func(*holding)) {
		all = append(all, bound{rule, name, do, want})
	}
	proof := func(do func(*draft)) func(*holding) { return func(h *holding) { do(h.proof) } }
	claim := func(name string, value any) func(*holding) {
		return func(h *holding) { h.proof.claims[name] = value }
	}
	header := func(name string, value any) func(*holding) {
		return func(h *holding) { put(h.proof.header, name, value) }
	}
	thief := newSigner(jose.ES256, "", true)
	add("control: a proof by the key", "", func(*holding) {})

	// Whatever is wrong with a JOSE of any kind; only who vouches for the key differs.
	for _, c := range slices.Concat(base64Cases(), formCases(form{maxBytes: 8 << 10}), jsonCases()) {
		want := c.want
		if want != "" {
			want = trust.ProofBroken
		}
		add(c.rule+": "+c.name, want, func(h *holding) { h.proof.claims["ath"] = hash64(h.sealed()); c.do(h.proof) })
	}
	rule = "DPoP proof: header"
	for name, typ := range map[string]any{
		"absent": absent, "null": nil, "empty": "", "of a JWT": "JWT", "of an access token": "at+jwt", "of a signal": "secevent+jwt", "of a client": "client-authentication+jwt", "nearly right": "dpop+jwt2", "in a list": []any{"dpop+jwt"},
	} {
		add("typ "+name, trust.ProofBroken, header("typ", typ))
	}
	for _, name := range []string{"none", "None", "HS256", "HS512", "RS384", "ES384", "ES512", "ES256K", "Ed448", "es256", "", "dir", "RSA-OAEP"} {
		add("alg "+name, trust.ProofBroken, header("alg", name))
	}
	for _, alg := range jose.Algs() {
		if alg != s.key.Alg() {
			add("alg "+string(alg)+" under the key", trust.ProofBroken, header("alg", string(alg)))
		}
	}
	add("alg absent", trust.ProofBroken, header("alg", absent))
	for name, secret := range map[string]string{"the key": render(publicJWK(s)), "nothing": ""} {
		add("HS256 with "+name+" as the secret", trust.ProofBroken, proof(func(d *draft) { d.header["alg"], d.sign = "HS256", macWith(secret) }))
	}
	for name, key := range map[string]any{
		"absent": absent, "null": nil, "empty": object{}, "a text": "key", "a list": []any{publicJWK(s)}, "symmetric": object{"kty": "oct", "k": "c2VjcmV0"}, "of no type": object{"x": "AA"},
		"of another curve": object{"kty": "EC", "crv": "P-384", "x": b64(strings.Repeat("x", 48)), "y": b64(strings.Repeat("y", 48))},
		"off its curve":    object{"kty": "EC", "crv": "P-256", "x": b64(strings.Repeat("x", 32)), "y": b64(strings.Repeat("y", 32))},
		"a short RSA key":  object{"kty": "RSA", "e": "AQAB", "n": b64("\xff" + strings.Repeat("n", 126) + "\x01")},
		"with e = 1":       object{"kty": "RSA", "e": "AQ", "n": b64("\xff" + strings.Repeat("n", 254) + "\x01")},
	} {
		add("jwk "+name, trust.ProofBroken, header("jwk", key))
	}
	for _, name := range []string{"d", "p", "k"} {
		add("jwk with a private "+name, trust.ProofBroken, proof(func(d *draft) {
			jwk := publicJWK(s)
			jwk[name] = b64(strings.Repeat("d", 32))
			d.header["jwk"] = jwk
		}))
	}
	for _, name := range []string{"kid", "jku", "x5u", "x5c", "x5t", "crit", "b64", "zip", "enc", "cty", "nonce", "extra"} {
		add("header with "+name, trust.ProofBroken, header(name, "x"))
	}
	add("by another's key", trust.ProofKey, proof(func(d *draft) {
		d.header["alg"], d.header["jwk"], d.signer = string(thief.key.Alg()), publicJWK(thief), thief
	}))
	add("by another's key under the holder's", trust.ProofBroken, proof(func(d *draft) { d.sign = func(in []byte) []byte { return signAs(s.key.Alg(), thiefOf(s).private, in) } }))
	add("unsigned", trust.ProofBroken, proof(func(d *draft) { d.sign = func([]byte) []byte { return nil } }))
	add("with another's signature", trust.ProofBroken, proof(func(d *draft) { d.sign = func([]byte) []byte { return s.sign([]byte("something else")) } }))

	rule = "DPoP proof: request"
	for name, method := range map[string]any{"absent": absent, "null": nil, "empty": "", "another": "POST", "in lower case": "get", "with a space": "GET ", "a list": []any{"GET"}, "a number": 1, "longer": "GETS"} {
		add("htm "+name, trust.ProofRequest, claim("htm", method))
	}
	for name, url := range map[string]any{
		"absent": absent, "null": nil, "empty": "", "a list": []any{recordsURL + recordPath}, "of another host": "https://letters.rje.example" + recordPath, "of a host below": "https://x.records.rje.example" + recordPath,
		"of the host with a dot": "https://records.rje.example." + recordPath, "of another port": recordsURL + ":8443" + recordPath, "by http": "http://records.rje.example" + recordPath, "of another record": recordsURL + "/wards/w7/records/43",
		"of a prefix": recordsURL + "/wards/w7", "with a slash": recordsURL + recordPath + "/", "with an empty segment": recordsURL + "//wards/w7/records/42", "with the slash encoded": recordsURL + "/wards/w7/records%2F42",
		"of another case": recordsURL + "/Wards/w7/records/42", "with a user": "https://u@records.rje.example" + recordPath, "relative": recordPath, "without a scheme": "//records.rje.example" + recordPath,
		"with a space": recordsURL + recordPath + " ", "with a null byte": recordsURL + recordPath + "\x00", "with a backslash": recordsURL + `\wards\w7\records\42`, "out of the root": recordsURL + "/../../wards/w7/records/43",
	} {
		add("htu "+name, trust.ProofRequest, claim("htu", url))
	}
	for name, url := range map[string]string{
		"with a query": recordsURL + recordPath + "?x=1", "with a fragment": recordsURL + recordPath + "#x", "in capitals": "HTTPS://RECORDS.rje.example" + recordPath, "with the scheme's port": recordsURL + ":443" + recordPath,
		"with needless encoding": recordsURL + "/%77ards/w7/records/42", "with dot segments": recordsURL + "/wards/./x/../w7/records/42",
	} {
		add("control: htu "+name, "", claim("htu", url))
	}

	rule = "DPoP proof: times and single use"
	now := w.host.Now
	for name, iat := range map[string]any{"absent": absent, "null": nil, "a text": "1790000000", "a fraction": 1790000000.5, "zero": 0, "negative": -1, "true": true, "in the year 10000": int64(253402300800)} {
		add("iat "+name, trust.ProofBroken, claim("iat", iat))
	}
	for name, c := range map[string]struct {
		off  int64
		want trust.Reason
	}{
		"control: 50 s old": {-50, ""}, "a minute old": {-60, trust.ProofTime}, "a day old": {-86400, trust.ProofTime}, "control: 25 s ahead": {25, ""}, "40 s ahead": {40, trust.ProofTime},
		"in milliseconds": {1_790_000_000_000, trust.ProofBroken},
	} {
		add(name, c.want, func(h *holding) { h.proof.claims["iat"] = now() + c.off })
	}
	for name, jti := range map[string]any{"absent": absent, "null": nil, "empty": "", "a number": 7, "a list": []any{"x"}, "513 bytes": strings.Repeat("j", 513)} {
		add("jti "+name, trust.ProofBroken, claim("jti", jti))
	}
	add("control: jti of 512 bytes", "", func(h *holding) { h.proof.claims["jti"] = fmt.Sprintf("%0512d", serial.Add(1)) })
	for name, nonce := range map[string]any{"a number": 7, "null": nil, "empty": "", "a list": []any{"x"}, "513 bytes": strings.Repeat("n", 513)} {
		add("nonce "+name, trust.ProofBroken, claim("nonce", nonce))
	}
	recent := binary.BigEndian.AppendUint64(nil, uint64(now()-10))
	for name, nonce := range map[string]string{
		"made up": "AAAAAGcAAAAAAAAAAAAAAAAAAAAAAAAA", "made up lately": b64(string(recent) + strings.Repeat("x", 16)), "of a time alone": b64(string(recent)),
		"three bytes": "AAAA", "no base64": "!", "a word": "nonce", "all ones": strings.Repeat("_", 32),
	} {
		add("nonce "+name, trust.NonceStale, claim("nonce", nonce))
	}
	add("used before", trust.ProofReplayed, func(h *holding) { h.again, h.text = used[1], used[0] })

	rule = "DPoP proof: token"
	for name, ath := range map[string]any{"absent": absent, "null": nil, "empty": "", "of another token": hash64("another"), "of nothing": hash64(""), "a list": []any{"x"}, "a number": 7} {
		add("ath "+name, trust.ProofToken, claim("ath", ath))
	}
	for name, form := range map[string]func([]byte) string{"in hexadecimal": hex.EncodeToString, "padded": base64.URLEncoding.EncodeToString, "in plain base64": base64.StdEncoding.EncodeToString, "cut": func(b []byte) string { return b64(string(b[:16])) }} {
		add("ath "+name, trust.ProofToken, func(h *holding) {
			sum := sha256.Sum256([]byte(h.sealed()))
			h.proof.claims["ath"] = form(sum[:])
		})
	}
	add("for the token without its signature", trust.ProofToken, func(h *holding) {
		token := h.sealed()
		h.proof.claims["ath"] = hash64(token[:strings.LastIndexByte(token, '.')])
	})
	return all
}

// thiefOf is another key of the same kind.
func thiefOf(s *signer) *signer { return newSigner(s.key.Alg(), "", true) }

// bindings are the cases of what a token is bound to, and of what is shown for it.
func (w *world) bindings(s *signer) []bound {
	var all []bound
	rule := "bound tokens"
	add := func(name string, want trust.Reason, do func(*holding)) {
		all = append(all, bound{rule, name, do, want})
	}
	cnf := func(value any, more ...func(*holding)) func(*holding) {
		return func(h *holding) {
			put(h.token.claims, "cnf", value)
			for _, do := range more {
				do(h)
			}
		}
	}
	bare := func(h *holding) { h.proof = nil }
	shows := func(der string) func(*holding) {
		return func(h *holding) { h.certificate = der }
	}
	key, x5t := thumb(s), hash64(clientCert)
	add("key, nothing shown", trust.ProofMissing, bare)
	add("key, a certificate shown", trust.ProofMissing, cnf(object{"jkt": key}, bare, shows(clientCert)))
	add("control: certificate", "", cnf(object{"x5t#S256": x5t}, bare, shows(clientCert)))
	add("certificate, nothing shown", trust.ProofMissing, cnf(object{"x5t#S256": x5t}, bare))
	add("certificate, another shown", trust.ProofKey, cnf(object{"x5t#S256": x5t}, bare, shows("another certificate")))
	add("certificate, a byte more shown", trust.ProofKey, cnf(object{"x5t#S256": x5t}, bare, shows(clientCert+"\x00")))
	add("certificate, its hash shown", trust.ProofKey, cnf(object{"x5t#S256": x5t}, bare, shows(x5t)))
	add("certificate, a proof shown", trust.ProofUnbound, cnf(object{"x5t#S256": x5t}))
	add("certificate, a proof shown too", trust.ProofUnbound, cnf(object{"x5t#S256": x5t}, shows(clientCert)))
	both := object{"jkt": key, "x5t#S256": x5t}
	add("control: key and certificate", "", cnf(both, shows(clientCert)))
	add("key and certificate, only the proof shown", trust.ProofMissing, cnf(both))
	add("key and certificate, only the certificate shown", trust.ProofMissing, cnf(both, bare, shows(clientCert)))
	add("key and certificate, another certificate shown", trust.ProofKey, cnf(both, shows("another certificate")))
	add("key and certificate, nothing shown", trust.ProofMissing, cnf(both, bare))
	add("bearer, a proof shown", trust.ProofUnbound, cnf(absent))
	add("control: bearer, nothing shown", "", cnf(absent, bare))
	add("control: bearer, a certificate shown", "", cnf(absent, bare, shows(clientCert)))
	add("another key", trust.ProofKey, cnf(object{"jkt": thumb(newSigner(jose.EdDSA, "", true))}))
	add("the hash of the key's JWK", trust.ProofKey, cnf(object{"jkt": hash64(render(publicJWK(s)) + " ")}))
	rule = "bound tokens: what cannot be checked"
	for name, value := range map[string]any{
		"null": nil, "empty": object{}, "a text": key, "a list": []any{object{"jkt": key}}, "a number": 1, "jkt null": object{"jkt": nil}, "jkt empty": object{"jkt": ""}, "jkt cut": object{"jkt": key[:42]}, "jkt padded": object{"jkt": key + "="},
		"jkt in hexadecimal": object{"jkt": hex.EncodeToString([]byte(key)[:32])}, "jkt in a list": object{"jkt": []any{key}}, "jkt with stray bits": object{"jkt": key[:42] + "_"}, "jkt in capitals": object{"JKT": key},
		"a kid": object{"kid": key}, "a jwk": object{"jwk": publicJWK(s)}, "jkt and a kid": object{"jkt": key, "kid": "x"}, "jkt and osc": object{"jkt": key, "osc": object{}},
		"x5t of SHA-1": object{"x5t": hash64("x")[:27]}, "x5t#S256 cut": object{"x5t#S256": x5t[:42]}, "x5t#s256": object{"x5t#s256": x5t}, "jkt and x5t#S256 null": object{"jkt": key, "x5t#S256": nil},
	} {
		add("cnf "+name, trust.BindingUnsupported, cnf(value))
		add("cnf "+name+", nothing shown", trust.BindingUnsupported, cnf(value, bare))
	}
	return all
}

// RFC 9449 and RFC 8705: every rule of a proof and of a binding, on every path on
// which somebody shows what its token is bound to; and no path without.
func TestPossession(t *testing.T) {
	w := newWorld(t)
	front := must(records.New(records.Config{Config: pep.Config{Node: w.socket(t), Credential: w.point}, Token: string(evidence.AccessToken), URL: recordsURL})).Handler()
	h := oauth.New(w.host)
	uniform := w.exchanged(h, evidence.AccessToken, "rubbish").Body.String()
	inactive := w.introspected(h, "rubbish")
	var asked tally
	for i, alg := range []jose.Alg{jose.ES256, jose.EdDSA, jose.PS256} {
		s := newSigner(alg, "", false)
		first := w.hold(s)
		token, proof := first.shown()
		seen, _ := w.fronted(front, token, proof["dpop"].(string))
		if !strings.HasPrefix(seen, "200") {
			t.Fatalf("a good proof by %s: the service answers %s", alg, seen)
		}
		uniformSeen, _ := w.fronted(front, "rubbish", "rubbish")
		cases := w.proofs(s, [2]string{token, proof["dpop"].(string)})
		if i == 0 {
			cases = append(cases, w.bindings(s)...)
		} else { // what is wrong whatever the key
			cases = slices.DeleteFunc(cases, func(c bound) bool {
				return !strings.HasPrefix(c.rule, "DPoP proof: header") && c.rule != "DPoP proof: token"
			})
		}
		eachBound(t, cases, func(c bound) {
			want, name := c.want, fmt.Sprintf("%s: %s: %s", alg, c.rule, c.name)
			if want == "" {
				want = trust.Permit
			}
			fresh := func() *holding {
				h := w.hold(s)
				c.do(h)
				return h
			}
			if _, shown := fresh().shown(); shown["dpop"] == "" || !utf8.ValidString(fmt.Sprint(shown["dpop"])) {
				return // it cannot stand in a question
			}
			for _, path := range []string{"explanation", "evaluation"} {
				asked.one(path)
				if reason, err := fresh().asked(path); reason != want {
					t.Errorf("%s: %s gives %q (%v), want %s", name, path, reason, err, want)
				}
			}
			token, shown := fresh().shown()
			dpop, _ := shown["dpop"].(string)
			if dpop != "" && sayable(dpop) && shown["x5c"] == nil && want != trust.NonceStale {
				asked.one("service")
				if seen, reason := w.fronted(front, token, dpop); reason != want || (seen == uniformSeen) != (want != trust.Permit) {
					t.Errorf("%s: service gives %q, want %s; a stranger sees\n%s\nand with rubbish\n%s", name, reason, want, seen, uniformSeen)
				}
			}
			if _, bound := fresh().token.claims["cnf"]; bound {
				asked.one("exchange") // where nothing can be shown yet, no bound token is good
				if answer := w.exchanged(h, evidence.AccessToken, token); answer.Code != http.StatusBadRequest || answer.Body.String() != uniform {
					t.Errorf("%s: exchange answers %d %s", name, answer.Code, answer.Body)
				}
				asked.one("introspection")
				if got := w.introspected(h, token); got != inactive {
					t.Errorf("%s: introspection answers %s", name, got)
				}
			}
		})
	}
	asked.report(t)
}
