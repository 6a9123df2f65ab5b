package spectest_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/docs"
	"github.com/entente-id/entente/internal/spectest"
	"github.com/entente-id/entente/trust"
)

func published(t *testing.T) *spectest.Document {
	t.Helper()
	d, err := spectest.Parse(docs.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// What differs from the document is found.
func TestCheck(t *testing.T) {
	d := published(t)
	const offer, finding = "admin.Offer", "admin.Finding"
	const good = `"id":"f-1","open":true,"partner":"https://rxw.example","side":"home","from":1,"to":2,"since":"2026-01-01T00:00:00Z","due":"2026-01-01T00:00:00Z"`
	for _, tt := range []struct{ name, form, text, want string }{
		{"as described", finding, `{` + good + `,"kind":"altered"}`, ""},
		{"a member too many", finding, `{` + good + `,"kind":"altered","colour":"red"}`, "$: has colour, which is not described"},
		{"a member too few", finding, `{` + good + `}`, "$: lacks kind"},
		{"another value", finding, `{` + good + `,"kind":"curious"}`, `$.kind: "curious" is none of`},
		{"another type", finding, `{` + good + `,"kind":7}`, "$.kind: 7 is no string"},
		{"null", finding, `{` + good + `,"kind":null}`, "$.kind: <nil> is no string"},
		{"no time", finding, `{` + good + `,"kind":"altered","closed":"today"}`, `$.closed: "today" is no time`},
		{"less than nothing", "trust.Position", `{"epoch":1,"n":-1}`, "$.n: -1 is less than 0"},
		{"half a number", "trust.Position", `{"epoch":1,"n":1.5}`, "$.n: 1.5 is no integer"},
		{"base64", offer, `{"bytes":"AAA=","signature":""}`, ""},
		{"no base64", offer, `{"bytes":"A","signature":""}`, `$.bytes: "A" is no base64`},
		{"another pattern", "trust.SubjectKey", `"zz"`, "is not like"},
		{"in a list", "admin.NewOperator", `{"name":"x","roles":["a",1]}`, "$.roles[1]: 1 is no string"},
		{"no JSON", offer, `{`, "it is no JSON"},
		{"a twin", offer, `{"bytes":"","bytes":"","signature":""}`, "it is no JSON"},
		{"no such form", "admin.Nothing", `{}`, "is not in the document"},
	} {
		faults := d.Check(&spectest.Schema{Ref: "#/components/schemas/" + tt.form}, []byte(tt.text))
		if tt.want == "" && len(faults) > 0 || tt.want != "" && (len(faults) != 1 || !strings.Contains(faults[0], tt.want)) {
			t.Errorf("%s: found %q, want %q", tt.name, faults, tt.want)
		}
	}
	either := &spectest.Schema{AnyOf: []*spectest.Schema{{Type: "integer"}, {Type: "object", Required: []string{"a", "b"}}}}
	for text, want := range map[string]string{"7": "", "{}": "$: map[] is no integer", `"x"`: "$: x is no integer"} {
		if got := strings.Join(d.Check(either, []byte(text)), "; "); got != want {
			t.Errorf("%s: found %q, want %q", text, got, want)
		}
	}
}

// A route, a parameter, a body, a status and an answer are held to the document.
func TestExchange(t *testing.T) {
	d := published(t)
	problem := func(err error) func(http.ResponseWriter) { return func(w http.ResponseWriter) { wire.Fail(w, err) } }
	answer := func(status int, v any) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { _ = wire.Answer(w, status, v) }
	}
	nothing := func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }
	const end = `{"reason":"x"}`
	for _, tt := range []struct {
		name, pattern, url, body string
		answers                  func(http.ResponseWriter)
		want                     string
	}{
		{"as described", "POST /v1/agreements/{name}/end", "/v1/agreements/a/end", end, nothing, ""},
		{"a refusal", "POST /v1/agreements/{name}/end", "/v1/agreements/a/end", `{}`, problem(trust.Errorf(trust.Conflict, "no")), ""},
		{"no route", "/", "/v1/nothing", "", problem(trust.Errorf(trust.NotFound, "no")), ""},
		{"no route, and no problem", "/", "/v1/nothing", "", nothing, `an answer of type ""`},
		{"a route that is not described", "GET /v1/nothing", "/v1/nothing", "", nothing, "does not describe GET /v1/nothing"},
		{"a parameter that is not described", "GET /v1/findings", "/v1/findings?colour=red", "", answer(200, map[string]any{"apiVersion": "", "kind": "", "items": []int{}}), "parameter colour is not described"},
		{"a member of the body too many", "POST /v1/agreements/{name}/end", "/v1/agreements/a/end", `{"reason":"x","x":1}`, nothing, "its body: $: has x"},
		{"a body where there is none", "POST /v1/agreements/{name}/activate", "/v1/agreements/a/activate", end, nothing, "it has a body"},
		{"another status", "POST /v1/agreements/{name}/end", "/v1/agreements/a/end", end, answer(201, 1), "that it answers 201"},
		{"an answer where there is none", "POST /v1/agreements/{name}/end", "/v1/agreements/a/end", end, func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusNoContent)
			_, _ = w.Write([]byte("x"))
		}, `an answer of type ""`},
		{"another answer", "POST /v1/frameworks/{hash}/adopt", "/v1/frameworks/a/adopt", "", answer(200, 1), "that it answers 200"},
		{"a problem of another form", "GET /v1/findings", "/v1/findings", "", func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", wire.MediaType)
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write([]byte(`{"type":"about:blank","title":"x","status":409,"kind":"strange"}`))
		}, `$.kind: "strange" is none of`},
	} {
		method, _, _ := strings.Cut(tt.pattern, " ")
		r := httptest.NewRequest(strings.TrimSuffix(method, "/"), tt.url, nil)
		r.Pattern = tt.pattern
		w := httptest.NewRecorder()
		tt.answers(w)
		faults := d.Exchange(r, []byte(tt.body), w.Result(), w.Body.Bytes())
		if tt.want == "" && len(faults) > 0 || tt.want != "" && !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, tt.want) }) {
			t.Errorf("%s: found %q, want %q", tt.name, faults, tt.want)
		}
	}
}
