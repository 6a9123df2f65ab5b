package evidence

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/delegation"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// Delegation is the kind of a link between a principal's token and an actor's.
// Alone it is no proof of anybody.
const Delegation Kind = "urn:entente:params:token-type:delegation"

// Chain is who acts for the subject of an evidence, and how that came about.
type Chain struct {
	Links  []Hop        // signed ones, from the subject on; none where its token itself names the actor
	Actor  Evidence     // who calls
	Once   []trust.Once // values to burn of the actor's own proof
	Stated bool         // by act alone: the actor brought no proof of its own
	// Fault is why the chain does not hold; then nobody acts for anybody, and
	// what stands above is what was established before.
	Fault *Fault
	// Unheard is an issuer whose key set lacks the key of a link.
	Unheard trust.IssuerID
}

// Hop is a verified link: who delegated, and who answers for them.
type Hop struct {
	delegation.Link
	Participant trust.ParticipantID
	Namespace   string
	Assurance   framework.Vector // of the delegator, by the link's own claims
	KeyID       string
	Thumbprint  string // RFC 7638, of the key that signed
}

// Presented reports whether who calls has shown a genuine proof of its own,
// also where the chain does not lead to it.
func (c *Chain) Presented() bool {
	return !c.Stated && !c.Actor.Participant.IsZero() && (c.Fault == nil || c.Fault.Reason != trust.ActorProof)
}

// VerifyChain checks what a caller brings who acts for somebody else: the
// principal's proof, the links from the principal on, and the caller's own proof
// last. One piece alone is Verify's. The evidence is the principal's; a fault of
// the principal's proof is returned, any other stands in the Chain. Without
// links the principal's token itself has to name the caller: may_act, or the
// outermost act (RFC 8693, sections 4.1 and 4.4).
func VerifyChain(proofs []Proof, r Registry, now int64, cache Signatures) (Evidence, []trust.Once, *Fault) {
	first := proofs[0]
	if len(proofs) > 1 {
		first.Shown = nil // what the enforcement point saw, it saw of the caller
	}
	if len(proofs) > 1 && slices.ContainsFunc(proofs, func(p Proof) bool { return p.Kind.Secret() }) {
		return Evidence{Kind: first.Kind}, nil, fault(trust.SharedSecret, "evidence has a shared secret among others; one stands for nobody else, and nobody acts by it")
	}
	ev, once, f := Verify(first, r, now, cache)
	if f != nil || len(proofs) == 1 {
		return ev, once, f
	}
	stated := ev.Chain
	if stated != nil && !stated.Stated { // of a credential of our own, which carries it whole
		stated.Fault = fault(trust.ChainUnsupported, "credential of our own says who acts; nothing stands behind it")
		return ev, once, nil
	}
	c := &Chain{}
	ev.Chain = c
	links, last := proofs[1:len(proofs)-1], proofs[len(proofs)-1]
	switch {
	case len(links) == 0 && stated != nil:
		if c.Fault = stated.Fault; c.Fault == nil || c.Fault.Reason == trust.ActorProof { // which it now brings
			c.Fault = c.presents(last, stated.Actor.party(), "act", r, now, cache)
		}
	case len(links) == 0:
		c.Fault = c.presents(last, delegation.MayAct(ev.Claims, ev.Issuer), "may_act", r, now, cache)
	case stated != nil:
		c.Fault = fault(trust.ChainUnsupported, "principal's token is used by another already (act); links begin at a principal's own token")
	default:
		c.Fault = c.follow(&ev, links, r, now, cache)
		if c.Fault == nil {
			c.Fault = c.presents(last, c.Links[len(c.Links)-1].To, "the chain", r, now, cache)
		}
	}
	if c.Fault == nil && c.Actor.party() == ev.party() {
		c.Fault = fault(trust.ChainCycle, "the caller is the principal itself; nobody acts for themselves")
	}
	return ev, once, nil
}

func (ev *Evidence) party() delegation.Party {
	return delegation.Party{Issuer: ev.Issuer, Subject: ev.Subject}
}

// state takes the actor whom a token's own issuer states: the outermost act is
// who calls, those inside it are history (RFC 8693, section 4.1). The actor's
// class and assurance are what the issuer says in act, no more. Of another
// issuer's subject it is no proof.
func (ev *Evidence) state(line *participant.Issuer, r Registry) {
	c := &Chain{Stated: true}
	ev.Chain = c
	act, _ := ev.Claims["act"].(canonical.Object)
	by, ok := delegation.PartyOf(act, ev.Issuer)
	if !ok || line.Broker != nil { // of whom a broker states it says nothing
		c.Fault = fault(trust.ChainUnsupported, "claim act names nobody by sub, and by iss where that is another's")
		return
	}
	c.Actor = *ev
	c.Actor.Chain, c.Actor.Delegated, c.Actor.AuthTime = nil, false, 0
	c.Actor.Binding.Once = nil // it is the token's, and used up with it
	c.Actor.Issuer, c.Actor.Subject, c.Actor.Claims = by.Issuer, by.Subject, act
	if by.Issuer != ev.Issuer {
		c.Fault = fault(trust.ActorProof, "claim act names a subject of another issuer; that one has to bring a proof of its own")
		return
	}
	c.Actor.Class = classOf(line.Classes, act, "")
	c.Actor.Assurance = r.Assurance(act)
}

