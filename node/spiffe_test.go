package node_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/spiffe"
	"github.com/entente-id/entente/trust"
)

// trustDomain is a SPIFFE trust domain: an authority and a key for JWT-SVIDs.
type trustDomain struct {
	t    *testing.T
	w    *nodetest.World
	id   trust.IssuerID
	ca   *x509.Certificate
	key  *ecdsa.PrivateKey
	jwt  jose.Signer
	line participant.Issuer
}

func newTrustDomain(t *testing.T, w *nodetest.World, name string) *trustDomain {
	t.Helper()
	d := &trustDomain{t: t, w: w, key: newECKey(t)}
	var err error
	d.id, err = trust.ParseIssuerID("spiffe://" + name)
	done(t, err)
	d.jwt, err = jose.NewSigner(newECKey(t), "jwt-1")
	done(t, err)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, URIs: []*url.URL{{Scheme: "spiffe", Host: name}},
	}
	d.ca = d.sign(&template, &template, d.key)
	d.line = participant.Issuer{
		Issuer: d.id, Bundle: &participant.BundleEndpoint{URI: "https://spire." + name + "/bundle", Profile: participant.HTTPSWeb},
		Classes: []participant.ClassRule{{Class: trust.Workload, Path: "/ward/"}},
	}
	return d
}

func newECKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	done(t, err)
	return key
}

func (d *trustDomain) sign(c, parent *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	d.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, d.key)
	done(d.t, err)
	signed, err := x509.ParseCertificate(der)
	done(d.t, err)
	return signed
}

func (d *trustDomain) jwk(key jose.Key, with canonical.Object) canonical.Object {
	d.t.Helper()
	text, err := key.MarshalJSON()
	done(d.t, err)
	o, err := canonical.ParseObject(text)
	done(d.t, err)
	delete(o, "kid")
	for name, v := range with {
		o[name] = v
	}
	return o
}

func (d *trustDomain) authority() jose.Key {
	key, err := jose.NewKey(&d.key.PublicKey, jose.ES256, "")
	done(d.t, err)
	return key
}

// publish puts a bundle at the domain's address: its keys, or none.
func (d *trustDomain) publish(sequence int64, keys bool) {
	d.t.Helper()
	d.w.Publish(d.line.Bundle.URI, d.document(sequence, keys))
}

func (d *trustDomain) document(sequence int64, keys bool) []byte {
	d.t.Helper()
	o := canonical.Object{"keys": []any{}, "spiffe_sequence": sequence}
	if keys {
		o["keys"] = []any{
			d.jwk(d.authority(), canonical.Object{"use": "x509-svid", "x5c": []any{base64.StdEncoding.EncodeToString(d.ca.Raw)}}),
			d.jwk(d.jwt.Key(), canonical.Object{"use": "jwt-svid", "kid": "jwt-1"}),
		}
	}
	text, err := canonical.Marshal(o)
	done(d.t, err)
	return text
}

// x509SVID is a workload's certificate.
func (d *trustDomain) x509SVID(path string) *x509.Certificate {
	d.t.Helper()
	return d.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, URIs: []*url.URL{{Scheme: "spiffe", Host: strings.TrimPrefix(d.id.String(), "spiffe://"), Path: path}},
	}, d.ca, newECKey(d.t))
}

func (d *trustDomain) jwtSVID(path, audience string) []byte {
	d.t.Helper()
	now := time.Now().Unix()
	token, err := jose.Sign(d.jwt, "JWT", map[string]any{"sub": d.id.String() + path, "aud": []string{audience}, "iat": now, "exp": now + 3600})
	done(d.t, err)
	return []byte(token)
}

// fleet is a ward whose agreement accepts workloads of two trust domains beside
// its nurses.
type fleet struct {
	*nodetest.Ward
	prod, staging *trustDomain
}

const wardSync = nodetest.WardPolicy + `
@id("ward-sync")
permit (principal is Workload in Role::"ward-sync", action == Action::"read", resource is WardRecord)
when { context.purpose == "TREAT" };`

