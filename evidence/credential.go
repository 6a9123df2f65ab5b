package evidence

import (
	"slices"

	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// Home is a Registry that issues credentials of its own. Verify takes them like
// any other access token, and gives the evidence that they were issued on,
// narrowed to what was granted.
type Home interface {
	Registry
	// Issues reports whether iss is this node's own issuer identifier.
	Issues(iss string) bool
	// TokenKey gives the key of this node's own credentials with this kid, valid
	// at now.
	TokenKey(kid string, now int64) (jose.Key, bool)
	// OpenGround gives what the credential id carries for this node alone.
	OpenGround(id string, sealed []byte) ([]byte, error)
}

// GroundClaim is the claim that carries, encrypted to the node itself, what one
// of its own credentials was issued on. DetailsClaim says what it is good for
// (RFC 9396, section 9.1).
const (
	GroundClaim  = "entente_ground"
	DetailsClaim = "authorization_details"
)

// Grant is what one of our own credentials adds to the evidence that it was
// issued on: it counts for this access and under this agreement alone. A
// partner's grant (IDJAG) says for which access, at which service of ours.
type Grant struct {
	ID        string   `json:"id"`                  // its jti
	Agreement string   `json:"agreement,omitempty"` // the agreement's random id
	Target    string   `json:"target,omitempty"`    // the audience of the service; empty: as the token's own audience says
	Access    []Access `json:"access"`
	Epoch     uint32   `json:"epoch,omitzero"` // that our ledger had opened last behind a loss when it was issued, 0 for none
}

// Covers reports whether an action for a purpose on a resource was granted; an
// empty id is every resource of the type. Empty words match nothing.
func (g *Grant) Covers(action trust.Action, t trust.ResourceType, id string, purpose trust.Purpose) bool {
	return slices.ContainsFunc(g.Access, func(a Access) bool {
		return t != "" && a.Type == t && purpose != "" && a.Purpose == purpose && action != "" && slices.Contains(a.Actions, action) &&
			(len(a.IDs) == 0 || id != "" && slices.Contains(a.IDs, id))
	})
}

// own verifies a credential that this node issued: first itself, then, as of
// now, the evidence that it was issued on.
func (ev *Evidence) own(t *token, rule *rule, home Home, shown *Shown, now int64, cache Signatures) *Fault {
	key, ok := home.TokenKey(t.header.KeyID, now)
	keys, err := jose.NewKeySet(key) // which refuses no key at all
	if !ok || err != nil {
		return fault(trust.UnknownKey, "credential names no key of our own that is valid now")
	}
	if f := ev.authenticate(t, rule, keys, now, cache); f != nil {
		return f
	}
	if f := ev.readClaims(rule, &participant.Issuer{}, now); f != nil {
		return f
	}
	grant, ground, f := ev.openGround(home)
	if f != nil {
		return f
	}
	if f := ev.restore(grant, ground, home, now, cache); f != nil {
		return f
	}
	return ev.presented(shown, now)
}

func (ev *Evidence) openGround(home Home) (*Grant, *Ground, *Fault) {
	id, _ := ev.Claims.Text("jti")
	sealed, _ := ev.Claims.Text(GroundClaim)
	access, ok := ParseAccess(ev.Claims[DetailsClaim])
	ground, known := openGround(home, id, sealed)
	if !ok || !known {
		return nil, nil, fault(trust.ClaimMissing, "credential of our own does not say what it was issued on and for; it is required")
	}
	return &Grant{ID: id, Agreement: ground.Agreement, Access: access, Epoch: ground.Epoch}, &ground, nil
}

// restore puts the original evidence in the credential's place: what would be
// refused if it came today is refused though it came before. What the credential
// itself is bound to, whoever calls has to show: the actor, if there is one.
func (ev *Evidence) restore(g *Grant, o *Ground, home Home, now int64, cache Signatures) *Fault {
	first, f := o.revive(home, now)
	if f != nil {
		return f
	}
	present := func(of *Evidence) {
		of.ClientID, of.Audience, of.ExpiresAt, of.Hash, of.Binding = ev.ClientID, ev.Audience, ev.ExpiresAt, ev.Hash, ev.Binding
	}
	root := first
	root.Hash, root.Audience, root.ExpiresAt = o.Hash, o.Audience, o.ExpiresAt
	present(&first)
	first.Grant = g
	if o.Actor == nil {
		first.Delegated = ev.Delegated
		*ev = first
		return nil
	}
	c := &Chain{}
	first.Chain, first.Binding = c, Binding{}
	if c.Fault = c.revive(&root, o, home, now, cache); c.Fault == nil {
		present(&c.Actor)
	}
	*ev = first
	return nil
}

// revive finds again who acts for the principal of a credential: the links as
// they were, verified anew, and the evidence of whom the last one names.
func (c *Chain) revive(principal *Evidence, o *Ground, home Home, now int64, cache Signatures) *Fault {
	if len(o.Links) > 0 {
		links := make([]Proof, len(o.Links))
		for i, link := range o.Links {
			links[i] = Proof{Kind: Delegation, Token: []byte(link)}
		}
		if f := c.follow(principal, links, home, now, cache); f != nil {
			return f
		}
	}
	actor, f := o.Actor.revive(home, now)
	if f != nil {
		return fault(trust.ActorProof, "the actor's own proof: "+f.Text)
	}
	c.Actor = actor
	if n := len(c.Links); n > 0 && actor.party() != c.Links[n-1].To {
		return fault(trust.NotTheActor, "the actor is another than the last link names")
	}
	return nil
}

// presented verifies what was shown with a credential: it is for who calls.
func (ev *Evidence) presented(shown *Shown, now int64) *Fault {
	if c := ev.Chain; c != nil && c.Fault == nil {
		return c.Actor.show(shown, now)
	}
	return ev.show(shown, now)
}

// revive gives the evidence of a ground as of now. Its issuer must still be
// stated for the same participant, and its key still be registered.
func (o *Ground) revive(home Home, now int64) (Evidence, *Fault) {
	ev := Evidence{Claims: o.Claims, Kind: o.kind()}
	speaker, line, f := ev.identify(home)
	if f != nil {
		return ev, f
	}
	keys, f := ev.keys(&speaker)
	if o.Peer != "" {
		var who trust.ParticipantID
		if who, keys, f = peer(home, o.Peer, now); f == nil && who != ev.Participant {
			f = fault(trust.ForeignOrigin, "credential of our own was issued on the word of a partner for which the subject's issuer does not speak any more")
		}
		ev.Namespace, ev.Peer = Pairwise, o.Peer
	}
	if f != nil {
		return ev, f
	}
	key, err := keys.Lookup(o.KeyID)
	switch {
	case err != nil || key.Thumbprint() != o.Thumbprint:
		return ev, fault(trust.UnknownKey, "key that signed the token this credential was issued on is registered no longer")
	case now >= key.Ends():
		return ev, fault(trust.AlgorithmEnded, "key that signed the token this credential was issued on is of a kind that is accepted no longer")
	case (line.Broker != nil) != (o.Origin != nil):
		return ev, fault(trust.NoOrigin, "credential of our own was issued on a token of an issuer that has become a broker, or is one no longer; it does not carry whom that one restates")
	}
	subject, named := o.Claims.Text("sub")
	if !named || subject == "" {
		return ev, fault(trust.ClaimMissing, "credential of our own was issued on a token without a subject")
	}
	ev.Subject, ev.IssuedAt = subject, o.IssuedAt
	ev.AuthTime, _ = o.Claims.Int("auth_time")
	ev.KeyID, ev.Algorithm, ev.Thumbprint, ev.Ends = key.KeyID(), string(key.Alg()), key.Thumbprint(), key.Ends()
	ev.Class, ev.Assurance = classOf(line.Classes, o.Claims, ev.path()), home.Assurance(o.Claims)
	ev.Kind = AccessToken // as it is presented
	if o.Origin != nil {
		if ev.Origin, f = o.Origin.revive(&ev, home); f != nil {
			return ev, f
		}
		ev.Assurance = framework.Min(ev.Assurance, ev.Origin.Assurance) // R26
	}
	return ev, nil
}

// revive gives the origin of a brokered token as of now: it must still speak for
// the broker's participant, and if it signed, with a key that is still registered.
func (o *GroundOrigin) revive(ev *Evidence, home Home) (*Origin, *Fault) {
	speaker, ok := home.Speaker(o.Issuer)
	speaks := slices.ContainsFunc(speaker.Candidates, func(c participant.Claimant) bool {
		return c.Participant == ev.Participant && c.Issuer.Broker == nil && c.Issuer.Namespace() == o.Namespace
	})
	if !ok || !speaks {
		return nil, fault(trust.ForeignOrigin, "origin of the token this credential was issued on does not speak for the participant any more")
	}
	origin := Origin{
		Issuer: speaker.Issuer, Namespace: o.Namespace, Subject: o.Subject, IssuedAt: o.IssuedAt, ExpiresAt: o.ExpiresAt,
		AuthTime: ev.AuthTime, KeyID: o.KeyID, Thumbprint: o.Thumbprint, Claims: o.Claims,
	}
	if !origin.Signed() {
		origin.Assurance = home.Brokered()
		if o.Claims != nil {
			origin.Assurance = framework.Min(origin.Assurance, home.Assurance(o.Claims))
		}
		return &origin, nil
	}
	if key, err := speaker.Keys.Lookup(o.KeyID); err != nil || key.Thumbprint() != o.Thumbprint {
		return nil, fault(trust.UnknownKey, "key of the origin of the token this credential was issued on is registered no longer")
	}
	origin.Assurance = home.Assurance(o.Claims)
	return &origin, nil
}

// Carried names the claims that a ground of this issuer carries, beside what an
// agreement releases and a framework reads: those that say who speaks for whom.
func Carried(line *participant.Issuer) []string {
	names := []string{"iss", "sub", "auth_time", "may_act", SessionClaim, DeviceClaim}
	if line.Discriminator != nil {
		names = append(names, line.Discriminator.Claim)
	}
	for claim := range line.Namespaces {
		names = append(names, claim)
	}
	for i := range line.Classes {
		if line.Classes[i].Claim != "" {
			names = append(names, line.Classes[i].Claim)
		}
		for claim := range line.Classes[i].When {
			names = append(names, claim)
		}
	}
	return names
}
