package node_test

import (
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// R15: a token that is bound to a certificate is permitted beside it, also when
// the permit is remembered, and denied beside another and beside none.
func TestTokenBoundToACertificate(t *testing.T) {
	ward := wardOf(t, nil)
	sum := sha256.Sum256([]byte("certificate"))
	cnf := map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(sum[:])}
	token := ward.Home.World.Token(ward.Issuer, "nurse-1", ward.Audience, map[string]any{"cnf": cnf})
	beside := func(shown *evidence.Shown) node.Ask {
		ask := ward.Ask(token)
		ask.Evidence[0].Shown = shown
		return ask
	}
	own := func() node.Ask { return beside(&evidence.Shown{Certificate: []byte("certificate")}) }
	for range 3 {
		for want, ask := range map[trust.Reason]node.Ask{
			trust.Permit:       own(),
			trust.ProofMissing: beside(nil),
			trust.ProofKey:     beside(&evidence.Shown{Certificate: []byte("another")}),
		} {
			a := answer(t, ward.Host, ask)
			if a.Reason != want {
				t.Fatalf("the answer is %s, not %s", a.Reason, want)
			}
			e, err := ward.Host.Explain(t.Context(), ward.Host.Admin, a.Reference)
			if err != nil || e.Reason != want || e.Checks[1].Text == "" {
				t.Errorf("explained as %+v, %v", e, err)
			}
		}
	}
}