// presents verifies the caller's own proof and compares it with whom by names.
func (c *Chain) presents(p Proof, want delegation.Party, by string, r Registry, now int64, cache Signatures) *Fault {
	if p.Kind == Delegation {
		return fault(trust.ActorProof, "chain ends with a link; who calls has to bring a proof of its own behind it")
	}
	actor, once, f := Verify(p, r, now, cache)
	c.Actor, c.Once = actor, once
	switch {
	case f != nil && f.Reason == trust.UnknownKey:
		c.Unheard = actor.Issuer
		fallthrough
	case f != nil:
		return fault(trust.ActorProof, "the caller's own proof: "+f.Text)
	case actor.Chain != nil:
		return fault(trust.ChainUnsupported, "the caller's own proof is used by another already (act)")
	case want.IsZero():
		return fault(trust.NotTheActor, "nothing lets the caller act for the principal: neither a link nor may_act")
	case actor.party() != want:
		return fault(trust.NotTheActor, "the caller is another than "+by+" names")
	}
	if n := len(c.Links); n > 0 && c.Links[n-1].Key != "" && (actor.Binding.Key != c.Links[n-1].Key || !actor.Binding.Shown) {
		return fault(trust.LinkKey, "the caller does not show the key that the last link holds it to")
	}
	return nil
}

// follow verifies the links behind a principal's proof.
func (c *Chain) follow(ev *Evidence, links []Proof, r Registry, now int64, cache Signatures) *Fault {
	raw := make([][]byte, len(links))
	for i := range links {
		if links[i].Kind != Delegation {
			return fault(trust.LinkMalformed, "between the principal's proof and the caller's stands something else than links")
		}
		raw[i] = links[i].Token
	}
	root := delegation.Root{Principal: ev.party(), Hash: ev.Hash, Audience: ev.Audience, ExpiresAt: ev.ExpiresAt}
	if _, there := ev.Claims["may_act"]; there {
		if root.MayAct = delegation.MayAct(ev.Claims, ev.Issuer); root.MayAct.IsZero() {
			return fault(trust.NotTheActor, "principal's token lets somebody act (may_act) whom it does not name by iss and sub")
		}
	}
	v := voucher{r: r, now: now, cache: cache}
	verified, f := delegation.Verify(root, raw, v.vouch, now)
	for i, link := range verified {
		v.hops[i].Link = link
	}
	c.Links, c.Unheard = v.hops[:len(verified)], v.unheard
	if f != nil {
		return fault(f.Reason, f.Text)
	}
	return nil
}

// voucher knows who answers for the delegator of a link.
type voucher struct {
	r       Registry
	now     int64
	cache   Signatures
	hops    []Hop
	unheard trust.IssuerID
}

// linkRule is what a link is held to beside what delegation reads in it.
var linkRule = &rule{name: "link of delegation", types: []string{delegation.Type}}

// vouch finds by the registry who speaks for the issuer of a link, as for any
// token, and whether that issuer's registered key signed it.
func (v *voucher) vouch(raw []byte) (jose.Verified, *delegation.Fault) {
	t, f := readLink(raw, v.cache)
	if f != nil {
		return jose.Verified{}, &delegation.Fault{Reason: trust.LinkMalformed, Text: "cannot be read: " + f.Text}
	}
	ev := Evidence{Kind: Delegation, Claims: t.claims}
	speaker, line, f := ev.identify(v.r)
	if f == nil && line.Broker != nil {
		f = fault(trust.ForeignOrigin, "issuer is a broker; for a delegator its own issuer signs")
	}
	if f == nil {
		f = ev.authenticate(&t, linkRule, speaker.Keys, v.now, v.cache)
	}
	if f != nil {
		if f.Reason == trust.UnknownKey {
			v.unheard = ev.Issuer
		}
		return jose.Verified{}, &delegation.Fault{Reason: trust.LinkSignature, Text: "is not vouched for: " + f.Text}
	}
	v.hops = append(v.hops, Hop{
		Participant: ev.Participant, Namespace: ev.Namespace, Assurance: v.r.Assurance(ev.Claims), KeyID: ev.KeyID, Thumbprint: ev.Thumbprint,
	})
	return t.verified, nil
}

// readLink reads a link, out of the cache where its signature held before.
func readLink(raw []byte, cache Signatures) (t token, f *Fault) {
	t.signed = raw[:max(bytes.LastIndexByte(raw, '.'), 0)]
	if cache != nil {
		t.hash = sha256.Sum256(raw)
		if v, ok := cache.Get(t.hash); ok {
			t.header, t.claims, t.verified = v.Header(), v.Claims(), v
			return t, nil
		}
	}
	u, err := jose.ParseBytes(raw, delegation.Form)
	if err != nil {
		return t, refusal(err)
	}
	t.header, t.claims, t.fresh = u.Header(), u.UnverifiedClaims(), u
	return t, nil
}
