package idp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/go-json-experiment/json"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/entente-id/entente/trust"
)

const (
	maxAnswer = 1 << 20 // bytes of one answer
	leeway    = 5 * time.Second
)

// Client is a headless relying party: it walks the provider's login as a
// browser and an application would together.
type Client struct {
	http    *http.Client
	issuer  string
	jwksURI string
	oauth   oauth2.Config
}

// Tokens is what a login gives: compact JWTs, and an opaque refresh token.
// Client credentials give an access token only.
type Tokens struct {
	Access, ID, Refresh string
}

// NewClient reads the discovery document of issuer and acts as the application
// r there. h carries the trusted roots; it is not changed. It fails with
// Unavailable when the document cannot be read, and with Invalid when it speaks
// for another issuer.
func NewClient(ctx context.Context, h *http.Client, issuer string, r Registration) (*Client, error) {
	browser := *h
	// The redirect with the code is the answer; nobody listens at its address.
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &Client{http: &browser, issuer: issuer}
	var doc struct {
		Issuer    string `json:"issuer"`
		Authorize string `json:"authorization_endpoint"`
		Token     string `json:"token_endpoint"`
		JWKS      string `json:"jwks_uri"`
	}
	if err := c.getJSON(ctx, issuer+"/.well-known/openid-configuration", &doc); err != nil {
		return nil, err
	}
	if doc.Issuer != issuer {
		return nil, trust.Errorf(trust.Invalid, "the discovery document of %s speaks for %s", issuer, doc.Issuer)
	}
	style := oauth2.AuthStyleInHeader
	if r.Secret == "" {
		style = oauth2.AuthStyleInParams
	}
	c.jwksURI = doc.JWKS
	c.oauth = oauth2.Config{
		ClientID: r.ID, ClientSecret: r.Secret, RedirectURL: r.RedirectURI,
		Scopes:   []string{"openid", "offline_access"},
		Endpoint: oauth2.Endpoint{AuthURL: doc.Authorize, TokenURL: doc.Token, AuthStyle: style},
	}
	return c, nil
}

// Login logs a person in and gives tokens for audience, the one resource they
// are for. It fails with Denied when the provider refuses, with Invalid when
// its answer does not belong to this login, and with Unavailable.
func (c *Client) Login(ctx context.Context, login, password, audience string) (Tokens, error) {
	state, nonce, verifier := oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	page := c.oauth.AuthCodeURL(state,
		oauth2.S256ChallengeOption(verifier),
		oauth2.SetAuthURLParam("nonce", nonce),
		oauth2.SetAuthURLParam("resource", audience))
	code, err := c.signIn(ctx, page, state, login, password)
	if err != nil {
		return Tokens{}, err
	}
	token, err := c.oauth.Exchange(c.context(ctx), code, oauth2.VerifierOption(verifier))
	return c.tokens(ctx, token, err, nonce)
}

// Refresh trades a refresh token for new tokens. The old one is used up. It
// fails as Login does.
func (c *Client) Refresh(ctx context.Context, refresh string) (Tokens, error) {
	token, err := c.oauth.TokenSource(c.context(ctx), &oauth2.Token{RefreshToken: refresh}).Token()
	return c.tokens(ctx, token, err, "")
}

// ClientCredentials gets a token of the service account clientID for audience.
// It fails as Login does.
func (c *Client) ClientCredentials(ctx context.Context, clientID, secret, audience string) (Tokens, error) {
	account := clientcredentials.Config{
		ClientID: clientID, ClientSecret: secret, TokenURL: c.oauth.Endpoint.TokenURL,
		EndpointParams: url.Values{"resource": {audience}}, AuthStyle: oauth2.AuthStyleInHeader,
	}
	token, err := account.Token(c.context(ctx))
	if err != nil {
		return Tokens{}, c.refusal(err)
	}
	return Tokens{Access: token.AccessToken}, nil
}

