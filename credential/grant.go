package credential

import (
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/evidence"
)

// GrantType is the typ of a grant for a partner (ID-JAG).
const GrantType = evidence.IDJAGType

// MaxGrant is for how many seconds at most a grant counts.
const MaxGrant = 300

// Grant is what an identity assertion authorization grant of our own says
// (draft-ietf-oauth-identity-assertion-authz-grant, section 3): who one of our
// people is, to one partner's authorization server.
type Grant struct {
	Issuer    string
	Subject   string // pairwise: another one at every partner
	Audience  string // the partner's issuer identifier, alone
	Client    string // who may redeem it there
	ID        string // jti, random
	Target    string // the audience of the partner's service
	Scope     string // as it was asked for; may be empty
	Access    []evidence.Access
	Asserted  canonical.Object // what the subject's own issuer says
	Key       string           // thumbprint of the key that has to be shown; empty: none
	IssuedAt  int64            // Unix seconds
	ExpiresAt int64
}

// Append appends the claims as canonical JSON.
func (g *Grant) Append(dst []byte) []byte {
	dst = append(dst, `{"aud":`...)
	dst = canonical.AppendString(dst, g.Audience)
	dst = append(dst, `,"`+evidence.DetailsClaim+`":`...)
	dst = evidence.AppendAccess(dst, g.Access)
	dst = append(dst, `,"client_id":`...)
	dst = canonical.AppendString(dst, g.Client)
	dst = appendKey(dst, g.Key)
	dst = append(dst, `,"`+evidence.AssertedClaim+`":`...)
	dst = canonical.AppendValue(dst, g.Asserted)
	dst = append(dst, `,"exp":`...)
	dst = canonical.AppendInt(dst, g.ExpiresAt)
	dst = append(dst, `,"iat":`...)
	dst = canonical.AppendInt(dst, g.IssuedAt)
	dst = append(dst, `,"iss":`...)
	dst = canonical.AppendString(dst, g.Issuer)
	dst = append(dst, `,"jti":`...)
	dst = canonical.AppendString(dst, g.ID)
	dst = append(dst, `,"`+evidence.ResourceClaim+`":`...)
	dst = canonical.AppendString(dst, g.Target)
	if g.Scope != "" {
		dst = append(dst, `,"scope":`...)
		dst = canonical.AppendString(dst, g.Scope)
	}
	dst = append(dst, `,"sub":`...)
	dst = canonical.AppendString(dst, g.Subject)
	return append(dst, '}')
}

// appendKey appends the cnf claim of what is bound to a key (RFC 9449, section
// 6.1).
func appendKey(dst []byte, thumbprint string) []byte {
	if thumbprint == "" {
		return dst
	}
	dst = append(dst, `,"cnf":{"jkt":`...)
	dst = canonical.AppendString(dst, thumbprint)
	return append(dst, '}')
}
