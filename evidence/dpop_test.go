package evidence_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

const target = "https://records.rje.example/wards/w7/records/42"

// holder is a client with a key of its own and a token that is bound to it.
type holder struct {
	issuer, key signer
	registry    registry
	token       string
}

func newHolder(alg jose.Alg) holder {
	h := holder{issuer: newSigner(jose.ES256, "k"), key: newSigner(alg, "")}
	h.registry = registry{rxwIDP: own(rxwIDP, "rxw", h.issuer.key)}
	h.token = h.bound(object{"jkt": h.key.key.Thumbprint()})
	return h
}

func (h holder) bound(cnf any) string {
	return mint(h.issuer, headerOf(evidence.AccessToken, h.issuer), with(claims(rxwIDP), object{"cnf": cnf}))
}

func (h holder) header() object { return dpopHeader(h.key) }

func dpopHeader(s signer) object {
	var jwk object
	if err := json.Unmarshal(must(json.Marshal(s.key)), &jwk); err != nil {
		panic(err)
	}
	return object{"typ": "dpop+jwt", "alg": string(s.key.Alg()), "jwk": jwk}
}

// claims of a proof that is in order.
func (h holder) claims() object {
	return object{"jti": "3f9a", "htm": "GET", "htu": target, "iat": now - 5, "ath": hash(h.token)}
}

func (h holder) show(proof string) *evidence.Shown {
	return &evidence.Shown{DPoP: []byte(proof), Method: "GET", URL: target + "?part=1#top"}
}

// verify gives what becomes of the token beside what is shown.
func (h holder) verify(s *evidence.Shown) (evidence.Evidence, trust.Reason) {
	p := proof(evidence.AccessToken, h.token)
	p.Shown = s
	ev, _, f := evidence.Verify(p, h.registry, now, nil)
	if f != nil {
		return ev, f.Reason
	}
	return ev, ""
}

func TestDPoP(t *testing.T) {
	for _, alg := range jose.Algs() {
		h := newHolder(alg)
		ev, reason := h.verify(h.show(mint(h.key, h.header(), with(h.claims(), object{"nonce": "n"}))))
		b := ev.Binding
		if reason != "" || !b.Shown || b.Nonce != "n" || b.Once == nil || b.Once.Expires != now-5+evidence.ProofAge || b.Once.Edge != org("rxw") {
			t.Errorf("%s: %q, %+v", alg, reason, b)
		}
	}
}

