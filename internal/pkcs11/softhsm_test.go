//go:build pkcs11

package pkcs11_test

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/internal/pkcs11"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

var inToken = []participant.KeyUse{participant.StreamKey, participant.StatementKey, participant.TokenKey, participant.TLSKey}

// softHSM makes a token for each label, and gives their configurations.
func softHSM(t *testing.T, labels ...string) map[string]pkcs11.Config {
	t.Helper()
	tool, err := exec.LookPath("softhsm2-util")
	if err != nil {
		t.Fatal("SoftHSM is not installed: package softhsm2, or run .ci/softhsm")
	}
	places := []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"}
	i := slices.IndexFunc(places, func(path string) bool { _, err := os.Stat(path); return err == nil })
	if i < 0 {
		t.Fatalf("softhsm2-util is installed, and its library stands in none of %v", places)
	}
	dir := t.TempDir()
	settings := filepath.Join(dir, "softhsm2.conf")
	done(t, os.Mkdir(filepath.Join(dir, "tokens"), 0o700))
	done(t, os.WriteFile(settings, []byte("directories.tokendir = "+filepath.Join(dir, "tokens")+"\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600))
	t.Setenv("SOFTHSM2_CONF", settings)
	pin := filepath.Join(dir, "pin")
	done(t, os.WriteFile(pin, []byte("87654321\n"), 0o600))
	all := map[string]pkcs11.Config{}
	for _, label := range labels {
		out, err := exec.Command(tool, "--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", "87654321").CombinedOutput()
		if err != nil {
			t.Fatalf("making token %s: %v: %s", label, err, out)
		}
		all[label] = pkcs11.Config{Module: places[i], Label: label, PINFile: pin}
	}
	return all
}

func done(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A key is made in the token, found again under its identifier by whoever opens
// it anew, and destroyed for good.
func TestKeysLiveInTheToken(t *testing.T) {
	all := softHSM(t, "entente", "other")
	token, err := pkcs11.Open(all["entente"])
	done(t, err)
	made, err := token.Make("k1")
	done(t, err)
	_, err = token.Make("k2")
	done(t, err)
	done(t, token.Close())

	token, err = pkcs11.Open(all["entente"])
	done(t, err)
	t.Cleanup(func() { token.Close() })
	found, err := token.Find("k1")
	done(t, err)
	if !made.Public().(*ecdsa.PublicKey).Equal(found.Public()) {
		t.Error("the key that is found is another")
	}
	signer, err := jose.NewSigner(found, "")
	done(t, err)
	for range 300 { // so that an r or s with leading zeros comes by
		jws, err := jose.Sign(signer, "JWT", map[string]any{"a": 1})
		done(t, err)
		u, err := jose.Parse(jws, jose.Form{Types: []string{"JWT"}})
		done(t, err)
		if _, err := u.Verify(signer.Key()); err != nil {
			t.Fatal(err)
		}
	}
	for what, err := range map[string]error{"an unknown key": find(token, "k3"), "a prefix": find(token, "k"), "no identifier": token.Destroy("k4")} {
		if trust.KindOf(err) != trust.NotFound {
			t.Errorf("%s: %v", what, err)
		}
	}
	done(t, token.Destroy("k1"))
	if err := find(token, "k1"); trust.KindOf(err) != trust.NotFound {
		t.Errorf("a destroyed key: %v", err)
	}
	done(t, find(token, "k2"))
	other, err := pkcs11.Open(all["other"])
	done(t, err)
	t.Cleanup(func() { other.Close() })
	if err := find(other, "k2"); trust.KindOf(err) != trust.NotFound {
		t.Errorf("another token's key: %v", err)
	}
}

func find(token *pkcs11.Token, id string) error {
	_, err := token.Find(id)
	return err
}

func TestTokensThatDoNotOpen(t *testing.T) {
	good := softHSM(t, "entente")["entente"]
	wrong := filepath.Join(t.TempDir(), "pin")
	done(t, os.WriteFile(wrong, []byte("11111111"), 0o600))
	for what, change := range map[string]func(*pkcs11.Config){
		"another module": func(c *pkcs11.Config) { c.Module = "/nonexistent.so" },
		"another label":  func(c *pkcs11.Config) { c.Label = "none" },
		"another PIN":    func(c *pkcs11.Config) { c.PINFile = wrong },
	} {
		c := good
		change(&c)
		if _, err := pkcs11.Open(c); trust.KindOf(err) != trust.Unavailable || strings.Contains(fmt.Sprint(err), "11111111") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Two nodes whose stream, statement, token and TLS keys are in SoftHSM: the
// partner believes their messages and statements, what they issue is decided on
// again, and all of it rotates under load without a failed request (R72).
func TestNodesWithKeysInAToken(t *testing.T) {
	tokens := softHSM(t, "trust.rxw.example", "trust.rje.example")
	w := nodetest.NewWorld(t)
	w.Making = func(n *nodetest.Node) keyring.Making {
		token, err := pkcs11.Open(tokens[strings.TrimPrefix(n.ID.String(), "https://")])
		done(t, err)
		return keyring.Making{Token: token, InToken: inToken}
	}
	home := w.New("trust.rxw.example", nodetest.HomeRoles()...)
	host := w.New("trust.rje.example", nodetest.HostRoles()...)
	signed := w.Sign(w.Rules(home, host), home, host)
	home.Adopt(signed)
	host.Adopt(signed)
	w.Introduce(home, host)
	ward := w.NewWard(home, host, nil)
	// The first keys were made in the file; the next ones replace them.
	for _, n := range []*nodetest.Node{home, host} {
		renew(t, n, participant.Rotation{Drop: true})
	}
	later(t, 2*time.Minute, home, host)
	for _, n := range []*nodetest.Node{home, host} {
		for _, use := range inToken {
			if key := n.Config.Keys.Signer(use).Key(); key.Alg() != jose.ES256 {
				t.Fatalf("%s signs as %s with a key for %s", n.ID, use, key.Alg())
			}
		}
	}
	leave(t, ward, "leaver-1")
	shakeHands(t, home)

	first := exchange(t, ward, "nurse-1")
	want(t, ward, []byte(first), trust.Permit)
	stop := make(chan struct{})
	var calls atomic.Int64
	var workers sync.WaitGroup
	for i := range 2 {
		workers.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
				calls.Add(1)
				token := exchange(t, ward, fmt.Sprintf("nurse-%d", i))
				want(t, ward, []byte(token), trust.Permit)
			}
		})
	}
	old := host.Config.Keys.Signer(participant.TokenKey).Key()
	for _, n := range []*nodetest.Node{home, host} {
		renew(t, n, participant.Rotation{Begins: trust.Instant(n.Now() + 30), Overlap: 300})
	}
	want(t, ward, []byte(first), trust.Permit)
	later(t, 4*time.Minute, home, host)
	if host.Config.Keys.Signer(participant.TokenKey).Key().Equal(old) {
		t.Error("tokens are signed with the old key after the rotation")
	}
	want(t, ward, []byte(first), trust.Permit) // until its key ends
	leave(t, ward, "leaver-2")
	close(stop)
	workers.Wait()
	if calls.Load() < 20 {
		t.Errorf("only %d calls ran during the rotation", calls.Load())
	}
	// What the token has is found again by a node that starts.
	for _, n := range []*nodetest.Node{home, host} {
		n.Stop()
		n.Start()
	}
	nodetest.Eventually(t, "the answer after a restart", func() bool {
		return host.Decide(t.Context(), ward.Ask([]byte(exchanged(t, ward, "nurse-1").Token))).Permit
	})
	leave(t, ward, "leaver-3")
}

// renew rotates a node's keys and waits until the partner has the card.
func renew(t *testing.T, n *nodetest.Node, r participant.Rotation) {
	t.Helper()
	draft, err := n.DraftCard(t.Context(), n.Admin, r)
	done(t, err)
	signed, err := participant.SignCard(n.Governance, draft.Card)
	done(t, err)
	done(t, n.RenewCard(t.Context(), n.Admin, signed))
}

// later moves the time of nodes on, in steps that leave each the time to hear
// the other.
func later(t *testing.T, d time.Duration, nodes ...*nodetest.Node) {
	t.Helper()
	for range int(d / (30 * time.Second)) {
		for _, n := range nodes {
			done(t, n.SetClock(t.Context(), n.Admin, n.Clock.Now().Sub(time.Now())+30*time.Second))
		}
		nodetest.Eventually(t, "fresh words", func() bool {
			return !slices.ContainsFunc(nodes, func(n *nodetest.Node) bool {
				return slices.ContainsFunc(n.Status(t.Context()).Partners, func(p node.PartnerStatus) bool { return p.Age < 0 || p.Age > 5 })
			})
		})
	}
}

// leave revokes a subject at home and waits until the host denies it: a message
// that a key in the token signed.
func leave(t *testing.T, ward *nodetest.Ward, subject string) {
	t.Helper()
	_, err := ward.Home.Revoke(t.Context(), ward.Home.Admin, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: subject, Reason: "left"})
	done(t, err)
	token := ward.Home.World.Token(ward.Issuer, subject, ward.Audience, nil)
	nodetest.Eventually(t, "the denial of "+subject, func() bool {
		return ward.Host.Decide(t.Context(), ward.Ask(token)).Reason == trust.SubjectRevoked
	})
}

func exchanged(t *testing.T, ward *nodetest.Ward, subject string) node.Issued {
	return ward.Host.Exchange(t.Context(), node.Exchange{
		Client: "pep", Subject: evidence.Proof{Kind: evidence.AccessToken, Token: ward.Home.World.Token(ward.Issuer, subject, ward.Audience, nil)}, Target: ward.Audience,
		Access: []evidence.Access{{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"}},
	})
}

func exchange(t *testing.T, ward *nodetest.Ward, subject string) string {
	t.Helper()
	issued := exchanged(t, ward, subject)
	if issued.Token == "" {
		t.Errorf("no credential: %+v", issued)
	}
	return issued.Token
}

func want(t *testing.T, ward *nodetest.Ward, token []byte, reason trust.Reason) {
	t.Helper()
	if a := ward.Host.Decide(t.Context(), ward.Ask(token)); a.Reason != reason {
		t.Errorf("the answer is %s, not %s", a.Reason, reason)
	}
}

// shakeHands speaks TLS with the certificate over a node's key in the token.
func shakeHands(t *testing.T, n *nodetest.Node) {
	t.Helper()
	certificate, err := n.Config.Keys.(*keyring.Keyring).TLSCertificate(n.ID)
	done(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(certificate.Leaf)
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	server := tls.Server(there, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13})
	ended := make(chan error, 1)
	go func() { ended <- server.HandshakeContext(t.Context()) }()
	client := tls.Client(here, &tls.Config{RootCAs: roots, ServerName: certificate.Leaf.DNSNames[0], MinVersion: tls.VersionTLS13, Time: n.Clock.Now})
	done(t, client.HandshakeContext(t.Context()))
	done(t, <-ended)
}
