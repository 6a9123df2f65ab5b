package oauth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/entente-id/entente/api/oauth"
	"github.com/entente-id/entente/api/wire"
)

// What reaches the node net/url reads as the same, each parameter once; whatever
// does not is refused as the client's fault.
func FuzzForm(f *testing.F) {
	f.Add("/oauth/token", "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=t&subject_token_type=a&audience=b&scope=WardRecord.read&purpose_of_use=TREAT")
	f.Add("/oauth/token", "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=t&subject_token_type=a&resource=b&authorization_details="+url.QueryEscape(details))
	f.Add("/oauth/introspect", "token=t&token_type_hint=access_token")
	f.Add("/oauth/revoke", "token=t;a=b&&token=%zz")
	f.Add("/oauth/revoke", "token=;")
	f.Fuzz(func(t *testing.T, path, body string) {
		if path != "/oauth/token" && path != "/oauth/introspect" && path != "/oauth/revoke" {
			return
		}
		s := &shell{}
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", "Bearer "+credential(wire.EnforcementPoint, secret))
		w := httptest.NewRecorder()
		oauth.New(s).ServeHTTP(w, r)
		asked := s.asked != nil || s.token != ""
		if !asked {
			if w.Code < 400 || w.Code >= 500 {
				t.Fatalf("%q at %s is answered %d, and the node was not asked", body, path, w.Code)
			}
			return
		}
		values, err := url.ParseQuery(body)
		for name, list := range values {
			if len(list) != 1 || list[0] == "" || name == "" {
				err = http.ErrNotSupported
			}
		}
		switch {
		case err != nil:
			t.Fatalf("%q reached the node; net/url reads %v (%v)", body, values, err)
		case s.asked != nil && (string(s.asked.Subject.Token) != values.Get("subject_token") || string(s.asked.Subject.Kind) != values.Get("subject_token_type")):
			t.Fatalf("%q reached the node as %+v", body, s.asked)
		case s.token != "" && s.token != "records-1 "+values.Get("token"):
			t.Fatalf("%q reached the node as %q", body, s.token)
		}
	})
}
