package node_test

import (
	"testing"

	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// hubWorld is a ward whose nurses come through a broker of their trust.
type hubWorld struct {
	*nodetest.Ward
	hub, idp *nodetest.Issuer
}

func newHubWorld(t *testing.T) hubWorld {
	t.Helper()
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, nil)
	h := hubWorld{hub: w.NewIssuer("https://hub.rxw.example"), idp: w.NewIssuer("https://idp.rxw.example")}
	h.Ward = w.Agree(home, host, []*nodetest.Issuer{h.hub, h.idp}, nil)
	h.Furnish()
	human := participant.ClassRule{Class: trust.Human}
	broker := ownIssuer(t, h.hub, human)
	broker.Subjects = "hub"
	broker.Broker = &participant.Broker{Assertion: "first", Audience: "hub", Subject: "first_sub"}
	declare(t, home, broker, ownIssuer(t, h.idp, human))
	nodetest.Eventually(t, "the broker to be known as one", func() bool {
		s, ok := host.State().Speaker(h.hub.URL)
		return ok && s.Candidates[0].Issuer.Broker != nil
	})
	return h
}

// token is one of the broker about a person of the origin.
func (h hubWorld) token(t *testing.T, person string, said map[string]any) []byte {
	t.Helper()
	w := h.Home.World
	first := w.IDToken(h.idp, person, "hub", said)
	return w.Token(h.hub, "b-"+person, h.Audience, map[string]any{"first": string(first), "first_sub": person})
}

// Broker and origin are both recorded, the lower assurance counts, and each of
// them ends the brokered assertion, also one that was permitted before (R26,
// R63).
func TestThroughABroker(t *testing.T) {
	for name, end := range map[string]struct {
		revoke func(h hubWorld) node.RevokeRequest
		want   trust.Reason
	}{
		"origin's subject": {func(h hubWorld) node.RevokeRequest {
			return node.RevokeRequest{Kind: revocation.Subject, Issuer: h.idp.URL, Subject: "nurse-1"}
		}, trust.SubjectRevoked},
		"origin's key": {func(h hubWorld) node.RevokeRequest {
			return node.RevokeRequest{Kind: revocation.Key, Issuer: h.idp.URL, KeyID: h.idp.Key.Key().KeyID()}
		}, trust.KeyRevoked},
		"origin": {func(h hubWorld) node.RevokeRequest {
			return node.RevokeRequest{Kind: revocation.Issuer, Issuer: h.idp.URL}
		}, trust.IssuerRevoked},
		"broker's subject": {func(h hubWorld) node.RevokeRequest {
			return node.RevokeRequest{Kind: revocation.Subject, Issuer: h.hub.URL, Subject: "b-nurse-1"}
		}, trust.SubjectRevoked},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHubWorld(t)
			token := h.token(t, "nurse-1", nil)
			want(t, h.Ward, token, trust.Permit)
			a := h.Host.Decide(t.Context(), h.Ask(token)) // remembered
			e, err := h.Host.Explain(t.Context(), h.Host.Admin, a.Reference)
			done(t, err)
			if !a.Permit || e.Origin != h.idp.URL || e.Who != h.hub.URL+" b-nurse-1" {
				t.Fatalf("explained as %+v", e)
			}
			want(t, h.Ward, h.token(t, "nurse-2", map[string]any{"authentication_assurance_level": "1"}), trust.LowAssurance)
			r := end.revoke(h)
			r.Reason = "left"
			_, err = h.Home.Revoke(t.Context(), h.Home.Admin, r)
			done(t, err)
			await(t, h.Ward, token, end.want)
			want(t, h.Ward, h.token(t, "nurse-1", nil), end.want)
		})
	}
}
