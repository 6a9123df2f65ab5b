//go:build slow

package peer_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/fetch"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// provider is npm oidc-provider, as a partner's identity provider.
type provider struct {
	t      *testing.T
	issuer string
	roots  *x509.CertPool
	in     io.Writer
	out    *bufio.Scanner
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	dir := programs(t, "provider.mjs")
	p := &provider{t: t, roots: x509.NewCertPool()}
	certify(t, dir, p.roots)
	c := exec.CommandContext(t.Context(), "node", "provider.mjs", "key.pem", "certificate.pem")
	c.Dir = dir
	var err error
	p.in, err = c.StdinPipe()
	done(t, err)
	out, err := c.StdoutPipe()
	done(t, err)
	p.out = bufio.NewScanner(out)
	complaints := &strings.Builder{}
	c.Stderr = complaints
	done(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill()
		if err := c.Wait(); t.Failed() {
			t.Logf("the provider ended with %v and said\n%s", err, complaints)
		}
	})
	p.issuer = p.heard()
	return p
}

// heard gives the next line that the script, and not the library, prints.
func (p *provider) heard() string {
	p.t.Helper()
	for p.out.Scan() {
		if text, ok := strings.CutPrefix(p.out.Text(), "> "); ok {
			return text
		}
	}
	p.t.Fatalf("the provider ended: %v", p.out.Err())
	return ""
}

// told gives the provider one word and waits until it has done it.
func (p *provider) told(word string) {
	p.t.Helper()
	_, err := fmt.Fprintln(p.in, word)
	done(p.t, err)
	if got := p.heard(); got != word {
		p.t.Fatalf("the provider answers %q", got)
	}
}

