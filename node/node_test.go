package node_test

import (
	"testing"

	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// twoTrusts is a world with an active ward agreement between two nodes.
func twoTrusts(t *testing.T) *nodetest.Ward {
	t.Helper()
	w := nodetest.NewWorld(t)
	home := w.New("trust.rxw.example", nodetest.HomeRoles()...)
	host := w.New("trust.rje.example", nodetest.HostRoles()...)
	signed := w.Framework(home, host)
	home.Adopt(signed)
	host.Adopt(signed)
	w.Introduce(home, host)
	return w.NewWard(home, host, nil)
}

func TestPermitThenRevokedAtHome(t *testing.T) {
	ward := twoTrusts(t)
	token := ward.Home.World.Token(ward.Issuer, "nurse-1", ward.Audience, nil)
	answer := ward.Host.Decide(t.Context(), ward.Ask(token))
	if !answer.Permit || answer.Reason != trust.Permit {
		t.Fatalf("nurse is answered %+v", answer)
	}
	e, err := ward.Host.Explain(t.Context(), ward.Host.Admin, answer.Reference)
	if err != nil || !e.Permit || len(e.Checks) != 10 || e.Resource != "42" {
		t.Fatalf("explanation %+v, %v", e, err)
	}
	if _, err := ward.Home.Revoke(t.Context(), ward.Home.Admin, node.RevokeRequest{
		Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: "nurse-1", Reason: "left",
	}); err != nil {
		t.Fatal(err)
	}
	nodetest.Eventually(t, "the host to deny", func() bool {
		return ward.Host.Decide(t.Context(), ward.Ask(token)).Reason == trust.SubjectRevoked
	})
}

// R23: a decision remembered from another request does not bring that request's
// identifier along.
func TestRequestIdentifierIsEachRequestsOwn(t *testing.T) {
	ward := twoTrusts(t)
	ask := ward.Ask(ward.Home.World.Token(ward.Issuer, "nurse-1", ward.Audience, nil))
	for _, id := range []string{"request-1", "", "request-2", "request-2", "request-1"} {
		ask.RequestID = id
		answer := ward.Host.Decide(t.Context(), ask)
		if !answer.Permit {
			t.Fatalf("request %q is answered %+v", id, answer)
		}
		e, err := ward.Host.Explain(t.Context(), ward.Host.Admin, answer.Reference)
		if err != nil || e.RequestID != id {
			t.Errorf("the record of request %q has %q, %v", id, e.RequestID, err)
		}
	}
}
