package evidence

import (
	"maps"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// IDJAG is an identity assertion authorization grant: a partner's node says who
// one of its own people is, to our authorization server alone, for a credential
// of ours and for nothing else (draft-ietf-oauth-identity-assertion-authz-grant).
const IDJAG Kind = "urn:ietf:params:oauth:token-type:id-jag"

// IDJAGType is the typ of such a grant. AssertedClaim holds what the subject's
// own issuer says, as far as an agreement releases it and rules read it;
// ResourceClaim the one service that it is for.
const (
	IDJAGType     = "oauth-id-jag+jwt"
	AssertedClaim = "entente_asserted"
	ResourceClaim = "resource"
)

// Pairwise is the namespace of the identifiers that a participant gives its
// people for one partner alone. No issuer's namespace can have this name.
const Pairwise = "urn:entente:pairwise"

// Peers is a Home that knows the nodes of partners.
type Peers interface {
	Home
	// Peer gives the partner whose node's issuer identifier iss is, with the keys
	// of its credentials that are valid at now.
	Peer(iss string, now int64) (trust.ParticipantID, []jose.Key, bool)
}

// jagForm lets access tokens and ID tokens in, so that they are refused after
// their issuer is known.
var jagForm = jose.Form{Types: []string{IDJAGType, "at+jwt", "", "jwt"}, Use: jose.ForCredential}

// granted verifies a grant: that a partner's node signed it for one of its own
// issuers' subjects. Our own is refused: nobody brings us our own word.
func (ev *Evidence) granted(t *token, rule *rule, r Registry, shown *Shown, now int64, cache Signatures) ([]trust.Once, *Fault) {
	iss, f := ev.speaker()
	if f != nil {
		return nil, f
	}
	who, keys, f := peer(r, iss, now)
	if f != nil {
		return nil, f
	}
	ev.Participant = who
	if f := ev.authenticate(t, rule, keys, now, cache); f != nil {
		return nil, f
	}
	if f := ev.readClaims(rule, &participant.Issuer{}, now); f != nil {
		return nil, f
	}
	id, _ := ev.Claims.Text("jti")
	target, _ := ev.Claims.Text(ResourceClaim)
	access, ok := ParseAccess(ev.Claims[DetailsClaim])
	asserted, stated := ev.Claims[AssertedClaim].(canonical.Object)
	if !ok || !stated || target == "" {
		return nil, fault(trust.ClaimMissing, "grant does not say for which resource and access it is, and what is asserted of its subject; it is required")
	}
	ev.Grant = &Grant{ID: id, Target: target, Access: access}
	if f := ev.assert(asserted, r); f != nil {
		return nil, f
	}
	if f := ev.show(shown, now); f != nil {
		return nil, f
	}
	return []trust.Once{{Key: table.KeyOf("id-jag", who.String(), id), Expires: ev.ExpiresAt, Edge: who}}, nil
}

// peer finds the partner whose node iss is, and the keys of its credentials.
func peer(r Registry, iss string, now int64) (who trust.ParticipantID, set jose.KeySet, f *Fault) {
	peers, ok := r.(Peers)
	if !ok || peers.Issues(iss) {
		return who, set, fault(trust.UnknownIssuer, "issuer is no partner's node")
	}
	who, keys, ok := peers.Peer(iss, now)
	if !ok {
		return who, set, fault(trust.UnknownIssuer, "issuer is no partner's node")
	}
	set, err := jose.NewKeySet(keys...)
	if err != nil || len(keys) == 0 {
		return who, set, fault(trust.UnknownKey, "partner's node has no keys for credentials that are valid now")
	}
	return who, set, nil
}

// assert puts what a partner's node says of a subject in the place of the
// grant's own claims. The subject's issuer must be stated by that partner, and
// speaks of no more than it is registered for: the partner vouches for its own.
func (ev *Evidence) assert(asserted canonical.Object, r Registry) *Fault {
	claims := maps.Clone(asserted)
	claims["sub"] = ev.Subject
	first := Evidence{Claims: claims, Kind: ev.Kind}
	_, line, f := first.identify(r)
	switch {
	case f != nil:
		return f
	case first.Participant != ev.Participant:
		return fault(trust.ForeignOrigin, "grant speaks of a subject of "+first.Issuer.String()+", which does not speak for the partner that signed it")
	case line.Broker != nil:
		return fault(trust.ForeignOrigin, "grant speaks of a subject by "+first.Issuer.String()+", a broker; a partner vouches for its own issuers alone")
	}
	ev.Peer, _ = ev.Claims.Text("iss")
	ev.Issuer, ev.Namespace, ev.Claims = first.Issuer, Pairwise, claims
	ev.AuthTime = 0
	if value, present := claims["auth_time"]; present {
		at, ok := value.(int64)
		if !ok || at <= 0 || at > ev.IssuedAt+Leeway {
			return fault(trust.ClaimMissing, "claim auth_time of the subject is not a date in whole seconds before the grant")
		}
		ev.AuthTime = at
	}
	ev.Class, ev.Assurance = classOf(line.Classes, claims, ""), r.Assurance(claims)
	return nil
}
