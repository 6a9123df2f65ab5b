package pep_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/pep"
	"github.com/entente-id/entente/trust"
)

const (
	permit = `{"decision":true,"context":{"id":"1/18442","reason":"permit","ttl":30}}`
	deny   = `{"decision":false,"context":{"id":"1/18443","reason":"revocation.subject","reason_admin":{"code":"revocation.subject"}}}`
)

// asked is what the fake node saw of the last question.
type asked struct {
	count  int
	header http.Header
	target string
	body   string
}

// fakeNode answers every question with status and body, and notes it.
func fakeNode(t *testing.T, status int, body string) (*asked, *httptest.Server) {
	t.Helper()
	seen := &asked{}
	server := httptest.NewTLSServer(seen.handler(status, body))
	t.Cleanup(server.Close)
	return seen, server
}

func (a *asked) handler(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ := io.ReadAll(r.Body)
		a.count, a.header, a.target, a.body = a.count+1, r.Header, r.Method+" "+r.URL.Path, string(sent)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// service is records behind a guard.
func service(t *testing.T, c pep.Config, with ...func(*pep.Guard)) http.Handler {
	t.Helper()
	n, err := pep.New(c)
	if err != nil {
		t.Fatal(err)
	}
	g := &pep.Guard{Node: n, Target: func(r *http.Request) (pep.Target, error) {
		return pep.Target{
			Action: "read", ResourceType: "WardRecord", Resource: r.PathValue("id"),
			Properties: map[string]any{"ward": r.PathValue("ward")}, Purpose: "TREAT",
		}, nil
	}}
	for _, do := range with {
		do(g)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /wards/{ward}/records/{id}", g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, _ := pep.AnswerOf(r.Context())
		_, _ = io.WriteString(w, "the record, by "+answer.Reference)
	})))
	return mux
}

func at(url string) func(*pep.Guard) { return func(g *pep.Guard) { g.URL = url } }

// call asks for record 42 on ward w7 with these headers, "Name: value".
func call(h http.Handler, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/wards/w7/records/42", nil)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func canonical(t *testing.T, s string) string {
	t.Helper()
	v := jsontext.Value(s)
	if err := v.Canonicalize(); err != nil {
		t.Fatal(err)
	}
	return string(v)
}

func TestPermit(t *testing.T) {
	seen, node := fakeNode(t, 200, permit)
	h := service(t, pep.Config{Node: node.URL, Credential: "pep secret", Client: node.Client()})
	w := call(h, "Authorization: Bearer ey.J.x", "X-Request-ID: r-1")
	if w.Code != 200 || w.Header().Get(pep.DecisionHeader) != "1/18442" {
		t.Fatalf("answered %d %v", w.Code, w.Header())
	}
	if got := w.Body.String(); got != "the record, by 1/18442" {
		t.Errorf("answered %s", got)
	}
	want := `{
		"subject": {"type": "evidence", "id": "0"},
		"action": {"name": "read"},
		"resource": {"type": "WardRecord", "id": "42", "properties": {"ward": "w7"}},
		"context": {"purpose": "TREAT", "evidence": [
			{"type": "urn:ietf:params:oauth:token-type:access_token", "value": "ey.J.x"}]}}`
	if canonical(t, seen.body) != canonical(t, want) {
		t.Errorf("asked %s", seen.body)
	}
	if seen.target != "POST /access/v1/evaluation" || seen.header.Get("Content-Type") != "application/json" {
		t.Errorf("asked at %s as %s", seen.target, seen.header.Get("Content-Type"))
	}
	if seen.header.Get("Authorization") != "Bearer pep secret" || seen.header.Get("X-Request-ID") != "r-1" {
		t.Errorf("asked with %v", seen.header)
	}
}

