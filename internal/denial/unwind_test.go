package denial_test

import (
	"testing"

	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/exception"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// orderFor issues ward-app a credential for what a question shows.
func orderFor(t *testing.T, ward *nodetest.Ward, ask node.Ask) node.Issued {
	t.Helper()
	issued := ward.Host.Exchange(t.Context(), node.Exchange{
		Client: "ward-app", Subject: ask.Evidence[0], Via: ask.Evidence[1:], Target: ward.Audience,
		Access: []evidence.Access{{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"}},
	})
	if issued.Token == "" {
		t.Fatalf("no credential: %s", issued.Reason)
	}
	return issued
}

func enrollApp(t *testing.T, ward *nodetest.Ward) {
	t.Helper()
	check(t, ward.Host.AddClient(t.Context(), ward.Host.Admin, client.Document{
		Kind: "Client", ID: "ward-app", Participant: ward.Home.ID, Services: []string{"ward-records"}, Means: client.Means{SPIFFEID: "spiffe://prod.rxw.example/ward/app"},
	}))
}

// whole is a ward with everything that hangs from something.
func whole(t *testing.T) (*nodetest.Ward, node.Issued) {
	t.Helper()
	w := nodetest.NewWorld(t)
	home, host := w.Found(allowExceptions)
	ward := w.NewWard(home, host, nil)
	enrollApp(t, ward)
	issuer := must(trust.ParseIssuerID(ward.Issuer.URL))
	_, err := host.AddException(t.Context(), host.Admin, exception.Document{
		Kind: "Exception", Name: "lab-feed", Waives: exception.SharedSecret, Secret: exception.APIKey, Participant: home.ID, Issuer: issuer,
		Account: "lab-feed", Service: "ward-records", Owner: host.Admin.ID, Reason: "old", CompensatingControl: "a tunnel", Expires: trust.Instant(host.Now() + 86400),
	})
	check(t, err)
	return ward, orderFor(t, ward, ward.Ask(w.Token(ward.Issuer, "nurse-1", ward.Audience, nil)))
}

// What was unwound is denied, on record as ended, and nobody else's business; what
// came back is told as left (R79).
func TestUnwound(t *testing.T) {
	why := node.Why{Reason: "breach"}
	expect := func(what string, u *node.Unwound, err error, kinds ...revocation.LimbKind) {
		t.Helper()
		found := map[revocation.LimbKind]bool{}
		for _, l := range u.Gone {
			found[l.Kind] = true
		}
		for _, kind := range kinds {
			if !found[kind] {
				t.Errorf("%s: no %s is gone: %+v, %v", what, kind, u, err)
			}
		}
		if err != nil || len(u.Left) > 0 {
			t.Errorf("%s: %+v, %v", what, u, err)
		}
	}

	a := nodetest.NewAgency(t)
	enrollApp(t, a.Ward)
	orderFor(t, a.Ward, a.Chain("agent-a"))
	ended, err := a.Host.Unwind(t.Context(), a.Host.Admin, node.Root{Kind: revocation.RootSubject, Issuer: a.Agents.URL, Subject: "agent-a"}, why)
	expect("an actor", &ended, err, revocation.LimbRoot, revocation.LimbCredential)

	ward, issued := whole(t)
	host, ctx := ward.Host, t.Context()
	ended, err = host.Unwind(ctx, host.Admin, node.Root{Kind: revocation.RootSubject, Issuer: ward.Issuer.URL, Subject: "lab-feed"}, why)
	expect("an account", &ended, err, revocation.LimbException)
	if _, err := host.Suspend(ctx, host.Admin, node.SuspendRequest{Stoppable: node.Stoppable{Kind: suspension.Client, Client: "ward-app"}, Why: why}); err != nil {
		t.Fatal(err)
	}
	ended, err = host.Unwind(ctx, host.Admin, node.Root{Kind: revocation.RootClient, Name: "ward-app"}, why)
	expect("a client", &ended, err, revocation.LimbRoot, revocation.LimbCredential)
	if got := host.Decide(ctx, ward.Ask([]byte(issued.Token))); got.Permit {
		t.Error("a client's credential outlives it")
	}

	ward, issued = whole(t)
	host = ward.Host
	paper := node.Root{Kind: revocation.RootAgreement, Name: ward.Agreement}
	if _, err := host.Unwind(ctx, node.Actor{ID: "leavers", Roles: []trust.Role{operator.Revoker}}, paper, why); trust.KindOf(err) != trust.Denied {
		t.Errorf("a revoker unwinds an agreement: %v", err)
	}
	ended, err = host.Unwind(ctx, host.Admin, paper, why)
	expect("an agreement", &ended, err, revocation.LimbRoot, revocation.LimbMapping, revocation.LimbCredential)
	if got := host.Decide(ctx, ward.Ask([]byte(issued.Token))); got.Permit {
		t.Error("a credential outlives its agreement")
	}
	regrown(t)
	for _, root := range []revocation.Root{{Kind: revocation.RootAgreement}, {Kind: revocation.RootClient, Client: "app", Agreement: "a1"}} {
		if _, err := (revocation.State{}).Unwind(revocation.Unwound{Root: root, Page: 1, Pages: 1, By: "op-1"}); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%+v is a root: %v", root, err)
		}
	}
}

// regrown: an entry that says of a client that lives that it was unwound is no
// proof of anything; whoever looks again is told what is there.
func regrown(t *testing.T) {
	t.Helper()
	ward, issued := whole(t)
	host := ward.Host
	at := host.State().At.Position.N + 1
	host.Bulk(1, func(int) trust.Event {
		return revocation.Unwound{Root: revocation.Root{Kind: revocation.RootClient, Client: "ward-app"}, Page: 1, Pages: 1, By: "op-1"}
	})
	found, err := host.Unwinding(t.Context(), host.Admin, at)
	check(t, err)
	for _, l := range found.Left {
		if l.Name == issued.ID {
			return
		}
	}
	t.Errorf("left is %+v, and not credential %s", found.Left, issued.ID)
}
