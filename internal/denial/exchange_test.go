package denial_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/api/oauth"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/trust"
)

// exchanged asks for a credential as an enforcement point does, and gives what
// it is told but for the reference.
func (w *world) exchanged(h http.Handler, kind evidence.Kind, token string) *httptest.ResponseRecorder {
	form := url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {token}, "subject_token_type": {string(kind)},
		"audience": {w.ward.Audience}, "scope": {"WardRecord.read"}, "purpose_of_use": {"TREAT"},
	}
	r := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "Bearer "+w.point)
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	answer.Header().Del("Entente-Reference")
	return answer
}

// Every bad subject token gets the same bytes as rubbish does (RFC 8693, section
// 2.2.2); what is issued on a good one is decided on by the same rules.
func TestExchange(t *testing.T) {
	w := newWorld(t)
	h := oauth.New(w.host)
	var asked tally
	paths := map[string]string{"introspection": "/oauth/introspect", "revocation": "/oauth/revoke"}
	rubbish := map[string]string{}
	for name, path := range paths {
		rubbish[name] = w.tokenAsked(h, path, "rubbish")
	}
	for kind, p := range profiles(w) {
		uniform := w.exchanged(h, kind, "rubbish").Body.String()
		each(t, w.evidenceCases(p), func(s spoil) {
			d := w.good(p)
			s.do(d)
			for path := range paths { // a partner's token is none of ours, whatever it is like
				asked.one(path)
				if seen := w.tokenAsked(h, paths[path], d.token()); d.token() != "" && seen != rubbish[path] {
					t.Errorf("%s: %s: %s answers %s, rubbish gets %s", s.rule, s.name, path, seen, rubbish[path])
				}
			}
			asked.one("exchange")
			answer := w.exchanged(h, kind, d.token())
			name := string(kind[strings.LastIndexByte(string(kind), ':')+1:]) + ": " + s.rule + ": " + s.name
			var told struct {
				Token string `json:"access_token"`
				Code  string `json:"error"`
			}
			if err := json.Unmarshal(answer.Body.Bytes(), &told); err != nil {
				t.Errorf("%s: answered %d %s", name, answer.Code, answer.Body)
				return
			}
			switch {
			case s.want == "" || s.want == trust.PolicyDenies || s.name == "for the node itself":
				if answer.Code != http.StatusOK || told.Token == "" {
					t.Errorf("%s: answered %d %s", name, answer.Code, answer.Body)
					return
				}
				want := s.want
				if want != trust.PolicyDenies {
					want = trust.Permit
				}
				if reason, err := w.decided(evidence.AccessToken, told.Token); reason != want {
					t.Errorf("%s: the credential gives %s (%v), want %s", name, reason, err, want)
				}
			case s.want == trust.NoMapping:
				if answer.Code != http.StatusBadRequest || told.Code != "invalid_scope" {
					t.Errorf("%s: answered %d %s", name, answer.Code, answer.Body)
				}
			default:
				if answer.Code != http.StatusBadRequest || answer.Body.String() != uniform {
					t.Errorf("%s: answered %d %s, rubbish gets %s", name, answer.Code, answer.Body, uniform)
				}
			}
		})
	}
	asked.report(t)
}
