package denial_test

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/api/oauth"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// refusedClient is what everybody gets who is not authenticated, whatever is
// wrong (RFC 6749, section 5.2).
const refusedClient = `{"error":"invalid_client","error_description":"the client is not authenticated"}`

// office is the host's token endpoint with its clients.
type office struct {
	*world
	http.Handler
	app     []*signer // of ward-app
	other   *signer   // of letter-app
	tls     *x509.Certificate
	expired *x509.Certificate
}

func newOffice(t *testing.T) *office {
	t.Helper()
	w := newWorld(t)
	o := &office{world: w, Handler: oauth.New(w.host), other: newSigner(jose.ES256, "key-ES256", false)}
	var keys []jose.Key
	for _, alg := range jose.Algs() {
		s := newSigner(alg, "key-"+string(alg), false)
		o.app, keys = append(o.app, s), append(keys, s.key)
	}
	o.tls, o.expired = certificate(o.other.private, time.Hour), certificate(o.other.private, -time.Minute)
	sums := []string{must(client.ReadCertificate(o.tls.Raw)).Thumbprint, must(client.ReadCertificate(o.expired.Raw)).Thumbprint}
	for id, m := range map[string]client.Means{
		"ward-app": {Keys: must(jose.NewKeySet(keys...))}, "letter-app": {Keys: must(jose.NewKeySet(o.other.key))}, "gone-app": {Keys: must(jose.NewKeySet(o.other.key))},
		"tls-app": {Certificates: sums}, "spiffe-app": {SPIFFEID: "spiffe://prod.rxw.example/ward/app"},
	} {
		check(t, w.host.AddClient(t.Context(), w.host.Admin, client.Document{Kind: "Client", ID: id, Participant: w.home.ID, Services: []string{"ward-records"}, Means: m}))
	}
	check(t, w.host.EndClient(t.Context(), w.host.Admin, "gone-app"))
	return o
}

func certificate(private crypto.Signer, life time.Duration) *x509.Certificate {
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(serial.Add(1)), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life)}
	der := must(x509.CreateCertificate(rand.Reader, template, template, private.Public(), private))
	return must(x509.ParseCertificate(der))
}

// good is an assertion of ward-app that is in order.
func (o *office) good() *draft {
	now, s := o.host.Now(), o.app[0]
	return &draft{
		header: object{"alg": string(s.key.Alg()), "kid": s.key.KeyID(), "typ": "client-authentication+jwt"}, signer: s,
		claims: object{"iss": "ward-app", "sub": "ward-app", "aud": o.host.ID.String(), "iat": now - 5, "exp": now + 60, "jti": fmt.Sprint(serial.Add(1))},
	}
}

// The endpoints, each with what it takes beside the client's proof.
func (o *office) endpoints() map[string]url.Values {
	return map[string]url.Values{
		"/oauth/token": {
			"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {"x"}, "subject_token_type": {string(evidence.AccessToken)},
			"audience": {o.ward.Audience}, "scope": {"WardRecord.read"}, "purpose_of_use": {"TREAT"},
		},
		"/oauth/introspect": {"token": {"x"}}, "/oauth/revoke": {"token": {"x"}},
	}
}

