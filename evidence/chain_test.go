package evidence_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/entente-id/entente/delegation"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

func party(iss, sub string) delegation.Party {
	return delegation.Party{Issuer: must(trust.ParseIssuerID(iss)), Subject: sub}
}

// keyed signs links with an issuer's key of the tests.
type keyed struct{ signer }

func (k keyed) Key() jose.Key                     { return k.key }
func (k keyed) Sign(input []byte) ([]byte, error) { return k.sign(input), nil }

// chainOf has the nurse let agent-a of r0a act, who calls.
func chainOf(s signer, more object) []evidence.Proof {
	root := mint(s, headerOf(evidence.AccessToken, s), claims(rxwIDP))
	link := must(delegation.Sign(keyed{s}, delegation.Link{
		From: party(rxwIDP, "910000000001"), To: party(r0aIDP, "agent-a"), Parent: sha256.Sum256([]byte(root)), Audience: records,
		IssuedAt: now, ExpiresAt: now + 100, ID: "l", Scope: delegation.Scope{{Type: "WardRecord", Actions: []trust.Action{"read"}}},
	}, more))
	actor := mint(s, headerOf(evidence.AccessToken, s), with(claims(r0aIDP), object{"sub": "agent-a"}))
	return []evidence.Proof{proof(evidence.AccessToken, root), proof(evidence.Delegation, link), proof(evidence.AccessToken, actor)}
}

func chainRegistry(s signer) registry {
	return registry{rxwIDP: own(rxwIDP, "rxw", s.key), r0aIDP: own(r0aIDP, "r0a", s.key)}
}

// Every hop has the participant, the key and the assurance of its own issuer, with
// a cache and without.
func TestChain(t *testing.T) {
	s := newSigner(jose.ES256, "k")
	proofs, cache := chainOf(s, object{"id_assurance_level": "3"}), newMemory()
	for _, c := range []evidence.Signatures{nil, cache, cache} {
		ev, _, f := evidence.VerifyChain(proofs, chainRegistry(s), now, c)
		if f != nil || ev.Chain == nil || ev.Chain.Fault != nil {
			t.Fatal(f, ev.Chain)
		}
		link := ev.Chain.Links[0]
		if ev.Participant != org("rxw") || ev.Subject != "910000000001" || ev.Chain.Actor.Participant != org("r0a") || ev.Chain.Actor.Subject != "agent-a" ||
			link.Participant != org("rxw") || link.Thumbprint != s.key.Thumbprint() || link.Namespace != evidence.DefaultNamespace || link.Assurance[0] != 3 {
			t.Errorf("evidence is %+v with the chain %+v", ev, ev.Chain)
		}
	}
	if cache.hits == 0 {
		t.Error("nothing of the chain was remembered")
	}
	if ev, _, f := evidence.VerifyChain(proofs, registry{rxwIDP: own(rxwIDP, "rxw", s.key)}, now, cache); f != nil || ev.Chain.Fault == nil || ev.Chain.Fault.Reason != trust.ActorProof {
		t.Errorf("without the actor's issuer: %v, %+v", f, ev.Chain)
	}
}

// A link is no proof of anybody, and a token is no link.
func TestLinksAndTokensExcludeEachOther(t *testing.T) {
	s := newSigner(jose.ES256, "k")
	r, proofs := chainRegistry(s), chainOf(s, nil)
	for _, kind := range append(evidence.Kinds(), evidence.Delegation) {
		p := proofs[1]
		p.Kind = kind
		if ev, _, f := evidence.Verify(p, r, now, nil); f == nil {
			t.Errorf("link as %s is evidence of %s", kind, ev.Subject)
		}
	}
	for name, c := range map[string]struct {
		change func([]evidence.Proof) []evidence.Proof
		want   trust.Reason
	}{
		"token as a link": {func(p []evidence.Proof) []evidence.Proof { p[1].Token = p[2].Token; return p }, trust.LinkMalformed},
		"link as the end": {func(p []evidence.Proof) []evidence.Proof { return p[:2] }, trust.ActorProof},
		"link twice":      {func(p []evidence.Proof) []evidence.Proof { return []evidence.Proof{p[0], p[1], p[1], p[2]} }, trust.LinkHop},
		"too many links": {func(p []evidence.Proof) []evidence.Proof {
			all := p[:1:1]
			for range delegation.MaxLinks + 1 {
				all = append(all, p[1])
			}
			return append(all, p[2])
		}, trust.ChainDepth},
	} {
		ev, _, f := evidence.VerifyChain(c.change(chainOf(s, nil)), r, now, nil)
		if f != nil || ev.Chain == nil || ev.Chain.Fault == nil || ev.Chain.Fault.Reason != c.want {
			t.Errorf("%s: %v, %+v; want %s", name, f, ev.Chain, c.want)
		}
	}
}