// Every check of RFC 9449, section 4.3, that applies to a resource, by number.
// Check 1 is the enforcement point's and that of api/authzen, 10 the node's.
func TestDPoPRefuses(t *testing.T) {
	h, thief := newHolder(jose.ES256), newSigner(jose.ES256, "")
	good := mint(h.key, h.header(), h.claims())
	claim := func(change object) string { return mint(h.key, h.header(), with(h.claims(), change)) }
	head := func(change object) string { return mint(h.key, with(h.header(), change), h.claims()) }
	private := with(h.header()["jwk"].(object), object{"d": b64(make([]byte, 32))})
	for name, c := range map[string]struct {
		proof string
		want  trust.Reason
	}{
		"good":                    {good, ""},
		"2 rubbish":               {"rubbish", trust.ProofBroken},
		"2 two":                   {good + ", " + good, trust.ProofBroken},
		"2 padded":                {good + "=", trust.ProofBroken},
		"2 JWE":                   {good + "..", trust.ProofBroken},
		"2 large":                 {claim(object{"more": strings.Repeat("x", 9<<10)}), trust.ProofBroken},
		"2 payload no object":     {mintRaw(h.key, must(json.Marshal(h.header())), []byte(`[]`)), trust.ProofBroken},
		"2 duplicate member":      {mintRaw(h.key, must(json.Marshal(h.header())), []byte(`{"jti":"a","jti":"b"}`)), trust.ProofBroken},
		"2 the token itself":      {h.token, trust.ProofBroken},
		"3 no jti":                {claim(object{"jti": absent}), trust.ProofBroken},
		"3 empty jti":             {claim(object{"jti": ""}), trust.ProofBroken},
		"3 jti a number":          {claim(object{"jti": 7}), trust.ProofBroken},
		"3 long jti":              {claim(object{"jti": strings.Repeat("j", 513)}), trust.ProofBroken},
		"3 no htm":                {claim(object{"htm": absent}), trust.ProofRequest},
		"3 no htu":                {claim(object{"htu": absent}), trust.ProofRequest},
		"3 no iat":                {claim(object{"iat": absent}), trust.ProofBroken},
		"3 no ath":                {claim(object{"ath": absent}), trust.ProofToken},
		"4 no typ":                {head(object{"typ": absent}), trust.ProofBroken},
		"4 typ of a token":        {head(object{"typ": "at+jwt"}), trust.ProofBroken},
		"4 typ JWT":               {head(object{"typ": "JWT"}), trust.ProofBroken},
		"5 no alg":                {head(object{"alg": absent}), trust.ProofBroken},
		"5 alg none":              {head(object{"alg": "none"}), trust.ProofBroken},
		"5 alg symmetric":         {head(object{"alg": "HS256"}), trust.ProofBroken},
		"5 alg of another key":    {head(object{"alg": "EdDSA"}), trust.ProofBroken},
		"5 no jwk":                {head(object{"jwk": absent}), trust.ProofBroken},
		"5 jwk unfit":             {head(object{"jwk": object{"kty": "EC"}}), trust.ProofBroken},
		"5 one member more":       {head(object{"kid": "k"}), trust.ProofBroken},
		"5 crit":                  {head(object{"crit": []any{"exp"}}), trust.ProofBroken},
		"6 signed by another":     {mint(thief, h.header(), h.claims()), trust.ProofBroken},
		"6 payload changed":       {swapPayload(good, with(h.claims(), object{"jti": "other"})), trust.ProofBroken},
		"7 private key":           {head(object{"jwk": private}), trust.ProofBroken},
		"8 htm of another method": {claim(object{"htm": "POST"}), trust.ProofRequest},
		"8 htm in lower case":     {claim(object{"htm": "get"}), trust.ProofRequest},
		"8 htm empty":             {claim(object{"htm": ""}), trust.ProofRequest},
		"8 htm a list":            {claim(object{"htm": []any{"GET"}}), trust.ProofRequest},
		"9 htu of another path":   {claim(object{"htu": target + "0"}), trust.ProofRequest},
		"9 htu of another host":   {claim(object{"htu": "https://letters.rje.example/wards/w7/records/42"}), trust.ProofRequest},
		"9 htu without TLS":       {claim(object{"htu": strings.Replace(target, "https", "http", 1)}), trust.ProofRequest},
		"9 htu relative":          {claim(object{"htu": "/wards/w7/records/42"}), trust.ProofRequest},
		"9 htu a number":          {claim(object{"htu": 7}), trust.ProofRequest},
		"9 htu with a query":      {claim(object{"htu": target + "?part=2"}), ""},
		"9 htu of another case":   {claim(object{"htu": strings.Replace(target, "https://records", "HTTPS://Records", 1)}), ""},
		"9 htu with the port":     {claim(object{"htu": strings.Replace(target, ".example", ".example:443", 1)}), ""},
		"9 htu with dot segments": {claim(object{"htu": strings.Replace(target, "/wards", "/x/..//../wards", 1)}), ""},
		"10 empty nonce":          {claim(object{"nonce": ""}), trust.ProofBroken},
		"10 nonce a number":       {claim(object{"nonce": 7}), trust.ProofBroken},
		"10 long nonce":           {claim(object{"nonce": strings.Repeat("n", 513)}), trust.ProofBroken},
		"11 a minute old":         {claim(object{"iat": now - evidence.ProofAge}), trust.ProofTime},
		"11 a second less":        {claim(object{"iat": now - evidence.ProofAge + 1}), ""},
		"11 at the leeway":        {claim(object{"iat": now + evidence.Leeway}), ""},
		"11 past the leeway":      {claim(object{"iat": now + evidence.Leeway + 1}), trust.ProofTime},
		"11 iat a fraction":       {claim(object{"iat": float64(now) - 0.5}), trust.ProofBroken},
		"11 iat a text":           {claim(object{"iat": "1790000000"}), trust.ProofBroken},
		"11 iat beyond time":      {claim(object{"iat": int64(1) << 60}), trust.ProofBroken},
		"11 iat negative":         {claim(object{"iat": -now}), trust.ProofBroken},
		"12 ath of another token": {claim(object{"ath": hash(h.token + "x")}), trust.ProofToken},
		"12 ath padded":           {claim(object{"ath": hash(h.token) + "="}), trust.ProofToken},
		"12 ath a list":           {claim(object{"ath": []any{hash(h.token)}}), trust.ProofToken},
		"12 another's key":        {mint(thief, dpopHeader(thief), h.claims()), trust.ProofKey},
	} {
		ev, reason := h.verify(h.show(c.proof))
		if reason != c.want || ev.Binding.Shown != (c.want == "") || (ev.Binding.Once != nil) != (c.want == "") {
			t.Errorf("%s: %q, want %q (%+v)", name, reason, c.want, ev.Binding)
		}
	}
}

