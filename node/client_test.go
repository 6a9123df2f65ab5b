package node_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// enroll makes ward-app a client of the ward's home at its host.
func enroll(t *testing.T, ward *nodetest.Ward, m client.Means) {
	t.Helper()
	done(t, ward.Host.AddClient(t.Context(), ward.Host.Admin, client.Document{
		Kind: "Client", ID: "ward-app", Participant: ward.Home.ID, Services: []string{"ward-records"}, Means: m,
	}))
}

// keyed registers ward-app with a key.
func keyed(t *testing.T, ward *nodetest.Ward) jose.Signer {
	t.Helper()
	signer, means := clientKey(t, "k1")
	enroll(t, ward, means)
	return signer
}

func clientKey(t *testing.T, kid string) (jose.Signer, client.Means) {
	t.Helper()
	signer, err := jose.NewSigner(newECKey(t), kid)
	done(t, err)
	keys, err := jose.NewKeySet(signer.Key())
	done(t, err)
	return signer, client.Means{Keys: keys}
}

// assertion is what ward-app shows of itself.
func assertion(t *testing.T, ward *nodetest.Ward, signer jose.Signer, jti string) node.ClientProof {
	t.Helper()
	now := ward.Host.Now()
	token, err := jose.Sign(signer, "client-authentication+jwt", map[string]any{
		"iss": "ward-app", "sub": "ward-app", "aud": ward.Host.ID.String(), "iat": now, "exp": now + 60, "jti": jti,
	})
	done(t, err)
	return node.ClientProof{Type: evidence.JWTAssertion, Assertion: []byte(token)}
}

// letIn expects the client ward-app, or nobody.
func letIn(t *testing.T, n *nodetest.Node, p node.ClientProof, want bool) {
	t.Helper()
	id, ok := n.Client(t.Context(), p)
	if ok != want || want && id != "ward-app" || !ok && id != "" {
		t.Errorf("let in %q, %v; want %v", id, ok, want)
	}
}

func TestAClientByKey(t *testing.T) {
	ward := wardOf(t, nil)
	signer := keyed(t, ward)
	before := len(entries(t, ward.Host, "decisions", ""))
	letIn(t, ward.Host, assertion(t, ward, signer, "a"), true)
	if after := entries(t, ward.Host, "decisions", ""); len(after) != before+1 || after[before].Kind != "client.authenticated/v1" {
		t.Errorf("the entries are %+v", after)
	}
	stranger, _ := clientKey(t, "k1")
	letIn(t, ward.Host, assertion(t, ward, stranger, "b"), false)
	wrong := assertion(t, ward, signer, "c")
	wrong.Type = evidence.SPIFFEAssertion
	letIn(t, ward.Host, wrong, false)
	wrong.Type = ""
	letIn(t, ward.Host, wrong, false)
	letIn(t, ward.Host, node.ClientProof{ID: "ward-app"}, false)
	letIn(t, ward.Host, node.ClientProof{ID: "ward-app", Type: evidence.JWTAssertion}, false)
	ward.Host.Stop()
	_, err := verify(t, data(ward.Host), nil)
	done(t, err)
}

