package evidence

import (
	"slices"

	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// maxTime is the end of the year 9999 in Unix seconds; nothing issued today is
// meant to last longer, and sums of such times cannot overflow.
const maxTime = 253402300799

// readClaims takes the registered claims over. Absent is not allowed: each is
// required, in its type (RFC 7519, section 4.1; RFC 9068, section 2.2).
func (ev *Evidence) readClaims(rule *rule, line *participant.Issuer, now int64) *Fault {
	var missing string
	text := func(name string) string {
		v, ok := ev.Claims.Text(name)
		if !ok || v == "" {
			missing = name
		}
		return v
	}
	for _, name := range rule.required {
		text(name)
	}
	ev.Subject = text("sub")
	if missing != "" {
		return fault(trust.ClaimMissing, "claim "+missing+" is not a text; it is required")
	}
	if f := ev.readAudience(); f != nil {
		return f
	}
	if f := ev.readParties(line); f != nil {
		return f
	}
	_, ev.Delegated = ev.Claims["act"]
	ev.Binding = readBinding(ev.Claims)
	return ev.readTimes(now)
}

// readAudience takes the one audience: a text, or a list of one.
func (ev *Evidence) readAudience() *Fault {
	value := ev.Claims["aud"]
	if list, ok := value.([]any); ok && len(list) > 0 {
		if len(list) > 1 {
			return fault(trust.AudienceMultiple, "token is for several audiences; one that is for us is for us alone")
		}
		value = list[0]
	}
	aud, ok := value.(string)
	if !ok || aud == "" {
		return fault(trust.ClaimMissing, "claim aud is neither a text nor a list of one; it is required")
	}
	ev.Audience = aud
	return nil
}

// readParties takes the client. In an ID token azp, when present, is the party
// it was issued to, and that is its audience (OpenID Connect Core 1.0, section
// 2); an access token's azp is history.
func (ev *Evidence) readParties(line *participant.Issuer) *Fault {
	if ev.Kind == AccessToken || ev.Kind == IDJAG {
		ev.ClientID, _ = ev.Claims.Text("client_id")
		return nil
	}
	value, present := ev.Claims["azp"]
	if !present || ev.Kind != IDToken {
		return nil
	}
	azp, ok := value.(string)
	if !ok || azp != ev.Audience && !names(line, azp) {
		return fault(trust.ClaimMissing, "claim azp is not the token's audience; an ID token is for the party it was issued to")
	}
	ev.ClientID = azp
	return nil
}

// names reports whether the participant registered, as a condition of a class,
// that the issuer's tokens are issued to this party: clouds issue a workload's
// token to the workload itself.
func names(line *participant.Issuer, azp string) bool {
	return azp != "" && slices.ContainsFunc(line.Classes, func(r participant.ClassRule) bool { return r.When["azp"] == azp })
}

func (ev *Evidence) readTimes(now int64) *Fault {
	var f *Fault
	date := func(name string, required bool) int64 {
		value, present := ev.Claims[name]
		t, ok := value.(int64)
		if (present || required) && (!ok || t <= 0 || t > maxTime) && f == nil {
			f = fault(trust.ClaimMissing, "claim "+name+" is not a date in whole seconds")
		}
		return t
	}
	ev.IssuedAt, ev.ExpiresAt = date("iat", true), date("exp", true)
	ev.AuthTime = date("auth_time", false)
	notBefore := date("nbf", false)
	switch latest := max(ev.IssuedAt, ev.AuthTime, notBefore); {
	case f != nil:
		return f
	case ev.ExpiresAt <= ev.IssuedAt:
		return fault(trust.ClaimMissing, "claim exp does not lie behind iat")
	case now >= ev.ExpiresAt:
		return fault(trust.TokenExpired, "token has expired")
	case latest > now+Leeway:
		return fault(trust.TokenNotYetValid, "token is issued, valid or signed in for from more than 30 s in our future")
	}
	if ev.Ends >= ev.ExpiresAt {
		ev.Ends = 0 // the token ends before its key's kind does
	}
	return nil
}
