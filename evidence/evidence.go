// Package evidence verifies what a caller presents and says what is left after
// verification. There is one way in, Verify, for every entry point. It decides
// whether a proof is genuine, whose it is and what it says. It refuses to know
// agreements, policies and what the caller wants.
package evidence

import (
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// Kind is what sort of proof a caller brings, by its RFC 8693 token type URN.
type Kind string

const (
	AccessToken Kind = "urn:ietf:params:oauth:token-type:access_token" // RFC 9068, typ at+jwt
	IDToken     Kind = "urn:ietf:params:oauth:token-type:id_token"     // OpenID Connect Core, typ JWT or absent
	JWTSVID     Kind = "urn:entente:params:token-type:jwt-svid"        // SPIFFE JWT-SVID
	X509SVID    Kind = "urn:entente:params:token-type:x509-svid"       // SPIFFE X509-SVID: certificates, leaf first, in PEM or DER
)

// Kinds lists the kinds of tokens that issuers sign.
func Kinds() []Kind { return []Kind{AccessToken, IDToken} }

// Proof is what the caller brought, untouched.
type Proof struct {
	Kind  Kind
	Token []byte // compact JWS or certificates, at most 16 KiB
	Shown *Shown // nil: nothing beside the token

	origin bool // it is the origin's assertion in a broker's token
}

// Shown is what the enforcement point saw beside a token.
type Shown struct {
	DPoP        []byte // the one DPoP header field (RFC 9449, section 4.1)
	Method, URL string // of the request that brought it
	Certificate []byte // DER, of the client whose TLS handshake it verified
	ForToken    bool   // it was seen at our token endpoint, where a credential is asked for
}

// Registry is what this node knows of issuers. state.Snapshot satisfies it.
type Registry interface {
	// Speaker gives what is registered for an iss value, compared byte by byte.
	Speaker(iss string) (participant.Speaker, bool)
	// Assurance maps claims onto the framework's ladders; the lowest of each
	// when no framework is in force.
	Assurance(claims map[string]any) framework.Vector
	// Brokered is the most that a broker may assert where the origin's own signed
	// word is absent; the lowest of each ladder when no framework is in force.
	Brokered() framework.Vector
}

// Signatures checks signatures, as u.Verify(key) does, and remembers tokens
// whose signature held, by the SHA-256 of the whole token. It saves the
// signature check and the parsing, nothing else: Verify judges everything else
// again, the key's registration first. It may forget whenever it likes.
type Signatures interface {
	Get(token [32]byte) (jose.Verified, bool)
	Verify(token [32]byte, u *jose.Unverified, key jose.Key) (jose.Verified, error)
	// Spend does the work of a check whose outcome does not count, at most once for
	// a token that it remembers.
	Spend(token [32]byte, u *jose.Unverified)
}

// Leeway is how far, in seconds, a token's iat, nbf and auth_time may lie in our
// future. An expiry has none: at exp a token has expired.
const Leeway = 30

// DefaultNamespace is the space of subject identifiers of an issuer that names
// none.
const DefaultNamespace = "default"

// Evidence is a verified proof. Only Verify makes a useful one.
type Evidence struct {
	Participant trust.ParticipantID // who answers for the subject
	Issuer      trust.IssuerID
	Namespace   string      // the space of the subject's identifier, of Participant
	Subject     string      // plain; never written into a leaf
	ClientID    string      // empty in an ID token without azp
	Class       trust.Class // empty: unclassified
	Assurance   framework.Vector
	Kind        Kind
	Audience    string // the only one; a token for several is refused
	IssuedAt    int64  // Unix seconds, as all times here
	ExpiresAt   int64
	AuthTime    int64 // 0: not stated
	KeyID       string
	Algorithm   string
	Thumbprint  string   // RFC 7638, of the key that signed
	Keys        []string // likewise, of every other key that certificates stand on, the subject's first
	Ends        int64    // when the first of the certificates that it stands on expires, or the kind of its key, if that is before ExpiresAt; 0: neither
	Delegated   bool     // an act claim is present
	Chain       *Chain   // who acts for the subject; nil: it calls itself
	Binding     Binding
	Hash        [32]byte         // SHA-256 of the token as presented
	Claims      canonical.Object // the only parsed object; read only
	Origin      *Origin          // nil: not brokered
	Exception   string           // the name of the one that let a shared secret in; empty: it is none
	Grant       *Grant           // for a credential of our own, and a partner's grant: what it is narrowed to
	Peer        string           // issuer identifier of the partner's node that vouched for the subject; empty: its issuer did
}

// Missed gives the issuer whose key a refusal for an unknown key is about: that
// of the token, or of the origin's assertion in it.
func (ev *Evidence) Missed() trust.IssuerID {
	if ev.Origin != nil {
		return ev.Origin.Issuer
	}
	return ev.Issuer
}

// The claims by which a token names the session and the device that it belongs to.
const (
	SessionClaim = "sid" // OpenID Connect Back-Channel Logout 1.0, section 2.1
	DeviceClaim  = "device_id"
)

// Session and Device give what the token names, by which signals take it back;
// empty where it names none.
func (ev *Evidence) Session() string { return ev.name(SessionClaim) }

// Device is as Session.
func (ev *Evidence) Device() string { return ev.name(DeviceClaim) }

func (ev *Evidence) name(claim string) string {
	text, _ := ev.Claims.Text(claim)
	return text
}

// Fault is a refusal by the first or second check. What was established before
// it stands in the Evidence beside it.
type Fault struct {
	Reason trust.Reason // identify.… or authenticate.…
	Text   string       // names the thing and the rule, never token content
}

func (f *Fault) Error() string { return f.Text }