// A value is used up by one of many, and stays used up over a start (R13).
func TestAClientsAssertionIsUsedOnce(t *testing.T) {
	ward := wardOf(t, nil)
	signer := keyed(t, ward)
	p := assertion(t, ward, signer, "a")
	var wait sync.WaitGroup
	var mu sync.Mutex
	in := 0
	for range 32 {
		wait.Go(func() {
			if _, ok := ward.Host.Client(t.Context(), p); ok {
				mu.Lock()
				in++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if in != 1 {
		t.Errorf("%d of 32 were let in", in)
	}
	ward.Host.Stop()
	ward.Host.Start()
	letIn(t, ward.Host, p, false)
	letIn(t, ward.Host, assertion(t, ward, signer, "a"), false)
	letIn(t, ward.Host, assertion(t, ward, signer, "b"), true)
}

// What a client had counts no more at the next request, and what was issued to
// one that has ended has ended too (R34).
func TestAClientChangesAndEnds(t *testing.T) {
	ward := wardOf(t, nil)
	first := keyed(t, ward)
	second, means := clientKey(t, "k2")
	letIn(t, ward.Host, assertion(t, ward, first, "a"), true)
	done(t, ward.Host.RenewClient(t.Context(), ward.Host.Admin, "ward-app", means))
	letIn(t, ward.Host, assertion(t, ward, first, "b"), false)
	letIn(t, ward.Host, assertion(t, ward, second, "c"), true)

	r := order(ward, nurse(ward, "n-1"))
	r.Client = "ward-app"
	issued := exchange(t, ward, r)
	own := exchange(t, ward, order(ward, nurse(ward, "n-1")))
	if id := claimsOf(t, issued.Token)["client_id"]; id != "ward-app" {
		t.Errorf("client_id is %v", id)
	}
	want(t, ward, []byte(issued.Token), trust.Permit)
	want(t, ward, []byte(issued.Token), trust.Permit)
	if !active(t, ward, "ward-app", issued.Token) || !active(t, ward, "pep", issued.Token) {
		t.Error("inactive")
	}
	if active(t, ward, "ward-app", own.Token) {
		t.Error("a client is told of another's credential")
	}
	done(t, ward.Host.GiveBack(t.Context(), "ward-app", []byte(own.Token)))
	want(t, ward, []byte(own.Token), trust.Permit)

	done(t, ward.Host.EndClient(t.Context(), ward.Host.Admin, "ward-app"))
	letIn(t, ward.Host, assertion(t, ward, second, "d"), false)
	want(t, ward, []byte(issued.Token), trust.ClientEnded)
	want(t, ward, []byte(own.Token), trust.Permit)
	if active(t, ward, "pep", issued.Token) || active(t, ward, "ward-app", issued.Token) {
		t.Error("active after its client has ended")
	}
	refusedExchange(t, ward, r, node.BadTarget, trust.AudienceOtherService)
	refused(t, "registering it again", ward.Host.AddClient(t.Context(), ward.Host.Admin, client.Document{
		Kind: "Client", ID: "ward-app", Participant: ward.Home.ID, Services: []string{"ward-records"}, Means: means,
	}), trust.Conflict)
	_, err := ward.Host.AddEnforcementPoint(t.Context(), ward.Host.Admin, "ward-app")
	refused(t, "an enforcement point of its name", err, trust.Conflict)
}

// A client of a partner asks for its own participant's people, at a service that
// it was registered for, while that participant is not suspended.
func TestWhatAClientMayAskFor(t *testing.T) {
	ward := wardOf(t, nil)
	signer := keyed(t, ward)
	r := order(ward, nurse(ward, "n-1"))
	r.Client = "ward-app"
	exchange(t, ward, r)
	r.Target = "https://pharmacy.rje.example"
	refusedExchange(t, ward, r, node.BadTarget, trust.AudienceOtherService)
	letIn(t, ward.Host, assertion(t, ward, signer, "a"), true)
	done(t, ward.Host.SuspendParticipant(t.Context(), ward.Host.Admin, ward.Home.ID, "odd queries"))
	letIn(t, ward.Host, assertion(t, ward, signer, "b"), false)
}

func certificate(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	done(t, err)
	return der
}

func TestAClientByCertificate(t *testing.T) {
	ward := wardOf(t, nil)
	der, other := certificate(t, newECKey(t)), certificate(t, newECKey(t))
	c, err := client.ReadCertificate(der)
	done(t, err)
	enroll(t, ward, client.Means{Certificates: []string{c.Thumbprint}})
	letIn(t, ward.Host, node.ClientProof{ID: "ward-app", Certificates: [][]byte{der}}, true)
	letIn(t, ward.Host, node.ClientProof{ID: "ward-app", Certificates: [][]byte{der}}, true) // the handshake is its own single use
	letIn(t, ward.Host, node.ClientProof{ID: "ward-app", Certificates: [][]byte{other, der}}, false)
	letIn(t, ward.Host, node.ClientProof{Certificates: [][]byte{der}}, false)
	letIn(t, ward.Host, node.ClientProof{ID: "pep", Certificates: [][]byte{der}}, false)
}

// A client is who its SVID says, by its participant's own bundle alone, and only
// to us (draft-ietf-oauth-spiffe-client-auth).
func TestAClientBySVID(t *testing.T) {
	f := newFleet(t)
	enroll(t, f.Ward, client.Means{SPIFFEID: f.prod.id.String() + "/ward/sync"})
	f.wait(t, "the bundle", f.with(evidence.JWTSVID, f.prod.jwtSVID("/ward/sync", f.Audience), nil), trust.Permit)
	f.wait(t, "the other bundle", f.with(evidence.JWTSVID, f.staging.jwtSVID("/ward/sync", f.Audience), nil), trust.Permit)
	us := f.Host.ID.String()
	jwt := func(d *trustDomain, path, audience string) node.ClientProof {
		return node.ClientProof{Type: evidence.SPIFFEAssertion, Assertion: d.jwtSVID(path, audience)}
	}
	x509SVID := func(id, path string) node.ClientProof {
		return node.ClientProof{ID: id, Certificates: [][]byte{f.prod.x509SVID(path).Raw}}
	}
	named := jwt(f.prod, "/ward/sync", us)
	named.ID = "ward-app"
	misnamed := jwt(f.prod, "/ward/sync", us)
	misnamed.ID = "pep"
	asKey := jwt(f.prod, "/ward/sync", us)
	asKey.Type = evidence.JWTAssertion
	for _, tt := range []struct {
		name string
		p    node.ClientProof
		want bool
	}{
		{"a JWT-SVID", jwt(f.prod, "/ward/sync", us), true},
		{"a JWT-SVID and client_id", named, true},
		{"a JWT-SVID and another client_id", misnamed, false},
		{"another workload", jwt(f.prod, "/ward/other", us), false},
		{"another trust domain", jwt(f.staging, "/ward/sync", us), false},
		{"another audience", jwt(f.prod, "/ward/sync", f.Audience), false},
		{"the wrong type", asKey, false},
		{"an X509-SVID", x509SVID("ward-app", "/ward/sync"), true},
		{"another workload's X509-SVID", x509SVID("ward-app", "/ward/other"), false},
		{"an X509-SVID without client_id", x509SVID("", "/ward/sync"), false},
	} {
		if id, ok := f.Host.Client(t.Context(), tt.p); ok != tt.want {
			t.Errorf("%s: let in %q, %v", tt.name, id, ok)
		}
	}
	f.prod.publish(4, true) // an older one, which is refused: what is known grows old
	f.Host.Clock.Shift(901 * time.Second)
	nodetest.Eventually(t, "the bundle to grow old", func() bool {
		_, ok := f.Host.Client(t.Context(), x509SVID("ward-app", "/ward/sync"))
		return !ok
	})
	f.prod.publish(6, true)
	nodetest.Eventually(t, "a new bundle", func() bool {
		_, ok := f.Host.Client(t.Context(), x509SVID("ward-app", "/ward/sync"))
		return ok
	})
	key, err := jose.NewKey(&f.prod.key.PublicKey, jose.ES256, "")
	done(t, err)
	revokeAt(t, f.Host, node.RevokeRequest{Kind: revocation.Key, Issuer: f.prod.id.String(), KeyID: key.Thumbprint(), Reason: "leaked"})
	letIn(t, f.Host, x509SVID("ward-app", "/ward/sync"), false)
	letIn(t, f.Host, jwt(f.prod, "/ward/sync", us), true)
}
