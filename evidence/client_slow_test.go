//go:build slow

package evidence_test

import (
	"slices"
	"testing"
	"time"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
)

// The time does not tell who is registered: the medians of 1,000 refusals differ
// by at most 10 %, whatever is wrong with the key.
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
		var medians []time.Duration
		for _, all := range took {
			slices.Sort(all)
			medians = append(medians, all[len(all)/2])
		}
		if least, most := slices.Min(medians), slices.Max(medians); most*10 > least*11 {
			t.Errorf("%s: the medians are %v", alg, medians)
		}
	}
}
