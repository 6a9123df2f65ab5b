package idp

import (
	"maps"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/token/jwt"
)

// session is what a login leaves behind: the ID token's claims, and the account
// they came from. Access tokens are rendered from the same facts.
type session struct {
	openid.DefaultSession
	account  *account
	clientID string
	claims   map[string]any
	issued   time.Time
	key      string // thumbprint of the application's key, empty for a bearer's token
}

// adopt fills s from who its account stands for now.
func (s *session) adopt(person Person, clientID string) {
	s.clientID, s.claims = clientID, person.Claims
	s.SetSubject(person.Subject)
	id := s.IDTokenClaims()
	id.Subject = person.Subject
	id.AuthenticationContextClassReference, _ = person.Claims["acr"].(string)
	id.Extra = cloneClaims(person.Claims)
	id.Extra["azp"] = clientID
}

// issue sets the times of the next tokens to [now, now+life) in whole seconds.
// The library by itself rounds and would now and then give a second too much,
// which is a second more than a partner allows.
func (s *session) issue(now time.Time, life time.Duration) {
	s.issued = now.UTC().Truncate(time.Second)
	s.SetExpiresAt(fosite.AccessToken, s.issued.Add(life))
	s.IDTokenClaims().ExpiresAt = s.issued.Add(life)
}

// GetJWTClaims gives the claims of the next access token (RFC 9068, 2.2). They
// are made anew each time: the library writes iat and exp into what it gets.
func (s *session) GetJWTClaims() jwt.JWTClaimsContainer {
	c := &jwt.JWTClaims{Subject: s.GetSubject(), IssuedAt: s.issued, Extra: cloneClaims(s.claims)}
	c.Add("client_id", s.clientID)
	if at := s.IDTokenClaims().AuthTime; !at.IsZero() {
		c.Add("auth_time", at.Unix())
	}
	if s.key != "" {
		c.Add("cnf", map[string]any{"jkt": s.key}) // RFC 9449, 6.1
	}
	return c
}

// GetJWTHeader marks an access token as one (RFC 9068, 2.1).
func (s *session) GetJWTHeader() *jwt.Headers {
	return &jwt.Headers{Extra: map[string]any{"typ": "at+jwt"}}
}

// Clone copies what a session hands on to the next refresh; adopt and issue
// bring the rest. The account stays shared.
func (s *session) Clone() fosite.Session {
	base := s.DefaultSession.Clone().(*openid.DefaultSession)
	return &session{DefaultSession: *base, account: s.account}
}

// cloneClaims copies the top level of c, and never gives nil.
func cloneClaims(c map[string]any) map[string]any {
	out := maps.Clone(c)
	if out == nil {
		out = map[string]any{}
	}
	return out
}
