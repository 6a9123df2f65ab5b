package evidence

import (
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// Canary is an identity that a partner's node made up for a drill: it stands for
// nobody, and nothing vouches for it but the node's own key.
const Canary Kind = "urn:entente:params:token-type:canary"

// CanaryType is the typ of a canary's token; no token of another kind has it.
// CanaryClassClaim says which identity class it plays.
const (
	CanaryType       = "entente-canary+jwt"
	CanaryClassClaim = "entente_class"
)

// CanarySpace is the namespace of canaries. No issuer's namespace can have this
// name, so no canary's end is a person's.
const CanarySpace = "urn:entente:canary"

var canaryForm = jose.Form{Types: []string{CanaryType}, Use: jose.ForCredential}

// canary verifies a canary: that the partner's node whose identifier is the iss
// signed it. It has the class it plays and no assurance at all.
func (ev *Evidence) canary(t *token, rule *rule, r Registry, now int64, cache Signatures) *Fault {
	iss, f := ev.speaker()
	if f != nil {
		return f
	}
	who, keys, f := peer(r, iss, now)
	if f != nil {
		return f
	}
	ev.Participant = who
	if f := ev.authenticate(t, rule, keys, now, cache); f != nil {
		return f
	}
	if f := ev.readClaims(rule, &participant.Issuer{}, now); f != nil {
		return f
	}
	class, _ := ev.Claims.Text(CanaryClassClaim)
	ev.Class = trust.Class(class)
	if !ev.Class.Valid() {
		return fault(trust.ClaimMissing, "claim "+CanaryClassClaim+" is no identity class; a canary plays one")
	}
	issuer, err := trust.ParseIssuerID(iss)
	if err != nil {
		return fault(trust.UnknownIssuer, "issuer of the canary is no partner's node")
	}
	ev.Issuer, ev.Namespace = issuer, CanarySpace
	return nil
}
