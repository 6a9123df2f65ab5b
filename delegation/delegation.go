// Package delegation holds signed links of delegation: by each of them one
// party lets the next act for the principal. It decides whether a chain of links
// holds together from the principal to who acts, and that it never widens on the
// way. It refuses to know who speaks for an issuer and what a principal may do.
//
// A link is a JWT of the type entente-delegation+jwt. Whoever answers for the
// delegator signs it: a registered key of the issuer iss, about its subject sub.
//
//	iss, sub               who delegates: the principal in the first link, after it whom the link before names
//	may_act                who may act: {iss, sub} and, to hold it to a key, cnf.jkt (RFC 8693, section 4.4; RFC 7800)
//	parent                 SHA-256, base64url, of what stands before: the principal's token, or the link before
//	authorization_details  what may be done: {type, actions, identifier} each (RFC 9396, section 2); no identifier means any
//	aud                    the one service that it is for: that of the principal's token
//	depth                  how many links may follow
//	iat, exp, jti          as in any token; exp lies no later than before
//
// Other claims are the issuer's: what it is confined by, and the levels of
// assurance that it states of the delegator. act, cnf and nbf are refused: a
// link that says more than this room judges would be taken for less than it is.
package delegation

import "github.com/entente-id/entente/trust"

// Type is the typ of a link.
const Type = "entente-delegation+jwt"

const (
	// MaxLinks bounds a chain, whatever a framework allows.
	MaxLinks = 8
	// MaxBytes bounds one link.
	MaxBytes = 4 << 10
	// Leeway is how far, in seconds, a link's iat may lie in our future.
	Leeway = 30
)

// Party is a subject, by the issuer that answers for it.
type Party struct {
	Issuer  trust.IssuerID
	Subject string
}

// IsZero reports whether p names nobody.
func (p Party) IsZero() bool { return p == Party{} }

// Link lets one party act for another.
type Link struct {
	From      Party    // who delegates
	To        Party    // who may act
	Key       string   // RFC 7638 thumbprint of the key that To has to show; empty: any that is registered for it
	Parent    [32]byte // SHA-256 of what stands before it
	Audience  string
	Scope     Scope
	IssuedAt  int64 // Unix seconds
	ExpiresAt int64
	Depth     int // how many links may follow
	ID        string
}

// Fault is why a chain does not hold. Text names the link and the rule, never
// what stands in it.
type Fault struct {
	Reason trust.Reason // delegate.…
	Text   string
}

func (f *Fault) Error() string { return f.Text }
