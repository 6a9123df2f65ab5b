package oauth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entente-id/entente/api/oauth"
	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

func send(s *shell, path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "Bearer "+credential(wire.EnforcementPoint, secret))
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	oauth.New(s).ServeHTTP(w, r)
	return w
}

// RFC 7662, section 2.2: of what is not active nothing else is said.
func TestIntrospection(t *testing.T) {
	s := &shell{}
	if w := send(s, "/oauth/introspect", "token=x.y.z&token_type_hint=refresh_token", nil); w.Code != 200 || w.Body.String() != `{"active":false}` || s.token != "records-1 x.y.z" {
		t.Errorf("answered %d %s, asked for %s", w.Code, w.Body, s.token)
	}
	s.known = &node.Introspection{Issuer: "i", Subject: "s", Audience: "a", Client: "c", ID: "j", ExpiresAt: 9, Access: []evidence.Access{
		{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"},
	}}
	const want = `{"active":true,"iss":"i","sub":"s","aud":"a","client_id":"c","jti":"j","exp":9,"token_type":"Bearer",` +
		`"authorization_details":[{"type":"entente_access","resource_type":"WardRecord","actions":["read"],"purpose":"TREAT"}]}`
	if w := send(s, "/oauth/introspect", "token=x.y.z", nil); w.Code != 200 || w.Body.String() != want {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

// RFC 7009, section 2.2: 200, whatever the token was.
func TestRevocation(t *testing.T) {
	s := &shell{}
	if w := send(s, "/oauth/revoke", "token=x.y.z", nil); w.Code != 200 || w.Body.Len() != 0 || s.token != "records-1 x.y.z" {
		t.Errorf("answered %d %s, asked for %s", w.Code, w.Body, s.token)
	}
	s.fails = errors.New("disk")
	if w := send(s, "/oauth/revoke", "token=x.y.z", nil); w.Code != 503 || strings.Contains(w.Body.String(), "disk") {
		t.Errorf("what is not durable is answered %d %s", w.Code, w.Body)
	}
}

func TestOneTokenByOneClient(t *testing.T) {
	for _, path := range []string{"/oauth/introspect", "/oauth/revoke"} {
		for name, c := range map[string]struct {
			body   string
			change func(*http.Request)
			status int
		}{
			"no token":    {"token_type_hint=access_token", nil, 400},
			"empty token": {"token=", nil, 400},
			"two tokens":  {"token=a&token=b", nil, 400},
			"query":       {"token=a", func(r *http.Request) { r.URL.RawQuery = "token=a" }, 400},
			"nobody":      {"token=a", func(r *http.Request) { r.Header.Del("Authorization") }, 401},
			"JSON":        {"token=a", func(r *http.Request) { r.Header.Set("Content-Type", wire.JSON) }, 415},
			"too large":   {"token=" + strings.Repeat("a", 64<<10), nil, 413},
		} {
			s := &shell{}
			if w := send(s, path, c.body, c.change); w.Code != c.status || s.token != "" {
				t.Errorf("%s: %s: answered %d %s, want %d", path, name, w.Code, w.Body, c.status)
			}
		}
	}
}
