package signal

import (
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// Code says to a transmitter why a token was not taken (RFC 8935, section 2.4).
type Code string

const (
	InvalidRequest       Code = "invalid_request"
	InvalidKey           Code = "invalid_key"
	InvalidIssuer        Code = "invalid_issuer"
	InvalidAudience      Code = "invalid_audience"
	AuthenticationFailed Code = "authentication_failed"
	AccessDenied         Code = "access_denied"
)

// Refusal is an error with the code that a transmitter gets; the text is ours.
type Refusal struct {
	Code Code
	Err  error
}

func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap gives the error with its kind.
func (r *Refusal) Unwrap() error { return r.Err }

// Refuse makes a Refusal of kind Invalid, or Denied for all codes but
// InvalidRequest.
func Refuse(code Code, format string, args ...any) *Refusal {
	kind := trust.Denied
	if code == InvalidRequest {
		kind = trust.Invalid
	}
	return &Refusal{Code: code, Err: trust.Errorf(kind, format, args...)}
}

// Leeway is how far, in seconds, a token's times may lie in our future.
const Leeway = 30

const maxTime = 253402300799 // the end of the year 9999

// Token is a security event token, read strictly (RFC 8417; SSF 1.0, section 4).
type Token struct {
	Issuer, Audience, ID string // iss, aud, jti
	IssuedAt             int64  // Unix seconds
	Type                 Type
	Subject              SubjectID
	Content              canonical.Object // the event
	At                   int64            // when it happened: event_timestamp, toe or iat, Unix seconds
}

// Read takes a token from the claims of a JWT of type SETType at now (Unix
// seconds). A token names its issuer, one audience, itself and its time, has one
// event, and says top-level whom that is about; with sub or exp it might pass for
// another kind of token, and is refused (SSF 1.0, sections 4.1.2 and 4.1.7).
func Read(claims canonical.Object, now int64) (Token, *Refusal) {
	var t Token
	for _, name := range []string{"sub", "exp"} {
		if _, there := claims[name]; there {
			return t, Refuse(InvalidRequest, "security event token has the claim %s; it must not", name)
		}
	}
	t.Issuer, _ = claims.Text("iss")
	t.ID, _ = claims.Text("jti")
	t.Audience = audience(claims["aud"])
	for _, text := range []string{t.Issuer, t.ID, t.Audience} {
		if text == "" || len(text) > maxName {
			return t, Refuse(InvalidRequest, "security event token lacks iss, jti or one aud, or one is too long")
		}
	}
	events, ok := claims["events"].(canonical.Object)
	if !ok || len(events) != 1 {
		return t, Refuse(InvalidRequest, "security event token has %d events; it has one", len(events))
	}
	for name, content := range events {
		t.Type = Type(name)
		if t.Content, ok = content.(canonical.Object); !ok {
			return t, Refuse(InvalidRequest, "event of a security event token is not an object")
		}
	}
	var err error
	if t.Subject, err = ReadSubjectID(claims["sub_id"]); err != nil {
		return t, &Refusal{Code: InvalidRequest, Err: err}
	}
	return t, t.readTimes(claims, now)
}

func audience(v any) string {
	if list, ok := v.([]any); ok && len(list) == 1 {
		v = list[0]
	}
	text, _ := v.(string)
	return text
}

// readTimes: what is to come has not happened, and would outlast every word that
// takes it back.
func (t *Token) readTimes(claims canonical.Object, now int64) *Refusal {
	var bad bool
	date := func(o canonical.Object, name string, otherwise int64) int64 {
		v, there := o[name]
		if !there && otherwise != 0 {
			return otherwise
		}
		at, ok := v.(int64)
		bad = bad || !ok || at <= 0 || at > maxTime || at > now+Leeway
		return at
	}
	t.IssuedAt = date(claims, "iat", 0)
	t.At = date(t.Content, "event_timestamp", date(claims, "toe", t.IssuedAt))
	if bad {
		return Refuse(InvalidRequest, "security event token has a time that is missing, not in whole seconds, or more than %d s in our future", Leeway)
	}
	return nil
}
