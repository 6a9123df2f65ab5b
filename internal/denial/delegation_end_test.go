package denial_test

import (
	"cmp"
	"net/http"
	"testing"

	"github.com/entente-id/entente/api/oauth"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// linksAlone: a link is nobody's proof, whatever it is called.
func (w *world) linksAlone(t *testing.T) {
	t.Helper()
	link := w.goodChain(1).seal()[1].token
	exchange := oauth.New(w.host)
	for _, kind := range append(evidence.Kinds(), evidence.Delegation) {
		if reason, err := w.decided(kind, link); err != nil || reason == trust.Permit {
			t.Errorf("a link as %s: %s (%v)", kind, reason, err)
		}
		uniform := w.exchanged(exchange, kind, "rubbish").Body.String()
		if answer := w.exchanged(exchange, kind, link); answer.Code != http.StatusBadRequest || answer.Body.String() != uniform {
			t.Errorf("a link as %s is exchanged: %d %s", kind, answer.Code, answer.Body)
		}
	}
}

// endings: whoever of a chain ends, all behind them ends, and a hop counts only
// while its participant does.
func (w *world) endings(t *testing.T) {
	t.Helper()
	through := func(issuer *issuer, hop, caller string) []brought {
		c := w.goodChain(2)
		c.links[0].claims["may_act"] = object{"iss": issuer.URL, "sub": hop}
		from(issuer)(c.links[1])
		c.links[1].claims["sub"], c.links[1].claims["may_act"] = hop, object{"iss": w.agents.URL, "sub": caller}
		c.actor.claims["sub"] = caller
		return c.seal()
	}
	chains := map[string][]brought{
		"through the one that ends": through(w.agents, "agent-e", "agent-f"), "called by the one that ends": through(w.agents, "agent-g", "agent-e"),
		"beside": through(w.agents, "agent-g", "agent-h"), "through a third": through(w.foreign, "agent-t", "agent-h"),
	}
	see := func(when string, want map[string]trust.Reason) {
		t.Helper()
		for name, all := range chains {
			if reason, err := w.decides(asking(all...)); reason != cmp.Or(want[name], trust.Permit) {
				t.Errorf("%s, a chain %s gives %q (%v), want %q", when, name, reason, err, cmp.Or(want[name], trust.Permit))
			}
		}
	}
	see("before", nil)
	_, err := w.home.Revoke(t.Context(), w.home.Admin, node.RevokeRequest{Kind: revocation.Subject, Issuer: w.agents.URL, Subject: "agent-e", Reason: "left"})
	check(t, err)
	ended := map[string]trust.Reason{"through the one that ends": trust.HopRevoked, "called by the one that ends": trust.HopRevoked}
	nodetest.Eventually(t, "the end to arrive", func() bool {
		reason, _ := w.decides(asking(chains["called by the one that ends"]...))
		return reason == trust.HopRevoked
	})
	see("with one revoked", ended)
	check(t, w.host.SuspendParticipant(t.Context(), w.host.Admin, w.third.ID, "lost"))
	ended["through a third"] = trust.HopParticipant
	see("with the third suspended", ended)
}
