package node_test

import (
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// ordered asks for a credential with what the caller of a chain would show.
func ordered(a nodetest.Agency, agents ...string) node.Exchange {
	ask := a.Chain(agents...)
	r := order(a.Ward, ask.Evidence[0].Token)
	r.Via = ask.Evidence[1:]
	return r
}

// RFC 8693, section 4.1: a credential of who acts for another says so, nested;
// deciding on it is deciding on the whole chain again, which revoking any hop ends.
func TestACredentialOfAChain(t *testing.T) {
	a := nodetest.NewAgency(t)
	issued := exchange(t, a.Ward, ordered(a, "agent-a", "agent-b"))
	claims := claimsOf(t, issued.Token)
	outer, _ := claims["act"].(canonical.Object)
	inner, _ := outer["act"].(canonical.Object)
	names := map[any]bool{claims["sub"]: true, outer["sub"]: true, inner["sub"]: true}
	if len(names) != 3 || names[nil] || inner["act"] != nil || names["agent-b"] {
		t.Errorf("claims are %v", claims)
	}
	for range 2 { // the second time from memory
		want(t, a.Ward, []byte(issued.Token), trust.Permit)
	}
	got := answer(t, a.Host, a.Ask([]byte(issued.Token)))
	e, err := a.Host.Explain(t.Context(), a.Host.Admin, got.Reference)
	done(t, err)
	if !e.Permit || len(e.Chain) != 2 || e.Chain[1].Class != trust.Agent {
		t.Errorf("explained as %+v", e)
	}
	if i, ok := a.Host.Introspect(t.Context(), "pep", []byte(issued.Token)); !ok || i.ID != issued.ID {
		t.Errorf("introspected as %+v", i)
	}
	refusedExchange(t, a.Ward, order(a.Ward, []byte(issued.Token)), node.BadToken, trust.EvidenceKind)
	// What else is brought beside it changes nothing about who acts.
	beside := a.Ask([]byte(issued.Token))
	beside.Evidence = append(beside.Evidence, evidence.Proof{Kind: evidence.AccessToken, Token: a.Home.World.Token(a.Agents, "agent-b", a.Audience, nil)})
	if got := answer(t, a.Host, beside); got.Permit {
		t.Error("a credential of a chain counts with another actor behind it")
	}
	sibling := exchange(t, a.Ward, ordered(a, "agent-s"))
	revokeAt(t, a.Host, node.RevokeRequest{Kind: revocation.Subject, Issuer: a.Agents.URL, Subject: "agent-a", Reason: "left"})
	want(t, a.Ward, []byte(issued.Token), trust.HopRevoked)
	want(t, a.Ward, []byte(sibling.Token), trust.Permit)
	refusedExchange(t, a.Ward, ordered(a, "agent-a", "agent-b"), node.BadToken, trust.HopRevoked)
	revokeAt(t, a.Host, node.RevokeRequest{Kind: revocation.Subject, Issuer: a.Issuer.URL, Subject: nodetest.Principal, Reason: "left"})
	want(t, a.Ward, []byte(sibling.Token), trust.SubjectRevoked)
}

// may_act, without a link: the principal's token names who may act (RFC 8693,
// section 4.4).
func TestACredentialByMayAct(t *testing.T) {
	a := nodetest.NewAgency(t)
	ask := func(may string) node.Exchange {
		r := order(a.Ward, a.Home.World.Token(a.Issuer, "n-1", a.Audience, map[string]any{"may_act": map[string]any{"iss": a.Agents.URL, "sub": may}}))
		r.Via = []evidence.Proof{{Kind: evidence.AccessToken, Token: a.Home.World.Token(a.Agents, "agent-a", a.Audience, nil)}}
		return r
	}
	issued := exchange(t, a.Ward, ask("agent-a"))
	want(t, a.Ward, []byte(issued.Token), trust.Permit)
	refusedExchange(t, a.Ward, ask("agent-b"), node.BadToken, trust.NotTheActor)
	alone := order(a.Ward, a.Home.World.Token(a.Agents, "agent-a", a.Audience, nil))
	refusedExchange(t, a.Ward, alone, node.BadToken, trust.NoPrincipal)
	revokeAt(t, a.Host, node.RevokeRequest{Kind: revocation.Subject, Issuer: a.Agents.URL, Subject: "agent-a", Reason: "left"})
	want(t, a.Ward, []byte(issued.Token), trust.HopRevoked)
}

// The actor shows the key; the credential is bound to it, and not to the principal's.
func TestABoundCredentialOfAChain(t *testing.T) {
	a := nodetest.NewAgency(t)
	h, thief := a.Home.World.NewHolder(), a.Home.World.NewHolder()
	r := ordered(a, "agent-a")
	shown := h.Shown(nil, "POST", tokenURL, map[string]any{"ath": nil})
	shown.ForToken = true
	r.Via[len(r.Via)-1].Shown = shown
	issued := exchange(t, a.Ward, r)
	token := []byte(issued.Token)
	for holder, reason := range map[*nodetest.Holder]trust.Reason{h: trust.Permit, thief: trust.ProofKey} {
		got := answer(t, a.Host, proven(a.Ward, token, holder.Shown(token, "GET", recordURL, nil)))
		if got.Permit != (reason == trust.Permit) {
			t.Errorf("the answer is %s, not %s", got.Reason, reason)
		}
	}
	if got := answer(t, a.Host, a.Ask(token)); got.Permit {
		t.Error("a bound credential of a chain is a bearer's")
	}
}

// A brokered sign-in is carried on with its origin: both can end it (R26, R63).
func TestACredentialThroughABroker(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(h hubWorld) node.RevokeRequest
		want trust.Reason
	}{
		"origin's subject": {func(h hubWorld) node.RevokeRequest {
			return node.RevokeRequest{Kind: revocation.Subject, Issuer: h.idp.URL, Subject: "nurse-1"}
		}, trust.SubjectRevoked},
		"origin's key": {func(h hubWorld) node.RevokeRequest {
			return node.RevokeRequest{Kind: revocation.Key, Issuer: h.idp.URL, KeyID: h.idp.Key.Key().KeyID()}
		}, trust.KeyRevoked},
		"broker's subject": {func(h hubWorld) node.RevokeRequest {
			return node.RevokeRequest{Kind: revocation.Subject, Issuer: h.hub.URL, Subject: "b-nurse-1"}
		}, trust.SubjectRevoked},
	} {
		h := newHubWorld(t)
		issued := exchange(t, h.Ward, order(h.Ward, h.token(t, "nurse-1", nil)))
		want(t, h.Ward, []byte(issued.Token), trust.Permit)
		e, err := h.Host.Explain(t.Context(), h.Host.Admin, answer(t, h.Host, h.Ask([]byte(issued.Token))).Reference)
		done(t, err)
		if e.Origin == "" {
			t.Errorf("%s: explained without the origin: %+v", name, e)
		}
		refusedExchange(t, h.Ward, order(h.Ward, h.token(t, "nurse-1", map[string]any{"id_assurance_level": "1"})), node.BadToken, trust.LowAssurance)
		request := c.end(h)
		request.Reason = "test"
		revokeAt(t, h.Host, request)
		want(t, h.Ward, []byte(issued.Token), c.want)
	}
}

// A workload's JWT-SVID is carried on: what is issued ends with the bundle's key.
func TestACredentialOnAnSVID(t *testing.T) {
	f := newFleet(t)
	svid := f.with(evidence.JWTSVID, f.prod.jwtSVID("/ward/sync", f.Audience), nil)
	f.wait(t, "a JWT-SVID", svid, trust.Permit)
	r := order(f.Ward, svid.Evidence[0].Token)
	r.Subject.Kind = evidence.JWTSVID
	issued := exchange(t, f.Ward, r)
	want(t, f.Ward, []byte(issued.Token), trust.Permit)
	other := order(f.Ward, f.prod.jwtSVID("/wards/sync", f.Audience))
	other.Subject.Kind = evidence.JWTSVID
	refusedExchange(t, f.Ward, other, node.BadToken, trust.Unclassified)
	f.prod.publish(6, false)
	f.wait(t, "a JWT-SVID", svid, trust.UntrustedDomain)
	if got := read(t, f.Ward, []byte(issued.Token)); got == trust.Permit {
		t.Errorf("the credential outlives the bundle: %s", got)
	}
}
