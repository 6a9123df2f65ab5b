package authzen_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/api/authzen"
	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

var secret = [wire.SecretSize]byte{7}

// credential writes a credential as a node does.
func credential(p wire.Prefix, secret [wire.SecretSize]byte) string {
	return string(p) + base64.RawURLEncoding.EncodeToString(secret[:])
}

// point is a node that knows one enforcement point and gives one answer.
type point struct {
	answer node.Answer
	asked  *node.Ask
}

func (p *point) EnforcementPoint(credential []byte) (string, bool) {
	return "records-1", bytes.Equal(credential, secret[:])
}

func (p *point) Decide(_ context.Context, ask node.Ask) node.Answer {
	p.asked = &ask
	return p.answer
}

func (p *point) Watch(_ context.Context, name, cursor string, tell func(node.SessionEvent) error) error {
	if name != "records-1" {
		return trust.Errorf(trust.Denied, "watched by %s", name)
	}
	if cursor == "broken" {
		return trust.Errorf(trust.Internal, "no stream")
	}
	for _, e := range []node.SessionEvent{
		{Kind: node.SessionsReset, Cursor: cursor + "r-0"},
		{Kind: node.SessionEnded, Cursor: "r-1", Reference: "abc", Reason: trust.SubjectRevoked, Decision: "def"},
		{Kind: node.SessionEnded, Cursor: "r-2", Reference: "ghi", Reason: trust.Stale},
		{Kind: node.WatchAlive, Cursor: "r-2"},
	} {
		if err := tell(e); err != nil {
			return err
		}
	}
	return trust.Errorf(trust.Denied, "the end")
}

func (p *point) Release(name, reference string) error {
	if name != "records-1" || reference != "abc" {
		return trust.Errorf(trust.NotFound, "session %s is not open", reference)
	}
	return nil
}

func (p *point) Reused(_ context.Context, name, reference string, uses []int64) error {
	if name != "records-1" || reference != "abc" || !slices.Equal(uses, []int64{5, 5, 7}) {
		return trust.Errorf(trust.NotFound, "session %s was not permitted", reference)
	}
	return nil
}

const question = `{"subject":{"type":"evidence","id":"0","properties":{"role":"admin"}},"action":{"name":"read"},
"resource":{"type":"WardRecord","id":"42","properties":{"ward":"w7","floor":3}},
"context":{"purpose":"TREAT","evidence":[{"type":"urn:ietf:params:oauth:token-type:access_token","value":"a.b.c"}],"session":true,"time":"now"},"other":1}`

func ask(t *testing.T, p *point, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/access/v1/evaluation", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+credential(wire.EnforcementPoint, secret))
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	authzen.New(p, "https://node.example").ServeHTTP(w, r)
	return w
}

func TestEvaluation(t *testing.T) {
	p := &point{answer: node.Answer{Permit: true, Reason: trust.Permit, Reference: "abc", TTL: 30}}
	w := ask(t, p, question, func(r *http.Request) { r.Header.Set("X-Request-ID", "req-1") })
	const want = `{"decision":true,"context":{"id":"abc","reason":"permit","ttl":30}}`
	if w.Code != http.StatusOK || w.Body.String() != want {
		t.Errorf("answered %d %s, want 200 %s", w.Code, w.Body, want)
	}
	if w.Header().Get("X-Request-ID") != "req-1" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("headers are %v", w.Header())
	}
	asked := node.Ask{
		Request: decision.Request{
			EnforcementPoint: "records-1", SubjectID: "0", Action: "read", ResourceType: "WardRecord", ResourceID: "42",
			Properties: map[string]any{"ward": "w7", "floor": int64(3)}, Purpose: "TREAT", Session: true,
		},
		Evidence:  []evidence.Proof{{Kind: "urn:ietf:params:oauth:token-type:access_token", Token: []byte("a.b.c")}},
		RequestID: "req-1",
	}
	if !reflect.DeepEqual(*p.asked, asked) {
		t.Errorf("asked the node\n%+v, want\n%+v", *p.asked, asked)
	}
}

