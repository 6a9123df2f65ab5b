package node_test

import (
	"testing"

	"github.com/entente-id/entente/evidence"
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

// A decision is remembered for the identical request: whatever part of it is
// another, it is decided anew.
func TestEveryPartOfARequestIsDecidedUpon(t *testing.T) {
	ward := twoTrusts(t)
	token := ward.Home.World.Token(ward.Issuer, "nurse-1", ward.Audience, nil)
	other := ward.Home.World.Token(ward.Issuer, "nurse-2", "https://elsewhere.example", nil)
	for name, change := range map[string]func(*node.Ask){
		"enforcement point": func(a *node.Ask) { a.EnforcementPoint = "another" },
		"subject":           func(a *node.Ask) { a.SubjectID = "nurse-2" },
		"action":            func(a *node.Ask) { a.Action = "write" },
		"resource type":     func(a *node.Ask) { a.ResourceType = "Theatre" },
		"resource":          func(a *node.Ask) { a.ResourceID, a.Properties = "43", nil },
		"purpose":           func(a *node.Ask) { a.Purpose = "BILLING" },
		"property":          func(a *node.Ask) { a.Properties = map[string]any{"ward": "w8"} },
		"kind of property":  func(a *node.Ask) { a.Properties = map[string]any{"ward": []any{"w7"}} },
		"name of property":  func(a *node.Ask) { a.Properties = map[string]any{"wards": "w7"} },
		"kind of evidence":  func(a *node.Ask) { a.Evidence = []evidence.Proof{{Kind: evidence.IDToken, Token: token}} },
		"token":             func(a *node.Ask) { a.Evidence = []evidence.Proof{{Kind: evidence.AccessToken, Token: other}} },
		"second token":      func(a *node.Ask) { a.Evidence = append(a.Evidence, a.Evidence[0]) },
	} {
		t.Run(name, func(t *testing.T) {
			ask := ward.Ask(token)
			if a := ward.Host.Decide(t.Context(), ask); !a.Permit {
				t.Fatalf("the request itself is answered %+v", a)
			}
			change(&ask)
			if a := ward.Host.Decide(t.Context(), ask); a.Permit {
				t.Error("the changed request is permitted")
			}
		})
	}
}
