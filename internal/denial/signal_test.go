package denial_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	apisignal "github.com/entente-id/entente/api/signal"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

// transmitter is a foreign transmitter of the home's issuer, as the host hears it.
type transmitter struct {
	*issuer
	host    *nodetest.Node
	secret  string
	handler http.Handler
}

func newTransmitter(t *testing.T) *transmitter {
	t.Helper()
	w := &world{World: nodetest.NewWorld(t)}
	home, host := w.Found(nil)
	tr := &transmitter{issuer: w.issuer("https://idp.rxw.example", jose.ES256, jose.EdDSA, jose.RS256), host: host, handler: apisignal.New(patient{host})}
	w.Agree(home, host, []*nodetest.Issuer{tr.Issuer}, nil)
	var err error
	tr.secret, err = host.AddTransmitter(t.Context(), host.Admin, signal.Document{
		Kind: "Transmitter", Name: "idp", Issuer: must(trust.ParseIssuerID(tr.URL)), Delivery: signal.Push,
		Audience: "https://rje.example/signals", StreamID: "stream-1", VerifyURI: tr.URL + "/verify", Tenant: "rxw", Critical: []string{"group"},
	}, "")
	check(t, err)
	return tr
}

// event is a good token: an account is disabled.
func (tr *transmitter) event() *draft {
	s := tr.signers[0]
	n := serial.Add(1)
	return &draft{
		header: object{"alg": string(s.key.Alg()), "kid": s.key.KeyID(), "typ": "secevent+jwt"}, signer: s,
		claims: object{
			"iss": tr.URL, "aud": "https://rje.example/signals", "iat": tr.host.Now(), "jti": fmt.Sprint(n), "sub_id": tr.user(fmt.Sprint("n-", n)),
			"events": object{string(signal.AccountDisabled): object{}},
		},
	}
}

func (tr *transmitter) user(sub string) object {
	return object{"format": "iss_sub", "iss": tr.URL, "sub": sub}
}

