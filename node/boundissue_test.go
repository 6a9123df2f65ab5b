package node_test

import (
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

const tokenURL = "https://auth.rje.example/oauth/token"

// asking is an order with what its client shows at the token endpoint.
func asking(r node.Exchange, h *nodetest.Holder, with map[string]any) node.Exchange {
	claims := map[string]any{"ath": nil}
	for name, value := range with {
		claims[name] = value
	}
	r.Subject.Shown = h.Shown(nil, "POST", tokenURL, claims)
	r.Subject.Shown.ForToken = true
	return r
}

// RFC 9449, sections 5 and 7: a proof at the token endpoint binds what is issued
// to its key, once; a credential so bound is no bearer's.
func TestBoundIssue(t *testing.T) {
	ward := wardOf(t, nil)
	h, thief := ward.Home.World.NewHolder(), ward.Home.World.NewHolder()
	r := asking(order(ward, nurse(ward, "n-1")), h, nil)
	issued := exchange(t, ward, r)
	cnf, _ := claimsOf(t, issued.Token)["cnf"].(canonical.Object)
	if !issued.Bound || cnf["jkt"] != h.Key.Key().Thumbprint() {
		t.Errorf("issued %+v bound to %v", issued, cnf)
	}
	token := []byte(issued.Token)
	want(t, ward, token, trust.ProofMissing)
	for reason, shown := range map[trust.Reason]*evidence.Shown{
		trust.Permit:   h.Shown(token, "GET", recordURL, nil),
		trust.ProofKey: thief.Shown(token, "GET", recordURL, nil),
	} {
		if a := answer(t, ward.Host, proven(ward, token, shown)); a.Reason != reason {
			t.Errorf("the answer is %s, not %s", a.Reason, reason)
		}
	}
	refusedExchange(t, ward, r, node.BadProof, trust.ProofReplayed)
	if plain := exchange(t, ward, order(ward, nurse(ward, "n-1"))); plain.Bound {
		t.Error("a bearer's order is bound")
	}
}

func TestProofsAtTheTokenEndpoint(t *testing.T) {
	ward := wardOf(t, nil)
	h, bound := held(ward)
	thief := ward.Home.World.NewHolder()
	bearer := func() node.Exchange { return order(ward, nurse(ward, "n-1")) }
	refusedExchange(t, ward, asking(bearer(), h, map[string]any{"ath": "x"}), node.BadProof, trust.ProofToken)
	refusedExchange(t, ward, asking(bearer(), h, map[string]any{"htm": "GET"}), node.BadProof, trust.ProofRequest)
	refusedExchange(t, ward, asking(bearer(), h, map[string]any{"htu": "https://elsewhere.example/oauth/token"}), node.BadProof, trust.ProofRequest)
	refusedExchange(t, ward, asking(bearer(), h, map[string]any{"iat": ward.Host.Now() - 60}), node.BadProof, trust.ProofTime)
	refusedExchange(t, ward, asking(bearer(), h, map[string]any{"nonce": "made up"}), node.WantsNonce, trust.NonceStale)
	// A partner's token that is bound counts in its holder's hands alone, and what
	// is issued on it is bound to the same key.
	refusedExchange(t, ward, order(ward, bound), node.BadToken, trust.ProofMissing)
	refusedExchange(t, ward, asking(order(ward, bound), thief, nil), node.BadProof, trust.ProofKey)
	if issued := exchange(t, ward, asking(order(ward, bound), h, nil)); !issued.Bound {
		t.Errorf("issued %+v", issued)
	}
}

// A grant that its home bound to a key is redeemed with that key.
func TestABoundGrant(t *testing.T) {
	ward := vouching(t)
	h, thief := ward.Home.World.NewHolder(), ward.Home.World.NewHolder()
	made := ward.Home.Exchange(t.Context(), asking(abroad(ward, "n-1"), h, nil))
	if made.Token == "" {
		t.Fatalf("no grant: %+v", made)
	}
	r := redemption([]byte(made.Token))
	refusedExchange(t, ward, r, node.BadToken, trust.ProofMissing) // which uses it up too
	for holder, reason := range map[*nodetest.Holder]trust.Reason{h: trust.Permit, thief: trust.ProofKey} {
		made := ward.Home.Exchange(t.Context(), asking(abroad(ward, "n-1"), h, nil))
		issued := ward.Host.Exchange(t.Context(), asking(redemption([]byte(made.Token)), holder, nil))
		if issued.Reason != reason || issued.Bound != (reason == trust.Permit) {
			t.Errorf("redeemed as %+v, want %s", issued, reason)
		}
	}
}