// Deny is 200 false, also where nothing could be recorded.
func TestDeny(t *testing.T) {
	for _, tt := range []struct {
		answer node.Answer
		body   string
	}{
		{node.Answer{Reason: trust.Stale, Reference: "abc"}, `{"decision":false,"context":{"id":"abc","reason":"freshness.stale","ttl":0}}`},
		{node.Answer{Reason: trust.NonceStale, Reference: "abc", Nonce: "n-_1"}, `{"decision":false,"context":{"dpop_nonce":"n-_1","id":"abc","reason":"authenticate.nonce","ttl":0}}`},
		{node.Answer{Reason: trust.CannotRecord}, `{"decision":false,"context":{"id":"","reason":"record.unavailable","ttl":0}}`},
	} {
		w := ask(t, &point{answer: tt.answer}, question, nil)
		if w.Code != http.StatusOK || w.Body.String() != tt.body {
			t.Errorf("%s: answered %d %s, want 200 %s", tt.answer.Reason, w.Code, w.Body, tt.body)
		}
	}
}

// The table of reliability.md, "Answers to bad input", Decisions.
func TestBadInput(t *testing.T) {
	with := func(old, new string) string { return strings.Replace(question, old, new, 1) }
	for _, tt := range []struct {
		name, body string
		status     int
	}{
		{"empty", "", 400},
		{"null", "null", 400},
		{"array", "[]", 400},
		{"no subject", with(`"subject"`, `"sub"`), 400},
		{"null subject", `{"subject":null,"action":{"name":"read"},"resource":{"type":"A","id":"1"}}`, 400},
		{"no subject type", with(`"type":"evidence",`, ``), 400},
		{"no subject id", with(`"id":"0"`, `"ID":"0"`), 400},
		{"empty subject id", with(`"id":"0"`, `"id":""`), 400},
		{"numeric subject id", with(`"id":"0"`, `"id":0`), 400},
		{"no action", with(`"action"`, `"verb"`), 400},
		{"no action name", with(`{"name":"read"}`, `{}`), 400},
		{"no resource", with(`"resource"`, `"object"`), 400},
		{"no resource type", with(`"type":"WardRecord",`, ``), 400},
		{"no resource id", with(`"id":"42",`, ``), 400},
		{"properties of another type", with(`{"ward":"w7","floor":3}`, `[]`), 400},
		{"workload of another type", with(`"purpose"`, `"workload":["managed"],"purpose"`), 400},
		{"workload that says a thing twice", with(`"purpose"`, `"workload":{"a":1,"a":2},"purpose"`), 400},
		{"evidence of another type", with(`"evidence":[`, `"evidence":"x","more":[`), 400},
		{"evidence value a number", with(`"a.b.c"`, `1`), 400},
		{"duplicate member", with(`"other":1`, `"action":{"name":"write"}`), 400},
		{"case variant", with(`"other":1`, `"Action":{"name":"write"}`), 400},
		{"duplicate in ignored part", with(`"other":1`, `"other":{"a":1,"a":2}`), 400},
		{"lone surrogate", with(`"42"`, `"\ud800"`), 400},
		{"not UTF-8", with(`"42"`, "\"\xff\""), 400},
		{"depth 1,000", with(`"other":1`, `"other":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)), 400},
		{"something behind", question + "{}", 400},
		{"too large", with(`"other":1`, `"other":"`+strings.Repeat("x", 64<<10)+`"`), 413},
	} {
		p := &point{answer: node.Answer{Permit: true}}
		w := ask(t, p, tt.body, nil)
		if w.Code != tt.status || p.asked != nil {
			t.Errorf("%s: answered %d %s (node asked: %v), want %d", tt.name, w.Code, w.Body, p.asked != nil, tt.status)
		}
		if got := w.Header().Get("Content-Type"); got != wire.MediaType {
			t.Errorf("%s: content type %q", tt.name, got)
		}
	}
}

func TestContentType(t *testing.T) {
	w := ask(t, &point{}, question, func(r *http.Request) { r.Header.Set("Content-Type", "text/json") })
	if w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("answered %d, want 415", w.Code)
	}
}

// R34: who is not authenticated learns the same, whatever is wrong.
func TestUnauthenticated(t *testing.T) {
	var bodies []string
	for name, values := range map[string][]string{
		"none":           nil,
		"foreign":        {"Bearer " + credential(wire.EnforcementPoint, [wire.SecretSize]byte{8})},
		"of an operator": {"Bearer " + credential(wire.Operator, secret)},
		"malformed":      {"Bearer x"},
		"twice":          {"Bearer " + credential(wire.EnforcementPoint, secret), "Bearer x"},
	} {
		p := &point{answer: node.Answer{Permit: true}}
		w := ask(t, p, "{", func(r *http.Request) { r.Header["Authorization"] = values })
		if w.Code != http.StatusUnauthorized || p.asked != nil {
			t.Errorf("%s: answered %d, want 401", name, w.Code)
		}
		if bodies = append(bodies, w.Body.String()); bodies[0] != w.Body.String() {
			t.Errorf("%s: told %s where another was told %s", name, w.Body, bodies[0])
		}
	}
}

func TestRequestID(t *testing.T) {
	for id, want := range map[string]string{
		"a":                       "a",
		"":                        "",
		"with space":              "",
		"über":                    "",
		strings.Repeat("x", 128):  strings.Repeat("x", 128),
		strings.Repeat("x", 129):  "",
		"\x7f":                    "",
		"{\"quoted\":\"string\"}": "{\"quoted\":\"string\"}",
	} {
		p := &point{}
		w := ask(t, p, question, func(r *http.Request) { r.Header["X-Request-Id"] = []string{id} })
		if got := w.Header().Get("X-Request-ID"); got != want || p.asked.RequestID != want {
			t.Errorf("%q was echoed as %q and recorded as %q, want %q", id, got, p.asked.RequestID, want)
		}
	}
}

func TestSeveralProofs(t *testing.T) {
	p := &point{}
	ask(t, p, strings.Replace(question, `[{"type"`, `[{"type":"other","value":""},{"type"`, 1), nil)
	if len(p.asked.Evidence) != 2 || p.asked.Evidence[0].Kind != "other" {
		t.Errorf("the node was asked with %v; every proof must reach it", p.asked.Evidence)
	}
}

func TestNoProof(t *testing.T) {
	p := &point{}
	w := ask(t, p, `{"subject":{"type":"evidence","id":"0"},"action":{"name":"read"},"resource":{"type":"A","id":"1"}}`, nil)
	if w.Code != http.StatusOK || p.asked == nil || len(p.asked.Evidence) != 0 {
		t.Errorf("answered %d, asked %v; without evidence the node decides, and records it", w.Code, p.asked)
	}
}

func TestConfiguration(t *testing.T) {
	w := httptest.NewRecorder()
	authzen.New(&point{}, "https://node.example").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/.well-known/authzen-configuration", nil))
	const want = `{"policy_decision_point":"https://node.example","access_evaluation_endpoint":"https://node.example/access/v1/evaluation"}`
	if w.Code != http.StatusOK || w.Body.String() != want {
		t.Errorf("answered %d %s, want %s", w.Code, w.Body, want)
	}
}

func TestMethod(t *testing.T) {
	w := httptest.NewRecorder()
	authzen.New(&point{}, "").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/access/v1/evaluation", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET answered %d, want 405", w.Code)
	}
}

func FuzzEvaluation(f *testing.F) {
	f.Add(question)
	f.Add(`{"subject":{"type":"evidence","id":"0"},"action":{"name":"read"},"resource":{"type":"A","id":"1","properties":{"a":[1.5,null]}}}`)
	f.Fuzz(func(t *testing.T, body string) {
		p := &point{answer: node.Answer{Reason: trust.NoEvidence}}
		switch w := ask(t, p, body, nil); w.Code {
		case http.StatusOK:
			if r := p.asked.Request; r.SubjectID == "" || r.Action == "" || r.ResourceType == "" || r.ResourceID == "" {
				t.Errorf("asked the node without a required member: %+v", r)
			}
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		default:
			t.Errorf("answered %d", w.Code)
		}
	})
}

// discard is the cheapest response writer there is.
type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

func BenchmarkEvaluation(b *testing.B) {
	body := strings.Replace(question, "a.b.c", strings.Repeat("eyJhbGciOiJFUzI1NiJ9", 40), 1)
	h := authzen.New(&point{answer: node.Answer{Permit: true, Reason: trust.Permit, Reference: "abcdefghijklmnopqrstuvwxyz"}}, "")
	r := httptest.NewRequest(http.MethodPost, "/access/v1/evaluation", nil)
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+credential(wire.EnforcementPoint, secret))
	reader := strings.NewReader(body)
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		r.Body = readCloser{reader}
		h.ServeHTTP(discard{http.Header{}}, r)
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
