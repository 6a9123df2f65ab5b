package node_test

import (
	"testing"

	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// active introspects as the enforcement point does that guards the service.
func active(t *testing.T, ward *nodetest.Ward, client, token string) bool {
	t.Helper()
	before := len(entries(t, ward.Host, "decisions", ""))
	i, ok := ward.Host.Introspect(t.Context(), client, []byte(token))
	if after := len(entries(t, ward.Host, "decisions", "")); after != before+1 {
		t.Errorf("an introspection left %d records", after-before)
	}
	if ok != (i.ID != "") {
		t.Errorf("%v with %+v", ok, i)
	}
	return ok
}

// Introspection decides again: what ends the person ends the credential (R17).
func TestIntrospection(t *testing.T) {
	ward := wardOf(t, nil)
	issued := exchange(t, ward, order(ward, nurse(ward, "n-1")))
	i, ok := ward.Host.Introspect(t.Context(), "pep", []byte(issued.Token))
	if !ok || i.ID != issued.ID || i.Audience != ward.Audience || i.Client != "pep" || i.Subject == "n-1" || len(i.Access) != 1 ||
		i.Subject != claimsOf(t, issued.Token)["sub"] || i.ExpiresAt != claimsOf(t, issued.Token)["exp"] {
		t.Errorf("introspected as %+v", i)
	}
	for name, token := range map[string]string{"rubbish": "x", "the partner's own": string(nurse(ward, "n-1")), "tampered": issued.Token[:len(issued.Token)-6] + "AAAAAA"} {
		if active(t, ward, "pep", token) {
			t.Errorf("%s is active", name)
		}
	}
	if active(t, ward, "another", issued.Token) {
		t.Error("active for one that does not guard the service")
	}
	other := exchange(t, ward, order(ward, nurse(ward, "n-2")))
	revokeAt(t, ward.Host, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: "n-1", Reason: "left"})
	if active(t, ward, "pep", issued.Token) {
		t.Error("active after its person left")
	}
	done(t, ward.Host.CloseMapping(t.Context(), ward.Host.Admin, "nurse"))
	if active(t, ward, "pep", other.Token) {
		t.Error("active without a mapping")
	}
}

// What its client gives back has ended, on the next request and after a start;
// nobody else ends it.
func TestGivingBack(t *testing.T) {
	ward := wardOf(t, nil)
	a := exchange(t, ward, order(ward, nurse(ward, "n-1")))
	b := exchange(t, ward, order(ward, nurse(ward, "n-1")))
	for client, token := range map[string]string{"another": a.Token, "pep": "rubbish"} {
		done(t, ward.Host.GiveBack(t.Context(), client, []byte(token)))
	}
	done(t, ward.Host.GiveBack(t.Context(), "pep", nurse(ward, "n-1")))
	want(t, ward, []byte(a.Token), trust.Permit)
	for range 2 {
		done(t, ward.Host.GiveBack(t.Context(), "pep", []byte(a.Token)))
	}
	if _, count := newest[revocation.CredentialRevoked](t, ward.Host); count != 1 {
		t.Errorf("%d entries", count)
	}
	want(t, ward, []byte(a.Token), trust.CredentialEnded)
	want(t, ward, []byte(b.Token), trust.Permit)
	refusedExchange(t, ward, order(ward, []byte(a.Token)), node.BadToken, trust.CredentialEnded)
	ward.Host.Stop()
	ward.Host.Start()
	await(t, ward, []byte(a.Token), trust.CredentialEnded)
	await(t, ward, []byte(b.Token), trust.Permit)
}
