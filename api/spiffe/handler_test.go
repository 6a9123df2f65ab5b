package spiffe_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/federation"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/entente-id/entente/api/spiffe"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// The client of go-spiffe reads what we publish as what the trust domain itself
// published, and follows its changes.
func TestBundles(t *testing.T) {
	w := nodetest.NewWorld(t)
	w.Configure = func(_ *nodetest.Node, c *node.Config) { c.Refresh = 20 * time.Millisecond }
	n := w.New("trust.rxw.example")
	id := nodetest.Must(trust.ParseIssuerID("spiffe://prod.rxw.example"))(t)
	const address = "https://spire.prod.rxw.example/bundle"
	if err := n.Declare(t.Context(), n.Admin, participant.Document{Kind: "Participant", ID: n.ID, Issuers: []participant.Issuer{{
		Issuer: id, Bundle: &participant.BundleEndpoint{URI: address, Profile: participant.HTTPSWeb},
		Classes: []participant.ClassRule{{Class: trust.Workload}},
	}}}); err != nil {
		t.Fatal(err)
	}
	domain := spiffeid.RequireTrustDomainFromString("prod.rxw.example")
	own := spiffebundle.New(domain)
	server := httptest.NewTLSServer(spiffe.New(n))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	read := func(name string) (*spiffebundle.Bundle, error) {
		return federation.FetchBundle(t.Context(), spiffeid.RequireTrustDomainFromString(name), server.URL+spiffe.Path+name, federation.WithWebPKIRoots(roots))
	}
	publish := func(sequence uint64) {
		t.Helper()
		own.SetSequenceNumber(sequence)
		own.SetRefreshHint(40 * time.Second)
		text := nodetest.Must(own.Marshal())(t)
		w.Publish(address, text)
		nodetest.Eventually(t, "the bundle to be handed on", func() bool {
			got, err := read("prod.rxw.example")
			return err == nil && got.X509Bundle().Equal(own.X509Bundle()) && got.JWTBundle().Equal(own.JWTBundle())
		})
		got := nodetest.Must(read("prod.rxw.example"))(t)
		if n, ok := got.SequenceNumber(); !ok || n != sequence {
			t.Errorf("published under %d, handed on under %d", sequence, n)
		}
		if hint, ok := got.RefreshHint(); !ok || hint < time.Second {
			t.Errorf("handed on with the hint %s", hint)
		}
	}
	key := nodetest.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der := nodetest.Must(x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key))(t)
	own.AddX509Authority(nodetest.Must(x509.ParseCertificate(der))(t))
	publish(3)
	if err := own.AddJWTAuthority("jwt-1", &key.PublicKey); err != nil {
		t.Fatal(err)
	}
	publish(4)
	own.SetX509Authorities(nil)
	publish(9)

	for _, name := range []string{"staging.rxw.example", "prod.rxw.exampl"} {
		if got, err := read(name); err == nil {
			t.Errorf("%s is published as %v", name, got)
		}
	}
	for path, status := range map[string]int{
		"prod.rxw.example": http.StatusOK, "staging.rxw.example": http.StatusNotFound, "PROD.rxw.example": http.StatusNotFound, "prod.rxw.example/x": http.StatusNotFound,
		"": http.StatusNotFound, "spiffe:%2F%2Fprod.rxw.example": http.StatusNotFound, "%00": http.StatusNotFound,
	} {
		response, err := server.Client().Get(server.URL + spiffe.Path + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != status || status == http.StatusOK && response.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%q is answered %s, %v", path, response.Status, response.Header)
		}
		var document struct {
			Keys []struct {
				X5C []string `json:"x5c"`
			} `json:"keys"`
		}
		if err := json.Unmarshal(body, &document); status == http.StatusOK && (err != nil || len(document.Keys) != 1 || len(document.Keys[0].X5C) != 0) {
			t.Errorf("the removed authority %s is still in %s", base64.StdEncoding.EncodeToString(der)[:20], body)
		}
	}
}
