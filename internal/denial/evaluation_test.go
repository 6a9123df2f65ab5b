package denial_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// profile is what a kind of evidence is like.
type profile struct {
	form                   form
	texts, times, optional []string
	isID                   bool
	typ                    any
}

// profiles has a row for every kind of evidence there is.
func profiles(w *world) map[evidence.Kind]profile {
	return map[evidence.Kind]profile{
		evidence.AccessToken: {
			form: w.form("at+jwt"), typ: "at+jwt",
			texts: []string{"iss", "sub", "aud", "client_id", "jti"}, times: []string{"iat", "exp"}, optional: []string{"nbf"},
		},
		evidence.IDToken: {
			form: w.form("", "jwt", "application/jwt"), typ: "JWT", isID: true,
			texts: []string{"iss", "sub", "aud"}, times: []string{"iat", "exp"}, optional: []string{"nbf"},
		},
	}
}

func (w *world) form(types ...string) form {
	all := types
	for _, typ := range types {
		if typ != "" && !strings.Contains(typ, "/") {
			all = append(all, "application/"+typ)
		}
	}
	return form{types: all, signers: w.idp.signers, maxBytes: jose.MaxToken, thumbprints: true}
}

var serial atomic.Int64

// good is a proof that is in order.
func (w *world) good(p profile) *draft {
	now := w.host.Now()
	s := w.idp.signers[0]
	d := &draft{
		header: object{"alg": string(s.key.Alg()), "kid": s.key.KeyID(), "typ": p.typ}, signer: s,
		claims: object{
			"iss": w.idp.URL, "sub": "nurse-1", "aud": w.ward.Audience, "iat": now - 5, "exp": now + 400, "jti": fmt.Sprint(serial.Add(1)), "client_id": "ward-app",
			"auth_time": now - 60, "id_assurance_level": "3", "authentication_assurance_level": "3", "role_code": "S8000:G8000:R8001", "ward_ids": []string{"w7"},
		},
	}
	return d
}

// from makes a draft one of another issuer.
func from(i *issuer) func(*draft) {
	return func(d *draft) {
		s := i.signers[0]
		d.claims["iss"], d.header["alg"], d.header["kid"], d.signer = i.URL, string(s.key.Alg()), s.key.KeyID(), s
	}
}

// evidenceCases are all that can be wrong with a proof of a kind.
func (w *world) evidenceCases(p profile) []spoil {
	return slices.Concat(joseCases(p.form), claimCases(p.texts, p.times, p.optional), issuerCases(w.idp.URL),
		audienceCases(w.ward.Audience, trust.AudienceForeign), timeCases(w.host.Now), partyCases(p.isID, w.ward.Audience), w.speakerCases(p.isID), w.factCases())
}

