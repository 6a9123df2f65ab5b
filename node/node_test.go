package node_test

import (
	"fmt"
	"testing"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// twoTrusts is a world with an active ward agreement between two nodes.
func twoTrusts(t *testing.T) *nodetest.Ward {
	t.Helper()
	return wardOf(t, nil)
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

// R69: a permit given again has a record of its own, which names the first and
// is laid open as fully.
func TestAgainIsARecordOfItsOwn(t *testing.T) {
	ward := twoTrusts(t)
	host := ward.Host
	ask := ward.Ask(ward.Home.World.Token(ward.Issuer, "nurse-1", ward.Audience, nil))
	ask.RequestID = "first"
	var told []node.Explanation
	for range 3 {
		answer := host.Decide(t.Context(), ask)
		e, err := host.Explain(t.Context(), host.Admin, answer.Reference)
		if err != nil || !answer.Permit {
			t.Fatal(answer, err)
		}
		told = append(told, e)
		ask.RequestID = ""
	}
	entries, _, err := host.Entries(t.Context(), host.Admin, store.DecisionLog, told[0].Position.N, 3)
	if err != nil || len(entries) != 3 || entries[0].Kind != "decision.made/v1" || entries[1].Kind != "decision.repeated/v1" || entries[2].Kind != "decision.repeated/v1" {
		t.Fatalf("entries are %+v (%v)", entries, err)
	}
	for i, e := range told[1:] {
		if e.Position.N != told[0].Position.N+uint64(i)+1 || e.Who != told[0].Who || e.Resource != "42" || e.RequestID != "" || len(e.Checks) != 10 || e.Checks[9] != told[0].Checks[9] {
			t.Errorf("the permit given again is %+v; the first was %+v", e, told[0])
		}
	}
}

// An entry of the decision log that repeats what is no earlier permit is found.
func TestVerifyFindsWhatIsRepeatedWithoutAFirst(t *testing.T) {
	var p node.Permits
	record := func(n uint64, kind trust.Kind, body string) ledger.Record {
		return ledger.Record{Position: trust.Position{Epoch: 1, N: n}, Kind: kind.Name, Version: kind.Version, Body: []byte(body)}
	}
	made := func(n uint64, outcome string) ledger.Record {
		return record(n, decision.EntryKind, `{"checks":"p","enforcement_point":"pep","observed":{"now":1,"partner_age":0,"statement_age":0},"outcome":"`+outcome+`","reason":"permit","resource":"00","trust":{"epoch":1,"n":1}}`)
	}
	issued := func(n uint64) ledger.Record {
		leaf := made(n, "permit").Body
		return record(n, decision.IssuedKind, string(decision.AppendIssued(nil, &decision.Issue{ID: "c", Expires: 9}, &decision.Order{Client: "pep"}, nil, leaf)))
	}
	reissued := func(n, of uint64) ledger.Record {
		i, o, at := decision.Issue{ID: "d", Expires: 9}, decision.Observed{}, trust.Position{Epoch: 1, N: 1}
		return record(n, decision.ReissuedKind, string(decision.AppendReissued(nil, &i, trust.Position{Epoch: 1, N: of}, &o, at, 1)))
	}
	again := func(n, of uint64) ledger.Record {
		return record(n, decision.AgainKind, string(decision.AppendAgain(nil, trust.Position{Epoch: 1, N: of}, &decision.Observed{}, trust.Position{Epoch: 1, N: 1}, 1)))
	}
	reused := func(n, of uint64) ledger.Record {
		return record(n, decision.ReusedKind, fmt.Sprintf(`{"of":{"epoch":1,"n":%d},"uses":[1,2]}`, of))
	}
	for _, good := range []ledger.Record{made(0, "permit"), made(1, "deny"), again(2, 0), reused(5, 0), issued(3), reissued(4, 3), made(70, "permit"), again(71, 70)} {
		if err := p.Check(good); err != nil {
			t.Fatal(err)
		}
	}
	for name, bad := range map[string]ledger.Record{
		"a denial": again(72, 1), "another repetition": again(72, 2), "itself": again(72, 72), "a later entry": again(72, 900),
		"a credential as a decision": again(72, 3), "a decision as a credential": reissued(72, 0), "a repeated credential": reissued(72, 4),
		"uses of a denial": reused(72, 1), "uses of a repetition": reused(72, 2), "uses of a later entry": reused(72, 900),
		"an unknown kind": record(72, trust.Kind{Name: "decision.unmade", Version: 1}, `{}`),
	} {
		if err := p.Check(bad); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}