// An issuer that is confined to a namespace delegates for nobody outside it.
func TestLinksKeepToTheirNamespace(t *testing.T) {
	s := newSigner(jose.ES256, "k")
	for code, want := range map[any]trust.Reason{"RXW": "", "RJE": trust.LinkSignature, absent: trust.LinkSignature} {
		r := chainRegistry(s)
		national := national(s.key, "rxw", "rje")
		national.Candidates = national.Candidates[:1]
		r[cis2] = national
		more := object{}
		if code != absent {
			more["org_code"] = code
		}
		root := mint(s, headerOf(evidence.AccessToken, s), with(claims(cis2), object{"org_code": "RXW"}))
		link := must(delegation.Sign(keyed{s}, delegation.Link{
			From: party(cis2, "910000000001"), To: party(r0aIDP, "agent-a"), Parent: sha256.Sum256([]byte(root)), Audience: records,
			IssuedAt: now, ExpiresAt: now + 100, ID: "l", Scope: delegation.Scope{{Type: "WardRecord", Actions: []trust.Action{"read"}}},
		}, more))
		proofs := chainOf(s, nil)
		proofs[0], proofs[1] = proof(evidence.AccessToken, root), proof(evidence.Delegation, link)
		ev, _, f := evidence.VerifyChain(proofs, r, now, nil)
		if f != nil || want == "" && ev.Chain.Fault != nil || want != "" && (ev.Chain.Fault == nil || ev.Chain.Fault.Reason != want) {
			t.Errorf("%v: %v, %+v", code, f, ev.Chain)
		}
	}
}

// FuzzChain: whatever is done to the pieces, only what was signed in this order is
// a chain, and a faulty one names no content.
func FuzzChain(f *testing.F) {
	s := newSigner(jose.EdDSA, "k")
	r, genuine, cache := chainRegistry(s), chainOf(s, nil), newMemory()
	f.Add(string(genuine[1].Kind), genuine[1].Token, genuine[2].Token)
	f.Add(string(genuine[0].Kind), genuine[0].Token, genuine[2].Token)
	f.Add(string(genuine[1].Kind), genuine[2].Token, genuine[1].Token)
	f.Fuzz(func(t *testing.T, kind string, link, actor []byte) {
		proofs := []evidence.Proof{genuine[0], {Kind: evidence.Kind(kind), Token: link}, {Kind: evidence.AccessToken, Token: actor}}
		ev, _, refused := evidence.VerifyChain(proofs, r, now, nil)
		again, _, _ := evidence.VerifyChain(proofs, r, now, cache)
		if refused != nil || ev.Chain == nil || (ev.Chain.Fault == nil) != (again.Chain.Fault == nil) {
			t.Fatalf("%v: %+v, with a cache %+v", refused, ev.Chain, again.Chain)
		}
		is := kind == string(evidence.Delegation) && string(link) == string(genuine[1].Token) && string(actor) == string(genuine[2].Token)
		if fault := ev.Chain.Fault; (fault == nil) != is || fault != nil && !strings.HasPrefix(string(fault.Reason), "delegate.") {
			t.Fatalf("genuine is %t: %v", is, fault)
		}
	})
}
