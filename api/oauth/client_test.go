package oauth_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"reflect"
	"testing"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/node"
)

const refusedClient = `{"error":"invalid_client","error_description":"the client is not authenticated"}`

// connected gives a request the certificates of a TLS client.
func connected(der ...string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Del("Authorization")
		r.TLS = &tls.ConnectionState{}
		for _, c := range der {
			r.TLS.PeerCertificates = append(r.TLS.PeerCertificates, &x509.Certificate{Raw: []byte(c)})
		}
	}
}

// A registered client is authenticated in one way, alike at every endpoint, and
// whatever is wrong gets the same bytes (RFC 6749, sections 2.3 and 5.2).
func TestClient(t *testing.T) {
	const jwt, svid = string(evidence.JWTAssertion), string(evidence.SPIFFEAssertion)
	nobody := func(r *http.Request) { r.Header.Del("Authorization") }
	form := func(pairs ...string) url.Values {
		f := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			f.Set(pairs[i], pairs[i+1])
		}
		return f
	}
	signed := func(more ...string) url.Values {
		return form(append([]string{"client_assertion_type", jwt, "client_assertion", "x.y.z"}, more...)...)
	}
	for name, tt := range map[string]struct {
		with   url.Values
		change func(*http.Request)
		shown  *node.ClientProof
		in     bool
	}{
		"an assertion":                     {signed(), nobody, &node.ClientProof{Type: evidence.JWTAssertion, Assertion: []byte("x.y.z")}, true},
		"an assertion and client_id":       {signed("client_id", "ward-app"), nobody, &node.ClientProof{ID: "ward-app", Type: evidence.JWTAssertion, Assertion: []byte("x.y.z")}, true},
		"an SVID":                          {form("client_assertion_type", svid, "client_assertion", "x.y.z"), nobody, &node.ClientProof{Type: evidence.SPIFFEAssertion, Assertion: []byte("x.y.z")}, true},
		"an assertion beside a connection": {signed(), connected("certificate"), &node.ClientProof{Type: evidence.JWTAssertion, Assertion: []byte("x.y.z")}, true},
		"a certificate":                    {form("client_id", "ward-app"), connected("certificate"), &node.ClientProof{ID: "ward-app", Assertion: []byte{}, Certificates: [][]byte{[]byte("certificate")}}, true},
		"a wrong assertion":                {form("client_assertion_type", jwt, "client_assertion", "x.y.w"), nobody, &node.ClientProof{Type: evidence.JWTAssertion, Assertion: []byte("x.y.w")}, false},
		"another certificate":              {form("client_id", "ward-app"), connected("other"), &node.ClientProof{ID: "ward-app", Assertion: []byte{}, Certificates: [][]byte{[]byte("other")}}, false},
		"a connection without certificate": {form("client_id", "ward-app"), connected(), &node.ClientProof{ID: "ward-app", Assertion: []byte{}}, false},
		"a name alone":                     {form("client_id", "ward-app"), nobody, &node.ClientProof{ID: "ward-app", Assertion: []byte{}}, false},
		"nothing":                          {nil, nobody, &node.ClientProof{Assertion: []byte{}}, false},
		"an assertion and a credential":    {signed(), nil, nil, false},
		"an assertion and basic":           {signed(), func(r *http.Request) { r.SetBasicAuth("ward-app", "") }, nil, false},
		"an assertion and a secret":        {signed("client_secret", "x"), nobody, nil, false},
		"an assertion and an empty header": {signed(), func(r *http.Request) { r.Header["Authorization"] = []string{""} }, nil, false},
		"a credential and a secret":        {form("client_secret", "x"), nil, nil, false},
		"a credential and a bare type":     {form("client_assertion_type", jwt), nil, nil, false},
		"an assertion without type":        {form("client_assertion", "x.y.z"), nobody, nil, false},
		"a type without assertion":         {form("client_assertion_type", jwt), nobody, nil, false},
		"a certificate and a bare type":    {form("client_id", "ward-app", "client_assertion_type", jwt), connected("certificate"), nil, false},
		"basic":                            {form("client_id", "ward-app"), func(r *http.Request) { r.SetBasicAuth("ward-app", "x") }, nil, false},
		"a certificate and basic":          {form("client_id", "ward-app"), func(r *http.Request) { connected("certificate")(r); r.SetBasicAuth("ward-app", "") }, nil, false},
	} {
		for _, path := range []string{"/oauth/token", "/oauth/introspect", "/oauth/revoke"} {
			s := &shell{answer: node.Issued{Token: "x.y.z", TTL: 300}}
			body := exchangeForm()
			if path != "/oauth/token" {
				body = url.Values{"token": {"a.b.c"}}
			}
			for key, values := range tt.with {
				body[key] = values
			}
			w := send(s, path, body.Encode(), tt.change)
			who := s.asked != nil && s.asked.Client == "ward-app" || s.token == "ward-app a.b.c"
			if who != tt.in || (w.Code == http.StatusOK) != tt.in || !reflect.DeepEqual(s.proof, tt.shown) {
				t.Errorf("%s: %s: answered %d %s, shown %+v", path, name, w.Code, w.Body, s.proof)
			}
			if !tt.in && (w.Code != http.StatusUnauthorized || w.Body.String() != refusedClient || s.asked != nil || s.token != "") {
				t.Errorf("%s: %s: answered %d %s", path, name, w.Code, w.Body)
			}
		}
	}
}

// Who shows itself in the form alone is not challenged to use a header; whoever
// used one, or nothing, is (RFC 6749, section 5.2).
func TestChallenge(t *testing.T) {
	nobody := func(r *http.Request) { r.Header.Del("Authorization") }
	for name, tt := range map[string]struct {
		form   string
		change func(*http.Request)
		want   string
	}{
		"nothing":                 {"", nobody, "Bearer"},
		"another's bearer":        {"", func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, "Bearer"},
		"basic and a name":        {"&client_id=ward-app", func(r *http.Request) { r.SetBasicAuth("ward-app", "x") }, "Bearer"},
		"a name":                  {"&client_id=nobody", nobody, ""},
		"an assertion":            {"&client_assertion=x.y.w&client_assertion_type=x", nobody, ""},
		"an assertion and bearer": {"&client_assertion=x.y.w&client_assertion_type=x", nil, "Bearer"},
	} {
		w := send(&shell{}, "/oauth/introspect", "token=a"+tt.form, tt.change)
		if got := w.Header().Get("WWW-Authenticate"); w.Code != http.StatusUnauthorized || got != tt.want || w.Body.String() != refusedClient {
			t.Errorf("%s: answered %d %q %s", name, w.Code, got, w.Body)
		}
	}
}
