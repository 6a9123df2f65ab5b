package denial_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/api/authzen"
	"github.com/entente-id/entente/demo/records"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/internal/spectest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/pep"
	"github.com/entente-id/entente/trust"
)

// template is a certificate before it is signed.
type template = x509.Certificate

// authority is a certificate that signs others, and its key.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// sign makes a certificate of a key; by the authority itself for nil.
func sign(t template, key crypto.Signer, by *authority) *x509.Certificate {
	t.SerialNumber = must(rand.Int(rand.Reader, big.NewInt(1<<60)))
	if t.NotBefore.IsZero() {
		t.NotBefore = time.Now().Add(-time.Minute)
	}
	if t.NotAfter.IsZero() {
		t.NotAfter = time.Now().Add(10 * time.Minute)
	}
	if by == nil {
		by = &authority{&t, key}
	}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, &t, by.certificate, key.Public(), by.key))))
}

func newEC(curve elliptic.Curve) crypto.Signer { return must(ecdsa.GenerateKey(curve, rand.Reader)) }

func newAuthority(by *authority, key crypto.Signer, change func(*template)) *authority {
	t := template{
		Subject: pkix.Name{CommonName: fmt.Sprint("authority ", serial.Add(1))}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	if change != nil {
		change(&t)
	}
	return &authority{sign(t, key, by), key}
}

// leaf is an X509-SVID of the authority's, changed.
func (a *authority) leaf(id string, change func(*template)) *x509.Certificate {
	t := template{KeyUsage: x509.KeyUsageDigitalSignature, URIs: []*url.URL{must(url.Parse(id))}}
	if change != nil {
		change(&t)
	}
	return sign(t, newEC(elliptic.P256()), a)
}

// domain is a SPIFFE trust domain: its authorities and the keys of its JWT-SVIDs.
type domain struct {
	w           *domains
	id          trust.IssuerID
	authorities []*authority
	signers     []*signer
}

func (d *domain) uri() string { return "https://spire." + d.id.String()[len("spiffe://"):] + "/bundle" }

func (d *domain) line() participant.Issuer {
	return participant.Issuer{
		Issuer: d.id, Bundle: &participant.BundleEndpoint{URI: d.uri(), Profile: participant.HTTPSWeb},
		Classes: []participant.ClassRule{{Class: trust.Workload, Path: "/ward/"}},
	}
}

// publish puts the bundle at its address; more are members beside the keys or in
// their place, or "more keys" one behind them.
func (d *domain) publish(sequence int, more object) {
	keys := []any{}
	for _, a := range d.authorities {
		o := jwkOf(must(jose.NewKey(a.certificate.PublicKey, jose.ES256, "")))
		o["use"], o["x5c"] = "x509-svid", []string{base64.StdEncoding.EncodeToString(a.certificate.Raw)}
		delete(o, "kid")
		keys = append(keys, o)
	}
	for _, s := range d.signers {
		o := jwkOf(s.key)
		o["use"] = "jwt-svid"
		keys = append(keys, o)
	}
	if extra, ok := more["more keys"]; ok {
		keys, more = append(keys, extra), nil
	}
	document := object{"keys": keys, "spiffe_sequence": sequence}
	for name, value := range more {
		put(document, name, value)
	}
	d.w.Publish(d.uri(), must(json.Marshal(document)))
}

func jwkOf(key jose.Key) object {
	o := object{}
	if err := json.Unmarshal(must(key.MarshalJSON()), &o); err != nil {
		panic(err)
	}
	return o
}

// domains is a world whose agreement accepts the workloads of trust domains.
type domains struct {
	*world
	prod, staging               *domain // of the home; the same kids
	withdrawn, unusable, unread *domain // of the home; nothing of them is trusted
	abroad                      *domain // of the third, without an agreement
	nobodys                     *domain // stated by nobody
	removed                     *signer // of prod, once
	limited                     *authority
}

func (w *domains) domain(name string) *domain {
	return &domain{
		w: w, id: must(trust.ParseIssuerID("spiffe://" + name)), authorities: []*authority{newAuthority(nil, newEC(elliptic.P256()), nil)},
		signers: []*signer{newSigner(jose.ES256, "key-ES256", false), newSigner(jose.RS256, "key-RS256", false), newSigner(jose.PS256, "key-PS256", false)},
	}
}

func newDomains(t *testing.T) *domains {
	t.Helper()
	w := &domains{world: &world{World: nodetest.NewWorld(t), fronts: map[evidence.Kind]http.Handler{}, answers: newAnswers()}}
	w.Configure = func(_ *nodetest.Node, c *node.Config) { c.Refresh = 50 * time.Millisecond }
	w.prod, w.staging, w.withdrawn = w.domain("prod.rxw.example"), w.domain("staging.rxw.example"), w.domain("withdrawn.rxw.example")
	w.unusable, w.unread = w.domain("unusable.rxw.example"), w.domain("unread.rxw.example")
	w.abroad, w.nobodys = w.domain("prod.rcb.example"), w.domain("prod.nobody.example")
	w.idp = w.issuer("https://idp.rxw.example", jose.ES256)
	w.found()
	w.accept()
	w.follow()
	w.open(t)
	return w
}

// found is world.found under a framework that knows workloads.
func (w *domains) found() {
	w.home = w.New("trust.rxw.example", nodetest.HomeRoles()...)
	w.host = w.New("trust.rje.example", nodetest.HostRoles()...)
	w.third = w.New("trust.rcb.example")
	rules := w.Rules(w.home, w.host)
	rules.Assurance.Attestation = []framework.Level{"none", "attested"}
	for _, d := range []*domain{w.prod, w.staging, w.withdrawn, w.unusable, w.unread, w.abroad} {
		rules.Assurance.Mapping = append(rules.Assurance.Mapping, framework.LevelRule{
			Claim: "iss", Equals: d.id.String(), Gives: map[framework.Ladder]framework.Level{framework.Attestation: "attested"},
		})
	}
	rules.Classes[trust.Workload] = framework.ClassRule{
		Needs: map[framework.Ladder]framework.Level{framework.Attestation: "attested"}, MaxTokenLifetime: 900, Tier: trust.Standard, ReviewEvery: 90 * 86400,
	}
	signed := w.Sign(rules, w.home, w.host)
	w.home.Adopt(signed)
	w.host.Adopt(signed)
	w.Introduce(w.home, w.host)
	w.Introduce(w.third, w.host)
	hash := framework.Hash(signed.Bytes)
	nodetest.Eventually(w.T, "the framework to reach the third", func() bool {
		_, ok := w.third.State().Framework.Pending(hash)
		return ok
	})
	check(w.T, w.third.AdoptFramework(w.T.Context(), w.third.Admin, hash))
}

const syncPolicy = nodetest.WardPolicy + `
@id("ward-sync")
permit (principal is Workload in Role::"ward-sync", action == Action::"read", resource is WardRecord)
when { context.purpose == "TREAT" };`

func (w *domains) accept() {
	stated := []*domain{w.prod, w.staging, w.withdrawn, w.unusable, w.unread}
	w.ward = w.Agree(w.home, w.host, []*nodetest.Issuer{w.idp.Issuer}, func(d *agreement.Document) {
		line := d.Accepts[0]
		line.Class, line.Roles, line.Issuers = trust.Workload, nil, nil
		for _, s := range stated {
			line.Issuers = append(line.Issuers, s.id)
		}
		d.Accepts = append(d.Accepts, line)
	})
	w.ward.Furnish()
	lines := []participant.Issuer{line(w.idp, nil)}
	for _, s := range stated {
		lines = append(lines, s.line())
	}
	declare(w.home, lines...)
	declare(w.third, w.abroad.line())
	m := w.ward.Mapping("ward-sync")
	m.From, m.To = mapping.From{Class: trust.Workload}, "ward-sync"
	ctx := w.T.Context()
	check(w.T, w.host.OfferMapping(ctx, w.host.Admin, m))
	check(w.T, w.host.ApproveMapping(ctx, w.host.Admin, "ward-sync"))
	_, err := w.host.ApplyPolicy(ctx, w.host.Admin, syncPolicy)
	check(w.T, err)
}

// follow lets the host see the bundles: one of prod that is replaced by a newer
// one and then comes back.
func (w *domains) follow() {
	w.removed = newSigner(jose.ES256, "key-removed", false)
	now := w.prod.signers
	w.prod.signers = append(slices.Clone(now), w.removed)
	w.limited = newAuthority(nil, newEC(elliptic.P256()), func(t *template) { t.MaxPathLenZero = true })
	w.prod.authorities = append(w.prod.authorities, w.limited)
	w.prod.publish(5, nil)
	w.staging.publish(0, object{"spiffe_sequence": absent})
	w.abroad.publish(1, nil)
	w.withdrawn.publish(1, object{"keys": []any{}})
	w.unusable.publish(1, object{"more keys": object{"use": "jwt-svid", "kty": "EC"}})
	seen := func(d *domain, sequence int64) bool {
		speaker, ok := w.host.State().Speaker(d.id.String())
		return ok && speaker.Bundle != nil && speaker.Bundle.Sequence() == sequence
	}
	nodetest.Eventually(w.T, "the bundles to be read", func() bool {
		return seen(w.prod, 5) && seen(w.staging, 0) && seen(w.abroad, 1) && seen(w.withdrawn, 1) && seen(w.unusable, 1)
	})
	w.prod.signers = now
	w.prod.publish(6, nil)
	nodetest.Eventually(w.T, "the newer bundle to be read", func() bool { return seen(w.prod, 6) })
	w.prod.signers = append(slices.Clone(now), w.removed)
	w.prod.publish(5, nil)
	w.prod.signers = now
	time.Sleep(200 * time.Millisecond) // some fetches, all refused
}

// open is world.furnish for SVIDs.
func (w *domains) open(t *testing.T) {
	t.Helper()
	w.point = must(w.host.AddEnforcementPoint(t.Context(), w.host.Admin, "pep"))
	w.ask = w.answers.hear(authzen.New(w.host.Node, "https://node.rje.example"))
	s := must(records.New(records.Config{Config: pep.Config{Node: w.socket(t), Credential: w.point}, Token: string(evidence.JWTSVID)}))
	w.fronts[evidence.JWTSVID] = s.Handler()
	w.console = spectest.Watch(t, admin.New(w.host.Node))
	_, credential, err := w.host.AddOperator(t.Context(), w.host.Admin, "auditor", []trust.Role{operator.Auditor})
	check(t, err)
	w.admin = credential
}

// form is what JWT-SVIDs of prod are like.
func (w *domains) form() form {
	f := w.world.form("", "jwt", "jose")
	f.signers, f.thumbprints = w.prod.signers, false
	return f
}

// good is a JWT-SVID that is in order.
func (w *domains) good() *draft {
	now := w.host.Now()
	s := w.prod.signers[0]
	return &draft{
		header: object{"alg": string(s.key.Alg()), "kid": s.key.KeyID(), "typ": "JWT"}, signer: s,
		claims: object{"iss": w.prod.id.String(), "sub": w.prod.id.String() + "/ward/sync", "aud": []any{w.ward.Audience}, "iat": now - 5, "exp": now + 400, "jti": fmt.Sprint(serial.Add(1))},
	}
}

func pemOf(chain ...*x509.Certificate) (text string) {
	for _, c := range chain {
		text += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return text
}

// uris are the URIs among a certificate's names, as they are written.
func uris(list ...string) asn1.RawContent {
	var names []asn1.RawValue
	for _, u := range list {
		names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(u)})
	}
	return must(asn1.Marshal(names))
}

func weakRSA() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 1024)) }