func newFleet(t *testing.T) fleet {
	t.Helper()
	w := nodetest.NewWorld(t)
	w.Configure = func(_ *nodetest.Node, c *node.Config) { c.Refresh = 20 * time.Millisecond }
	f := fleet{prod: newTrustDomain(t, w, "prod.rxw.example"), staging: newTrustDomain(t, w, "staging.rxw.example")}
	home, host := founded(t, w, func(d *framework.Document) {
		d.Assurance.Attestation = []framework.Level{"none", "attested"}
		for _, domain := range []*trustDomain{f.prod, f.staging} {
			d.Assurance.Mapping = append(d.Assurance.Mapping, framework.LevelRule{
				Claim: "iss", Equals: domain.id.String(), Gives: map[framework.Ladder]framework.Level{framework.Attestation: "attested"},
			})
		}
		tier := d.Tiers[trust.Standard]
		tier.MaxBundleAge = 120
		d.Tiers[trust.Standard] = tier
		d.Classes[trust.Workload] = framework.ClassRule{
			Needs: map[framework.Ladder]framework.Level{framework.Attestation: "attested"}, MaxTokenLifetime: 2 * 3600, Tier: trust.Standard, ReviewEvery: 90 * 86400,
		}
	})
	f.prod.publish(5, true)
	f.staging.publish(1, true)
	issuer := w.NewIssuer("https://idp." + home.ID.String()[len("https://"):])
	f.Ward = w.Agree(home, host, []*nodetest.Issuer{issuer}, func(d *agreement.Document) {
		line := d.Accepts[0]
		line.Class, line.Roles, line.Issuers = trust.Workload, nil, []trust.IssuerID{f.prod.id, f.staging.id}
		d.Accepts = append(d.Accepts, line)
	})
	f.Furnish()
	id, err := trust.ParseIssuerID(issuer.URL)
	done(t, err)
	declare(t, home, participant.Issuer{Issuer: id, JWKSURI: issuer.URL + "/jwks", Classes: []participant.ClassRule{{Class: trust.Human}}}, f.prod.line, f.staging.line)
	m := f.Mapping("ward-sync")
	m.From, m.To = mapping.From{Class: trust.Workload}, "ward-sync"
	done(t, host.OfferMapping(t.Context(), host.Admin, m))
	done(t, host.ApproveMapping(t.Context(), host.Admin, "ward-sync"))
	_, err = host.ApplyPolicy(t.Context(), host.Admin, wardSync)
	done(t, err)
	return f
}

// with asks with an SVID; certificate, which may be nil, is the one that the
// enforcement point saw.
func (f fleet) with(kind evidence.Kind, token []byte, certificate *x509.Certificate) node.Ask {
	ask := f.Ask(nil)
	ask.Evidence = []evidence.Proof{{Kind: kind, Token: token}}
	if certificate != nil {
		ask.Evidence[0].Shown = &evidence.Shown{Certificate: certificate.Raw}
	}
	return ask
}

func (f fleet) wait(t *testing.T, what string, ask node.Ask, reason trust.Reason) node.Answer {
	t.Helper()
	var a node.Answer
	nodetest.Eventually(t, what+" to be answered "+string(reason)+", not "+string(a.Reason), func() bool {
		a = answer(t, f.Host, ask)
		return a.Reason == reason
	})
	return a
}

// A workload proves by SVIDs who it is; when its trust domain says that nothing
// of it is to be trusted, nothing is, and nobody else notices (R15, R24, R44).
func TestWorkloadsBySVID(t *testing.T) {
	f := newFleet(t)
	leaf := f.prod.x509SVID("/ward/sync")
	x509SVID := f.with(evidence.X509SVID, leaf.Raw, leaf)
	jwtSVID := f.with(evidence.JWTSVID, f.prod.jwtSVID("/ward/sync", f.Audience), nil)
	other := f.with(evidence.JWTSVID, f.staging.jwtSVID("/ward/sync", f.Audience), nil)
	f.wait(t, "an X509-SVID", x509SVID, trust.Permit)
	permit := f.wait(t, "a JWT-SVID", jwtSVID, trust.Permit)
	f.wait(t, "another domain's", other, trust.Permit)
	e, err := f.Host.Explain(t.Context(), f.Host.Admin, permit.Reference)
	done(t, err)
	if !e.Permit || e.Checks[1].Text == "" || !strings.Contains(e.Checks[1].Text, "JWT-SVID") {
		t.Errorf("explained as %+v", e.Checks)
	}

	stranger := f.prod.x509SVID("/ward/sync")
	for what, c := range map[string]struct {
		ask  node.Ask
		want trust.Reason
	}{
		"nothing shown":              {f.with(evidence.X509SVID, leaf.Raw, nil), trust.ProofMissing},
		"another certificate shown":  {f.with(evidence.X509SVID, leaf.Raw, stranger), trust.ProofKey},
		"an audience of nobody here": {f.with(evidence.JWTSVID, f.prod.jwtSVID("/ward/sync", "https://x.example"), nil), trust.AudienceForeign},
		"a path of no class":         {f.with(evidence.JWTSVID, f.prod.jwtSVID("/wards/sync", f.Audience), nil), trust.Unclassified},
		"a JWT-SVID as an ID token":  {f.with(evidence.IDToken, f.prod.jwtSVID("/ward/sync", f.Audience), nil), trust.EvidenceMalformed},
	} {
		if got := answer(t, f.Host, c.ask).Reason; got != c.want {
			t.Errorf("%s: %s, expected %s", what, got, c.want)
		}
	}

	f.prod.publish(6, false)
	denied := f.wait(t, "an X509-SVID", x509SVID, trust.UntrustedDomain)
	f.wait(t, "a JWT-SVID", jwtSVID, trust.UntrustedDomain)
	f.wait(t, "another domain's", other, trust.Permit)
	want(t, f.Ward, nurse(f.Ward, "nurse-1"), trust.Permit)
	e, err = f.Host.Explain(t.Context(), f.Host.Admin, denied.Reference)
	done(t, err)
	if e.Permit || !strings.Contains(e.Checks[1].Text, f.prod.id.String()) {
		t.Errorf("explained as %+v", e.Checks)
	}
	f.prod.publish(7, true)
	f.wait(t, "an X509-SVID", x509SVID, trust.Permit)
}

