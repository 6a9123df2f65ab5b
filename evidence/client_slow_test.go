//go:build slow

package evidence_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
)

// The time does not tell who is registered: the medians of 1,000 refusals differ
// by at most 10 %, whatever is wrong with the key. What else a machine does may
// part them for a while, so that they are taken up to five times; a difference
// that an outsider could use is there each time.
func TestRefusedClientsTakeAlike(t *testing.T) {
	for _, alg := range jose.Algs() {
		s, stranger := newSigner(alg, "k1"), newSigner(alg, "k1")
		if alg == jose.RS256 || alg == jose.PS256 {
			stranger = signer{rsaOther(), must(jose.NewKey(rsaOther().Public(), alg, "k1"))}
		}
		r := clients{"ward-app": byKeys("ward-app", s, newSigner(jose.ES256, "k2"))}
		tokens := map[string]string{
			"a wrong signature":     mint(stranger, assertionHeader(stranger), assertionClaims()),
			"an unknown client":     mint(stranger, assertionHeader(stranger), with(assertionClaims(), object{"iss": "ward-abb", "sub": "ward-abb"})),
			"an unknown key":        mint(stranger, with(assertionHeader(stranger), object{"kid": "k9"}), assertionClaims()),
			"a key of another kind": mint(stranger, with(assertionHeader(stranger), object{"kid": "k2"}), assertionClaims()),
		}
		alike, seen := false, []map[string]time.Duration{}
		for len(seen) < 5 && !alike {
			medians := refusals(t, r, tokens)
			seen = append(seen, medians)
			all := slices.Collect(maps.Values(medians))
			alike = slices.Max(all)*10 <= slices.Min(all)*11
		}
		if !alike {
			t.Errorf("%s: the medians are %v", alg, seen)
		}
	}
}

// refusals gives the median of how long each of some assertions is refused.
func refusals(t *testing.T, r clients, tokens map[string]string) map[string]time.Duration {
	t.Helper()
	took := map[string][]time.Duration{}
	for range 1000 {
		for name, token := range tokens {
			began := time.Now()
			if _, _, f := evidence.VerifyClient(evidence.ClientProof{Assertion: []byte(token)}, r, now); f == nil {
				t.Fatalf("%s is taken", name)
			}
			took[name] = append(took[name], time.Since(began))
		}
	}
	medians := map[string]time.Duration{}
	for name, all := range took {
		slices.Sort(all)
		medians[name] = all[len(all)/2]
	}
	return medians
}
