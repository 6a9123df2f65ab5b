package denial_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/api/ssf"
	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
)

// streamRoutes are the routes of receivers, each with a request about a stream
// that is in order.
func streamRoutes(id string) map[string]string {
	about := `{"stream_id":"` + id + `"`
	subject := about + `,"subject":{"format":"iss_sub","iss":"https://idp.rje.example","sub":"1"}}`
	return map[string]string{
		"POST /ssf/v1/stream":                   `{}`,
		"GET /ssf/v1/stream?stream_id=" + id:    "",
		"PATCH /ssf/v1/stream":                  about + `}`,
		"PUT /ssf/v1/stream":                    about + `}`,
		"DELETE /ssf/v1/stream?stream_id=" + id: "",
		"GET /ssf/v1/status?stream_id=" + id:    "",
		"POST /ssf/v1/status":                   about + `,"status":"paused"}`,
		"POST /ssf/v1/verify":                   about + `}`,
		"POST /ssf/v1/subjects/add":             subject,
		"POST /ssf/v1/subjects/remove":          subject,
		"POST /ssf/v1/poll/" + id:               `{"returnImmediately":true}`,
	}
}

func ask(h http.Handler, route, body string, header ...string) (int, string) {
	method, path, _ := strings.Cut(route, " ")
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header["Authorization"] = header
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// Whoever is no receiver is refused on every route of streams with the same
// bytes; who may only look changes nothing; another receiver's stream is none.
func TestReceivers(t *testing.T) {
	o := newOffice(t)
	h := ssf.New(o.host)
	register := func(id string, rights *client.Signals) {
		check(t, o.host.AddClient(t.Context(), o.host.Admin, client.Document{
			Kind: "Client", ID: id, Participant: o.home.ID, Services: []string{"ward-records"}, Signals: rights,
			Means: client.Means{Keys: must(jose.NewKeySet(o.other.key))},
		}))
	}
	for _, id := range []string{"gateway", "other", "short"} {
		register(id, &client.Signals{})
	}
	token := func(id string, manage bool) string {
		secret, _, ok := o.host.ReceiverToken(id, manage)
		if !ok {
			t.Fatalf("%s gets no token", id)
		}
		return wire.FormatCredential(wire.Receiver, secret)
	}
	good, others, reading, ended := token("gateway", true), token("other", true), token("gateway", false), token("short", true)
	check(t, o.host.EndClient(t.Context(), o.host.Admin, "short"))
	create := func(token string) string {
		code, text := ask(h, "POST /ssf/v1/stream", `{}`, "Bearer "+token)
		_, id, _ := strings.Cut(text, `"stream_id":"`)
		if code != http.StatusCreated {
			t.Fatalf("%d %s", code, text)
		}
		return id[:strings.Index(id, `"`)]
	}
	mine, theirs := create(good), create(others)

	const none = `{"type":"about:blank","title":"Unauthorized","status":401,"kind":"unauthenticated","detail":"the request carries no token of a receiver"}`
	cases := 0
	for name, header := range map[string][]string{
		"nothing": nil, "an empty one": {""}, "two": {"Bearer " + good, "Bearer " + good}, "basic": {"Basic " + good}, "no scheme": {good},
		"one of nobody": {"Bearer " + wire.FormatCredential(wire.Receiver, make([]byte, wire.SecretSize))},
		"one cut short": {"Bearer " + good[:len(good)-1]}, "one with more": {"Bearer " + good + "A"}, "one in capitals": {"Bearer " + strings.ToUpper(good)},
		"one of a client that has ended": {"Bearer " + ended}, "an enforcement point's": {"Bearer " + o.point}, "an operator's": {"Bearer " + o.admin},
		"an enforcement point's under our prefix": {"Bearer " + strings.Replace(o.point, string(wire.EnforcementPoint), string(wire.Receiver), 1)},
		"an access token":                         {"Bearer " + o.world.good(profiles(o.world)[evidence.AccessToken]).token()},
		"a client's assertion":                    {"Bearer " + o.good().token()},
	} {
		for route, body := range streamRoutes(mine) {
			cases++
			if code, text := ask(h, route, body, header...); code != http.StatusUnauthorized || text != none {
				t.Errorf("%s with %s: %d %s", route, name, code, text)
			}
		}
	}
	reads := map[string]bool{"GET /ssf/v1/stream?stream_id=" + mine: true, "GET /ssf/v1/status?stream_id=" + mine: true}
	for route, body := range streamRoutes(mine) {
		cases++
		if code, text := ask(h, route, body, "Bearer "+reading); (code == http.StatusOK) != reads[route] || !reads[route] && code != http.StatusForbidden {
			t.Errorf("%s by who may look only: %d %s", route, code, text)
		}
	}
	unknown := streamRoutes("AAAAAAAAAAAAAAAAAAAAAA")
	for route, body := range streamRoutes(theirs) {
		if strings.HasPrefix(route, "POST /ssf/v1/stream") {
			continue
		}
		cases++
		code, text := ask(h, route, body, "Bearer "+good)
		blank := strings.ReplaceAll(route, theirs, "AAAAAAAAAAAAAAAAAAAAAA")
		if c, same := ask(h, blank, unknown[blank], "Bearer "+good); code != http.StatusNotFound || c != code || same != text {
			t.Errorf("%s of another's stream: %d %s; of none: %d %s", route, code, text, c, same)
		}
	}
	if _, there := o.host.State().Stream.Get(theirs); !there {
		t.Error("another's stream is gone")
	}
	o.host.Clock.Shift(11 * time.Minute)
	for route, body := range streamRoutes(mine) {
		cases++
		if code, text := ask(h, route, body, "Bearer "+good); code != http.StatusUnauthorized || text != none {
			t.Errorf("%s with a token that has run out: %d %s", route, code, text)
		}
	}
	if cases < 190 {
		t.Errorf("only %d cases", cases)
	}
}

// A client that is registered for no signals gets no token for them, however it
// proves itself, and neither does an enforcement point.
func TestReceiverTokens(t *testing.T) {
	o := newOffice(t)
	grant := func() map[string][]string {
		return map[string][]string{"grant_type": {"client_credentials"}, "scope": {"ssf.manage"}}
	}
	for name, c := range map[string]func() (bool, *httptest.ResponseRecorder){
		"a client": func() (bool, *httptest.ResponseRecorder) {
			with := grant()
			for k, v := range asserted(o.good().token()) {
				with[k] = v
			}
			return o.let("/oauth/token", with, nil)
		},
		"an enforcement point": func() (bool, *httptest.ResponseRecorder) {
			return o.let("/oauth/token", grant(), func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+o.point) })
		},
	} {
		if _, answer := c(); answer.Code != http.StatusBadRequest || !strings.Contains(answer.Body.String(), `"unauthorized_client"`) {
			t.Errorf("%s: %d %s", name, answer.Code, answer.Body)
		}
	}
	if _, answer := o.let("/oauth/token", grant(), nil); answer.Code != http.StatusUnauthorized {
		t.Errorf("nobody: %d %s", answer.Code, answer.Body)
	}
}