// signIn fetches the login form, sends it, and takes the code from the redirect.
func (c *Client) signIn(ctx context.Context, page, state, login, password string) (string, error) {
	form, err := c.send(ctx, http.MethodGet, page, nil)
	if err != nil {
		return "", err
	}
	answer := form
	if form.StatusCode == http.StatusOK {
		answer, err = c.send(ctx, http.MethodPost, page, url.Values{"login": {login}, "password": {password}})
		if err != nil {
			return "", err
		}
	}
	location, err := answer.Location()
	if err != nil {
		return "", trust.Errorf(trust.Denied, "%s refused the login of %s: status %d", c.issuer, login, answer.StatusCode)
	}
	q := location.Query()
	if q.Get("state") != state {
		return "", trust.Errorf(trust.Invalid, "%s answered with the state of another login", c.issuer)
	}
	if q.Get("code") == "" {
		return "", trust.Errorf(trust.Denied, "%s refused the login of %s: %s", c.issuer, login, q.Get("error"))
	}
	return q.Get("code"), nil
}

// tokens checks the ID token of an answer of the token endpoint.
func (c *Client) tokens(ctx context.Context, token *oauth2.Token, err error, nonce string) (Tokens, error) {
	if err != nil {
		return Tokens{}, c.refusal(err)
	}
	id, _ := token.Extra("id_token").(string)
	if err := c.verify(ctx, id, nonce); err != nil {
		return Tokens{}, err
	}
	return Tokens{Access: token.AccessToken, ID: id, Refresh: token.RefreshToken}, nil
}

// verify checks an ID token as OpenID Connect Core, 3.1.3.7 asks. An empty
// nonce is not compared: after a refresh the token need not carry one.
func (c *Client) verify(ctx context.Context, id, nonce string) error {
	parsed, err := jwt.ParseSigned(id, []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.EdDSA})
	if err != nil {
		return trust.Errorf(trust.Invalid, "reading the ID token of %s: %w", c.issuer, err)
	}
	var set jose.JSONWebKeySet
	if err := c.getJSON(ctx, c.jwksURI, &set); err != nil {
		return err
	}
	keys := set.Key(parsed.Headers[0].KeyID)
	if len(keys) != 1 || keys[0].Algorithm != parsed.Headers[0].Algorithm {
		return trust.Errorf(trust.Invalid, "the ID token of %s names a key that %s does not publish", c.issuer, c.jwksURI)
	}
	var claims struct {
		jwt.Claims
		Nonce string `json:"nonce"`
	}
	if err := parsed.Claims(keys[0], &claims); err != nil {
		return trust.Errorf(trust.Invalid, "verifying the ID token of %s: %w", c.issuer, err)
	}
	expected := jwt.Expected{Issuer: c.issuer, AnyAudience: jwt.Audience{c.oauth.ClientID}}
	if err := claims.ValidateWithLeeway(expected, leeway); err != nil {
		return trust.Errorf(trust.Invalid, "verifying the ID token of %s: %w", c.issuer, err)
	}
	if nonce != "" && claims.Nonce != nonce {
		return trust.Errorf(trust.Invalid, "the ID token of %s carries the nonce of another login", c.issuer)
	}
	return nil
}

// refusal gives an answer of the token endpoint its kind; the cause stays an
// *oauth2.RetrieveError with the provider's error code.
func (c *Client) refusal(err error) error {
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok && e.ErrorCode != "" {
		return &trust.Error{Kind: trust.Denied, Text: c.issuer + " refused the token: " + e.ErrorCode, Cause: err}
	}
	return trust.Errorf(trust.Unavailable, "asking %s for a token: %w", c.issuer, err)
}

func (c *Client) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, c.http)
}

func (c *Client) getJSON(ctx context.Context, address string, into any) error {
	r, err := c.send(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	if r.StatusCode != http.StatusOK {
		return trust.Errorf(trust.Unavailable, "reading %s: status %d", address, r.StatusCode)
	}
	if err := json.UnmarshalRead(r.Body, into); err != nil {
		return trust.Errorf(trust.Invalid, "reading %s: %w", address, err)
	}
	return nil
}

// send makes one request and reads the whole answer, up to maxAnswer.
func (c *Client) send(ctx context.Context, method, address string, form url.Values) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "asking %s: %w", c.issuer, err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, trust.Errorf(trust.Unavailable, "asking %s: %w", c.issuer, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, trust.Errorf(trust.Unavailable, "asking %s: %w", c.issuer, err)
	}
	resp.Body = io.NopCloser(strings.NewReader(string(body)))
	return resp, nil
}