// An older bundle is refused; what is not read again within the tier's bound
// counts no longer, in the trust domain that it concerns (R78).
func TestAStaleBundle(t *testing.T) {
	f := newFleet(t)
	svid := f.with(evidence.JWTSVID, f.prod.jwtSVID("/ward/sync", f.Audience), nil)
	other := f.with(evidence.JWTSVID, f.staging.jwtSVID("/ward/sync", f.Audience), nil)
	f.wait(t, "an SVID", svid, trust.Permit)
	f.wait(t, "another domain's", other, trust.Permit)
	f.prod.publish(4, true)
	time.Sleep(100 * time.Millisecond) // some fetches, all refused
	if got := answer(t, f.Host, svid).Reason; got != trust.Permit {
		t.Errorf("at once: %s", got)
	}
	f.Host.Clock.Shift(100 * time.Second)
	f.wait(t, "an SVID", svid, trust.Permit)
	f.Host.Clock.Shift(121 * time.Second)
	f.wait(t, "an SVID", svid, trust.BundleStale)
	f.wait(t, "another domain's", other, trust.Permit)
	f.prod.publish(5, true)
	f.wait(t, "an SVID", svid, trust.Permit)
}

// What a certificate stands on may be revoked: its authority, its own key, and
// the workload.
func TestRevokedSVIDs(t *testing.T) {
	f := newFleet(t)
	leaf := f.prod.x509SVID("/ward/sync")
	x509SVID := f.with(evidence.X509SVID, leaf.Raw, leaf)
	second := f.prod.x509SVID("/ward/sync")
	again := f.with(evidence.X509SVID, second.Raw, second)
	jwtSVID := f.with(evidence.JWTSVID, f.prod.jwtSVID("/ward/sync", f.Audience), nil)
	f.wait(t, "an X509-SVID", x509SVID, trust.Permit)
	f.wait(t, "a JWT-SVID", jwtSVID, trust.Permit)
	own, err := jose.NewKey(leaf.PublicKey, jose.ES256, "")
	done(t, err)
	key := func(name string) node.RevokeRequest {
		return node.RevokeRequest{Kind: revocation.Key, Issuer: f.prod.id.String(), KeyID: name, Reason: "leaked"}
	}
	revokeAt(t, f.Home, key(own.Thumbprint()))
	f.wait(t, "the workload's key", x509SVID, trust.KeyRevoked)
	f.wait(t, "its next key", again, trust.Permit)
	revokeAt(t, f.Home, key(f.prod.authority().Thumbprint()))
	f.wait(t, "its next key", again, trust.KeyRevoked)
	f.wait(t, "a JWT-SVID", jwtSVID, trust.Permit)
	revokeAt(t, f.Home, node.RevokeRequest{Kind: revocation.Subject, Issuer: f.prod.id.String(), Subject: f.prod.id.String() + "/ward/sync", Reason: "retired"})
	f.wait(t, "a JWT-SVID", jwtSVID, trust.SubjectRevoked)
	if _, err := f.Home.Revoke(t.Context(), f.Home.Admin, key("jwt-9")); trust.KindOf(err) != trust.NotFound {
		t.Errorf("a key that is none: %v", err)
	}
}

