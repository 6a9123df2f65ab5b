package authzen_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/entente-id/entente/evidence"
)

// asking is the question with context.proof beside the evidence.
func asking(proof string) string {
	return strings.Replace(question, `"time":"now"`, `"proof":`+proof, 1)
}

func TestProof(t *testing.T) {
	for proof, want := range map[string]*evidence.Shown{
		`{"dpop":"a.b.c","htm":"GET","htu":"https://x/"}`: {DPoP: []byte("a.b.c"), Method: "GET", URL: "https://x/"},
		`{"x5c":"AQI="}`: {Certificate: []byte{1, 2}},
		`{"dpop":"a.b.c","htm":"GET","htu":"https://x/","x5c":"AQIDBA=="}`: {DPoP: []byte("a.b.c"), Method: "GET", URL: "https://x/", Certificate: []byte{1, 2, 3, 4}},
	} {
		p := &point{}
		ask(t, p, asking(proof), nil)
		if p.asked == nil || !reflect.DeepEqual(p.asked.Evidence[0].Shown, want) {
			t.Errorf("%s: asked with %+v, want %+v", proof, p.asked, want)
		}
	}
}

// What an enforcement point saw is stated whole and strictly, or the request is
// refused: left out it would turn into a bearer's.
func TestBadProof(t *testing.T) {
	for _, proof := range []string{
		`null`, `[]`, `"a.b.c"`, `{}`, `{"dpop":null}`,
		`{"dpop":"a.b.c"}`, `{"dpop":"a.b.c","htm":"GET"}`, `{"dpop":"a.b.c","htu":"https://x/"}`, `{"htm":"GET","htu":"https://x/"}`,
		`{"htm":"GET","htu":"https://x/","x5c":"AQI="}`,
		`{"dpop":"","htm":"GET","htu":"https://x/"}`, `{"dpop":"a","htm":"","htu":"https://x/"}`, `{"dpop":"a","htm":"GET","htu":""}`, `{"x5c":""}`,
		`{"dpop":["a.b.c","d.e.f"],"htm":"GET","htu":"https://x/"}`, `{"dpop":7,"htm":"GET","htu":"https://x/"}`,
		`{"dpop":"a.b.c","htm":"GET","htu":"https://x/","nonce":"n"}`, `{"DPoP":"a.b.c","htm":"GET","htu":"https://x/"}`,
		`{"dpop":"a","dpop":"b","htm":"GET","htu":"https://x/"}`,
		`{"x5c":"AQI"}`, `{"x5c":"AQJ="}`, `{"x5c":"A_I="}`, `{"x5c":"AQ\nI="}`, `{"x5c":["AQI="]}`, `{"x5c":1}`,
	} {
		p := &point{}
		if w := ask(t, p, asking(proof), nil); w.Code != http.StatusBadRequest || p.asked != nil {
			t.Errorf("%s: answered %d, want 400", proof, w.Code)
		}
	}
}
