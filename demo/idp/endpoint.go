package idp

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/token/jwt"
)

// maxForm bounds a request body, in bytes.
const maxForm = 1 << 16

var loginPage = template.Must(template.New("login").Parse(`<!doctype html>
<html lang="en"><title>Log in</title>
<form method="post" action="{{.Action}}">
{{with .Fault}}<p role="alert">{{.}}</p>{{end}}
<label>Login <input name="login" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button>Log in</button>
</form></html>
`))

// errInvalidTarget says that a token is for exactly one resource (RFC 8707, 2).
var errInvalidTarget = &fosite.RFC6749Error{
	ErrorField:       "invalid_target",
	DescriptionField: "Name exactly one absolute resource the token is for.",
	CodeField:        http.StatusBadRequest,
}

// oneResource allows any resource, and only one at a time.
func oneResource(_, asked []string) error {
	if len(asked) != 1 {
		return errInvalidTarget
	}
	if u, err := url.Parse(asked[0]); err != nil || !u.IsAbs() || u.Fragment != "" {
		return errInvalidTarget
	}
	return nil
}

// discovery is OpenID Connect Discovery 1.0, 3.
func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]any{
		"issuer":                                p.issuer,
		"authorization_endpoint":                p.issuer + "/authorize",
		"token_endpoint":                        p.issuer + "/token",
		"jwks_uri":                              p.issuer + "/jwks",
		"response_types_supported":              []string{"code"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token", "client_credentials"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{string(p.keys.alg)},
		"code_challenge_methods_supported":      []string{"S256"},
		"dpop_signing_alg_values_supported":     []string{"ES256", "EdDSA"},
		"scopes_supported":                      []string{"openid", "offline_access"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"},
	})
}

func (p *Provider) jwks(w http.ResponseWriter, _ *http.Request) {
	set, revision := p.keys.public()
	w.Header().Set("ETag", strconv.Quote(strconv.Itoa(revision)))
	writeJSON(w, set)
}

// authorize shows the login form for a sound request, and answers the form with
// a code. The request stands in the URL of both steps.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if !parseForm(w, r) {
		return
	}
	request, err := p.oauth.NewAuthorizeRequest(ctx, r)
	if err != nil {
		p.oauth.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	if r.Method == http.MethodGet {
		showLogin(w, r, http.StatusOK, "")
		return
	}
	a := p.login(r.PostForm.Get("login"), r.PostForm.Get("password"))
	if a == nil {
		showLogin(w, r, http.StatusUnauthorized, "Login or password is wrong, or the account is closed.")
		return
	}
	for _, scope := range request.GetRequestedScopes() {
		request.GrantScope(scope)
	}
	for _, resource := range request.GetRequestedAudience() {
		request.GrantAudience(resource)
	}
	now := time.Now().UTC().Truncate(time.Second)
	s := &session{account: a, DefaultSession: openid.DefaultSession{Claims: &jwt.IDTokenClaims{RequestedAt: now, AuthTime: now}}}
	// The library wants to see a subject already now; admit looks again.
	person, _ := p.person(a)
	s.adopt(person, request.GetClient().GetID())
	response, err := p.oauth.NewAuthorizeResponse(ctx, request, s)
	if err != nil {
		p.oauth.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	p.oauth.WriteAuthorizeResponse(ctx, w, request, response)
}

// token answers all three grants; the account behind each is looked at again.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if !parseForm(w, r) {
		return
	}
	request, err := p.oauth.NewAccessRequest(ctx, r, &session{})
	if err == nil {
		err = p.admit(request)
	}
	key := ""
	if err == nil {
		key, err = p.heldBy(r)
	}
	if err != nil {
		p.oauth.WriteAccessError(ctx, w, request, err)
		return
	}
	request.GetSession().(*session).key = key
	response, err := p.oauth.NewAccessResponse(ctx, request)
	if err != nil {
		p.oauth.WriteAccessError(ctx, w, request, err)
		return
	}
	if key != "" {
		response.SetTokenType("DPoP")
	}
	p.oauth.WriteAccessResponse(ctx, w, request, response)
}

// admit puts who the request is for, as of now, into its session. It refuses an
// account that has been closed since the login.
func (p *Provider) admit(request fosite.AccessRequester) error {
	s, client := request.GetSession().(*session), request.GetClient().GetID()
	if request.GetGrantTypes().ExactOne("client_credentials") {
		s.account = p.services[client]
		for _, resource := range request.GetRequestedAudience() {
			request.GrantAudience(resource)
		}
	}
	person, open := p.person(s.account)
	if !open {
		return fosite.ErrInvalidGrant.WithHint("The account is closed.")
	}
	s.adopt(person, client)
	s.issue(time.Now(), p.life)
	return nil
}

// parseForm reads the parameters once, and hands the resource of RFC 8707 to
// the library under the name it knows, audience. It answers a bad form itself.
func parseForm(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, `{"error":"invalid_request"}`, http.StatusBadRequest)
		return false
	}
	for _, form := range []url.Values{r.Form, r.PostForm} {
		if resource, ok := form["resource"]; ok {
			form["audience"] = resource
		}
	}
	return true
}

func showLogin(w http.ResponseWriter, r *http.Request, status int, fault string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The client may have gone; there is nobody left to tell.
	_ = loginPage.Execute(w, struct{ Action, Fault string }{r.URL.RequestURI(), fault})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	// The client may have gone; there is nobody left to tell.
	_ = json.MarshalWrite(w, v, json.Deterministic(true))
}
