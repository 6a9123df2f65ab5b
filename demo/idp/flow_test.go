package idp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/entente-id/entente/demo/idp"
	"github.com/entente-id/entente/trust"
)

// hand walks the flow without the client: it sends the authorization request
// with these parameters and gives the code or the error that comes back.
func (tr trial) hand(t *testing.T, options ...oauth2.AuthCodeOption) (oauth2.Config, url.Values) {
	t.Helper()
	config := oauth2.Config{ClientID: app.ID, ClientSecret: app.Secret, RedirectURL: app.RedirectURI, Scopes: []string{"openid"},
		Endpoint: oauth2.Endpoint{AuthURL: tr.issuer + "/authorize", TokenURL: tr.issuer + "/token", AuthStyle: oauth2.AuthStyleInHeader}}
	browser := *tr.http
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	page := config.AuthCodeURL("state-of-the-test", append(options, oauth2.SetAuthURLParam("resource", records))...)
	r, err := browser.PostForm(page, url.Values{"login": {"amara"}, "password": {"correct horse"}})
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	location, err := r.Location()
	if err != nil {
		t.Fatalf("status %d: %v", r.StatusCode, err)
	}
	return config, location.Query()
}

func TestVerifierIsRequired(t *testing.T) {
	tr := start(t, nil)
	withHTTP := context.WithValue(t.Context(), oauth2.HTTPClient, tr.http)
	right := oauth2.GenerateVerifier()

	config, q := tr.hand(t, oauth2.S256ChallengeOption(right))
	if _, err := config.Exchange(withHTTP, q.Get("code"), oauth2.VerifierOption(right)); err != nil {
		t.Fatal(err)
	}
	for _, options := range [][]oauth2.AuthCodeOption{{oauth2.VerifierOption(oauth2.GenerateVerifier())}, nil} {
		config, q = tr.hand(t, oauth2.S256ChallengeOption(right))
		_, err := config.Exchange(withHTTP, q.Get("code"), options...)
		if e, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || e.ErrorCode != "invalid_grant" {
			t.Errorf("exchange with another verifier: %v", err)
		}
	}
	for name, options := range map[string][]oauth2.AuthCodeOption{
		"no challenge": nil,
		"plain":        {oauth2.SetAuthURLParam("code_challenge", right), oauth2.SetAuthURLParam("code_challenge_method", "plain")},
	} {
		if _, q := tr.hand(t, options...); q.Get("error") != "invalid_request" || q.Has("code") {
			t.Errorf("%s: answered %v", name, q)
		}
	}
}

func TestClosedBetweenLoginAndCode(t *testing.T) {
	tr := start(t, nil)
	verifier := oauth2.GenerateVerifier()
	config, q := tr.hand(t, oauth2.S256ChallengeOption(verifier))
	if err := tr.DisablePerson("amara"); err != nil {
		t.Fatal(err)
	}
	_, err := config.Exchange(context.WithValue(t.Context(), oauth2.HTTPClient, tr.http), q.Get("code"), oauth2.VerifierOption(verifier))
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || e.ErrorCode != "invalid_grant" {
		t.Errorf("exchange of a closed account's code: %v", err)
	}
}

// swapping sends the login with one parameter of another login.
type swapping struct {
	http.RoundTripper
	name string
}

func (s swapping) RoundTrip(r *http.Request) (*http.Response, error) {
	if q := r.URL.Query(); r.URL.Path == "/authorize" {
		q.Set(s.name, "that-of-another-login")
		r = r.Clone(r.Context())
		r.URL.RawQuery = q.Encode()
	}
	return s.RoundTripper.RoundTrip(r)
}

func TestClientRefusesTheAnswerToAnotherLogin(t *testing.T) {
	tr := start(t, nil)
	for _, name := range []string{"state", "nonce"} {
		h := &http.Client{Transport: swapping{tr.http.Transport, name}}
		client, err := idp.NewClient(t.Context(), h, tr.issuer, app)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Login(t.Context(), "amara", "correct horse", records)
		if trust.KindOf(err) != trust.Invalid || !strings.Contains(err.Error(), name) {
			t.Errorf("%s of another login: %v", name, err)
		}
	}
}

// A client must not be talked into trusting a server by anything but its roots,
// nor take the word of one issuer for another.
func TestNewClientRefuses(t *testing.T) {
	tr := start(t, nil)
	stranger := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool()}}}
	if _, err := idp.NewClient(t.Context(), stranger, tr.issuer, app); trust.KindOf(err) != trust.Unavailable {
		t.Errorf("unknown certificate: %v", err)
	}
	mirror := httptest.NewTLSServer(tr.Handler())
	defer mirror.Close()
	if _, err := idp.NewClient(t.Context(), mirror.Client(), mirror.URL, app); trust.KindOf(err) != trust.Invalid {
		t.Errorf("document of another issuer: %v", err)
	}
}
