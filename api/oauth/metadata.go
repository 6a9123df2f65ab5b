package oauth

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// Where the node's own metadata are; well-known comes before the path of what
// they are about (RFC 8414, section 3.1; RFC 9728, section 3.1).
const (
	serverPath   = "/.well-known/oauth-authorization-server"
	resourcePath = "/.well-known/oauth-protected-resource"
	keysPath     = "/oauth/jwks"
	statusPath   = "/oauth/statuslists/" // node.StatusPath
	statusRoute  = statusPath + "{name}"

	statusType = "application/statuslist+jwt" // draft-ietf-oauth-status-list, section 8.1
	keySetType = "application/jwk-set+json"   // RFC 7517, section 8.5.2

	jagProfile = "urn:ietf:params:oauth:grant-profile:id-jag"

	// freshFor is for how many seconds these documents may be kept. A key is
	// announced longer ahead than that.
	freshFor = "300"
)

// Publisher is what the metadata ask of the shell. All of it is public.
type Publisher interface {
	// Self is the node's own issuer identifier.
	Self() trust.ParticipantID
	// TokenKeys gives the keys of the node's own credentials, announced ones too.
	TokenKeys() (jose.KeySet, error)
	// StatusList gives a signed list of how credentials of ours stand; false for one
	// that there is not.
	StatusList(ctx context.Context, name string) (token string, ok bool)
	// Serves reports whether a service of ours has exactly this audience.
	Serves(audience string) bool
}

// server is an authorization server's metadata (RFC 8414, section 2; RFC 9396,
// section 10; RFC 9449, section 5.1; for grants the drafts of identity chaining
// and of ID-JAG).
type server struct {
	Issuer        string     `json:"issuer"`
	Token         string     `json:"token_endpoint"`
	Introspection string     `json:"introspection_endpoint"`
	Revocation    string     `json:"revocation_endpoint"`
	Keys          string     `json:"jwks_uri"`
	Responses     []string   `json:"response_types_supported"` // required; nobody is redirected here
	Grants        []string   `json:"grant_types_supported"`
	Profiles      []string   `json:"authorization_grant_profiles_supported"`
	Requested     []string   `json:"identity_chaining_requested_token_types_supported"`
	Methods       []string   `json:"token_endpoint_auth_methods_supported"`
	Signing       []jose.Alg `json:"token_endpoint_auth_signing_alg_values_supported"`
	Details       []string   `json:"authorization_details_types_supported"`
	Proofs        []jose.Alg `json:"dpop_signing_alg_values_supported"`
}

// resource is a protected resource's metadata (RFC 9728, section 2). What there
// is to ask for stands in agreements, not here.
type resource struct {
	Resource string     `json:"resource"`
	Servers  []string   `json:"authorization_servers"`
	Methods  []string   `json:"bearer_methods_supported"`
	Details  []string   `json:"authorization_details_types_supported"`
	Proofs   []jose.Alg `json:"dpop_signing_alg_values_supported"`
	Bound    bool       `json:"tls_client_certificate_bound_access_tokens"`
}

// grants are the grant types of the token endpoint; methods the registered ways
// for a client to authenticate there.
var (
	grants  = []string{exchangeGrant, bearerGrant, clientGrant}
	methods = []string{string(client.PrivateKeyJWT)}
)

type publisher struct {
	node Publisher
	base string
}

// NewMetadata serves what is public of n. Base is the address, without a path,
// under which clients reach the endpoints.
func NewMetadata(n Publisher, base string) http.Handler {
	p := publisher{n, base}
	mux := http.NewServeMux()
	mux.Handle("GET "+keysPath, public(p.keys))
	mux.HandleFunc("GET "+statusRoute, p.statuses)
	mux.Handle("GET "+serverPath, public(p.server))
	mux.Handle("GET "+serverPath+"/{path...}", public(p.server))
	mux.Handle("GET "+resourcePath, public(p.resource))
	mux.Handle("GET "+resourcePath+"/{path...}", public(p.resource))
	return mux
}

// PublicPaths are the paths of NewMetadata, as a mux takes them.
func PublicPaths() []string {
	return []string{keysPath, statusPath, serverPath, serverPath + "/", resourcePath, resourcePath + "/"}
}

// public gives a document and its content type, or false for one that there is
// not: whichever it is, the answer is the same.
type public func(r *http.Request) (document any, media string, ok bool)

func (find public) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	document, media, ok := find(r)
	body, err := json.Marshal(document, json.Deterministic(true))
	switch {
	case !ok || r.URL.RawQuery != "":
		wire.Fail(w, trust.Errorf(trust.NotFound, "there is no such document"))
		return
	case err != nil:
		wire.Fail(w, trust.Errorf(trust.Internal, "rendering a document: %w", err))
		return
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Cache-Control", "public, max-age="+freshFor)
	_, _ = w.Write(body) // the client may have gone
}

// statuses answers with a list, as a JWT alone (draft-ietf-oauth-status-list,
// section 8.1).
func (p publisher) statuses(w http.ResponseWriter, r *http.Request) {
	token, ok := p.node.StatusList(r.Context(), r.PathValue("name"))
	if !ok || r.URL.RawQuery != "" {
		wire.Fail(w, trust.Errorf(trust.NotFound, "there is no such document"))
		return
	}
	w.Header().Set("Content-Type", statusType)
	w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(node.StatusTTL))
	_, _ = w.Write([]byte(token)) // the client may have gone
}

func (p publisher) keys(*http.Request) (any, string, bool) {
	set, err := p.node.TokenKeys()
	return set, keySetType, err == nil
}

// server answers where the path behind well-known is the issuer's own.
func (p publisher) server(r *http.Request) (any, string, bool) {
	issuer := p.node.Self().String()
	u, err := url.Parse(issuer)
	if err != nil || behind(r, serverPath) != u.EscapedPath() {
		return nil, "", false
	}
	return server{
		Issuer: issuer, Token: p.base + tokenPath, Introspection: p.base + introspectionPath, Revocation: p.base + revocationPath,
		Keys: p.base + keysPath, Responses: []string{}, Grants: grants, Methods: methods, Signing: jose.ForAssertion.Algs(),
		Profiles: []string{jagProfile}, Requested: []string{string(evidence.IDJAG)},
		Details: []string{evidence.AccessType}, Proofs: jose.ForProof.Algs(),
	}, wire.JSON, true
}

// resource answers for the service whose audience is the host and path that it
// is asked for: whoever stands before a service passes both on. One that is not
// known has none, and neither has an audience that is no https URL.
func (p publisher) resource(r *http.Request) (any, string, bool) {
	path := behind(r, resourcePath)
	audience := "https://" + r.Host + path
	if path == "" && !p.node.Serves(audience) {
		audience += "/" // which is not written before well-known
	} else if path == "/" {
		return nil, "", false
	}
	if !p.node.Serves(audience) {
		return nil, "", false
	}
	return resource{
		Resource: audience, Servers: []string{p.node.Self().String()}, Methods: []string{"header"},
		Details: []string{evidence.AccessType}, Proofs: jose.ForProof.Algs(), Bound: true,
	}, wire.JSON, true
}

// behind gives the path that follows the well-known part, as it was written.
func behind(r *http.Request, known string) string {
	return strings.TrimPrefix(r.URL.EscapedPath(), known)
}
