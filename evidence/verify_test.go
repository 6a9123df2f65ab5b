package evidence_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

func TestGoodTokensOfEveryKindAndAlgorithm(t *testing.T) { // R24 (OIDC/JWT part)
	everyKind(t, func(t *testing.T, kind evidence.Kind, s signer, r registry) {
		token := mint(s, header(kind, s.key), claims(rxwIDP))
		ev, once, f := evidence.Verify(proof(kind, token), r, now, nil)
		if f != nil {
			t.Fatal(f)
		}
		client := map[evidence.Kind]string{evidence.AccessToken: "ward-app"}[kind]
		if ev.Participant != org("rxw") || ev.Issuer.String() != rxwIDP || ev.Namespace != "default" || ev.Subject != "910000000001" ||
			ev.Audience != records || ev.ClientID != client || ev.Class != trust.Human || ev.Assurance != (framework.Vector{3, 2}) ||
			ev.IssuedAt != now-60 || ev.ExpiresAt != now+240 || ev.AuthTime != now-3600 || ev.Kind != kind ||
			ev.KeyID != s.key.KeyID() || ev.Algorithm != string(s.key.Alg()) || ev.Thumbprint != s.key.Thumbprint() ||
			ev.Hash != sha256.Sum256([]byte(token)) || ev.Delegated || ev.Binding.Bound() {
			t.Errorf("evidence is %+v", ev)
		}
		switch {
		case kind == evidence.AccessToken && once != nil:
			t.Error("an access token gives a value to burn")
		case kind == evidence.IDToken && (len(once) != 1 || once[0].Expires != now+240 || once[0].Edge != org("rxw")):
			t.Errorf("values to burn are %v", once)
		}
	})
}

