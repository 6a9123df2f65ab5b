package demo

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// handheld is the identifier of RXW's ward application at RJE's node.
const handheld = "rxw-handheld"

// app is an application with a key of its own, which asks a node for credentials.
type app struct {
	signer jose.Signer
	host   *hospital
	http   *http.Client
}

// newApp registers an application of home as a client of host, for a service.
func newApp(ctx context.Context, home, host *hospital, d *desk) (*app, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "making an application's key: %w", err)
	}
	a := &app{host: host}
	if a.signer, err = jose.NewSigner(private, "handheld-1"); err != nil {
		return nil, err
	}
	keys, err := jose.NewKeySet(a.signer.Key())
	if err != nil {
		return nil, err
	}
	a.http = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", host.file("pep.sock"))
	}}}
	return a, host.admin.AddOAuthClient(ctx, client.Document{
		Kind: "Client", ID: handheld, Participant: home.id, Services: []string{d.name}, Means: client.Means{Keys: keys},
	})
}

// assertion says who the application is (RFC 7523, section 2.2).
func (a *app) assertion() (string, error) {
	now := time.Now().Unix()
	return jose.Sign(a.signer, "client-authentication+jwt", map[string]any{
		"iss": handheld, "sub": handheld, "aud": a.host.id.String(), "iat": now, "exp": now + 60, "jti": rand.Text(),
	})
}

// exchange asks for a credential in place of a nurse's token, and gives it, or
// the error code of the refusal.
func (a *app) exchange(ctx context.Context, assertion, token string, d *desk) (credential, code string, err error) {
	form := url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "audience": {d.audience},
		"subject_token": {token}, "subject_token_type": {string(evidence.AccessToken)},
		"scope": {string(d.resource) + ".read"}, "purpose_of_use": {"TREAT"},
		"client_assertion_type": {string(evidence.JWTAssertion)}, "client_assertion": {assertion},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://node/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", "", trust.Errorf(trust.Internal, "asking for a credential: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := a.http.Do(r)
	if err != nil {
		return "", "", trust.Errorf(trust.Unavailable, "asking for a credential: %w", err)
	}
	defer answer.Body.Close()
	var told struct {
		Credential string `json:"access_token"`
		Code       string `json:"error"`
	}
	body, err := io.ReadAll(answer.Body)
	if err == nil {
		err = json.Unmarshal(body, &told)
	}
	if err != nil {
		return "", "", trust.Errorf(trust.Unavailable, "reading the answer to an exchange: %w", err)
	}
	return told.Credential, told.Code, nil
}

// exchanged lets an application of RXW exchange a nurse's token at RJE: it proves
// itself by its key, each time anew.
func (s *scene) exchanged(ctx context.Context, token string) error {
	p, desk := s.play, s.play.records["RJE"]
	var credential, assertion string
	err := s.do(ctx, "RXW's application exchanges her token at RJE, by an assertion of its own key", "a credential", func(ctx context.Context) (string, error) {
		a, err := newApp(ctx, p.world.rxw, p.world.rje, desk)
		if err != nil {
			return "", err
		}
		defer a.http.CloseIdleConnections()
		if assertion, err = a.assertion(); err != nil {
			return "", err
		}
		var code string
		if credential, code, err = a.exchange(ctx, assertion, token, desk); err != nil || credential == "" {
			return code, err
		}
		if _, code, err = a.exchange(ctx, assertion, token, desk); err != nil || code != "invalid_client" {
			return "the same assertion again: " + code, err
		}
		return "a credential", nil
	})
	if err != nil {
		return err
	}
	return s.expect(ctx, "the credential at RJE's ward records", trust.Permit, desk.presents(credential))
}
