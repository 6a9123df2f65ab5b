package denial_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/entente-id/entente/pep"
	"github.com/entente-id/entente/trust"
)

// fronted calls the service as a holder does, and gives what a stranger sees, but
// for the reference, and what the node told the service.
func (w *world) fronted(front http.Handler, token, proof string) (seen string, reason trust.Reason) {
	id := fmt.Sprintf("request-%d", serial.Add(1))
	r := httptest.NewRequest(http.MethodGet, recordPath, http.NoBody)
	r.Header.Set("Authorization", "DPoP "+token)
	r.Header.Set("DPoP", proof)
	r.Header.Set("X-Request-ID", id)
	answer := httptest.NewRecorder()
	front.ServeHTTP(answer, r)
	reference := answer.Header().Get(pep.DecisionHeader)
	answer.Header().Del(pep.DecisionHeader)
	var headers strings.Builder
	_ = answer.Header().Write(&headers)
	body := answer.Body.String()
	if reference != "" {
		body = strings.ReplaceAll(body, reference, "REFERENCE")
	}
	return fmt.Sprintf("%d\n%s\n%s", answer.Code, headers.String(), body), w.answers.of(id).Context.Reason
}

// introspected asks about a token as a service does, and gives all it sees but the
// reference.
func (w *world) introspected(h http.Handler, token string) string {
	return w.tokenAsked(h, "/oauth/introspect", token)
}

func (w *world) tokenAsked(h http.Handler, path, token string) string {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(url.Values{"token": {token}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "Bearer "+w.point)
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	answer.Header().Del("Entente-Reference")
	var headers strings.Builder
	_ = answer.Header().Write(&headers)
	return fmt.Sprint(answer.Code, " ", headers.String(), answer.Body)
}

// eachBound does f for every case, some at a time.
func eachBound(t *testing.T, all []bound, f func(bound)) {
	byName := make(map[string]bound, len(all))
	spoils := make([]spoil, len(all))
	for i, c := range all {
		name := fmt.Sprint(i)
		byName[name], spoils[i] = c, spoil{name: name}
	}
	each(t, spoils, func(s spoil) { f(byName[s.name]) })
}