// certify writes a key and a certificate for 127.0.0.1.
func certify(t *testing.T, dir string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	done(t, err)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	done(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	done(t, err)
	for name, block := range map[string]*pem.Block{"key.pem": {Type: "PRIVATE KEY", Bytes: private}, "certificate.pem": {Type: "CERTIFICATE", Bytes: certificate}} {
		done(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
	parsed, err := x509.ParseCertificate(certificate)
	done(t, err)
	roots.AddCert(parsed)
}

// token is an access token for an audience by client_credentials (RFC 6749,
// section 4.4; RFC 8707), bound to a holder's key if there is one (RFC 9449).
func (p *provider) token(audience string, holder *nodetest.Holder) []byte {
	p.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "resource": {audience}, "scope": {"read"}}
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.issuer+"/token", strings.NewReader(form.Encode()))
	done(p.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("ward-sync", "of-no-value-to-anybody")
	want := "Bearer"
	if holder != nil {
		want = "DPoP"
		r.Header.Set("DPoP", string(holder.Shown(nil, http.MethodPost, p.issuer+"/token", map[string]any{"ath": nil}).DPoP))
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.roots}, DisableKeepAlives: true}}
	response, err := client.Do(r)
	done(p.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	done(p.t, err)
	var answer struct {
		Token string `json:"access_token"`
		Type  string `json:"token_type"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || response.StatusCode != http.StatusOK || answer.Type != want {
		p.t.Fatalf("the provider answers %s %s", response.Status, body)
	}
	return []byte(answer.Token)
}

// hospital is a ward that accepts the accounts of a provider.
type hospital struct {
	*nodetest.Ward
	p *provider
}

const syncPolicy = nodetest.WardPolicy + `
@id("ward-sync")
permit (principal is ServiceAccount in Role::"ward-sync", action == Action::"read", resource is WardRecord)
when { context.purpose == "TREAT" };`

func newHospital(t *testing.T, p *provider) hospital {
	t.Helper()
	fetcher, err := fetch.New(fetch.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, RootCAs: p.roots})
	done(t, err)
	p.discovered(fetcher)
	w := nodetest.NewWorld(t)
	w.Configure = func(_ *nodetest.Node, c *node.Config) { c.Fetch, c.Refresh = fetcher, 100*time.Millisecond }
	home, host := w.Found(func(d *framework.Document) {
		d.Assurance.Mapping = append(d.Assurance.Mapping, framework.LevelRule{
			Claim: "iss", Equals: p.issuer, Gives: map[framework.Ladder]framework.Level{framework.Authentication: "substantial"},
		})
		d.Classes[trust.ServiceAccount] = framework.ClassRule{
			Needs: map[framework.Ladder]framework.Level{framework.Authentication: "substantial"}, MaxTokenLifetime: 900, Tier: trust.Standard, ReviewEvery: 90 * 86400,
		}
	})
	// Its key set is read over the network, by the node's own client.
	i := &nodetest.Issuer{URL: p.issuer, Classes: []participant.ClassRule{{Class: trust.ServiceAccount, Claim: "client_id", Equals: "ward-sync"}}}
	h := hospital{w.Agree(home, host, []*nodetest.Issuer{i}, func(d *agreement.Document) {
		line := d.Accepts[0]
		line.Class, line.Roles = trust.ServiceAccount, nil
		d.Accepts = append(d.Accepts, line)
	}), p}
	h.Furnish()
	m := h.Mapping("ward-sync")
	m.From, m.To = mapping.From{Class: trust.ServiceAccount}, "ward-sync"
	done(t, host.OfferMapping(t.Context(), host.Admin, m))
	done(t, host.ApproveMapping(t.Context(), host.Admin, "ward-sync"))
	_, err = host.ApplyPolicy(t.Context(), host.Admin, syncPolicy)
	done(t, err)
	return h
}

// discovered reads the provider's own metadata (OpenID Connect Discovery 1.0,
// section 4): its key set stands where the participant states it.
func (p *provider) discovered(by *fetch.Client) {
	p.t.Helper()
	body, err := by.Get(p.t.Context(), p.issuer+"/.well-known/openid-configuration")
	done(p.t, err)
	var metadata struct {
		Issuer  string   `json:"issuer"`
		JWKSURI string   `json:"jwks_uri"`
		DPoP    []string `json:"dpop_signing_alg_values_supported"`
	}
	if err := json.Unmarshal(body, &metadata); err != nil || metadata.Issuer != p.issuer || metadata.JWKSURI != p.issuer+"/jwks" || len(metadata.DPoP) == 0 {
		p.t.Fatalf("the provider says of itself %s", body)
	}
}

func (h hospital) reason(t *testing.T, token []byte, shown *evidence.Shown) trust.Reason {
	t.Helper()
	ask := h.Ask(token)
	ask.Evidence[0].Shown = shown
	a := h.Host.Decide(t.Context(), ask)
	if a.Permit != (a.Reason == trust.Permit) {
		t.Fatalf("answered %+v", a)
	}
	return a.Reason
}

const record = "https://records.rje.example/wards/w7/records/42"

// A partner's provider is oidc-provider: its access tokens (RFC 9068), those that
// it binds to a key (RFC 9449), and its next key (R12, R15, R19).
func TestOIDCProvider(t *testing.T) {
	p := newProvider(t)
	h := newHospital(t, p)
	first := p.token(h.Audience, nil)
	for what, c := range map[string]struct {
		token []byte
		want  trust.Reason
	}{
		"a token":             {first, trust.Permit},
		"for another":         {p.token("https://elsewhere.example", nil), trust.AudienceForeign},
		"with a bit flipped":  {flipped(first), trust.BadSignature},
		"without a signature": {first[:strings.LastIndexByte(string(first), '.')+1], trust.BadSignature},
	} {
		if got := h.reason(t, c.token, nil); got != c.want {
			t.Errorf("%s: %s, expected %s", what, got, c.want)
		}
	}

	holder, thief := h.Host.World.NewHolder(), h.Host.World.NewHolder()
	bound := p.token(h.Audience, holder)
	proof := holder.Shown(bound, http.MethodGet, record, nil)
	for _, c := range []struct {
		what  string
		shown *evidence.Shown
		want  trust.Reason
	}{
		{"with its holder's proof", proof, trust.Permit},
		{"with the same proof again", proof, trust.ProofReplayed},
		{"without a proof", nil, trust.ProofMissing},
		{"with a thief's proof", thief.Shown(bound, http.MethodGet, record, nil), trust.ProofKey},
	} {
		if got := h.reason(t, bound, c.shown); got != c.want {
			t.Errorf("a bound token %s: %s, expected %s", c.what, got, c.want)
		}
	}

	h.rotated(t, first)
}

// rotated: a key that the provider publishes ahead is known when it signs, and
// the one that it publishes no longer is gone.
func (h hospital) rotated(t *testing.T, old []byte) {
	t.Helper()
	keys := func() int {
		speaker, _ := h.Host.State().Speaker(h.p.issuer)
		return len(speaker.Keys.Keys())
	}
	h.p.told("publish")
	nodetest.Eventually(t, "the second key to be known", func() bool { return keys() == 2 })
	if got := h.reason(t, old, nil); got != trust.Permit {
		t.Errorf("while two keys are published: %s", got)
	}
	h.p.told("rotate")
	if got := h.reason(t, h.p.token(h.Audience, nil), nil); got != trust.Permit {
		t.Errorf("signed with the second key: %s", got)
	}
	nodetest.Eventually(t, "the first key to be gone", func() bool { return keys() == 1 })
	if got := h.reason(t, old, nil); got != trust.UnknownKey {
		t.Errorf("signed with the first key: %s", got)
	}
	if got := h.reason(t, h.p.token(h.Audience, nil), nil); got != trust.Permit {
		t.Errorf("signed with the second key alone: %s", got)
	}
}

// flipped changes a bit in the middle of the signature.
func flipped(token []byte) []byte {
	out := []byte(string(token))
	at := len(out) - 20
	if out[at] == 'A' {
		out[at] = 'B'
	} else {
		out[at] = 'A'
	}
	return out
}
