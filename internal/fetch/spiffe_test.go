package fetch_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/federation"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/internal/fetch"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/spiffe"
	"github.com/entente-id/entente/trust"
)

const endpointID = "spiffe://prod.rxw.example/spire/server"

// authority signs the X509-SVIDs of prod.rxw.example.
type authority struct {
	t           *testing.T
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{t: t, key: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)}
	root := x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.certificate = a.sign(&root, &root, &a.key.PublicKey)
	return a
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (a authority) sign(c, parent *x509.Certificate, key *ecdsa.PublicKey) *x509.Certificate {
	a.t.Helper()
	c.SerialNumber = big.NewInt(1)
	if c.NotBefore.IsZero() {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	}
	der := must(x509.CreateCertificate(rand.Reader, c, parent, key, a.key))(a.t)
	return must(x509.ParseCertificate(der))(a.t)
}

// svid is what an endpoint shows.
func (a authority) svid(id string, change func(*x509.Certificate)) tls.Certificate {
	a.t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(a.t)
	c := x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature, URIs: []*url.URL{must(url.Parse(id))(a.t)}}
	if change != nil {
		change(&c)
	}
	leaf := a.sign(&c, a.certificate, &key.PublicKey)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}
}

func (a authority) bundle() spiffe.Bundle {
	a.t.Helper()
	key := must(jose.NewKey(&a.key.PublicKey, jose.ES256, ""))(a.t)
	jwk := must(canonical.ParseObject(must(key.MarshalJSON())(a.t)))(a.t)
	delete(jwk, "kid")
	jwk["use"], jwk["x5c"] = "x509-svid", []any{base64.StdEncoding.EncodeToString(a.certificate.Raw)}
	document := must(canonical.Marshal(canonical.Object{"keys": []any{jwk}, "spiffe_sequence": int64(1)}))(a.t)
	return must(spiffe.ParseBundle(must(trust.ParseIssuerID("spiffe://prod.rxw.example"))(a.t), document))(a.t)
}

// A server is who it is registered as, by the bundle that is known, whatever its
// name is and whoever else vouches for it (SPIFFE Federation, section 5.2.2).
// The client of go-spiffe is asked the same.
func TestGetFromABundleEndpoint(t *testing.T) {
	domain := spiffeid.RequireTrustDomainFromString("prod.rxw.example")
	own, other := newAuthority(t), newAuthority(t)
	known := own.bundle()
	id := must(spiffe.ParseID(endpointID))(t)
	published := must(spiffebundle.Parse(domain, known.Document()))(t)
	handler := must(federation.NewHandler(domain, published))(t)
	for what, c := range map[string]struct {
		shown tls.Certificate
		kind  trust.ErrorKind // "" is taken
		ours  bool            // go-spiffe takes it
	}{
		"the endpoint":      {own.svid(endpointID, nil), "", true},
		"another ID":        {own.svid(endpointID+"/x", nil), trust.Denied, false},
		"another domain":    {own.svid("spiffe://staging.rxw.example/spire/server", nil), trust.Denied, false},
		"another authority": {other.svid(endpointID, nil), trust.Invalid, false},
		"expired": {own.svid(endpointID, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(-time.Minute)
		}), trust.Invalid, false},
		"for clients alone": {own.svid(endpointID, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), trust.Invalid, true},
		"no SPIFFE ID":      {own.svid("https://spire.rxw.example", func(c *x509.Certificate) { c.DNSNames = []string{"example.com"} }), trust.Invalid, false},
	} {
		t.Run(what, func(t *testing.T) {
			heard := false
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { heard = true; handler.ServeHTTP(w, r) }))
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.TLS = &tls.Config{Certificates: []tls.Certificate{c.shown}}
			s.StartTLS()
			defer s.Close()
			address := strings.Replace(s.URL, "127.0.0.1", "spire.rxw.example", 1)
			// The web's authorities count for nothing here.
			roots := x509.NewCertPool()
			roots.AddCert(own.certificate)
			client := must(fetch.New(fetch.Config{Allow: loopback, RootCAs: roots, Resolve: resolver("127.0.0.1").resolve}))(t)
			asked := 0
			body, err := client.GetFrom(t.Context(), address, func(shown []*x509.Certificate) error {
				asked++
				return known.VerifyServer(shown, id, time.Now().Unix())
			})
			if trust.KindOf(err) != c.kind || asked != 1 || heard != (c.kind == "") {
				t.Fatalf("got %v, asked %d times, heard %t", err, asked, heard)
			}
			if c.kind == "" {
				if read, err := spiffe.ParseBundle(known.TrustDomain(), body); err != nil || read.Authorities() != 1 {
					t.Errorf("read %s, %v", body, err)
				}
			}
			source := x509bundle.FromX509Authorities(domain, published.X509Authorities())
			if _, err := federation.FetchBundle(context.Background(), domain, s.URL, federation.WithSPIFFEAuth(source, spiffeid.RequireFromString(endpointID))); (err == nil) != c.ours {
				t.Errorf("go-spiffe says %v", err)
			}
			// Nor does such a server pass for one of the web.
			if _, err := client.Get(t.Context(), address); trust.KindOf(err) != trust.Unavailable {
				t.Errorf("by the web's authorities: %v", err)
			}
		})
	}
}

// What bounds every fetch bounds this one too.
func TestGetFromIsBounded(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/else", http.StatusFound) })
	all := func([]*x509.Certificate) error { return nil }
	_, err := client(t, s, nil).GetFrom(t.Context(), s.url("example.com", "/"), all)
	want(t, "a redirect", err, trust.Denied, "redirect")
	_, err = client(t, s, func(c *fetch.Config) { c.Allow = nil }).GetFrom(t.Context(), s.url("example.com", "/"), all)
	want(t, "a private address", err, trust.Denied, "not public")
	_, err = client(t, s, nil).GetFrom(t.Context(), "http://example.com:"+s.port, all)
	want(t, "no https", err, trust.Invalid, "https")
	p := newProxy(t, s)
	_, err = client(t, s, func(c *fetch.Config) { c.Proxy, c.Hosts = p.URL, func(string) bool { return true } }).GetFrom(t.Context(), s.url("example.com", "/"), func(shown []*x509.Certificate) error {
		if len(shown) == 0 || !shown[0].Equal(s.Certificate()) {
			t.Errorf("through a proxy %d certificates are shown", len(shown))
		}
		return trust.Errorf(trust.Denied, "nobody is let in")
	})
	want(t, "through a proxy", err, trust.Denied, "nobody")
}
