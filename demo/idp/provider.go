// Package idp is the OpenID provider of a demonstration trust: it knows a few
// made-up people and applications, logs them in over the real flows
// (authorization code with PKCE, refresh, client credentials) and signs real
// tokens: RFC 9068 access tokens and OpenID Connect ID tokens, with the claims
// a provider like NHS CIS2 would send. [Client] is the other side of the flow.
//
// It decides who its people are and nothing else: it knows no node, no
// agreement and no other trust. It keeps everything in memory, passwords in the
// clear included, and is of no use outside a demonstration.
package idp

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/storage"
	"github.com/ory/fosite/token/jwt"

	"github.com/entente-id/entente/trust"
)

const (
	defaultTokenLife = 15 * time.Minute
	// secretCost is bcrypt's lowest: the secrets are random and live as long as
	// the process.
	secretCost = 4
)

// Config is what a provider starts with.
type Config struct {
	Issuer    string         // https URL without path, where Handler is served
	Alg       string         // ES256 (also when empty), RS256 or EdDSA
	TokenLife time.Duration  // of access and ID tokens; 0 is 15 minutes
	People    []Person       // who can log in
	Clients   []Registration // the applications that may ask for tokens
}

// Registration is a registered application. With a RedirectURI it may log
// people in and refresh their tokens; without one it is a service account, gets
// tokens by client credentials, and its tokens carry Claims.
type Registration struct {
	ID          string
	Secret      string // empty: a public client; a service account needs one
	RedirectURI string
	Claims      map[string]any
}

// Provider is a running OpenID provider. It is safe for concurrent use.
type Provider struct {
	issuer string
	life   time.Duration
	oauth  fosite.OAuth2Provider
	keys   *keyring

	mu       sync.Mutex
	people   map[string]*account // by login
	services map[string]*account // by client id
}

// New makes a provider with a fresh signing key. It fails with Invalid when the
// issuer is not an https URL without path, the algorithm is unknown, or two
// people share a login.
func New(c Config) (*Provider, error) {
	if u, err := url.Parse(c.Issuer); err != nil || u.Scheme != "https" || u.Host == "" || c.Issuer != "https://"+u.Host {
		return nil, trust.Errorf(trust.Invalid, "issuer %q is not an https URL without path", c.Issuer)
	}
	keys, err := newKeyring(c.Alg)
	if err != nil {
		return nil, err
	}
	p := &Provider{
		issuer: c.Issuer, life: cmp.Or(c.TokenLife, defaultTokenLife), keys: keys,
		people: map[string]*account{}, services: map[string]*account{},
	}
	for _, person := range c.People {
		if p.people[person.Login] != nil {
			return nil, trust.Errorf(trust.Invalid, "login %q stands for two people; a login names one", person.Login)
		}
		p.people[person.Login] = &account{Person: person}
	}
	p.oauth, err = p.compose(c)
	return p, err
}

// compose wires the library: which grants exist, how tokens are made, and what
// the registered applications may do.
func (p *Provider) compose(c Config) (fosite.OAuth2Provider, error) {
	config := &fosite.Config{
		AccessTokenLifespan:      p.life,
		IDTokenLifespan:          p.life,
		AccessTokenIssuer:        c.Issuer,
		IDTokenIssuer:            c.Issuer,
		JWTScopeClaimKey:         jwt.JWTScopeFieldString, // RFC 9068, 2.2.3
		EnforcePKCE:              true,
		AudienceMatchingStrategy: oneResource,
		HashCost:                 secretCost,
		GlobalSecret:             make([]byte, 32),
	}
	rand.Read(config.GlobalSecret)
	store := storage.NewMemoryStore()
	for _, r := range c.Clients {
		client, err := r.client(config)
		if err != nil {
			return nil, err
		}
		store.Clients[r.ID] = client
		p.services[r.ID] = &account{Person: Person{Subject: r.ID, Claims: r.Claims}}
	}
	strategy := &compose.CommonStrategy{
		CoreStrategy:               &oauth2.DefaultJWTStrategy{Signer: p.keys, HMACSHAStrategy: compose.NewOAuth2HMACStrategy(config), Config: config},
		OpenIDConnectTokenStrategy: &openid.DefaultStrategy{Signer: p.keys, Config: config},
		Signer:                     p.keys,
	}
	return compose.Compose(config, store, strategy,
		compose.OAuth2AuthorizeExplicitFactory,
		compose.OAuth2PKCEFactory,
		compose.OAuth2RefreshTokenGrantFactory,
		compose.OAuth2ClientCredentialsGrantFactory,
		compose.OpenIDConnectExplicitFactory,
		compose.OpenIDConnectRefreshFactory,
	), nil
}

// client renders r for the library.
func (r Registration) client(config *fosite.Config) (fosite.Client, error) {
	c := &fosite.DefaultClient{ID: r.ID, Public: r.Secret == "", GrantTypes: []string{"client_credentials"}}
	if r.RedirectURI != "" {
		c.RedirectURIs = []string{r.RedirectURI}
		c.GrantTypes = []string{"authorization_code", "refresh_token"}
		c.ResponseTypes = []string{"code"}
		c.Scopes = []string{"openid", "offline_access"}
	}
	if c.Public {
		return c, nil
	}
	var err error
	if c.Secret, err = config.GetSecretsHasher(context.Background()).Hash(context.Background(), []byte(r.Secret)); err != nil {
		return nil, trust.Errorf(trust.Invalid, "hashing the secret of client %q: %w", r.ID, err)
	}
	return c, nil
}

// Handler serves the issuer's origin: /.well-known/openid-configuration, /jwks,
// /authorize and /token.
func (p *Provider) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /jwks", p.jwks)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	return mux
}

// AnnounceKey publishes the next signing key ahead; RotateKey begins to use it.
func (p *Provider) AnnounceKey() error { return p.keys.announce() }

// RetireKeys publishes the signing key alone.
func (p *Provider) RetireKeys() { p.keys.retire() }

// RotateKey begins to sign with the announced key, or with a new one. The key
// before it stays published in /jwks, so that its tokens live out their time;
// older ones go.
func (p *Provider) RotateKey() error { return p.keys.rotate() }

// Revision counts the signing keys made so far, from 1. /jwks carries it as its
// entity tag.
func (p *Provider) Revision() int { return p.keys.current() }
