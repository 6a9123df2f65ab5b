package evidence_test

import (
	"strings"
	"testing"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
)

// FuzzVerify: nothing but what an issuer signed is ever accepted, whatever is
// done to its tokens, with a cache and without.
func FuzzVerify(f *testing.F) {
	r, genuine := registry{}, map[string]evidence.Kind{}
	for _, alg := range jose.Algs() {
		iss := rxwIDP + "/" + string(alg)
		s := newSigner(alg, "k")
		r[iss] = own(iss, "rxw", s.key)
		for _, kind := range evidence.Kinds() {
			token := mint(s, headerOf(kind, s), claims(iss))
			genuine[signed(token)] = kind
			f.Add(string(kind), token)
			f.Add(string(kind), token+"=")
			f.Add(string(kind), swapPayload(token, claims(iss+"/")))
		}
	}
	cache := newMemory()
	f.Fuzz(func(t *testing.T, kind, token string) {
		p := proof(evidence.Kind(kind), token)
		ev, _, refused := evidence.Verify(p, r, now, nil)
		again, _, refusedAgain := evidence.Verify(p, r, now, cache)
		if (refused == nil) != (refusedAgain == nil) || ev.Subject != again.Subject || ev.Hash != again.Hash {
			t.Fatalf("with a cache %v, without %v", refusedAgain, refused)
		}
		if refused == nil && genuine[signed(token)] != evidence.Kind(kind) {
			t.Fatalf("token that nobody signed as %s is accepted: %s", kind, token)
		}
		if refused != nil && (ev.Claims != nil || !strings.Contains(string(refused.Reason), ".")) {
			t.Fatalf("refusal %q gives claims away or has no check", refused.Reason)
		}
	})
}

// signed is what the signature covers: whoever holds an ES256 token can write a
// second valid signature under it.
func signed(token string) string { return token[:max(strings.LastIndexByte(token, '.'), 0)] }

// A refusal never quotes the token.
func TestFaultsNameNoContent(t *testing.T) {
	s := newSigner(jose.ES256, "k")
	r := registry{rxwIDP: own(rxwIDP, "rxw", s.key), cis2: national(s.key, "rxw")}
	canary := "canary-7f3c"
	for _, change := range []object{
		{"iss": "https://" + canary + ".example"}, {"iss": cis2, "org_code": canary}, {"sub": []any{canary}}, {"aud": []any{canary, canary}},
		{"exp": canary}, {"jti": object{"x": canary}}, {"client_id": 7, "sub": canary},
	} {
		token := mint(s, headerOf(evidence.AccessToken, s), with(with(claims(rxwIDP), object{"name": canary}), change))
		ev, _, f := evidence.Verify(proof(evidence.AccessToken, token), r, now, nil)
		if f == nil || strings.Contains(f.Text, canary) || strings.Contains(ev.Subject, canary) && ev.Claims != nil {
			t.Errorf("%v: refusal %v", change, f)
		}
	}
}