// let sends a request with a client's proof and reports whether the client was
// let in: then the rest of the request is looked at.
func (o *office) let(path string, with url.Values, change func(*http.Request)) (in bool, answer *httptest.ResponseRecorder) {
	form := o.endpoints()[path]
	for name, values := range with {
		form[name] = values
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if change != nil {
		change(r)
	}
	answer = httptest.NewRecorder()
	o.ServeHTTP(answer, r)
	return answer.Code != http.StatusUnauthorized, answer
}

func asserted(token string) url.Values {
	return url.Values{"client_assertion_type": {string(evidence.JWTAssertion)}, "client_assertion": {token}}
}

// inside is what the host finds in an assertion.
type inside struct{ *state.Snapshot }

func (s inside) RegisteredClient(id string) (client.Client, bool) {
	c, ok := s.Client.Get(id)
	return c, ok && !c.Ended
}

func (s inside) Issues(iss string) bool { return iss == s.Participant.Self().Card.ID.String() }

// Every bad assertion of a client is refused at every endpoint, with the same
// bytes; inside the reason is known (RFC 7523, section 3; RFC 10070).
func TestClients(t *testing.T) {
	o := newOffice(t)
	f := form{types: []string{"client-authentication+jwt", "jwt", "", "application/client-authentication+jwt", "application/jwt"}, signers: o.app, maxBytes: jose.MaxToken}
	all := append(joseCases(f), o.claimCases()...)
	var asked tally
	each(t, all, func(s spoil) {
		for path := range o.endpoints() {
			d := o.good()
			s.do(d)
			token := d.token()
			if token == "" {
				continue // an empty parameter is none, and the request no good (RFC 6749, section 3.2)
			}
			name := path + ": " + s.rule + ": " + s.name
			_, _, fault := evidence.VerifyClient(evidence.ClientProof{Assertion: []byte(token)}, inside{o.host.State()}, o.host.Now())
			var got trust.Reason
			if fault != nil {
				got = fault.Reason
			}
			if got != s.want {
				t.Errorf("%s: inside it is %q, want %q", name, got, s.want)
			}
			asked.one(path)
			in, answer := o.let(path, asserted(token), nil)
			if in != (s.want == "") || !in && answer.Body.String() != refusedClient {
				t.Errorf("%s: answered %d %s", name, answer.Code, answer.Body)
			}
			if again, _ := o.let(path, asserted(token), nil); again {
				t.Errorf("%s: let in twice", name)
			}
		}
	})
	o.ways(t, &asked)
	if sum := asked.report(t); sum < 600 {
		t.Errorf("only %d cases", sum)
	}
}

// claimCases are what an assertion says.
func (o *office) claimCases() []spoil {
	c := cases{rule: "missing claim means unchecked"}
	now := o.host.Now()
	set := func(name string, value any) func(*draft) { return func(d *draft) { put(d.claims, name, value) } }
	shapes := map[string]any{"absent": absent, "null": nil, "empty": "", "a number": 7, "a list": []any{"ward-app"}, "an object": object{}, "true": true}
	for shape, value := range shapes {
		c.add("sub is "+shape, trust.UnknownClient, set("sub", value))
		c.add("iss is "+shape, trust.ClaimMissing, set("iss", value))
		c.add("jti is "+shape, trust.ClaimMissing, set("jti", value))
		if shape != "a number" {
			c.add("exp is "+shape, trust.ClaimMissing, set("exp", value))
		}
		if shape != "a number" && shape != "absent" {
			c.add("iat is "+shape, trust.ClaimMissing, set("iat", value))
			c.add("nbf is "+shape, trust.ClaimMissing, set("nbf", value))
		}
		want := trust.AudienceMultiple
		if shape == "empty" {
			want = trust.AudienceForeign
		}
		c.add("aud is "+shape, want, set("aud", value))
	}
	self := o.host.ID.String()
	c.rule = "cross-tenant credential"
	for name, aud := range map[string]string{
		"the token endpoint": self + "/oauth/token", "with a slash": self + "/", "in capitals": strings.ToUpper(self), "another node": o.home.ID.String(),
		"a service of ours": o.ward.Audience, "without a scheme": strings.TrimPrefix(self, "https://"), "a prefix": self[:len(self)-1], "with a space": self + " ",
	} {
		c.add("aud is "+name, trust.AudienceForeign, set("aud", aud))
	}
	c.add("aud is a list of us", trust.AudienceMultiple, set("aud", []any{self}))
	c.add("aud is us and another", trust.AudienceMultiple, set("aud", []any{self, "https://x.example"}))
	c.add("iss is another client", trust.ClaimMissing, set("iss", "letter-app"))
	c.add("of another client with our key", trust.BadSignature, func(d *draft) { d.claims["iss"], d.claims["sub"] = "letter-app", "letter-app" })
	c.add("of us with another client's key", trust.BadSignature, func(d *draft) { d.signer = o.other })
	c.rule = "disabled thing still works"
	for _, id := range []string{"gone-app", "nobody", "pep", "WARD-APP", "ward-app ", "ward-ap"} {
		c.add("of "+id, trust.UnknownClient, func(d *draft) { d.claims["iss"], d.claims["sub"], d.signer = id, id, o.other })
	}
	for _, id := range []string{"tls-app", "spiffe-app"} {
		c.add("of "+id+", which is registered otherwise", trust.ClientMethod, func(d *draft) { d.claims["iss"], d.claims["sub"] = id, id })
	}
	c.rule = "replay"
	c.add("jti is long", trust.ClaimMissing, set("jti", strings.Repeat("j", 513)))
	for name, at := range map[string]struct {
		exp  any
		want trust.Reason
	}{
		"expired this second": {now - 1, trust.TokenExpired}, "long ago": {now - 4000, trust.TokenExpired}, "for an hour": {now + 3600, trust.AssertionLifetime},
		"for ever": {int64(253402300799), trust.AssertionLifetime}, "past all years": {int64(253402300800), trust.ClaimMissing}, "before 1970": {-1, trust.ClaimMissing},
		"with a fraction": {float64(now) + 60.5, trust.ClaimMissing}, "as a text": {fmt.Sprint(now + 60), trust.ClaimMissing}, "in milliseconds": {(now + 60) * 1000, trust.ClaimMissing},
	} {
		c.add("exp "+name, at.want, set("exp", at.exp))
	}
	c.add("iat in the future", trust.TokenNotYetValid, set("iat", now+300))
	c.add("nbf in the future", trust.TokenNotYetValid, set("nbf", now+300))
	c.add("control: without iat", "", set("iat", absent))
	c.add("control: with more claims", "", set("more", object{"x": 1}))
	return c.all
}

// ways are the other ways to authenticate, and two of them at once.
func (o *office) ways(t *testing.T, asked *tally) {
	t.Helper()
	connected := func(c ...*x509.Certificate) func(*http.Request) {
		return func(r *http.Request) { r.TLS = &tls.ConnectionState{PeerCertificates: c} }
	}
	bearer := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+o.point) }
	id := func(id string) url.Values { return url.Values{"client_id": {id}} }
	and := func(v url.Values, name, value string) url.Values { v.Set(name, value); return v }
	fresh := func() url.Values { return asserted(o.good().token()) }
	stranger := certificate(o.other.private, time.Hour)
	kind := func(kind string) url.Values { return and(fresh(), "client_assertion_type", kind) }
	for name, c := range map[string]struct {
		with   func() url.Values
		change func(*http.Request)
		in     bool
	}{
		"control: a certificate":              {func() url.Values { return id("tls-app") }, connected(o.tls), true},
		"control: an enforcement point":       {func() url.Values { return nil }, bearer, true},
		"control: an assertion and client_id": {func() url.Values { return and(fresh(), "client_id", "ward-app") }, nil, true},
		"another certificate of the same key": {func() url.Values { return id("tls-app") }, connected(stranger), false},
		"a certificate behind another":        {func() url.Values { return id("tls-app") }, connected(stranger, o.tls), false},
		"a certificate that has expired":      {func() url.Values { return id("tls-app") }, connected(o.expired), false},
		"a certificate without client_id":     {func() url.Values { return nil }, connected(o.tls), false},
		"a certificate for another client":    {func() url.Values { return id("ward-app") }, connected(o.tls), false},
		"a certificate for a SPIFFE client":   {func() url.Values { return id("spiffe-app") }, connected(o.tls), false},
		"a certificate for a client that was": {func() url.Values { return id("gone-app") }, connected(o.tls), false},
		"a certificate for nobody":            {func() url.Values { return id("nobody") }, connected(o.tls), false},
		"a certificate for the other kind":    {func() url.Values { return id("pep") }, connected(o.tls), false},
		"no certificate":                      {func() url.Values { return id("tls-app") }, connected(), false},
		"no connection":                       {func() url.Values { return id("tls-app") }, nil, false},
		"a name alone":                        {func() url.Values { return id("ward-app") }, nil, false},
		"nothing":                             {func() url.Values { return nil }, nil, false},
		"an assertion for another client_id":  {func() url.Values { return and(fresh(), "client_id", "letter-app") }, nil, false},
		"an assertion and a secret":           {func() url.Values { return and(fresh(), "client_secret", "x") }, nil, false},
		"an assertion and a bearer":           {fresh, bearer, false},
		"an assertion and basic":              {fresh, func(r *http.Request) { r.SetBasicAuth("ward-app", "x") }, false},
		"a certificate and a bearer of none":  {func() url.Values { return id("tls-app") }, func(r *http.Request) { connected(o.tls)(r); r.Header.Set("Authorization", "Bearer x") }, false},
		"a certificate and a bare type": {
			func() url.Values { return and(id("tls-app"), "client_assertion_type", string(evidence.JWTAssertion)) }, connected(o.tls), false,
		},
		"an assertion without type":      {func() url.Values { v := fresh(); v.Del("client_assertion_type"); return v }, nil, false},
		"an assertion of SAML":           {func() url.Values { return kind("urn:ietf:params:oauth:client-assertion-type:saml2-bearer") }, nil, false},
		"an assertion as an SVID":        {func() url.Values { return kind(string(evidence.SPIFFEAssertion)) }, nil, false},
		"a type in capitals":             {func() url.Values { return kind(strings.ToUpper(string(evidence.JWTAssertion))) }, nil, false},
		"a partner's token as assertion": {func() url.Values { return asserted(o.world.good(profiles(o.world)[evidence.AccessToken]).token()) }, nil, false},
		"a secret":                       {func() url.Values { return and(id("ward-app"), "client_secret", "x") }, nil, false},
		"basic":                          {func() url.Values { return nil }, func(r *http.Request) { r.SetBasicAuth("ward-app", "x") }, false},
	} {
		for path := range o.endpoints() {
			asked.one(path)
			in, answer := o.let(path, c.with(), c.change)
			if in != c.in || !in && answer.Body.String() != refusedClient {
				t.Errorf("%s: %s: answered %d %s", path, name, answer.Code, answer.Body)
			}
		}
	}
}