func TestForm(t *testing.T) {
	header := func(change object) func(evidence.Kind, signer) string {
		return func(kind evidence.Kind, s signer) string {
			return mint(s, with(header(kind, s.key), change), claims(rxwIDP))
		}
	}
	payload := func(change object) func(evidence.Kind, signer) string {
		return func(kind evidence.Kind, s signer) string {
			return mint(s, headerOf(kind, s), with(claims(rxwIDP), change))
		}
	}
	text := func(change func(string) string) func(evidence.Kind, signer) string {
		return func(kind evidence.Kind, s signer) string {
			return change(mint(s, headerOf(kind, s), claims(rxwIDP)))
		}
	}
	raw := func(change func([]byte) []byte) func(evidence.Kind, signer) string {
		return func(kind evidence.Kind, s signer) string {
			h, p := must(json.Marshal(headerOf(kind, s))), must(json.Marshal(claims(rxwIDP)))
			return mintRaw(s, h, change(p))
		}
	}
	cases := map[string]struct {
		token func(evidence.Kind, signer) string
		want  trust.Reason
	}{
		"empty":              {text(func(string) string { return "" }), trust.EvidenceMalformed},
		"two parts":          {text(func(s string) string { return s[:strings.LastIndexByte(s, '.')] }), trust.EvidenceMalformed},
		"JWE":                {text(func(s string) string { return s + ".e30.e30" }), trust.EvidenceMalformed},
		"JSON serialisation": {text(func(s string) string { return `{"payload":"` + s + `"}` }), trust.EvidenceMalformed},
		"over-long":          {payload(object{"padding": strings.Repeat("x", 16<<10)}), trust.EvidenceMalformed},
		"padding":            {text(func(s string) string { return s + "=" }), trust.EvidenceMalformed},
		"space":              {text(func(s string) string { return s + " " }), trust.EvidenceMalformed},
		"line break":         {text(func(s string) string { return s[:9] + "\n" + s[9:] }), trust.EvidenceMalformed},
		"standard alphabet":  {text(func(s string) string { return s[:len(s)-6] + "++//++" }), trust.EvidenceMalformed},
		"duplicate member":   {raw(func(p []byte) []byte { return append([]byte(`{"sub":"x",`), p[1:]...) }), trust.EvidenceMalformed},
		"case variant":       {raw(func(p []byte) []byte { return append([]byte(`{"SUB":"x",`), p[1:]...) }), trust.EvidenceMalformed},
		"trailing JSON":      {raw(func(p []byte) []byte { return append(p, '{', '}') }), trust.EvidenceMalformed},
		"not an object":      {raw(func([]byte) []byte { return []byte(`[1]`) }), trust.EvidenceMalformed},
		"lone surrogate":     {raw(func(p []byte) []byte { return append([]byte(`{"x":"\ud800",`), p[1:]...) }), trust.EvidenceMalformed},
		"deep": {raw(func(p []byte) []byte {
			return bytes.Replace(p, []byte(`{`), []byte(`{"x":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)+`,`), 1)
		}), trust.EvidenceMalformed},
		"alg none":              {header(object{"alg": "none"}), trust.TokenAlgorithm},
		"alg HS256":             {header(object{"alg": "HS256"}), trust.TokenAlgorithm},
		"alg absent":            {header(object{"alg": absent}), trust.TokenAlgorithm},
		"alg ES384":             {header(object{"alg": "ES384"}), trust.TokenAlgorithm},
		"crit":                  {header(object{"crit": []string{"exp"}}), trust.TokenHeader},
		"jku":                   {header(object{"jku": rxwIDP + "/jwks"}), trust.TokenHeader},
		"jwk":                   {header(object{"jwk": object{}}), trust.TokenHeader},
		"x5u":                   {header(object{"x5u": rxwIDP}), trust.TokenHeader},
		"x5c":                   {header(object{"x5c": []string{"MII"}}), trust.TokenHeader},
		"b64":                   {header(object{"b64": false}), trust.TokenHeader},
		"unknown header":        {header(object{"nonce": "x"}), trust.TokenHeader},
		"unknown kid":           {header(object{"kid": "k-other"}), trust.UnknownKey},
		"kid absent":            {header(object{"kid": absent}), trust.UnknownKey},
		"typ of a SET":          {header(object{"typ": "secevent+jwt"}), trust.TokenType},
		"typ of a statement":    {header(object{"typ": "entity-statement+jwt"}), trust.TokenType},
		"typ of DPoP":           {header(object{"typ": "dpop+jwt"}), trust.TokenType},
		"typ of ID-JAG":         {header(object{"typ": "oauth-id-jag+jwt"}), trust.TokenType},
		"typ near at+jwt":       {header(object{"typ": "at+jwt2"}), trust.TokenType},
		"signature of another":  {func(k evidence.Kind, s signer) string { return mint(other(s), headerOf(k, s), claims(rxwIDP)) }, trust.BadSignature},
		"signature empty":       {text(func(s string) string { return s[:strings.LastIndexByte(s, '.')+1] }), trust.BadSignature},
		"signature of zeros":    {text(func(s string) string { return s[:strings.LastIndexByte(s, '.')+1] + b64(make([]byte, 64)) }), trust.BadSignature},
		"payload changed":       {text(func(s string) string { return swapPayload(s, with(claims(rxwIDP), object{"sub": "x"})) }), trust.BadSignature},
		"act is only noted":     {payload(object{"act": object{"sub": "x"}}), ""},
		"cnf is only noted":     {payload(object{"cnf": object{"jkt": "x"}}), ""},
		"unknown claims are ok": {payload(object{"x": []any{1.5, nil, object{"y": true}}}), ""},
	}
	everyKind(t, func(t *testing.T, kind evidence.Kind, s signer, r registry) {
		for name, c := range cases {
			if got := reasonOf(t, proof(kind, c.token(kind, s)), r, now); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	})
}

func headerOf(kind evidence.Kind, s signer) object { return header(kind, s.key) }

// other is a different key of the same algorithm that claims the same kid.
func other(s signer) signer {
	if s.key.Alg() == jose.RS256 || s.key.Alg() == jose.PS256 {
		return signer{must(rsaOther(), nil), s.key}
	}
	return signer{newSigner(s.key.Alg(), "").private, s.key}
}

func swapPayload(token string, claims object) string {
	parts := strings.Split(token, ".")
	parts[1] = b64(must(json.Marshal(claims)))
	return strings.Join(parts, ".")
}

func TestTypesExcludeEachOther(t *testing.T) { // one token type used as another
	everyKind(t, func(t *testing.T, kind evidence.Kind, s signer, r registry) {
		for typ, good := range map[any]evidence.Kind{
			"at+jwt": evidence.AccessToken, "application/at+jwt": evidence.AccessToken,
			"JWT": evidence.IDToken, absent: evidence.IDToken,
		} {
			token := mint(s, with(headerOf(kind, s), object{"typ": typ}), claims(rxwIDP))
			got := reasonOf(t, proof(kind, token), r, now)
			if kind == good && got != "" || kind != good && got != trust.TokenType {
				t.Errorf("typ %v as %s: %q", typ, kind, got)
			}
		}
		if got := reasonOf(t, proof("urn:ietf:params:oauth:token-type:saml2", mint(s, headerOf(kind, s), claims(rxwIDP))), r, now); got != trust.EvidenceKind {
			t.Errorf("unknown kind: %q", got)
		}
	})
}

func TestClaims(t *testing.T) { // a missing claim never means unchecked
	wrong := map[string]any{"absent": absent, "null": nil, "true": true, "object": object{}, "empty array": []any{}, "two": []any{"a", "b"}}
	texts := map[string]any{"empty": "", "number": 7}
	dates := map[string]any{"text": "1790000000", "fraction": 1790000000.5, "exponent": 1.79e30, "zero": 0, "negative": -1, "beyond year 9999": int64(253402300800), "text array": []any{now}}
	required := map[evidence.Kind][]string{
		evidence.AccessToken: {"iss", "sub", "aud", "client_id", "jti"},
		evidence.IDToken:     {"iss", "sub", "aud"},
	}
	everyKind(t, func(t *testing.T, kind evidence.Kind, s signer, r registry) {
		check := func(claim, shape string, value any, want trust.Reason) {
			token := mint(s, headerOf(kind, s), with(claims(rxwIDP), object{claim: value}))
			if got := reasonOf(t, proof(kind, token), r, now); got != want {
				t.Errorf("%s %s: %q, want %q", claim, shape, got, want)
			}
		}
		for _, claim := range required[kind] {
			for shape, value := range wrong {
				want := trust.ClaimMissing
				switch {
				case claim == "iss":
					want = trust.EvidenceMalformed
				case claim == "aud" && shape == "two":
					want = trust.AudienceMultiple
				}
				check(claim, shape, value, want)
			}
			for shape, value := range texts {
				want := trust.ClaimMissing
				if claim == "iss" {
					want = trust.EvidenceMalformed
				}
				check(claim, shape, value, want)
			}
		}
		for _, claim := range []string{"iat", "exp", "auth_time", "nbf"} {
			for shape, value := range dates {
				check(claim, shape, value, trust.ClaimMissing)
			}
			for shape, value := range wrong {
				want := trust.ClaimMissing
				if shape == "absent" && (claim == "auth_time" || claim == "nbf") {
					want = ""
				}
				check(claim, shape, value, want)
			}
		}
		check("aud", "list of one", []any{records}, "")
		check("aud", "list of a number", []any{1}, trust.ClaimMissing)
		check("aud", "list of one empty", []any{""}, trust.ClaimMissing)
		check("aud", "twice the same", []any{records, records}, trust.AudienceMultiple)
		azp := map[evidence.Kind]trust.Reason{evidence.IDToken: trust.ClaimMissing}[kind]
		check("azp", "another", "ward-app", azp)
		check("azp", "wrong type", 1, azp)
		check("azp", "the audience", records, "")
	})
}

func TestTimes(t *testing.T) {
	for name, c := range map[string]struct {
		claims object
		want   trust.Reason
	}{
		"expired now":             {object{"exp": now}, trust.TokenExpired},
		"expires in a second":     {object{"exp": now + 1}, ""},
		"expired long ago":        {object{"exp": now - 10}, trust.TokenExpired},
		"exp is iat":              {object{"exp": now + 10, "iat": now + 10}, trust.ClaimMissing},
		"exp before iat":          {object{"exp": now + 10, "iat": now + 11}, trust.ClaimMissing},
		"issued at the leeway":    {object{"iat": now + evidence.Leeway}, ""},
		"issued behind it":        {object{"iat": now + evidence.Leeway + 1}, trust.TokenNotYetValid},
		"valid at the leeway":     {object{"nbf": now + evidence.Leeway}, ""},
		"valid behind it":         {object{"nbf": now + evidence.Leeway + 1}, trust.TokenNotYetValid},
		"signed in at the leeway": {object{"auth_time": now + evidence.Leeway}, ""},
		"signed in behind it":     {object{"auth_time": now + evidence.Leeway + 1}, trust.TokenNotYetValid},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSigner(jose.ES256, "k")
			r := registry{rxwIDP: own(rxwIDP, "rxw", s.key)}
			for _, kind := range evidence.Kinds() {
				token := mint(s, headerOf(kind, s), with(claims(rxwIDP), c.claims))
				if got := reasonOf(t, proof(kind, token), r, now); got != c.want {
					t.Errorf("%s: %q, want %q", kind, got, c.want)
				}
			}
		})
	}
}

func TestIssuerIsComparedByteByByte(t *testing.T) {
	s := newSigner(jose.ES256, "k")
	r := registry{rxwIDP: own(rxwIDP, "rxw", s.key)}
	for _, iss := range []string{
		rxwIDP + "/", rxwIDP + ":443", "https://IDP.rxw.example", "http://idp.rxw.example", rxwIDP + "?", rxwIDP + "#", " " + rxwIDP,
		rxwIDP + ".", "https://idp.rxw.example.evil.example", "https://idp.rxw.exampl\u0435", rxwIDP + "/.",
	} {
		token := mint(s, headerOf(evidence.AccessToken, s), claims(iss))
		if got := reasonOf(t, proof(evidence.AccessToken, token), r, now); got != trust.UnknownIssuer {
			t.Errorf("iss %q: %q", iss, got)
		}
	}
}

func TestKeysAreNeverPooled(t *testing.T) { // N issuers share a kid: only the diagonal verifies
	const n = 5
	signers, r := make([]signer, n), registry{}
	issuer := func(i int) string { return rxwIDP + "/" + string(rune('a'+i)) }
	for i := range signers {
		signers[i] = newSigner(jose.ES256, "shared")
		r[issuer(i)] = own(issuer(i), "rxw", signers[i].key)
	}
	for i := range n {
		for j, s := range signers {
			want := trust.BadSignature
			if i == j {
				want = ""
			}
			token := mint(s, headerOf(evidence.AccessToken, s), claims(issuer(i)))
			if got := reasonOf(t, proof(evidence.AccessToken, token), r, now); got != want {
				t.Errorf("issuer %d with the key of %d: %q, want %q", i, j, got, want)
			}
		}
	}
}

func TestAlgorithmComesFromTheKey(t *testing.T) { // every algorithm × every key type
	for _, have := range jose.Algs() {
		s := newSigner(have, "k")
		r := registry{rxwIDP: own(rxwIDP, "rxw", s.key)}
		for _, say := range jose.Algs() {
			want := trust.TokenAlgorithm
			if have == say {
				want = ""
			}
			token := mint(s, with(headerOf(evidence.IDToken, s), object{"alg": string(say)}), claims(rxwIDP))
			if got := reasonOf(t, proof(evidence.IDToken, token), r, now); got != want {
				t.Errorf("%s key, header %s: %q, want %q", have, say, got, want)
			}
		}
	}
}

func TestNationalIssuer(t *testing.T) {
	s := newSigner(jose.ES256, "k")
	r := registry{cis2: national(s.key, "rxw", "r0a")}
	twice := registry{cis2: national(s.key, "rxw", "rxw")}
	nobody := national(s.key, "rxw")
	nobody.Candidates = nil
	for name, c := range map[string]struct {
		r    registry
		code any
		want trust.Reason
	}{
		"ours":            {r, "R0A", ""},
		"another's":       {r, "RJE", trust.UnknownParticipant},
		"absent":          {r, absent, trust.UnknownParticipant},
		"empty":           {r, "", trust.UnknownParticipant},
		"near miss":       {r, "r0a", trust.UnknownParticipant},
		"a list":          {r, []any{"R0A"}, trust.UnknownParticipant},
		"a list of two":   {r, []any{"R0A", "RXW"}, trust.UnknownParticipant},
		"stated by two":   {twice, "RXW", trust.AmbiguousIssuer},
		"stated by none":  {registry{cis2: nobody}, "RXW", trust.UnknownIssuer},
		"empty candidate": {registry{cis2: emptyValue(s.key)}, "", trust.UnknownParticipant},
	} {
		token := mint(s, headerOf(evidence.AccessToken, s), with(claims(cis2), object{"org_code": c.code}))
		ev, _, f := evidence.Verify(proof(evidence.AccessToken, token), c.r, now, nil)
		switch {
		case f == nil && (c.want != "" || ev.Participant != org("r0a")):
			t.Errorf("%s: speaks for %s, want %q", name, ev.Participant, c.want)
		case f != nil && f.Reason != c.want:
			t.Errorf("%s: %q, want %q", name, f.Reason, c.want)
		}
	}
}

func emptyValue(key jose.Key) participant.Speaker {
	s := national(key, "rxw")
	s.Candidates[0].Value = ""
	return s
}

func TestIssuerStatedByTwo(t *testing.T) {
	s := newSigner(jose.ES256, "k")
	both := own(rxwIDP, "rxw", s.key)
	both.Candidates = append(both.Candidates, own(rxwIDP, "r0a", s.key).Candidates...)
	token := mint(s, headerOf(evidence.AccessToken, s), claims(rxwIDP))
	if got := reasonOf(t, proof(evidence.AccessToken, token), registry{rxwIDP: both}, now); got != trust.AmbiguousIssuer {
		t.Errorf("got %q", got)
	}
}

func TestClassIsTheFirstRuleThatMatches(t *testing.T) {
	s := newSigner(jose.ES256, "k")
	speaker := own(rxwIDP, "rxw", s.key)
	speaker.Candidates[0].Issuer.Classes = []participant.ClassRule{
		{Class: trust.Agent, Claim: "kind", Equals: "agent"}, {Class: trust.Workload, Claim: "kind", Equals: "7"},
		{Class: trust.Agent, Claim: "amr", Equals: ""}, {Class: trust.Human, Claim: "amr", Equals: "mfa"},
	}
	for name, c := range map[string]struct {
		claims object
		want   trust.Class
	}{
		"none": {object{}, ""}, "text": {object{"kind": "agent"}, trust.Agent}, "integer": {object{"kind": 7}, trust.Workload},
		"fraction": {object{"kind": 7.5}, ""}, "list": {object{"amr": []any{"pwd", "mfa"}}, trust.Human}, "empty text": {object{"amr": ""}, ""},
		"first": {object{"kind": "agent", "amr": []any{"mfa"}}, trust.Agent}, "object": {object{"kind": object{"agent": "agent"}}, ""},
	} {
		token := mint(s, headerOf(evidence.AccessToken, s), with(claims(rxwIDP), c.claims))
		ev, _, f := evidence.Verify(proof(evidence.AccessToken, token), registry{rxwIDP: speaker}, now, nil)
		if f != nil || ev.Class != c.want {
			t.Errorf("%s: class %q, want %q (%v)", name, ev.Class, c.want, f)
		}
	}
}

func TestActIsNoted(t *testing.T) {
	s := newSigner(jose.ES256, "k")
	r := registry{rxwIDP: own(rxwIDP, "rxw", s.key)}
	for _, v := range []any{nil, "x", object{}, object{"sub": "x"}} { // present in any shape
		token := mint(s, headerOf(evidence.AccessToken, s), with(claims(rxwIDP), object{"act": v}))
		if ev, _, f := evidence.Verify(proof(evidence.AccessToken, token), r, now, nil); f != nil || !ev.Delegated || ev.Chain == nil {
			t.Errorf("act %v: delegated %t (%v)", v, ev.Delegated, f)
		}
	}
}

func TestSecondSignatureIsTheSameUse(t *testing.T) { // ECDSA signatures are malleable
	s := newSigner(jose.ES256, "k")
	r := registry{rxwIDP: own(rxwIDP, "rxw", s.key)}
	token := mint(s, headerOf(evidence.IDToken, s), claims(rxwIDP))
	dot := strings.LastIndexByte(token, '.')
	signature := must(base64.RawURLEncoding.DecodeString(token[dot+1:]))
	v := new(big.Int).SetBytes(signature[32:])
	v.Sub(elliptic.P256().Params().N, v).FillBytes(signature[32:])
	twin := token[:dot+1] + b64(signature)
	_, first, f1 := evidence.Verify(proof(evidence.IDToken, token), r, now, nil)
	_, second, f2 := evidence.Verify(proof(evidence.IDToken, twin), r, now, nil)
	if f1 != nil || f2 != nil || twin == token || first[0] != second[0] {
		t.Errorf("values %v and %v (%v, %v), want one", first, second, f1, f2)
	}
}

// A kind of key that the registry ends is refused from that second on, whatever
// was checked before; the evidence until then says when.
func TestAKindOfKeyEnds(t *testing.T) {
	for alg, want := range map[jose.Alg]trust.Reason{jose.RS256: trust.AlgorithmEnded, jose.PS256: trust.AlgorithmEnded, jose.ES256: "", jose.EdDSA: ""} {
		s, ends, cache := newSigner(alg, "k"), int64(0), newMemory()
		if want != "" {
			ends = s.key.Ends()
		}
		day := max(ends, now)
		r := registry{rxwIDP: own(rxwIDP, "rxw", s.key)}
		token := mint(s, headerOf(evidence.AccessToken, s), with(claims(rxwIDP), object{"iat": day - 60, "exp": day + 240}))
		ev, _, f := evidence.Verify(proof(evidence.AccessToken, token), r, day-1, cache)
		if f != nil || ev.Ends != ends {
			t.Errorf("%s, a second before: ends at %d, %v", alg, ev.Ends, f)
		}
		_, _, f = evidence.Verify(proof(evidence.AccessToken, token), r, day, cache)
		if (f == nil) != (want == "") || f != nil && f.Reason != want {
			t.Errorf("%s, on the day: %v, want %q", alg, f, want)
		}
		early := mint(s, headerOf(evidence.AccessToken, s), claims(rxwIDP))
		if ev, _, f := evidence.Verify(proof(evidence.AccessToken, early), r, now, nil); f != nil || ev.Ends != 0 {
			t.Errorf("%s, long before: ends at %d, %v", alg, ev.Ends, f)
		}
		h := newHolder(alg)
		shown := &evidence.Shown{DPoP: []byte(mint(h.key, h.header(), with(h.claims(), object{"iat": day - 5}))), Method: "GET", URL: h.claims()["htu"].(string)}
		if _, f := evidence.Prove(shown, day-1); f != nil {
			t.Errorf("%s, a proof a second before: %v", alg, f)
		}
		if _, f := evidence.Prove(shown, day); (f == nil) != (want == "") {
			t.Errorf("%s, a proof on the day: %v", alg, f)
		}
	}
}