// speakerCases: trust is per issuer and per participant, never pooled.
func (w *world) speakerCases(isID bool) []spoil {
	c := cases{rule: "pooled keys"}
	then := func(first func(*draft), name string, value any) func(*draft) {
		return func(d *draft) {
			first(d)
			put(d.claims, name, value)
		}
	}
	c.add("issuer that nobody stated", trust.UnknownIssuer, from(w.stranger))
	c.add("control: second issuer, same kid", "", from(w.second))
	c.add("key of the second issuer for the first", trust.BadSignature, func(d *draft) { d.signer = w.second.signers[0] })
	c.add("key of the first issuer for the second", trust.BadSignature, func(d *draft) { d.claims["iss"] = w.second.URL })
	c.add("key of another participant's issuer", trust.BadSignature, func(d *draft) { d.signer = w.foreign.signers[0] })
	c.add("key of a national issuer", trust.BadSignature, func(d *draft) { d.signer = w.national.signers[0] })
	c.add("another participant's issuer with our key", trust.BadSignature, func(d *draft) { d.claims["iss"] = w.foreign.URL })
	c.add("the partner itself as issuer", trust.UnknownIssuer, func(d *draft) { d.claims["iss"] = w.home.ID.String() })
	own := trust.UnknownKey // we issue access tokens
	if isID {
		own = trust.UnknownIssuer
	}
	c.add("we ourselves as issuer", own, func(d *draft) { d.claims["iss"] = w.host.ID.String() })
	c.add("no kid at an issuer of one key", trust.UnknownKey, as(from(w.second), func(d *draft) { delete(d.header, "kid") }))
	c.add("an unheard kid at an issuer of one key", trust.UnknownKey, as(from(w.second), func(d *draft) { d.header["kid"] = "unheard" }))
	c.add("kid of a key that another issuer alone has", trust.UnknownKey, func(d *draft) {
		d.claims["iss"], d.header["kid"], d.header["alg"], d.signer = w.second.URL, "key-EdDSA", "EdDSA", w.idp.signers[1]
	})
	stream := w.home.Config.Keys.Signer("stream")
	c.add("the node's own stream key", trust.UnknownKey, func(d *draft) {
		d.header["kid"], d.header["alg"] = stream.Key().KeyID(), string(stream.Key().Alg())
		d.sign = func(in []byte) []byte { return must(stream.Sign(in)) }
	})
	c.rule = "cross-tenant credential"
	c.add("participant without an agreement", trust.NoAgreement, from(w.foreign))
	c.add("control: national issuer, told apart", "", then(from(w.national), orgClaim, "RXW"))
	c.add("national issuer, participant without an agreement", trust.NoAgreement, then(from(w.national), orgClaim, "RCB"))
	for name, value := range map[string]any{
		"unknown": "RJE", "in lower case": "rxw", "longer": "RXWX", "a prefix": "RX", "empty": "", "absent": absent, "null": nil, "a list": []any{"RXW"}, "a number": 1,
		"true": true, "an object": object{"RXW": "RXW"}, "with a space": "RXW ", "two": "RXW,RCB", "full width": "ＲＸＷ", "*": "*",
	} {
		c.add("discriminator "+name, trust.UnknownParticipant, then(from(w.national), orgClaim, value))
	}
	c.rule = "an issuer speaks only for its own namespace"
	person := then(from(w.confined), "kind", "person")
	c.add("control: own namespace", "", then(person, orgClaim, "RXW"))
	c.add("control: own namespace in a list", "", then(person, orgClaim, []any{"RXW"}))
	for name, value := range map[string]any{
		"another's": "RJE", "in lower case": "rxw", "longer": "RXWX", "a prefix": "RX", "empty": "", "absent": absent, "null": nil, "an empty list": []any{}, "a number": 1, "true": true,
		"an object": object{"RXW": "RXW"}, "one foreign of two": []any{"RXW", "RJE"}, "a list in a list": []any{[]any{"RXW"}}, "a list with null": []any{"RXW", nil}, "with a space": "RXW ", "*": "*",
	} {
		c.add("namespace "+name, trust.ForeignNamespace, then(person, orgClaim, value))
	}
	for name, value := range map[string]any{
		"another's": "a@rje.example", "a longer domain": "a@evil-rxw.example", "the domain inside": "a@rxw.example.evil.example", "no address": "rxw.example", "empty": "", "null": nil,
		"an empty list": []any{}, "one foreign of two": []any{"a@rxw.example", "a@rje.example"}, "a number": 1, "two in one": "a@rje.example,a@rxw.example", "a user alone": "a@",
		"with a space": "a@rje.example a@rxw.example", "with a dot": "a@rxw.example.",
	} {
		c.add("address "+name, trust.ForeignNamespace, then(then(person, orgClaim, "RXW"), "email", value))
	}
	c.add("control: own address", "", then(then(person, orgClaim, "RXW"), "email", "a@rxw.example"))
	c.rule = "unclassified callers"
	confined := then(from(w.confined), orgClaim, "RXW")
	for name, value := range map[string]any{"absent": absent, "unknown": "robot", "null": nil, "empty": "", "a number": 1, "in capitals": "PERSON", "with a space": "person ", "an object": object{}, "an empty list": []any{}} {
		c.add("kind "+name, trust.Unclassified, then(confined, "kind", value))
	}
	c.add("class the framework does not know", trust.UnknownClass, then(confined, "kind", "program"))
	return c.all
}

