package evidence_test

import (
	"testing"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
)

func BenchmarkVerify(b *testing.B) {
	s := newSigner(jose.ES256, "k")
	r := registry{rxwIDP: own(rxwIDP, "rxw", s.key)}
	p := proof(evidence.AccessToken, mint(s, headerOf(evidence.AccessToken, s), claims(rxwIDP)))
	known := newMemory()
	for name, cache := range map[string]evidence.Signatures{"cold": nil, "warm": known} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, f := evidence.Verify(p, r, now, cache); f != nil {
					b.Fatal(f)
				}
			}
		})
	}
}
