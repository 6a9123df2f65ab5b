package oauth_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/entente-id/entente/api/oauth"
	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

var secret = [wire.SecretSize]byte{7}

func credential(p wire.Prefix, secret [wire.SecretSize]byte) string {
	return string(p) + base64.RawURLEncoding.EncodeToString(secret[:])
}

// shell is a node that knows one enforcement point and one client, and gives one
// answer.
type shell struct {
	proof  *node.ClientProof // that it was shown
	answer node.Issued
	asked  *node.Exchange
	known  *node.Introspection
	token  string // and who gave it
	fails  error
}

func (s *shell) Introspect(_ context.Context, client string, token []byte) (node.Introspection, bool) {
	s.token = client + " " + string(token)
	if s.known == nil {
		return node.Introspection{}, false
	}
	return *s.known, true
}

func (s *shell) GiveBack(_ context.Context, client string, token []byte) error {
	s.token = client + " " + string(token)
	return s.fails
}

func (s *shell) ReceiverToken(client string, manage bool) ([]byte, int64, bool) {
	s.token = client
	return secret[:], map[bool]int64{true: 600, false: 300}[manage], client == "ward-app"
}

func (s *shell) Address() string { return "https://auth.rje.example" }

func (s *shell) EnforcementPoint(credential []byte) (string, bool) {
	return "records-1", bytes.Equal(credential, secret[:])
}

func (s *shell) Client(_ context.Context, p node.ClientProof) (string, bool) {
	s.proof = &p
	return "ward-app", string(p.Assertion) == "x.y.z" || len(p.Certificates) == 1 && string(p.Certificates[0]) == "certificate"
}

func (s *shell) Exchange(_ context.Context, x node.Exchange) node.Issued {
	s.asked = &x
	return s.answer
}

const details = `[{"type":"entente_access","resource_type":"WardRecord","resource_ids":["42"],"actions":["read"],"purpose":"TREAT"}]`

func exchangeForm() url.Values {
	return url.Values{
		"grant_type":         {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token":      {"a.b.c"},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
		"audience":           {"https://records.example"}, "authorization_details": {details},
	}
}

func post(t *testing.T, s *shell, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "Bearer "+credential(wire.EnforcementPoint, secret))
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	oauth.New(s).ServeHTTP(w, r)
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d may be cached", w.Code)
	}
	return w
}

// RFC 8693, section 2.2.1: issued_token_type stands in every response.
func TestExchange(t *testing.T) {
	s := &shell{answer: node.Issued{Token: "x.y.z", ID: "c-1", TTL: 300, Reason: trust.Permit, Reference: "abc"}}
	w := post(t, s, exchangeForm().Encode(), nil)
	const want = `{"access_token":"x.y.z","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":300,` +
		`"authorization_details":[{"type":"entente_access","resource_type":"WardRecord","resource_ids":["42"],"actions":["read"],"purpose":"TREAT"}]}`
	if w.Code != http.StatusOK || w.Body.String() != want || w.Header().Get("Content-Type") != wire.JSON || w.Header().Get("Entente-Reference") != "abc" {
		t.Errorf("answered %d %s %v", w.Code, w.Body, w.Header())
	}
	asked := node.Exchange{
		Client: "records-1", Target: "https://records.example",
		Subject: evidence.Proof{Kind: evidence.AccessToken, Token: []byte("a.b.c")},
		Access:  []evidence.Access{{Type: "WardRecord", IDs: []string{"42"}, Actions: []trust.Action{"read"}, Purpose: "TREAT"}},
	}
	if !reflect.DeepEqual(*s.asked, asked) {
		t.Errorf("asked the node\n%+v, want\n%+v", *s.asked, asked)
	}
}

