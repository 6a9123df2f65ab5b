//go:build slow

package oauth_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/api/oauth"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/internal/serve"
	"github.com/entente-id/entente/jose"
)

// script installs what npm's lock file names and gives the script of a peer.
func script(t *testing.T, name string) string {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Fatal("the slow lane needs npm, for peers that are not ours")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("peer")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return filepath.Join(dir, name)
}

// peerKey is a key that a client keeps as a JWK.
func peerKey(t *testing.T, kid string) (map[string]any, *ecdsa.PrivateKey, jose.Key) {
	t.Helper()
	private := nodetest.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	key := nodetest.Must(jose.NewKey(private.Public(), jose.ES256, kid))(t)
	var jwk map[string]any
	if err := json.Unmarshal(nodetest.Must(key.MarshalJSON())(t), &jwk); err != nil {
		t.Fatal(err)
	}
	jwk["d"] = base64.RawURLEncoding.EncodeToString(nodetest.Must(private.Bytes())(t))
	return jwk, private, key
}

// peerWorld is a node with a ward and two clients, on two listeners; the second
// is TLS. It gives what the script is told.
func peerWorld(t *testing.T) map[string]any {
	t.Helper()
	w := nodetest.NewWorld(t)
	home, host := w.New("trust.rxw.example", nodetest.HomeRoles()...), w.New("trust.rje.example", nodetest.HostRoles()...)
	signed := w.Framework(home, host)
	home.Adopt(signed)
	host.Adopt(signed)
	w.Introduce(home, host)
	ward := w.NewWard(home, host, nil)
	key, private, public := peerKey(t, "app-1")
	stranger, _, _ := peerKey(t, "app-1")
	der, own := peerCertificate(t, private), peerCertificate(t, private)
	sum := nodetest.Must(client.ReadCertificate(der))(t).Thumbprint
	for id, m := range map[string]client.Means{
		"ward-app": {Keys: nodetest.Must(jose.NewKeySet(public))(t)}, "tls-app": {Certificates: []string{sum}},
	} {
		d := client.Document{Kind: "Client", ID: id, Participant: home.ID, Services: []string{"ward-records"}, Means: m}
		if err := host.AddClient(t.Context(), host.Admin, d); err != nil {
			t.Fatal(err)
		}
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.Handle("/oauth/", oauth.New(host.Node))
	for _, path := range oauth.PublicPaths() {
		mux.Handle(path, oauth.NewMetadata(host.Node, server.URL))
	}
	secure := httptest.NewUnstartedServer(oauth.New(host.Node))
	secure.TLS = serve.ClientTLS(func() (tls.Certificate, error) {
		return tls.Certificate{Certificate: [][]byte{own}, PrivateKey: private}, nil
	})
	secure.StartTLS()
	t.Cleanup(secure.Close)
	return map[string]any{
		"issuer": host.ID.String(), "base": server.URL, "tls": secure.URL, "audience": ward.Audience,
		"subject": string(w.Token(ward.Issuer, "nurse-1", ward.Audience, nil)), "key": key, "stranger": stranger,
		"certificate":    inPEM("CERTIFICATE", der),
		"certificateKey": inPEM("PRIVATE KEY", nodetest.Must(x509.MarshalPKCS8PrivateKey(private))(t)),
	}
}

func peerCertificate(t *testing.T, private *ecdsa.PrivateKey) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour)}
	return nodetest.Must(x509.CreateCertificate(rand.Reader, template, template, private.Public(), private))(t)
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// openid-client finds the endpoints by their metadata, authenticates by
// private_key_jwt and by a certificate, exchanges, introspects and gives back;
// what it can be made to do wrong is refused.
func TestOpenIDClient(t *testing.T) {
	path := script(t, "client.mjs")
	told, err := json.Marshal(peerWorld(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	peer := exec.CommandContext(ctx, "node", path)
	peer.Stdin = bytes.NewReader(told)
	var complaints bytes.Buffer
	peer.Stderr = &complaints
	out, err := peer.Output()
	if err != nil {
		t.Fatalf("the peer: %v\n%s", err, complaints.String())
	}
	var steps map[string]map[string]any
	if err := json.Unmarshal(out, &steps); err != nil {
		t.Fatalf("the peer says %s", out)
	}
	for name, want := range map[string]map[string]any{
		"metadata":         {"issuer": "https://trust.rje.example"},
		"exchange":         {"token_type": "bearer", "issued_token_type": "urn:ietf:params:oauth:token-type:access_token", "scope": "WardRecord.read"},
		"introspect":       {"active": true, "client_id": "ward-app", "iss": "https://trust.rje.example"},
		"revoke":           {"error": nil},
		"introspect again": {"active": false, "client_id": nil},
		"revoke rubbish":   {"error": nil},
		"its own type":     {"token_type": "bearer"},
		"a jti":            {"token_type": "bearer"},
		"a certificate":    {"token_type": "bearer"},
	} {
		for member, value := range want {
			if got, ok := steps[name][member]; got != value || steps[name] == nil || value == nil && ok {
				t.Errorf("%s: %s is %v, want %v (%v)", name, member, got, value, steps[name])
			}
		}
		delete(steps, name)
	}
	if len(steps) != 14 {
		t.Errorf("%d steps were to be refused", len(steps))
	}
	for name, got := range steps {
		want := "invalid_client"
		if name == "basic" {
			want = "challenge"
		}
		if got["error"] != want || got["status"] != 401.0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}
