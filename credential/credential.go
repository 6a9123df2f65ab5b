// Package credential renders what this node issues, unsigned: its own access
// tokens. It decides what such a token says and, as much, what it leaves out. It
// refuses to know who signs it and whether it should be issued at all.
package credential

import (
	"encoding/base64"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/evidence"
)

// Type is the typ of an access token (RFC 9068, section 2.1).
const Type = "at+jwt"

// Claims are those of an access token of our own (RFC 9068, section 2.2). Of the
// person it says a pairwise identifier and nothing else in the clear.
type Claims struct {
	Issuer    string
	Subject   string // pairwise: another one at every service
	Audience  string // the one service it is for
	Client    string // whom it was issued to
	ID        string // jti, random
	Scope     string // as it was asked for; may be empty
	Access    []evidence.Access
	Ground    []byte   // sealed; see evidence.Ground
	Status    Place    // in a status list
	Actors    []string // pairwise, of who acts for the subject: who calls, then the history
	Key       string   // thumbprint of the key that it is bound to; empty: whoever bears it
	IssuedAt  int64    // Unix seconds
	ExpiresAt int64
}

// Append appends the claims as canonical JSON.
func (c *Claims) Append(dst []byte) []byte {
	dst = append(dst, '{')
	if len(c.Actors) > 0 {
		dst = append(appendActors(dst, c.Actors), ',')
	}
	dst = append(dst, `"aud":`...)
	dst = canonical.AppendString(dst, c.Audience)
	dst = append(dst, `,"`+evidence.DetailsClaim+`":`...)
	dst = evidence.AppendAccess(dst, c.Access)
	dst = append(dst, `,"client_id":`...)
	dst = canonical.AppendString(dst, c.Client)
	dst = appendKey(dst, c.Key)
	dst = append(dst, `,"`+evidence.GroundClaim+`":"`...)
	dst = base64.RawURLEncoding.AppendEncode(dst, c.Ground)
	dst = append(dst, `","exp":`...)
	dst = canonical.AppendInt(dst, c.ExpiresAt)
	dst = append(dst, `,"iat":`...)
	dst = canonical.AppendInt(dst, c.IssuedAt)
	dst = append(dst, `,"iss":`...)
	dst = canonical.AppendString(dst, c.Issuer)
	dst = append(dst, `,"jti":`...)
	dst = canonical.AppendString(dst, c.ID)
	if c.Scope != "" {
		dst = append(dst, `,"scope":`...)
		dst = canonical.AppendString(dst, c.Scope)
	}
	dst = c.Status.append(dst)
	dst = append(dst, `,"sub":`...)
	dst = canonical.AppendString(dst, c.Subject)
	return append(dst, '}')
}

// appendActors appends the claim act: each within the one before (RFC 8693,
// section 4.1).
func appendActors(dst []byte, actors []string) []byte {
	dst = append(dst, `"act":{`...)
	if len(actors) > 1 {
		dst = append(appendActors(dst, actors[1:]), ',')
	}
	dst = append(dst, `"sub":`...)
	dst = canonical.AppendString(dst, actors[0])
	return append(dst, '}')
}