// factCases: what is genuine, and not enough.
func (w *world) factCases() []spoil {
	c := cases{rule: "what the token says is too little"}
	for _, ladder := range []string{"id_assurance_level", "authentication_assurance_level"} {
		for name, value := range map[string]any{"absent": absent, "lower": "2", "empty": "", "null": nil, "a fraction": 3.5, "with a space": "3 ", "a longer text": "33", "true": true, "an object": object{"3": "3"}} {
			c.add(ladder+" "+name, trust.LowAssurance, func(d *draft) { put(d.claims, ladder, value) })
		}
	}
	for name, value := range map[string]any{
		"absent": absent, "another": "S0:G0:R0", "empty": "", "null": nil, "a prefix": "S8000:G8000:R800", "longer": "S8000:G8000:R80011", "in lower case": "s8000:g8000:r8001",
		"an object": object{"code": "S8000:G8000:R8001"}, "with a space": "S8000:G8000:R8001 ", "true": true,
	} {
		c.add("role "+name, trust.NoMapping, func(d *draft) { put(d.claims, "role_code", value) })
	}
	c.add("another ward", trust.PolicyDenies, func(d *draft) { d.claims["ward_ids"] = []string{"w9"} })
	c.add("no ward", trust.PolicyDenies, func(d *draft) { delete(d.claims, "ward_ids") })
	c.add("an empty list of wards", trust.PolicyDenies, func(d *draft) { d.claims["ward_ids"] = []string{} })
	c.rule = "confused deputy"
	c.add("for another service of ours", trust.AudienceOtherService, func(d *draft) { d.claims["aud"] = pharmacy })
	c.add("for nobody here", trust.AudienceForeign, func(d *draft) { d.claims["aud"] = "https://elsewhere.example" })
	c.add("for the node itself", trust.AudienceForeign, func(d *draft) { d.claims["aud"] = w.host.ID.String() })
	c.add("for its own issuer", trust.AudienceForeign, func(d *draft) { d.claims["aud"] = w.idp.URL })
	return c.all
}

// question is an evaluation request of an enforcement point.
func question(kind evidence.Kind, token string) object {
	return object{
		"subject": object{"type": "evidence", "id": "0"}, "action": object{"name": "read"},
		"resource": object{"type": "WardRecord", "id": "42", "properties": object{"ward": "w7"}},
		"context":  object{"purpose": "TREAT", "evidence": []any{object{"type": string(kind), "value": token}}},
	}
}

func post(h http.Handler, path, credential string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+credential)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// decided asks with one piece of evidence and gives what is told.
func (w *world) decided(kind evidence.Kind, token string) (trust.Reason, error) {
	return w.decides(must(json.Marshal(question(kind, token))))
}

func (w *world) decides(question []byte) (trust.Reason, error) {
	answer := post(w.ask, "/access/v1/evaluation", w.point, question)
	var told told
	if err := json.Unmarshal(answer.Body.Bytes(), &told); answer.Code != http.StatusOK || err != nil || told.Decision != (told.Context.Reason == trust.Permit) {
		return "", fmt.Errorf("answered %d %s", answer.Code, answer.Body)
	}
	return told.Context.Reason, nil
}

// told is an evaluation's answer.
type told struct {
	Decision bool `json:"decision"`
	Context  struct {
		ID     string       `json:"id"`
		Reason trust.Reason `json:"reason"`
		TTL    int64        `json:"ttl"`
	} `json:"context"`
}

// explained asks likewise what would be decided.
func (w *world) explained(kind evidence.Kind, token string) (trust.Reason, error) {
	return w.explains(must(json.Marshal(question(kind, token))))
}

func (w *world) explains(question []byte) (trust.Reason, error) {
	answer := post(w.console, "/v1/explanations", w.admin, must(json.Marshal(object{"enforcement_point": "pep", "request": jsontext.Value(question)})))
	var e node.Explanation
	if err := json.Unmarshal(answer.Body.Bytes(), &e); answer.Code != http.StatusOK || err != nil || e.Permit != (e.Reason == trust.Permit) {
		return "", fmt.Errorf("answered %d %s (%w)", answer.Code, answer.Body, err)
	}
	return e.Reason, nil
}

// answers remembers what a node told an enforcement point, by request.
type answers struct {
	mu   sync.Mutex
	told map[string]told
}

func newAnswers() *answers { return &answers{told: map[string]told{}} }

