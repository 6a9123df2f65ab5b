package signal_test

import (
	"testing"

	"github.com/entente-id/entente/signal"
)

func logout(with object) object {
	claims := object{
		"iss": "https://idp.example", "aud": "ward-app", "jti": "l1", "iat": int64(now), "exp": int64(now + 120), "sub": "n1", "sid": "s1",
		"events": object{"http://schemas.openid.net/event/backchannel-logout": object{}},
	}
	for name, v := range with {
		claims[name] = v
		if v == nil {
			delete(claims, name)
		}
	}
	return claims
}

func TestLogoutTokens(t *testing.T) {
	for name, with := range map[string]object{"both": nil, "session": {"sub": nil}, "subject": {"sid": nil}, "a list of one": {"aud": []any{"ward-app"}}} {
		token, refusal := signal.ReadLogout(logout(with), now)
		if refusal != nil || token.Type != signal.SessionRevoked || token.At != now || token.Audience != "ward-app" {
			t.Errorf("%s is read as %+v, %v", name, token, refusal)
			continue
		}
		about, refusal := signal.Resolve(token.Subject, nil)
		if refusal != nil || (about.Session == "s1") != (name != "subject") || (len(about.Users) == 1) != (name != "session") {
			t.Errorf("%s is about %+v, %v", name, about, refusal)
		}
	}
	for name, with := range map[string]object{
		"a nonce": {"nonce": "x"}, "no iss": {"iss": nil}, "no aud": {"aud": nil}, "two audiences": {"aud": []any{"a", "b"}}, "no jti": {"jti": nil},
		"no iat": {"iat": nil}, "iat to come": {"iat": int64(now + 60)}, "old": {"iat": int64(now - 301)}, "no exp": {"exp": nil}, "expired": {"exp": int64(now)},
		"neither sub nor sid": {"sub": nil, "sid": nil}, "an empty sub": {"sub": ""}, "a sid that is no text": {"sid": int64(7)},
		"no event": {"events": nil}, "another event": {"events": object{"https://schemas.example/x": object{}}}, "an event that says something": {
			"events": object{"http://schemas.openid.net/event/backchannel-logout": object{"a": "b"}},
		},
		"two events": {"events": object{"http://schemas.openid.net/event/backchannel-logout": object{}, "https://schemas.example/x": object{}}},
	} {
		if token, refusal := signal.ReadLogout(logout(with), now); refusal == nil || refusal.Code != signal.InvalidRequest {
			t.Errorf("%s is read as %+v, %v", name, token, refusal)
		}
	}
}
