package admin_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/internal/spectest"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/trust"
)

// Every route lets operators in and nobody else, and a stranger learns the same
// of each.
func TestNoStrangerGetsIn(t *testing.T) {
	p := newPair(t)
	h := spectest.Watch(t, admin.New(p.host))
	point := must(p.host.AddEnforcementPoint(t.Context(), p.host.Admin, "nginx-1"))(t)
	const want = `{"type":"about:blank","title":"Unauthorized","status":401,"kind":"unauthenticated","detail":"the request carries no credential of an operator"}`
	before := p.host.State()
	for _, pattern := range admin.Patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		for name, authorization := range map[string]string{
			"nothing":                 "",
			"another's":               "Bearer ent_op_" + strings.Repeat("A", 43),
			"an enforcement point's":  "Bearer " + point,
			"a malformed credential":  "Bearer ent_op_x",
			"another scheme":          "Basic ent_op_" + strings.Repeat("A", 43),
			"a hash of the first one": "Bearer ent_op_" + strings.Repeat("A", 42) + "B",
		} {
			r := httptest.NewRequest(method, path, strings.NewReader("{}"))
			r.Header.Set("Content-Type", "application/json")
			if authorization != "" {
				r.Header.Set("Authorization", authorization)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusUnauthorized || w.Body.String() != want {
				t.Errorf("%s with %s: answered %d %s", pattern, name, w.Code, w.Body)
			}
		}
	}
	after := p.host.State()
	if after.Rules != before.Rules || after.Epoch != before.Epoch {
		t.Error("a stranger changed something")
	}
	if after.At.Position == before.At.Position {
		t.Error("nothing says that strangers asked (R49)")
	}
}

// Whoever is no admin changes nothing, and the attempt is recorded (R18).
func TestOnlyAdminsChangeThings(t *testing.T) {
	p := newPair(t)
	_, credential, err := p.host.AddOperator(t.Context(), p.host.Admin, "a.khan", []trust.Role{operator.Auditor})
	ok(t, err)
	h := spectest.Watch(t, admin.New(p.host))
	bodies := map[string]string{
		"PUT /v1/policy":                   `{"source":""}`,
		"POST /v1/enforcement-points":      `{"name":"nginx-1"}`,
		"POST /v1/operators":               `{"name":"x","roles":["admin"]}`,
		"POST /v1/suspensions":             `{"kind":"participant","participant":"https://trust.rxw.example","reason":"x"}`,
		"POST /v1/resumptions":             `{"kind":"participant","participant":"https://trust.rxw.example","reason":"x"}`,
		"DELETE /v1/services/x":            ``,
		"POST /v1/leaks":                   `{"leaked":"x","reason":"x"}`,
		"POST /v1/identities":              `{"class":"human","name":"x","issuer":"https://idp.example","subject":"x"}`,
		"POST /v1/identities/x/offboard":   `{"reason":"x"}`,
		"POST /v1/unwindings":              `{"kind":"agreement","name":"staff","reason":"x"}`,
		"POST /v1/sessions/x/end":          `{"reason":"x"}`,
		"POST /v1/credentials/revocations": `{"credential":"x","reason":"x"}`,
	}
	for route, body := range bodies {
		method, path, _ := strings.Cut(route, " ")
		before := p.host.State().At.Position.N
		w := call(h, method, path, "application/json", body, credential)
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: answered %d %s, want 403", route, w.Code, w.Body)
		}
		if after := p.host.State().At.Position.N; after != before+1 {
			t.Errorf("%s: %d entries record the attempt, want 1", route, after-before)
		}
	}
}

func call(h http.Handler, method, path, media, body, credential string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	r.Header.Set("Authorization", "Bearer "+credential)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestBadRequests(t *testing.T) {
	p := newPair(t)
	_, credential, err := p.host.AddOperator(t.Context(), p.host.Admin, "l.marsh", []trust.Role{operator.Admin})
	ok(t, err)
	h := spectest.Watch(t, admin.New(p.host))
	for _, tt := range []struct {
		name, method, path, media, body string
		status                          int
	}{
		{"no body", "PUT", "/v1/policy", wire.JSON, "", 400},
		{"unknown member", "PUT", "/v1/policy", wire.JSON, `{"sources":""}`, 400},
		{"duplicate member", "PUT", "/v1/policy", wire.JSON, `{"source":"","source":""}`, 400},
		{"wrong type", "PUT", "/v1/policy", wire.JSON, `{"source":1}`, 400},
		{"wrong content type", "PUT", "/v1/policy", "text/plain", `{"source":""}`, 415},
		{"no content type", "PUT", "/v1/policy", "", `{"source":""}`, 415},
		{"too large", "PUT", "/v1/policy", wire.JSON, `{"source":"` + strings.Repeat("x", 1<<20) + `"}`, 413},
		{"not a number", "GET", "/v1/ledger/trust/entries?from=x", "", "", 400},
		{"a negative number", "GET", "/v1/ledger/trust/entries?limit=-1", "", "", 400},
		{"no time", "GET", "/v1/state", "", "", 400},
		{"no such route", "GET", "/v1/nothing", "", "", 404},
		{"no such method", "PATCH", "/v1/policy", wire.JSON, "{}", 404},
		{"an identifier with slashes", "GET", "/v1/participants/https:%2F%2Fnobody.example", "", "", 404},
	} {
		w := call(h, tt.method, tt.path, tt.media, tt.body, credential)
		if w.Code != tt.status || w.Header().Get("Content-Type") != wire.MediaType {
			t.Errorf("%s: answered %d %s, want %d", tt.name, w.Code, w.Body, tt.status)
		}
	}
}

// What is served is what is published.
func TestTheDocumentIsServed(t *testing.T) {
	p := newPair(t)
	_, credential, err := p.host.AddOperator(t.Context(), p.host.Admin, "a.khan", []trust.Role{operator.Auditor})
	ok(t, err)
	w := call(spectest.Watch(t, admin.New(p.host)), "GET", "/v1/openapi.json", "", "", credential)
	d, err := spectest.Parse(w.Body.Bytes())
	ok(t, err)
	for pattern := range admin.Operations() {
		method, path, _ := strings.Cut(pattern, " ")
		if d.Paths[path][strings.ToLower(method)] == nil {
			t.Errorf("%s is served and not described", pattern)
		}
	}
	if d.OpenAPI != "3.1.0" || w.Header().Get("Content-Type") != wire.JSON {
		t.Errorf("served is OpenAPI %s as %s", d.OpenAPI, w.Header().Get("Content-Type"))
	}
}

func TestNobodyAnswers(t *testing.T) {
	c := admin.NewClient(filepath.Join(t.TempDir(), "admin.sock"), "x")
	_, err := c.Status(t.Context())
	refused(t, "no socket", err, trust.Unavailable)
}

func TestForeignAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		serve http.HandlerFunc
		want  trust.ErrorKind
	}{
		"no problem": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }, trust.Internal},
		"no JSON":    {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }, trust.Internal},
		"a problem of another kind": {func(w http.ResponseWriter, _ *http.Request) {
			wire.Fail(w, trust.Errorf(trust.Conflict, "no"))
		}, trust.Conflict},
	} {
		c := admin.NewClient(listen(t, tt.serve), "x")
		_, err := c.Status(t.Context())
		refused(t, name, err, tt.want)
		c.Close()
	}
}

func TestTimeLimit(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	c := admin.NewClient(listen(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release })), "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Status(ctx)
	refused(t, "an ended context", err, trust.Unavailable)
	if !strings.Contains(err.Error(), "did not answer in time") {
		t.Errorf("the error is %q", err)
	}
}