// What a token is bound to, and what is shown of it.
func TestDPoPAndBinding(t *testing.T) {
	h := newHolder(jose.ES256)
	jkt := h.key.key.Thumbprint()
	for name, c := range map[string]struct {
		cnf         any
		certificate string
		proves      bool
		shown       bool
		want        trust.Reason
	}{
		"key and proof":                     {object{"jkt": jkt}, "", true, true, ""},
		"key and no proof":                  {object{"jkt": jkt}, "", false, false, ""},
		"key, and a certificate alone":      {object{"jkt": jkt}, "cert", false, false, ""},
		"key and proof, and a certificate":  {object{"jkt": jkt}, "cert", true, true, ""},
		"both":                              {object{"jkt": jkt, "x5t#S256": hash("cert")}, "cert", true, true, ""},
		"both, and no certificate":          {object{"jkt": jkt, "x5t#S256": hash("cert")}, "", true, false, ""},
		"both, and another's certificate":   {object{"jkt": jkt, "x5t#S256": hash("cert")}, "other", true, false, trust.ProofKey},
		"a bearer's token and a proof":      {absent, "", true, false, trust.ProofUnbound},
		"a certificate's token and a proof": {object{"x5t#S256": hash("cert")}, "cert", true, false, trust.ProofUnbound},
		"what nobody can show, and a proof": {object{"kid": "k"}, "", true, false, ""},
		"another key's token":               {object{"jkt": hash("x")}, "", true, false, trust.ProofKey},
	} {
		h.token = h.bound(c.cnf)
		s := &evidence.Shown{}
		if c.proves {
			s = h.show(mint(h.key, h.header(), h.claims()))
		}
		s.Certificate = []byte(c.certificate)
		if ev, reason := h.verify(s); reason != c.want || ev.Binding.Shown != c.shown || (ev.Binding.Once != nil) != (c.shown && c.proves) {
			t.Errorf("%s: %q, %+v; want %q, shown %t", name, reason, ev.Binding, c.want, c.shown)
		}
	}
}

// The value to burn is the jti's and the key's: nobody uses up another's, and
// neither the request nor a second signature makes a further one.
func TestDPoPUsesOneValue(t *testing.T) {
	a, b := newHolder(jose.ES256), newHolder(jose.ES256)
	once := func(h holder, claims object) trust.Once {
		ev, reason := h.verify(h.show(mint(h.key, h.header(), claims)))
		if reason != "" {
			t.Fatal(reason)
		}
		return *ev.Binding.Once
	}
	first := once(a, a.claims())
	if again := once(a, with(a.claims(), object{"nonce": "n", "htu": target + "?x"})); again != first {
		t.Error("the same jti gives two values")
	}
	if once(a, with(a.claims(), object{"jti": "other"})).Key == first.Key || once(b, b.claims()).Key == first.Key {
		t.Error("two proofs share a value")
	}
}

// Prove is a proof by itself, as a token endpoint needs it.
func TestProve(t *testing.T) {
	h := newHolder(jose.ES256)
	p, f := evidence.Prove(h.show(mint(h.key, h.header(), with(h.claims(), object{"ath": absent, "nonce": "n"}))), now)
	if f != nil || p.Key != h.key.key.Thumbprint() || p.Nonce != "n" || p.Once(org("rxw")).Expires != now-5+evidence.ProofAge {
		t.Errorf("%+v, %v", p, f)
	}
	if _, f := evidence.Prove(&evidence.Shown{}, now); f == nil || f.Reason != trust.ProofBroken {
		t.Errorf("without a proof: %v", f)
	}
}

// FuzzDPoP: nothing but what the holder signed for this request is taken for a
// proof of it.
func FuzzDPoP(f *testing.F) {
	h := newHolder(jose.ES256)
	good := mint(h.key, h.header(), h.claims())
	for _, seed := range []string{good, good + "=", "..", mint(h.key, h.header(), with(h.claims(), object{"htu": "https://x/%2e%2E/?#"})), swapPayload(good, h.claims())} {
		f.Add(seed, "GET", target)
	}
	f.Fuzz(func(t *testing.T, proof, method, url string) {
		ev, reason := h.verify(&evidence.Shown{DPoP: []byte(proof), Method: method, URL: url})
		if ev.Binding.Shown && (signed(proof) != signed(good) || method != "GET" || !strings.HasPrefix(strings.ToLower(url), "https://records.rje.example")) {
			t.Fatalf("%s counts for %s %s", proof, method, url)
		}
		if proof != "" && ev.Binding.Shown != (reason == "") {
			t.Fatalf("shown %t with %q", ev.Binding.Shown, reason)
		}
	})
}