// hear listens to a handler's answers.
func (a *answers) hear(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-ID")
		if id == "" {
			h.ServeHTTP(w, r)
			return
		}
		heard := httptest.NewRecorder()
		h.ServeHTTP(heard, r)
		var t told
		if json.Unmarshal(heard.Body.Bytes(), &t) == nil {
			a.mu.Lock()
			a.told[id] = t
			a.mu.Unlock()
		}
		for name, values := range heard.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(heard.Code)
		_, _ = w.Write(heard.Body.Bytes())
	})
}

func (a *answers) of(id string) told {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.told[id]
}

// called calls the service as a stranger does, with a token alone.
func (w *world) called(kind evidence.Kind, token string) (seen string, reason trust.Reason) {
	return w.calling(kind, token, nil)
}

// sayable reports whether a token can stand in an Authorization header of one
// credential; the service refuses any other by itself.
func sayable(token string) bool {
	return token != "" && !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r == ',' || r > '~' })
}

func TestEvidence(t *testing.T) {
	w := newWorld(t)
	known := profiles(w)
	var asked tally
	for _, kind := range evidence.Kinds() {
		p, ok := known[kind]
		if !ok {
			t.Errorf("evidence of kind %s has no row in the corpus", kind)
			continue
		}
		good := w.good(p).token()
		if reason, err := w.decided(kind, good); reason != trust.Permit {
			t.Fatalf("the good proof of kind %s is denied: %s (%v)", kind, reason, err)
		}
		uniform, _ := w.called(kind, "rubbish")
		each(t, w.evidenceCases(p), func(s spoil) {
			d := w.good(p)
			s.do(d)
			w.try(t, &asked, kind, s, d.token(), uniform)
		})
		if reason, err := w.decided(kind, good); reason != trust.Permit {
			t.Errorf("the good proof of kind %s is denied afterwards: %s (%v)", kind, reason, err)
		}
	}
	if n := asked.report(t); n < 600 {
		t.Errorf("the corpus has %d cases by paths; it is to have 600", n)
	}
}

// try takes one proof along every path.
func (w *world) try(t *testing.T, asked *tally, kind evidence.Kind, s spoil, token, uniform string) {
	want := s.want
	if want == "" {
		want = trust.Permit
	}
	name := string(kind[strings.LastIndexByte(string(kind), ':')+1:]) + ": " + s.rule + ": " + s.name
	if !utf8.ValidString(token) {
		asked.one("evaluation")
		if answer := post(w.ask, "/access/v1/evaluation", w.point, raw(question(kind, "TOKEN"), token)); answer.Code != http.StatusBadRequest {
			t.Errorf("%s: evaluation answers %d %s; what is not UTF-8 is no question", name, answer.Code, answer.Body)
		}
		return
	}
	for path, ask := range map[string]func(evidence.Kind, string) (trust.Reason, error){"evaluation": w.decided, "explanation": w.explained} {
		asked.one(path)
		if reason, err := ask(kind, token); reason != want {
			t.Errorf("%s: %s gives %q (%v), want %s", name, path, reason, err, want)
		}
	}
	if !sayable(token) {
		return
	}
	asked.one("service")
	seen, reason := w.called(kind, token)
	if reason != want || (seen == uniform) != (want != trust.Permit) {
		t.Errorf("%s: service gives %q, want %s; a stranger sees\n%s\nand with rubbish\n%s", name, reason, want, seen, uniform)
	}
}

// raw puts a token into a question as bytes.
func raw(q object, token string) []byte {
	return bytes.Replace(must(json.Marshal(q)), []byte("TOKEN"), []byte(token), 1)
}

// tally counts cases by path.
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func (a *tally) one(path string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.n == nil {
		a.n = map[string]int{}
	}
	a.n[path]++
}

func (a *tally) report(t *testing.T) (sum int) {
	t.Helper()
	for path, n := range a.n {
		t.Logf("%s: %d cases", path, n)
		sum += n
	}
	return sum
}

// each does f for every case, some at a time, so that they share syncs. With
// -short it ends at the first that fails.
func each(t *testing.T, all []spoil, f func(spoil)) {
	work := make(chan spoil)
	var busy sync.WaitGroup
	for range 16 {
		busy.Go(func() {
			for s := range work {
				f(s)
			}
		})
	}
	for _, s := range all {
		if testing.Short() && t.Failed() {
			break
		}
		work <- s
	}
	close(work)
	busy.Wait()
}
