package signal

import (
	"github.com/entente-id/entente/canonical"
)

// LogoutType is the typ of a logout token; older issuers write JWT, or nothing
// (OpenID Connect Back-Channel Logout 1.0, section 2.4).
const LogoutType = "logout+jwt"

const (
	logoutEvent  = "http://schemas.openid.net/event/backchannel-logout"
	logoutMaxAge = 300 // seconds after which a logout token comes too late to be one of now
)

// ReadLogout takes the claims of a logout token at now (Unix seconds) as the signal
// that a session of its issuer's subject is revoked: the one of sid, or without sid
// all of sub. A nonce would make it an ID token, and is refused (section 2.6).
func ReadLogout(claims canonical.Object, now int64) (Token, *Refusal) {
	t := Token{Type: SessionRevoked, Content: canonical.Object{}}
	if _, there := claims["nonce"]; there {
		return t, Refuse(InvalidRequest, "logout token has a nonce; it must not")
	}
	t.Issuer, _ = claims.Text("iss")
	t.ID, _ = claims.Text("jti")
	t.Audience = audience(claims["aud"])
	events, _ := claims["events"].(canonical.Object)
	event, isObject := events[logoutEvent].(canonical.Object)
	sub, hasSub := claims.Text("sub")
	sid, hasSid := claims.Text("sid")
	_, subThere := claims["sub"]
	_, sidThere := claims["sid"]
	switch {
	case t.Issuer == "" || t.ID == "" || t.Audience == "" || len(t.ID) > maxName:
		return t, Refuse(InvalidRequest, "logout token lacks iss, jti or one aud")
	case !isObject || len(events) != 1 || len(event) != 0:
		return t, Refuse(InvalidRequest, "logout token does not have the one event of a logout")
	case sub == "" && sid == "" || subThere && (!hasSub || sub == "") || sidThere && (!hasSid || sid == "") || len(sub) > maxName || len(sid) > maxName:
		return t, Refuse(InvalidRequest, "logout token names neither a subject nor a session, or not as texts")
	}
	t.Subject = SubjectID{Format: Complex, Parts: map[Member]SubjectID{}}
	if sub != "" {
		t.Subject.Parts[User] = SubjectOf(t.Issuer, sub)
	}
	if sid != "" {
		t.Subject.Parts[Session] = OpaqueOf(sid)
	}
	exp, ok := claims.Int("exp")
	if refusal := t.readTimes(claims, now); refusal != nil {
		return t, refusal
	}
	if !ok || exp <= now || t.IssuedAt < now-logoutMaxAge {
		return t, Refuse(InvalidRequest, "logout token has expired, does not say when it does, or is older than %d s", logoutMaxAge)
	}
	t.At = t.IssuedAt
	return t, nil
}