// push sends a token as the transmitter does; with changes the request.
func (tr *transmitter) push(token string, with func(*http.Request)) (status int, body string) {
	r := httptest.NewRequest(http.MethodPost, "/signals/idp", strings.NewReader(token))
	r.Header.Set("Content-Type", "application/secevent+jwt")
	r.Header.Set("Authorization", "Bearer "+tr.secret)
	if with != nil {
		with(r)
	}
	w := httptest.NewRecorder()
	tr.handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// patient hears everybody: the corpus asks faster than a transmitter may.
type patient struct{ *nodetest.Node }

func (patient) Hears(string) bool { return true }

// codeOf is what RFC 8935 calls a fault of the JOSE layer.
func codeOf(s spoil) signal.Code {
	switch s.want {
	case trust.UnknownKey:
		return signal.InvalidKey
	case trust.BadSignature:
		return signal.AuthenticationFailed
	case trust.TokenAlgorithm:
		for _, alg := range jose.ForToken.Algs() {
			if strings.HasPrefix(s.name, string(alg)+" under") {
				return signal.AuthenticationFailed // an algorithm of ours, and not the key's
			}
		}
	}
	return signal.InvalidRequest
}

// refusedSignal is a token that is signed well and must not be taken.
type refusedSignal struct {
	name string
	code signal.Code
	do   func(*draft)
}

func (tr *transmitter) refusedSignals() (all []refusedSignal) {
	add := func(name string, code signal.Code, do func(*draft)) { all = append(all, refusedSignal{name, code, do}) }
	claim := func(name string, value any) func(*draft) { return func(d *draft) { put(d.claims, name, value) } }
	for _, name := range []string{"sub", "exp"} {
		add("has "+name, signal.InvalidRequest, claim(name, 1))
	}
	for _, name := range []string{"aud", "iat", "jti", "sub_id", "events"} {
		for shape, value := range map[string]any{"absent": absent, "null": nil, "empty": "", "a list": []any{}, "true": true, "an object": object{}} {
			add(name+" is "+shape, signal.InvalidRequest, claim(name, value))
		}
	}
	for shape, value := range map[string]any{"absent": absent, "another": "https://idp.rcb.example", "with a slash": tr.URL + "/", "in capitals": "https://IDP.rxw.example", "a list": []any{tr.URL}} {
		add("iss is "+shape, signal.InvalidIssuer, claim("iss", value))
	}
	for shape, value := range map[string]any{"another": "https://rxw.example/signals", "a stream below": "https://rje.example/signals/2", "the host": "https://trust.rje.example"} {
		add("aud is "+shape, signal.InvalidAudience, claim("aud", value))
	}
	add("two audiences", signal.InvalidRequest, claim("aud", []any{"https://rje.example/signals", "https://rcb.example"}))
	add("iat to come", signal.InvalidRequest, claim("iat", tr.host.Now()+3600))
	add("an event to come", signal.InvalidRequest, claim("events", object{string(signal.AccountEnabled): object{"event_timestamp": tr.host.Now() + 3600}}))
	add("two events", signal.InvalidRequest, claim("events", object{string(signal.AccountEnabled): object{}, string(signal.AccountDisabled): object{}}))
	about := func(name string, code signal.Code, subject object) {
		add("about "+name, code, claim("sub_id", subject))
	}
	about("an address", signal.InvalidRequest, object{"format": "email", "email": "n@rxw.example"})
	about("a session of an address", signal.InvalidRequest, object{
		"format": "complex", "user": object{"format": "email", "email": "n@rxw.example"}, "session": object{"format": "opaque", "id": "s"},
	})
	about("a subject with a member more", signal.InvalidRequest, object{"format": "iss_sub", "iss": tr.URL, "sub": "n-1", "id": "x"})
	about("a subject without a name", signal.InvalidRequest, object{"format": "iss_sub", "iss": tr.URL})
	about("an opaque user", signal.InvalidRequest, object{"format": "opaque", "id": "n-1"})
	about("another's subject", signal.AccessDenied, object{"format": "iss_sub", "iss": "https://idp.rcb.example", "sub": "n-1"})
	about("another's alias", signal.AccessDenied, object{"format": "aliases", "identifiers": []any{tr.user("n-1"), object{"format": "iss_sub", "iss": "https://idp.rcb.example", "sub": "n-1"}}})
	about("another tenant", signal.AccessDenied, object{"format": "complex", "user": tr.user("n-1"), "tenant": object{"format": "opaque", "id": "rgh"}})
	about("a critical group", signal.InvalidRequest, object{"format": "complex", "user": tr.user("n-1"), "group": object{"format": "opaque", "id": "g"}})
	about("nobody", signal.InvalidRequest, object{"format": "complex", "org_unit": object{"format": "opaque", "id": "u"}})
	add("another stream verified", signal.AccessDenied, func(d *draft) {
		d.claims["events"], d.claims["sub_id"] = object{string(signal.Verification): object{}}, object{"format": "opaque", "id": "stream-2"}
	})
	return all
}

func TestSignals(t *testing.T) {
	tr := newTransmitter(t)
	var asked tally
	for _, s := range joseCases(form{types: []string{"secevent+jwt", "application/secevent+jwt"}, signers: tr.signers, maxBytes: jose.MaxToken, thumbprints: true}) {
		d := tr.event()
		s.do(d)
		asked.one("signal")
		status, body := tr.push(d.token(), nil)
		switch code := codeOf(s); {
		case s.want == "" && status != http.StatusAccepted:
			t.Errorf("%s: %s: answers %d %s, want 202", s.rule, s.name, status, body)
		case s.want != "" && status != http.StatusRequestEntityTooLarge && (status != http.StatusBadRequest || !strings.Contains(body, `"err":"`+string(code)+`"`)):
			t.Errorf("%s: %s: answers %d %s, want 400 %s", s.rule, s.name, status, body, code)
		}
	}
	before := tr.host.State().Signal
	for _, c := range tr.refusedSignals() {
		d := tr.event()
		c.do(d)
		asked.one("signal")
		status, body := tr.push(d.token(), nil)
		if status != http.StatusBadRequest || !strings.Contains(body, `"err":"`+string(c.code)+`"`) {
			t.Errorf("%s: answers %d %s, want 400 %s", c.name, status, body, c.code)
		}
	}
	if after := tr.host.State().Signal; after.Subjects.Len() != before.Subjects.Len() {
		t.Errorf("refused tokens left %d marks", after.Subjects.Len()-before.Subjects.Len())
	}
	asked.report(t)
}

// Who pushes is known by its secret, and finds its own stream alone; the same
// token again is taken again and does nothing.
func TestPushes(t *testing.T) {
	tr := newTransmitter(t)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	wrong := []byte(tr.secret)
	wrong[len(wrong)-5] ^= 1
	for _, c := range []struct {
		name   string
		with   func(*http.Request)
		status int
	}{
		{"no secret", func(r *http.Request) { r.Header.Del("Authorization") }, http.StatusUnauthorized},
		{"another secret", header("Authorization", "Bearer "+string(wrong)), http.StatusUnauthorized},
		{"an operator's", header("Authorization", strings.Replace("Bearer "+tr.secret, "ent_set_", "ent_op_", 1)), http.StatusUnauthorized},
		{"two secrets", func(r *http.Request) { r.Header.Add("Authorization", "Bearer "+tr.secret) }, http.StatusUnauthorized},
		{"another's stream", func(r *http.Request) { r.URL.Path = "/signals/other" }, http.StatusNotFound},
		{"another content type", header("Content-Type", "application/jwt"), http.StatusUnsupportedMediaType},
	} {
		if status, body := tr.push(tr.event().token(), c.with); status != c.status {
			t.Errorf("%s: answers %d %s, want %d", c.name, status, body, c.status)
		}
	}
	size := func() uint64 { return tr.host.State().At.Position.N }
	token := tr.event().token()
	if status, body := tr.push(token, nil); status != http.StatusAccepted {
		t.Fatalf("a good one is answered %d %s", status, body)
	}
	before := size()
	if status, _ := tr.push(token, nil); status != http.StatusAccepted || size() != before {
		t.Errorf("the same again is answered %d and leaves %d entries", status, size()-before)
	}
}

// logoutCase is a logout token that is signed well and must not be taken; ok is one
// that is.
type logoutCase struct {
	name string
	ok   bool
	do   func(*draft)
}

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

func (tr *transmitter) logoutCases() (all []logoutCase) {
	claim := func(name string, value any) func(*draft) { return func(d *draft) { put(d.claims, name, value) } }
	bad := func(name string, value any) {
		all = append(all, logoutCase{fmt.Sprintf("%s is %v", name, value), false, claim(name, value)})
	}
	for _, name := range []string{"aud", "iat", "exp", "jti", "events"} {
		for _, value := range []any{absent, nil, "", []any{}, true, object{}} {
			bad(name, value)
		}
	}
	for _, value := range []any{absent, "https://idp.rcb.example", tr.URL + "/"} {
		bad("iss", value)
	}
	for _, value := range []any{"other-app", "ward", []any{"ward-app", "other-app"}} {
		bad("aud", value)
	}
	bad("nonce", "n")
	bad("nonce", "")
	bad("sub", "")
	bad("sid", 7)
	bad("exp", tr.host.Now())
	bad("iat", tr.host.Now()-3600)
	bad("iat", tr.host.Now()+3600)
	bad("events", object{string(signal.SessionRevoked): object{}})
	bad("events", object{logoutEvent: object{"a": 1}})
	bad("events", object{logoutEvent: object{}, string(signal.SessionRevoked): object{}})
	return append(all,
		logoutCase{"neither sub nor sid", false, func(d *draft) { put(d.claims, "sub", absent) }},
		logoutCase{"control: sid alone", true, func(d *draft) { put(d.claims, "sub", absent); put(d.claims, "sid", "s-1") }},
		logoutCase{"control: both", true, claim("sid", "s-2")},
		logoutCase{"control: aud is a list of one", true, claim("aud", []any{"ward-app"})},
	)
}

func TestLogouts(t *testing.T) {
	tr := newTransmitter(t)
	host := tr.host
	check(t, host.RemoveTransmitter(t.Context(), host.Admin, "idp"))
	_, err := host.AddTransmitter(t.Context(), host.Admin, signal.Document{
		Kind: "Transmitter", Name: "idp", Issuer: must(trust.ParseIssuerID(tr.URL)), Delivery: signal.Logout, Audience: "ward-app",
	}, "")
	check(t, err)
	s := tr.signers[0]
	good := func() *draft {
		n := fmt.Sprint(serial.Add(1))
		return &draft{
			header: object{"alg": string(s.key.Alg()), "kid": s.key.KeyID(), "typ": "logout+jwt"}, signer: s,
			claims: object{"iss": tr.URL, "aud": "ward-app", "iat": host.Now(), "exp": host.Now() + 120, "jti": n, "sub": "n-" + n, "events": object{logoutEvent: object{}}},
		}
	}
	send := func(form string, with func(*http.Request)) (int, string) {
		r := httptest.NewRequest(http.MethodPost, "/signals/idp/logout", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if with != nil {
			with(r)
		}
		w := httptest.NewRecorder()
		tr.handler.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	var asked tally
	see := func(name string, ok bool, status int, body string) {
		t.Helper()
		asked.one("logout")
		if ok && status != http.StatusOK || !ok && status != http.StatusRequestEntityTooLarge && (status != http.StatusBadRequest || body != `{"error":"invalid_request","error_description":"The logout token is not accepted."}`) {
			t.Errorf("%s: answers %d %s", name, status, body)
		}
	}
	for _, c := range joseCases(form{types: []string{"logout+jwt", "application/logout+jwt", "jwt", "application/jwt", ""}, signers: tr.signers, maxBytes: jose.MaxToken, thumbprints: true}) {
		d := good()
		c.do(d)
		status, body := send(url.Values{"logout_token": {d.token()}}.Encode(), nil)
		see(c.rule+": "+c.name, c.want == "", status, body)
	}
	for _, c := range tr.logoutCases() {
		d := good()
		c.do(d)
		status, body := send(url.Values{"logout_token": {d.token()}}.Encode(), nil)
		see(c.name, c.ok, status, body)
	}
	token := good().token()
	for name, form := range map[string]string{"nothing": "", "twice": "logout_token=" + token + "&logout_token=" + token, "more": "logout_token=" + token + "&a=b", "half an escape": "logout_token=%"} {
		status, body := send(form, nil)
		see(name, false, status, body)
	}
	status, body := send("logout_token="+token, func(r *http.Request) { r.URL.RawQuery = "logout_token=" + token })
	see("in the query too", false, status, body)
	if status, _ := send("logout_token="+token, func(r *http.Request) { r.URL.Path = "/signals/other/logout" }); status != http.StatusNotFound {
		t.Errorf("an unknown name is answered %d", status)
	}
	before := host.State().At.Position.N
	for range 2 {
		status, body := send("logout_token="+token, nil)
		see("the good one", true, status, body)
	}
	if after := host.State().At.Position.N; after != before+1 {
		t.Errorf("a logout, twice, leaves %d entries", after-before)
	}
	asked.report(t)
}