// An endpoint of the profile https_spiffe proves itself by the last bundle that
// is known of its own trust domain. The first is given by an operator, and counts
// for nothing else until it was read there.
func TestABundleEndpointBySVID(t *testing.T) {
	f := newFleet(t)
	other := f.with(evidence.JWTSVID, f.prod.jwtSVID("/ward/sync", f.Audience), nil)
	svid := f.with(evidence.JWTSVID, f.staging.jwtSVID("/ward/sync", f.Audience), nil)
	f.wait(t, "an SVID", svid, trust.Permit)
	stating := func(name string) {
		t.Helper()
		f.staging.line.Bundle = &participant.BundleEndpoint{
			URI: "https://spire.staging.rxw.example/" + name, Profile: participant.HTTPSSPIFFE, EndpointID: f.staging.id.String() + "/spire/server",
		}
		d := participant.Document{Kind: "Participant", ID: f.Home.ID, Issuers: []participant.Issuer{f.prod.line, f.staging.line}}
		for _, i := range f.Home.State().Participant.Declared() {
			if !i.Issuer.TrustDomain() {
				d.Issuers = append(d.Issuers, i)
			}
		}
		done(t, f.Home.Declare(t.Context(), f.Home.Admin, d))
	}
	// The domain withdraws its keys: no endpoint can prove itself by that.
	f.staging.publish(2, false)
	f.wait(t, "an SVID", svid, trust.UntrustedDomain)
	stating("by-svid")
	f.staging.publish(3, true)
	server := f.staging.x509SVID("/spire/server")
	f.Host.World.Show(f.staging.line.Bundle.URI, server)
	time.Sleep(100 * time.Millisecond)
	if got := answer(t, f.Host, svid).Reason; got != trust.UntrustedDomain {
		t.Errorf("before a bundle is given: %s", got)
	}
	give := func(n *nodetest.Node, who node.Actor, sequence int64) error {
		return n.GiveBundle(t.Context(), who, f.staging.id, f.staging.document(sequence, true))
	}
	if err := give(f.Host, node.Actor{ID: "somebody"}, 3); trust.KindOf(err) != trust.Denied {
		t.Errorf("given by one who is no admin: %v", err)
	}
	if err := f.Host.GiveBundle(t.Context(), f.Host.Admin, f.prod.id, f.prod.document(9, true)); trust.KindOf(err) != trust.Conflict {
		t.Errorf("given for an endpoint of the web: %v", err)
	}
	// Whoever else stands at the address is not believed.
	f.Host.World.Show(f.staging.line.Bundle.URI, f.staging.x509SVID("/spire/agent"))
	done(t, give(f.Host, f.Host.Admin, 3))
	time.Sleep(100 * time.Millisecond)
	if got := answer(t, f.Host, svid).Reason; got != trust.BundleStale {
		t.Errorf("given, and read nowhere: %s", got)
	}
	f.Host.World.Show(f.staging.line.Bundle.URI, f.prod.x509SVID("/spire/server"))
	time.Sleep(100 * time.Millisecond)
	if got := answer(t, f.Host, svid).Reason; got != trust.BundleStale {
		t.Errorf("read from another trust domain's server: %s", got)
	}
	f.Host.World.Show(f.staging.line.Bundle.URI, server)
	f.wait(t, "an SVID", svid, trust.Permit)
	f.wait(t, "another domain's", other, trust.Permit)
	// An authority that it adds there may vouch for the endpoint from then on.
	f.staging.publish(4, true)
	f.wait(t, "an SVID", svid, trust.Permit)
}

// A node publishes the bundles of its own trust domains while it knows them to
// be current.
func TestPublishedBundle(t *testing.T) {
	f := newFleet(t)
	var published []byte
	nodetest.Eventually(t, "the bundle to be published", func() bool {
		var err error
		published, err = f.Home.PublishedBundle(f.prod.id)
		return err == nil
	})
	read, err := spiffe.ParseBundle(f.prod.id, published)
	done(t, err)
	if read.Sequence() != 5 || read.RefreshHint() < 1 || read.Authorities() != 1 || len(read.Keys().Keys()) != 1 {
		t.Errorf("published %s", published)
	}
	if _, err := f.Host.PublishedBundle(f.prod.id); trust.KindOf(err) != trust.NotFound {
		t.Errorf("a partner's bundle: %v", err)
	}
	// It withdraws its keys under a sequence of its own that fell: ours does not.
	f.prod.publish(1, false)
	nodetest.Eventually(t, "the empty bundle to be published", func() bool {
		published, err = f.Home.PublishedBundle(f.prod.id)
		read, err = spiffe.ParseBundle(f.prod.id, published)
		return err == nil && read.Empty()
	})
	if read.Sequence() != 6 {
		t.Errorf("published %s", published)
	}
	f.prod.publish(2, true) // refused, and so what is known grows old
	f.Home.Clock.Shift(121 * time.Second)
	nodetest.Eventually(t, "an old bundle to be held back", func() bool {
		_, err := f.Home.PublishedBundle(f.prod.id)
		return trust.KindOf(err) == trust.Unavailable
	})
}