func TestConfiguredQuestion(t *testing.T) {
	seen, node := fakeNode(t, 200, permit)
	c := pep.Config{Node: node.URL, Credential: "c", Client: node.Client()}
	call(service(t, c, func(g *pep.Guard) { g.Token = pep.IDToken }), "Authorization: bearer ey.J.x")
	if !strings.Contains(seen.body, `"type":"`+pep.IDToken+`"`) {
		t.Errorf("asked %s", seen.body)
	}
	refusing := func(g *pep.Guard) {
		g.Target = func(*http.Request) (pep.Target, error) { return pep.Target{}, errors.New("ward w7 is closed") }
	}
	if w := call(service(t, c, refusing), "Authorization: Bearer ey.J.x"); w.Code != 400 || !strings.Contains(w.Body.String(), "closed") || seen.count != 1 {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

// A denial is uniform outside; the reason stays with the node.
func TestDeny(t *testing.T) {
	_, node := fakeNode(t, 200, deny)
	h := service(t, pep.Config{Node: node.URL, Credential: "c", Client: node.Client()})
	w := call(h, "Authorization: Bearer ey.J.x")
	if w.Code != 403 || w.Header().Get(pep.DecisionHeader) != "1/18443" {
		t.Errorf("answered %d %v", w.Code, w.Header())
	}
	if got := w.Body.String(); got != `{"error":"access denied","reference":"1/18443"}` {
		t.Errorf("answered %s", got)
	}
}

// R69: every call is asked, and nothing is remembered between two.
func TestEveryCallIsAsked(t *testing.T) {
	seen, node := fakeNode(t, 200, permit)
	h := service(t, pep.Config{Node: node.URL, Credential: "c", Client: node.Client()})
	for range 3 {
		call(h, "Authorization: Bearer ey.J.x")
	}
	if seen.count != 3 {
		t.Errorf("3 calls made %d questions", seen.count)
	}
	node.Close()
	if w := call(h, "Authorization: Bearer ey.J.x"); w.Code != 503 {
		t.Errorf("node gone: answered %d", w.Code)
	}
}

func TestNoToken(t *testing.T) {
	seen, node := fakeNode(t, 200, permit)
	h := service(t, pep.Config{Node: node.URL, Credential: "c", Client: node.Client()})
	for name, headers := range map[string][]string{
		"none":         nil,
		"empty":        {"Authorization: Bearer "},
		"scheme only":  {"Authorization: Bearer"},
		"other scheme": {"Authorization: Basic YTpi"},
		"two headers":  {"Authorization: Bearer a", "Authorization: Bearer b"},
		"two tokens":   {"Authorization: Bearer a, Bearer b"},
	} {
		if w := call(h, headers...); w.Code != 401 || w.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: answered %d", name, w.Code)
		}
	}
	if seen.count != 0 {
		t.Errorf("the node was asked %d times without a token", seen.count)
	}
}

// R69: no clear answer, no record.
func TestNoClearAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"bad request":     {400, permit},
		"credential":      {401, permit},
		"server error":    {500, permit},
		"redirect":        {307, permit},
		"empty":           {200, ""},
		"no decision":     {200, `{"context":{"id":"1/1"}}`},
		"null":            {200, `{"decision":null}`},
		"text":            {200, `{"decision":"true"}`},
		"said twice":      {200, `{"decision":false,"decision":true}`},
		"other case":      {200, `{"Decision":true}`},
		"and then more":   {200, permit + permit},
		"endless":         {200, strings.Repeat(" ", 1<<17) + permit},
		"not even braces": {200, `true`},
	} {
		t.Run(name, func(t *testing.T) {
			_, node := fakeNode(t, c.status, c.body)
			h := service(t, pep.Config{Node: node.URL, Credential: "c", Client: node.Client()})
			if w := call(h, "Authorization: Bearer ey.J.x"); w.Code != 503 || strings.Contains(w.Body.String(), "the record") {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestRedirectedQuestionGoesNowhere(t *testing.T) {
	elsewhere, other := fakeNode(t, 200, permit)
	node := httptest.NewTLSServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer node.Close()
	h := service(t, pep.Config{Node: node.URL, Credential: "c", Client: node.Client()})
	if w := call(h, "Authorization: Bearer ey.J.x"); w.Code != 503 || elsewhere.count != 0 {
		t.Errorf("answered %d after %d questions elsewhere", w.Code, elsewhere.count)
	}
}

func TestSlowNode(t *testing.T) {
	release := make(chan struct{})
	node := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer node.Close()
	defer close(release)
	h := service(t, pep.Config{Node: node.URL, Credential: "c", Client: node.Client(), Timeout: time.Millisecond})
	if w := call(h, "Authorization: Bearer ey.J.x"); w.Code != 503 {
		t.Errorf("answered %d", w.Code)
	}
}

func TestSocket(t *testing.T) {
	// A socket's path is limited to about 100 bytes; t.TempDir can be longer.
	dir, err := os.MkdirTemp("", "pep")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "pep.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	seen := &asked{}
	server := &http.Server{Handler: seen.handler(200, permit)}
	go func() { _ = server.Serve(listener) }()
	h := service(t, pep.Config{Node: "unix:" + path, Credential: "pep secret"})
	if w := call(h, "Authorization: Bearer ey.J.x"); w.Code != 200 || seen.header.Get("Authorization") != "Bearer pep secret" {
		t.Errorf("answered %d, asked with %v", w.Code, seen.header)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if w := call(h, "Authorization: Bearer ey.J.x"); w.Code != 503 {
		t.Errorf("node gone: answered %d", w.Code)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]pep.Config{
		"no credential": {Node: "https://127.0.0.1:1"},
		"no node":       {Credential: "c"},
		"plain http":    {Node: "http://127.0.0.1:1", Credential: "c"},
	} {
		if _, err := pep.New(c); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// roundTrip is a node without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Only a well-formed answer that says true, and says it once, opens a record.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{permit, deny, "", "null", `{"decision":1}`, `{"decision":true,"decision":true}`, `{"decision":true}x`, `{"decision":true,"context":[]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		node := roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(string(body))), Request: r}, nil
		})
		h := service(t, pep.Config{Node: "https://node.example", Credential: "c", Client: &http.Client{Transport: node}})
		w := call(h, "Authorization: Bearer ey.J.x")
		var said map[string]jsontext.Value
		err := json.Unmarshal(body, &said)
		if yes := err == nil && string(said["decision"]) == "true"; w.Code == 200 && !yes {
			t.Errorf("%q opened a record", body)
		}
		if w.Code != 200 && w.Code != 403 && w.Code != 503 {
			t.Errorf("%q answered %d", body, w.Code)
		}
	})
}
