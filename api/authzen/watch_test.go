package authzen_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/api/authzen"
	"github.com/entente-id/entente/api/wire"
)

func request(t *testing.T, method, path string, headers map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), method, path, nil)
	r.Header.Set("Authorization", "Bearer "+credential(wire.EnforcementPoint, secret))
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	authzen.New(&point{}, "https://node.example").ServeHTTP(w, r)
	return w.ResponseRecorder
}

// WHATWG HTML, section 9.2: id, event and data, each event ended by an empty
// line, and written out before the next.
func TestWatch(t *testing.T) {
	w := request(t, http.MethodGet, "/access/v1/watch", map[string]string{"Last-Event-ID": "x"})
	const want = "id: xr-0\nevent: reset\ndata: {}\n\n" +
		"id: r-1\nevent: ended\ndata: {\"decision\":\"def\",\"id\":\"abc\",\"reason\":\"revocation.subject\"}\n\n" +
		"id: r-2\nevent: ended\ndata: {\"id\":\"ghi\",\"reason\":\"freshness.stale\"}\n\n" +
		"id: r-2\nevent: alive\ndata: {}\n\n"
	if w.Code != http.StatusOK || w.Body.String() != want || !w.Flushed ||
		w.Header().Get("Content-Type") != "text/event-stream" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("answered %d %v\n%s", w.Code, w.Header(), w.Body)
	}
	for name, c := range map[string]struct {
		headers map[string]string
		code    int
	}{
		"no credential":    {map[string]string{"Authorization": ""}, http.StatusUnauthorized},
		"a foreign one":    {map[string]string{"Authorization": "Bearer " + credential(wire.EnforcementPoint, [wire.SecretSize]byte{8})}, http.StatusUnauthorized},
		"a long cursor":    {map[string]string{"Last-Event-ID": strings.Repeat("x", 65)}, http.StatusBadRequest},
		"no stream at all": {map[string]string{"Last-Event-ID": "broken"}, http.StatusInternalServerError},
	} {
		if w := request(t, http.MethodGet, "/access/v1/watch", c.headers); w.Code != c.code || strings.Contains(w.Body.String(), "data:") {
			t.Errorf("%s: answered %d %s", name, w.Code, w.Body)
		}
	}
}

func TestRelease(t *testing.T) {
	for path, code := range map[string]int{"/access/v1/session/abc": http.StatusNoContent, "/access/v1/session/def": http.StatusNotFound} {
		if w := request(t, http.MethodDelete, path, nil); w.Code != code {
			t.Errorf("%s: answered %d %s", path, w.Code, w.Body)
		}
	}
	if w := request(t, http.MethodDelete, "/access/v1/session/abc", map[string]string{"Authorization": ""}); w.Code != http.StatusUnauthorized {
		t.Errorf("without a credential: answered %d", w.Code)
	}
}

func TestReused(t *testing.T) {
	for name, c := range map[string]struct {
		path, body string
		headers    map[string]string
		code       int
	}{
		"uses":            {"/access/v1/session/abc/uses", `{"uses":[5,5,7]}`, nil, http.StatusNoContent},
		"of another":      {"/access/v1/session/def/uses", `{"uses":[5,5,7]}`, nil, http.StatusNotFound},
		"another member":  {"/access/v1/session/abc/uses", `{"uses":[5,5,7],"x":1}`, nil, http.StatusBadRequest},
		"no number":       {"/access/v1/session/abc/uses", `{"uses":["5"]}`, nil, http.StatusBadRequest},
		"no credential":   {"/access/v1/session/abc/uses", `{"uses":[5,5,7]}`, map[string]string{"Authorization": ""}, http.StatusUnauthorized},
		"not JSON at all": {"/access/v1/session/abc/uses", `{"uses":[5,5,7]}`, map[string]string{"Content-Type": "text/plain"}, http.StatusUnsupportedMediaType},
	} {
		w := ask(t, &point{}, c.body, func(r *http.Request) {
			r.URL.Path = c.path
			for name, value := range c.headers {
				r.Header.Set(name, value)
			}
		})
		if w.Code != c.code {
			t.Errorf("%s: answered %d %s", name, w.Code, w.Body)
		}
	}
}

// deadlines is a recorder that takes deadlines, as connections do.
type deadlines struct{ *httptest.ResponseRecorder }

func (deadlines) SetWriteDeadline(time.Time) error { return nil }