func TestExchangeByScope(t *testing.T) {
	s := &shell{answer: node.Issued{Token: "x.y.z", TTL: 300}}
	f := exchangeForm()
	f.Del("authorization_details")
	f.Set("scope", "WardRecord.read Ns::Letter.firewall:write")
	f.Set("purpose_of_use", "TREAT")
	f.Set("resource", f.Get("audience"))
	w := post(t, s, f.Encode(), nil)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"scope":"WardRecord.read Ns::Letter.firewall:write"`) {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	want := []evidence.Access{
		{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"},
		{Type: "Ns::Letter", Actions: []trust.Action{"firewall:write"}, Purpose: "TREAT"},
	}
	if !reflect.DeepEqual(s.asked.Access, want) {
		t.Errorf("asked for %+v", s.asked.Access)
	}
}

// The one table from a refusal to the wire; within a code the bytes are the
// same, whatever the reason was.
func TestRefusals(t *testing.T) {
	for refusal, want := range map[node.Refusal]string{
		node.BadToken:    `400 {"error":"invalid_request","error_description":"the request is not one that this endpoint takes, or a token in it does not count here"}`,
		node.BadTarget:   `400 {"error":"invalid_target","error_description":"there is no such service for this client"}`,
		node.BadAccess:   `400 {"error":"invalid_scope","error_description":"the token is not good for what is asked"}`,
		node.Unavailable: `503 {"error":"temporarily_unavailable","error_description":"the request cannot be answered now"}`,
	} {
		for _, reason := range []trust.Reason{trust.UnknownIssuer, trust.SubjectRevoked, trust.AudienceForeign} {
			w := post(t, &shell{answer: node.Issued{Refusal: refusal, Reason: reason, Reference: string(reason)}}, exchangeForm().Encode(), nil)
			if got := fmt.Sprintf("%d %s", w.Code, w.Body); got != want {
				t.Errorf("%s: answered %s, want %s", refusal, got, want)
			}
		}
	}
}

// The table of reliability.md, "Answers to bad input", token endpoint.
func TestBadInput(t *testing.T) {
	set := func(name string, values ...string) string {
		f := exchangeForm()
		f[name] = values
		if len(values) == 0 {
			f.Del(name)
		}
		return f.Encode()
	}
	detail := func(old, with string) string {
		return set("authorization_details", strings.Replace(details, old, with, 1))
	}
	good := exchangeForm().Encode()
	for _, tt := range []struct {
		name, body string
		status     int
		code       string
	}{
		{"empty", "", 400, "invalid_request"},
		{"no grant type", set("grant_type"), 400, "invalid_request"},
		{"another grant type", set("grant_type", "password"), 400, "unsupported_grant_type"},
		{"grant type twice", good + "&grant_type=x", 400, "invalid_request"},
		{"unknown parameter twice", good + "&x=1&x=1", 400, "invalid_request"},
		{"two audiences", set("audience", "https://a.example", "https://b.example"), 400, "invalid_request"},
		{"empty parameter", good + "&scope=", 400, "invalid_request"},
		{"parameter without value", good + "&scope", 400, "invalid_request"},
		{"nameless parameter", good + "&=x", 400, "invalid_request"},
		{"empty pair", good + "&", 400, "invalid_request"},
		{"bad escape", good + "&x=%zz", 400, "invalid_request"},
		{"no subject token", set("subject_token"), 400, "invalid_request"},
		{"no subject token type", set("subject_token_type"), 400, "invalid_request"},
		{"another token wanted", set("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"), 400, "invalid_request"},
		{"actor token without its type", good + "&actor_token=a.b.c", 400, "invalid_request"},
		{"links without an actor", good + "&delegation=a.b.c", 400, "invalid_request"},
		{"actor token type alone", good + "&actor_token_type=x", 400, "invalid_request"},
		{"no target", set("audience"), 400, "invalid_target"},
		{"two targets", set("resource", "https://letters.example"), 400, "invalid_target"},
		{"nothing asked for", set("authorization_details"), 400, "invalid_scope"},
		{"scope without purpose", good + "&scope=WardRecord.read", 400, "invalid_scope"},
		{"scope without action", good + "&purpose_of_use=TREAT&scope=WardRecord", 400, "invalid_scope"},
		{"scope with an empty type", good + "&purpose_of_use=TREAT&scope=.read", 400, "invalid_scope"},
		{"two spaces in scope", good + "&purpose_of_use=TREAT&scope=A.read++B.read", 400, "invalid_scope"},
		{"scope for too much", good + "&purpose_of_use=TREAT&scope=A.read" + strings.Repeat("+A.read", 64), 400, "invalid_scope"},
		{"details are no JSON", set("authorization_details", "x"), 400, "invalid_authorization_details"},
		{"details are an object", set("authorization_details", "{}"), 400, "invalid_authorization_details"},
		{"details go on", set("authorization_details", details+`,"more":[]`), 400, "invalid_authorization_details"},
		{"details of another type", detail("entente_access", "payment"), 400, "invalid_authorization_details"},
		{"unknown member", detail(`"actions"`, `"x":1,"actions"`), 400, "invalid_authorization_details"},
		{"member twice", detail(`"actions"`, `"actions":["write"],"actions"`), 400, "invalid_authorization_details"},
		{"case variant", detail(`"actions"`, `"Actions":["write"],"actions"`), 400, "invalid_authorization_details"},
		{"client secret", good + "&client_secret=x", 401, "invalid_client"},
		{"another client's id", good + "&client_id=records-2", 401, "invalid_client"},
		{"too large", good + "&x=" + strings.Repeat("y", 64<<10), 413, ""},
	} {
		s := &shell{answer: node.Issued{Token: "x.y.z"}}
		w := post(t, s, tt.body, nil)
		if w.Code != tt.status || s.asked != nil || tt.code != "" && !strings.Contains(w.Body.String(), `"error":"`+tt.code+`"`) {
			t.Errorf("%s: answered %d %s (node asked: %v), want %d %s", tt.name, w.Code, w.Body, s.asked != nil, tt.status, tt.code)
		}
	}
}

func TestRequestLine(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"query":      {func(r *http.Request) { r.URL.RawQuery = "x=1" }, 400},
		"bare query": {func(r *http.Request) { r.URL.ForceQuery = true }, 400},
		"JSON":       {func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, 415},
		"no type":    {func(r *http.Request) { r.Header.Del("Content-Type") }, 415},
		"GET":        {func(r *http.Request) { r.Method = http.MethodGet }, 405},
		"charset": {func(r *http.Request) {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		}, 200},
		"own id":      {func(*http.Request) {}, 200},
		"basic":       {func(r *http.Request) { r.SetBasicAuth("records-1", "x") }, 401},
		"nobody":      {func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		"an operator": {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+credential(wire.Operator, secret)) }, 401},
		"another": {func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+credential(wire.EnforcementPoint, [32]byte{8}))
		}, 401},
		"two of them":  {func(r *http.Request) { r.Header.Add("Authorization", "Bearer x") }, 401},
		"another path": {func(r *http.Request) { r.URL.Path = "/oauth/tokens" }, 404},
	} {
		s := &shell{answer: node.Issued{Token: "x.y.z"}}
		r := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader(exchangeForm().Encode()+"&client_id=records-1"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", "Bearer "+credential(wire.EnforcementPoint, secret))
		c.change(r)
		w := httptest.NewRecorder()
		oauth.New(s).ServeHTTP(w, r)
		if w.Code != c.status || (s.asked != nil) != (c.status == 200) {
			t.Errorf("%s: answered %d %s, want %d", name, w.Code, w.Body, c.status)
		}
		if w.Code == 401 && ((name != "nobody") != (w.Header().Get("WWW-Authenticate") != "") || !strings.Contains(w.Body.String(), "invalid_client")) {
			t.Errorf("%s: told %v %s", name, w.Header(), w.Body)
		}
	}
}
