package serve_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/entente-id/entente/internal/serve"
)

// A client may show a certificate, of nobody's authority, and proves that it has
// the key; without one it is served too, and nothing is resumed (RFC 8705,
// section 2.2).
func TestClientTLS(t *testing.T) {
	host, app := newParty(t, "host.example"), newParty(t, "app.example")
	stolen := app.certificate
	stolen.PrivateKey = host.certificate.PrivateKey
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := serve.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, c := range r.TLS.PeerCertificates {
			w.Write(c.Raw)
		}
		fmt.Fprint(w, r.TLS.DidResume)
	}), serve.DefaultLimits(), silent)
	server.TLSConfig = serve.ClientTLS(host.own)
	var g serve.Group
	g.Add("clients", listener, server)
	run(t, &g)
	for name, tt := range map[string]struct {
		config *tls.Config
		want   string
	}{
		"a certificate":       {&tls.Config{Certificates: []tls.Certificate{app.certificate}}, string(app.certificate.Certificate[0]) + "false"},
		"none":                {&tls.Config{}, "false"},
		"another's":           {&tls.Config{Certificates: []tls.Certificate{stolen}}, ""},
		"an old version":      {&tls.Config{MaxVersion: tls.VersionTLS12}, ""},
		"a session to resume": {&tls.Config{Certificates: []tls.Certificate{app.certificate}, ClientSessionCache: tls.NewLRUClientSessionCache(1)}, string(app.certificate.Certificate[0]) + "false"},
	} {
		tt.config.InsecureSkipVerify = true
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: tt.config, DisableKeepAlives: true}}
		for range 2 {
			got := ""
			if answer, err := client.Get("https://" + listener.Addr().String()); err == nil {
				body, _ := io.ReadAll(answer.Body)
				answer.Body.Close()
				got = string(body)
			}
			if got != tt.want {
				t.Errorf("%s: answered %q", name, got)
			}
		}
	}
}
