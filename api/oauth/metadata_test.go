package oauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entente-id/entente/api/oauth"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// publisher is a node with one token key and the given services.
type publisher struct {
	self     trust.ParticipantID
	keys     jose.KeySet
	services []string
	fails    error
}

func (p publisher) Self() trust.ParticipantID { return p.self }

func (p publisher) TokenKeys() (jose.KeySet, error) { return p.keys, p.fails }

func (p publisher) StatusList(_ context.Context, name string) (string, bool) {
	return "a.b.c", name == "list-1"
}

func (p publisher) Serves(audience string) bool {
	for _, s := range p.services {
		if s == audience {
			return true
		}
	}
	return false
}

func newPublisher(t *testing.T, self string, services ...string) publisher {
	t.Helper()
	id, err := trust.ParseParticipantID(self)
	if err != nil {
		t.Fatal(err)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(private, "")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jose.NewKeySet(signer.Key())
	if err != nil {
		t.Fatal(err)
	}
	return publisher{self: id, keys: keys, services: services}
}

func look(p publisher, url string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	oauth.NewMetadata(p, "https://auth.rje.example").ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
	return w
}

// RFC 8414, sections 2 and 3: the issuer is the node's own, well-known stands
// before its path, and every endpoint is one that is served.
func TestServerMetadata(t *testing.T) {
	const want = `{"issuer":"https://trust.rje.example","token_endpoint":"https://auth.rje.example/oauth/token",` +
		`"introspection_endpoint":"https://auth.rje.example/oauth/introspect","revocation_endpoint":"https://auth.rje.example/oauth/revoke",` +
		`"jwks_uri":"https://auth.rje.example/oauth/jwks","response_types_supported":[],"grant_types_supported":["urn:ietf:params:oauth:grant-type:token-exchange","urn:ietf:params:oauth:grant-type:jwt-bearer","client_credentials"],`
	w := look(newPublisher(t, "https://trust.rje.example"), "https://trust.rje.example/.well-known/oauth-authorization-server")
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), want) || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	for _, member := range []string{`"authorization_details_types_supported":["entente_access"]`, `"ES256"`} {
		if !strings.Contains(w.Body.String(), member) {
			t.Errorf("%s is not in %s", member, w.Body)
		}
	}
	if strings.Contains(w.Body.String(), "bound") {
		t.Errorf("credentials of ours are bound to no certificate: %s", w.Body)
	}
	deep := newPublisher(t, "https://trust.rje.example/a/b")
	if w := look(deep, "https://trust.rje.example/.well-known/oauth-authorization-server/a/b"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"issuer":"https://trust.rje.example/a/b"`) {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

// RFC 9728, sections 2 and 3: a document for each resource, and one answer for
// all that there is not.
func TestResourceMetadata(t *testing.T) {
	p := newPublisher(t, "https://trust.rje.example", "https://records.rje.example", "https://rje.example/labs", "https://slash.rje.example/", "urn:rje:labs")
	const known = "/.well-known/oauth-protected-resource"
	for url, resource := range map[string]string{
		"https://records.rje.example" + known:   "https://records.rje.example",
		"https://rje.example" + known + "/labs": "https://rje.example/labs",
		"https://slash.rje.example" + known:     "https://slash.rje.example/",
		"http://records.rje.example" + known:    "https://records.rje.example", // TLS ends before us
	} {
		want := `{"resource":"` + resource + `","authorization_servers":["https://trust.rje.example"],"bearer_methods_supported":["header"],`
		const bound = `,"tls_client_certificate_bound_access_tokens":true}`
		if w := look(p, url); w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), want) || !strings.HasSuffix(w.Body.String(), bound) {
			t.Errorf("%s: answered %d %s", url, w.Code, w.Body)
		}
	}
}

func TestDocumentsThatThereAreNot(t *testing.T) {
	p := newPublisher(t, "https://trust.rje.example", "https://records.rje.example", "https://rje.example/labs")
	const server, resource = "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"
	uniform := look(p, "https://nobody.example"+resource)
	for _, url := range []string{
		"https://records.rje.example" + resource + "/labs", "https://records.rje.example" + resource + "/", "https://rje.example" + resource,
		"https://rje.example" + resource + "/labs/", "https://rje.example" + resource + "/lab", "https://rje.example" + resource + "/Labs",
		"https://records.rje.example:8443" + resource, "https://records.rje.example" + resource + "?x=1", "https://RECORDS.rje.example" + resource,
		"https://trust.rje.example" + server + "/x", "https://trust.rje.example" + server + "/", "https://trust.rje.example" + server + "?x=1",
	} {
		w := look(p, url)
		if w.Code != http.StatusNotFound || w.Body.String() != uniform.Body.String() || w.Header().Get("Cache-Control") != uniform.Header().Get("Cache-Control") {
			t.Errorf("%s: answered %d %s, an unknown one %s", url, w.Code, w.Body, uniform.Body)
		}
	}
	p.fails = errors.New("secret")
	if w := look(p, "https://x.example/oauth/jwks"); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("keys that cannot be told are answered %d %s", w.Code, w.Body)
	}
}

func TestOwnKeys(t *testing.T) {
	p := newPublisher(t, "https://trust.rje.example")
	w := look(p, "https://trust.rje.example/oauth/jwks")
	set, err := jose.ParseKeySet(w.Body.Bytes())
	if err != nil || len(set.Keys()) != 1 || !set.Keys()[0].Equal(p.keys.Keys()[0]) || w.Header().Get("Content-Type") != "application/jwk-set+json" ||
		w.Header().Get("Cache-Control") != "public, max-age=300" {
		t.Errorf("answered %d %s %v (%v)", w.Code, w.Body, w.Header(), err)
	}
}

// draft-ietf-oauth-status-list, section 8.1.
func TestStatusLists(t *testing.T) {
	p := newPublisher(t, "https://trust.rje.example")
	w := look(p, "https://trust.rje.example"+node.StatusPath+"list-1")
	if w.Code != http.StatusOK || w.Body.String() != "a.b.c" || w.Header().Get("Content-Type") != "application/statuslist+jwt" || w.Header().Get("Cache-Control") != "public, max-age=10" {
		t.Errorf("answered %d %s %v", w.Code, w.Body, w.Header())
	}
	for _, path := range []string{"list-2", "list-1?x=1", "list-1?time=5", "", "list-1/"} {
		if w := look(p, "https://trust.rje.example"+node.StatusPath+path); w.Code != http.StatusNotFound {
			t.Errorf("%s: answered %d %s", path, w.Code, w.Body)
		}
	}
}
