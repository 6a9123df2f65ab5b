package denial_test

import (
	"testing"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// A credential that was issued before the ledger was recovered has ended with it.
func TestCredentialsOfALostLedger(t *testing.T) {
	s := &state.Snapshot{}
	for _, recovered := range []uint32{0, 2, 3} {
		s.Edge.Recovery.Epoch = recovered
		for _, issued := range []uint32{0, 2, 3} {
			g := decision.Ground{Credential: "c", Own: true, Epoch: issued}
			if reason, ended := g.Ended(s, &decision.Observed{}); ended != (issued != recovered) || ended && reason != trust.CredentialEnded {
				t.Errorf("issued in epoch %d, and the ledger recovered into %d: ended %t (%s)", issued, recovered, ended, reason)
			}
		}
		g := decision.Ground{Credential: "c"}
		if reason, ended := g.Ended(s, &decision.Observed{}); ended {
			t.Errorf("a partner's grant has ended by a recovery here: %s", reason)
		}
	}
}
