package evidence_test

import (
	"testing"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// The cache saves the signature check and nothing else.
func TestCacheHidesNothing(t *testing.T) {
	everyKind(t, func(t *testing.T, kind evidence.Kind, s signer, r registry) {
		p, cache := proof(kind, mint(s, headerOf(kind, s), claims(rxwIDP))), newMemory()
		cold, _, f := evidence.Verify(p, r, now, cache)
		if f != nil || cache.hits != 0 || len(cache.known) != 1 {
			t.Fatal(f, cache.hits, len(cache.known))
		}
		warm, _, f := evidence.Verify(p, r, now, cache)
		if f != nil || cache.hits != 1 || warm.Subject != cold.Subject || warm.Hash != cold.Hash || warm.Thumbprint != cold.Thumbprint {
			t.Fatalf("warm evidence is %+v (%v)", warm, f)
		}
		refused := func(what string, p evidence.Proof, r registry, at int64, want trust.Reason) {
			t.Helper()
			hits := cache.hits
			_, _, f := evidence.Verify(p, r, at, cache)
			if f == nil || f.Reason != want || cache.hits != hits+1 {
				t.Errorf("%s: %v, want %s, out of the cache", what, f, want)
			}
		}
		refused("expired", p, r, now+240, trust.TokenExpired)
		refused("clock went back", p, r, now-60-evidence.Leeway-1, trust.TokenNotYetValid)
		refused("issuer gone", p, registry{}, now, trust.UnknownIssuer)
		refused("key removed", p, registry{rxwIDP: own(rxwIDP, "rxw")}, now, trust.UnknownKey)
		replaced := other(s)
		key := must(jose.NewKey(replaced.private.Public(), s.key.Alg(), s.key.KeyID()))
		refused("another key under the kid", p, registry{rxwIDP: own(rxwIDP, "rxw", key)}, now, trust.UnknownKey)
		wrong := map[evidence.Kind]evidence.Kind{evidence.AccessToken: evidence.IDToken, evidence.IDToken: evidence.AccessToken}[kind]
		refused("as the other kind", proof(wrong, string(p.Token)), r, now, trust.TokenType)
		confined := own(rxwIDP, "rxw", s.key)
		confined.Candidates[0].Issuer.Namespaces = map[string][]participant.Namespace{"org_code": participant.Exactly("RXW")}
		refused("confined since", p, registry{rxwIDP: confined}, now, trust.ForeignNamespace)

		moved := own(rxwIDP, "r0a", s.key)
		moved.Candidates[0].Issuer.Classes = nil
		if ev, _, f := evidence.Verify(p, registry{rxwIDP: moved}, now, cache); f != nil || ev.Participant != org("r0a") || ev.Class != "" {
			t.Errorf("participant and class are %s and %q (%v); want those registered now", ev.Participant, ev.Class, f)
		}
	})
}

func TestCacheNeverLearnsABadToken(t *testing.T) {
	s := newSigner(jose.ES256, "k")
	r, cache := registry{rxwIDP: own(rxwIDP, "rxw", s.key)}, newMemory()
	good := mint(s, headerOf(evidence.AccessToken, s), claims(rxwIDP))
	for _, token := range []string{
		mint(other(s), headerOf(evidence.AccessToken, s), claims(rxwIDP)),
		swapPayload(good, with(claims(rxwIDP), object{"sub": "x"})),
		mint(s, headerOf(evidence.AccessToken, s), claims("https://unknown.example")),
	} {
		if _, _, f := evidence.Verify(proof(evidence.AccessToken, token), r, now, cache); f == nil || len(cache.known) != 0 {
			t.Errorf("refusal %v left %d tokens in the cache", f, len(cache.known))
		}
	}
}

// A refusal before the signature could be looked at costs a check all the same,
// and no other refusal a second one.
func TestRefusalsCostACheck(t *testing.T) {
	everyKind(t, func(t *testing.T, kind evidence.Kind, s signer, r registry) {
		confined := own(rxwIDP, "rxw", s.key)
		confined.Candidates[0].Issuer.Namespaces = map[string][]participant.Namespace{"org_code": participant.Exactly("RXX")}
		for name, c := range map[string]struct {
			token string
			r     registry
			spent int
		}{
			"good":             {mint(s, headerOf(kind, s), claims(rxwIDP)), r, 0},
			"expired":          {mint(s, headerOf(kind, s), with(claims(rxwIDP), object{"exp": now - 1})), r, 0},
			"bad signature":    {mint(other(s), headerOf(kind, s), claims(rxwIDP)), r, 0},
			"unknown issuer":   {mint(s, headerOf(kind, s), claims("https://unknown.example")), r, 1},
			"issuer gone":      {mint(s, headerOf(kind, s), claims(rxwIDP)), registry{}, 1},
			"unknown key":      {mint(s, with(headerOf(kind, s), object{"kid": "unheard"}), claims(rxwIDP)), r, 1},
			"no keys":          {mint(s, headerOf(kind, s), claims(rxwIDP)), registry{rxwIDP: own(rxwIDP, "rxw")}, 1},
			"a foreign claim":  {mint(s, headerOf(kind, s), claims(rxwIDP)), registry{rxwIDP: confined}, 1},
			"not even a token": {"x.y.z", r, 0},
		} {
			cache := newMemory()
			_, _, f := evidence.Verify(proof(kind, c.token), c.r, now, cache)
			if cache.spent != c.spent || (f == nil) != (name == "good") {
				t.Errorf("%s: %d checks spent (%v), want %d", name, cache.spent, f, c.spent)
			}
		}
	})
}
