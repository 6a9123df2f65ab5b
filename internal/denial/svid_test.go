package denial_test

import (
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// A JWT-SVID is held to every rule of a token, and to those of its trust domain.
func TestSVIDs(t *testing.T) {
	w := newDomains(t)
	var asked tally
	if reason, err := w.decided(evidence.JWTSVID, w.good().token()); reason != trust.Permit {
		t.Fatalf("the good JWT-SVID is denied: %s (%v)", reason, err)
	}
	uniform, _ := w.called(evidence.JWTSVID, "rubbish")
	each(t, slices.Concat(joseCases(w.form()), w.subjectCases(), w.timesOfSVIDs(), claimCases([]string{"aud"}, []string{"iat", "exp"}, []string{"nbf"}),
		audienceCases(w.ward.Audience, trust.AudienceForeign), w.domainCases()), func(s spoil) {
		d := w.good()
		s.do(d)
		w.try(t, &asked, evidence.JWTSVID, s, d.token(), uniform)
	})
	if testing.Short() && t.Failed() {
		return
	}
	w.certificates(t, &asked)
	for what, c := range map[string]struct {
		kind evidence.Kind
		d    *draft
		want trust.Reason
	}{
		"as an ID token":      {evidence.IDToken, w.good(), trust.UnknownIssuer},
		"as an access token":  {evidence.AccessToken, w.good(), trust.UnknownIssuer},
		"as certificates":     {evidence.X509SVID, w.good(), trust.EvidenceMalformed},
		"without iss":         {evidence.IDToken, w.spoiled(func(d *draft) { delete(d.claims, "iss") }), trust.EvidenceMalformed},
		"an ID token as SVID": {evidence.JWTSVID, w.spoiled(func(d *draft) { d.claims["iss"], d.claims["sub"] = w.idp.URL, "nurse-1" }), trust.EvidenceMalformed},
	} {
		asked.one("evaluation")
		if reason, err := w.decided(c.kind, c.d.token()); reason != c.want {
			t.Errorf("a JWT-SVID %s gives %s (%v), want %s", what, reason, err, c.want)
		}
	}
	if reason, err := w.decided(evidence.JWTSVID, w.good().token()); reason != trust.Permit {
		t.Errorf("the good JWT-SVID is denied afterwards: %s (%v)", reason, err)
	}
	if !testing.Short() || !t.Failed() {
		w.stale(t)
	}
	asked.report(t)
}

func (w *domains) spoiled(do func(*draft)) *draft {
	d := w.good()
	do(d)
	return d
}

// stale: the bundle of prod, of which the host sees only an old one, was not read
// for too long; that of staging was.
func (w *domains) stale(t *testing.T) {
	t.Helper()
	w.host.Clock.Shift(901 * time.Second)
	for d, want := range map[*domain]trust.Reason{w.prod: trust.BundleStale, w.staging: trust.Permit} {
		nodetest.Eventually(t, d.id.String()+" to be answered "+string(want), func() bool {
			good := w.spoiled(func(p *draft) {
				p.claims["sub"], p.signer = d.id.String()+"/ward/sync", d.signers[0]
			})
			reason, err := w.decided(evidence.JWTSVID, good.token())
			return err == nil && reason == want
		})
	}
}

// subjectCases: sub is a SPIFFE ID with a path, character by character, and its
// trust domain is the issuer.
func (w *domains) subjectCases() []spoil {
	c := cases{rule: "missing claim means unchecked"}
	for shape, value := range shapes {
		c.add("sub is "+shape, trust.EvidenceMalformed, func(d *draft) { put(d.claims, "sub", value) })
	}
	for shape, value := range textShapes {
		c.add("sub is "+shape, trust.EvidenceMalformed, func(d *draft) { d.claims["sub"] = value })
	}
	c.rule = "loose matching: SPIFFE ID"
	const id = "spiffe://prod.rxw.example/ward/sync"
	for how, sub := range map[string]string{
		"no scheme": "prod.rxw.example/ward/sync", "https": "https://prod.rxw.example/ward/sync", "scheme in capitals": "SPIFFE://prod.rxw.example/ward/sync", "one slash": "spiffe:/prod.rxw.example/ward/sync",
		"domain in capitals": "spiffe://PROD.rxw.example/ward/sync", "a port": "spiffe://prod.rxw.example:443/ward/sync", "a user": "spiffe://u@prod.rxw.example/ward/sync", "an empty domain": "spiffe:///ward/sync",
		"no path": "spiffe://prod.rxw.example", "a slash alone": "spiffe://prod.rxw.example/", "a trailing slash": id + "/", "an empty segment": "spiffe://prod.rxw.example//ward/sync",
		"a dot segment": "spiffe://prod.rxw.example/./ward/sync", "a parent": "spiffe://prod.rxw.example/x/../ward/sync", "percent": "spiffe://prod.rxw.example/ward%2fsync", "percent in the domain": "spiffe://prod%2erxw.example/ward/sync",
		"a query": id + "?a=b", "an empty query": id + "?", "a fragment": id + "#", "a space": id + " ", "a space before": " " + id, "NUL": id + "\x00", "a line feed": id + "\n", "a letter of another script": "spiffe://prod.rxw.example/w\u0430rd/sync",
		"a back slash": `spiffe://prod.rxw.example\ward\sync`, "a star": "spiffe://prod.rxw.example/ward/*", "2049 bytes": id + "/" + strings.Repeat("a", 2048-len(id)), "a colon": "spiffe://prod.rxw.example/ward:sync",
	} {
		c.add(how, trust.EvidenceMalformed, func(d *draft) { d.claims["sub"] = sub })
	}
	for how, domain := range map[string]string{
		"nobody's": "prod.nobody.example", "below it": "x.prod.rxw.example", "above it": "rxw.example", "longer": "prod.rxw.examplex", "shorter": "prod.rxw.exampl", "within another": "prod.rxw.example.evil.example",
		"with a dot": "prod.rxw.example.", "an underscore": "prod_rxw.example",
	} {
		c.add("a domain "+how, trust.UnknownIssuer, func(d *draft) { d.claims["sub"] = "spiffe://" + domain + "/ward/sync" })
	}
	c.rule = "unclassified callers"
	for how, path := range map[string]string{"the folder itself": "/ward", "a sibling": "/wards/sync", "in capitals": "/WARD/sync", "below another": "/x/ward/sync", "none of it": "/sync"} {
		c.add("path "+how, trust.Unclassified, func(d *draft) { d.claims["sub"] = w.prod.id.String() + path })
	}
	c.add("control: deeper", "", func(d *draft) { d.claims["sub"] = id + "/2" })
	c.add("control: 2048 bytes", "", func(d *draft) { d.claims["sub"] = id + "/" + strings.Repeat("a", 2047-len(id)) })
	for how, iss := range map[string]any{"another domain": w.staging.id.String(), "an issuer": w.idp.URL, "null": nil, "a number": 1, "empty": ""} {
		c.add("control: iss is "+how, "", func(d *draft) { d.claims["iss"] = iss })
	}
	return c.all
}

// timesOfSVIDs leaves out when a person signed in, which no workload does.
func (w *domains) timesOfSVIDs() []spoil {
	return slices.DeleteFunc(timeCases(w.host.Now), func(s spoil) bool { return strings.HasPrefix(s.name, "signed in") })
}

// domainCases: trust is per trust domain; its newest bundle alone counts, and an
// empty or unusable one is the end of it (R44).
func (w *domains) domainCases() []spoil {
	c := cases{rule: "pooled keys"}
	of := func(d *domain, s *signer) func(*draft) {
		return func(p *draft) {
			p.claims["sub"], p.header["alg"], p.header["kid"], p.signer = d.id.String()+"/ward/sync", string(s.key.Alg()), s.key.KeyID(), s
		}
	}
	c.add("control: another domain, same kid", "", of(w.staging, w.staging.signers[0]))
	for i, own := range w.prod.signers {
		c.add("another domain's key "+own.key.KeyID(), badUnless(own, w.staging.signers[i]), func(d *draft) {
			d.header["alg"], d.header["kid"], d.signer = string(own.key.Alg()), own.key.KeyID(), w.staging.signers[i]
		})
	}
	c.add("our key in another domain", trust.BadSignature, func(d *draft) { d.claims["sub"] = w.staging.id.String() + "/ward/sync" })
	c.add("a key of a participant's issuer", trust.BadSignature, func(d *draft) { d.signer = w.idp.signers[0] })
	c.add("a domain that nobody states, by its own key", trust.UnknownIssuer, of(w.nobodys, w.nobodys.signers[0]))
	c.add("a participant without an agreement", trust.NoAgreement, of(w.abroad, w.abroad.signers[0]))
	a := w.prod.authorities[0]
	for how, kid := range map[string]any{"without a kid": absent, "under its thumbprint": must(jose.NewKey(a.certificate.PublicKey, jose.ES256, "")).Thumbprint(), "under a key's kid": "key-ES256"} {
		want := trust.UnknownKey
		if kid == "key-ES256" {
			want = trust.BadSignature
		}
		c.add("an authority's key "+how, want, func(d *draft) {
			put(d.header, "kid", kid)
			d.sign = func(in []byte) []byte { return signAs("ES256", a.key, in) }
		})
	}
	c.rule = "removed key stays valid"
	c.add("a key of the bundle before, which came back under its sequence", trust.UnknownKey, of(w.prod, w.removed))
	c.rule = "an empty bundle is the end"
	for how, d := range map[string]*domain{"withdrawn": w.withdrawn, "unusable": w.unusable, "never read": w.unread} {
		c.add("a domain "+how, trust.UntrustedDomain, of(d, d.signers[0]))
	}
	return c.all
}

// badUnless is BadSignature but for keys that are one (the RSA keys here are).
func badUnless(a, b *signer) trust.Reason {
	if a.key.Thumbprint() == b.key.Thumbprint() {
		return ""
	}
	return trust.BadSignature
}

// credential is an X509-SVID and what the enforcement point saw of the caller.
type credential struct {
	text  string
	shown *x509.Certificate
}

// certificates takes X509-SVIDs along the paths that know what was shown.
func (w *domains) certificates(t *testing.T, asked *tally) {
	t.Helper()
	work := w.certificateCases()
	all := make([]spoil, 0, len(work))
	for name := range work {
		all = append(all, spoil{name: name})
	}
	each(t, all, func(s spoil) {
		c := work[s.name]
		q := question(evidence.X509SVID, c.text)
		if c.shown != nil {
			q["context"].(object)["proof"] = object{"x5c": base64.StdEncoding.EncodeToString(c.shown.Raw)}
		}
		for path, ask := range map[string]func([]byte) (trust.Reason, error){"evaluation": w.decides, "explanation": w.explains} {
			asked.one(path)
			if reason, err := ask(must(json.Marshal(q))); reason != c.want {
				t.Errorf("X509-SVID: %s: %s gives %q (%v), want %s", s.name, path, reason, err, c.want)
			}
		}
	})
}

type certificateCase struct {
	credential
	want trust.Reason
}

// certificateCases are the rules of X509-SVIDs and of what they stand on.
func (w *domains) certificateCases() map[string]certificateCase {
	const id = "spiffe://prod.rxw.example/ward/sync"
	all := map[string]certificateCase{}
	root, stranger := w.prod.authorities[0], newAuthority(nil, newEC(elliptic.P256()), nil)
	add := func(name string, want trust.Reason, chain ...*x509.Certificate) {
		all[name] = certificateCase{credential{pemOf(chain...), chain[0]}, want}
	}
	one := func(name string, want trust.Reason, change func(*template)) { add(name, want, root.leaf(id, change)) }
	through := func(name string, want trust.Reason, a *authority) { add(name, want, a.leaf(id, nil), a.certificate) }
	under := func(name string, want trust.Reason, change func(*template)) {
		through(name, want, newAuthority(root, newEC(elliptic.P256()), change))
	}
	raw := func(list ...string) func(*template) {
		return func(t *template) {
			t.URIs = nil
			t.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: uris(list...)}}
		}
	}
	usage := func(bits byte, critical bool) func(*template) {
		return func(t *template) {
			t.KeyUsage = 0
			t.ExtraExtensions = []pkix.Extension{{
				Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: critical, Value: must(asn1.Marshal(asn1.BitString{Bytes: []byte{bits}, BitLength: 8})),
			}}
		}
	}
	span := func(from, to time.Duration) func(*template) {
		return func(t *template) { t.NotBefore, t.NotAfter = time.Now().Add(from), time.Now().Add(to) }
	}

	one("control", trust.Permit, nil)
	under("control: an intermediate", trust.Permit, nil)
	one("control: a common name is nothing", trust.Permit, func(t *template) { t.Subject.CommonName = "spiffe://prod.rxw.example/admin" })
	one("control: for clients", trust.Permit, func(t *template) { t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })

	// Its name.
	one("no URI, the ID as common name", trust.EvidenceMalformed, func(t *template) { t.URIs, t.Subject.CommonName = nil, id })
	one("no URI, the ID as DNS name", trust.EvidenceMalformed, func(t *template) { t.URIs, t.DNSNames = nil, []string{"prod.rxw.example"} })
	one("two IDs", trust.EvidenceMalformed, func(t *template) { t.URIs = append(t.URIs, must(url.Parse("spiffe://prod.rxw.example/x"))) })
	one("the ID twice", trust.EvidenceMalformed, func(t *template) { t.URIs = append(t.URIs, t.URIs[0]) })
	one("another URI beside it", trust.EvidenceMalformed, func(t *template) { t.URIs = append(t.URIs, must(url.Parse("https://x.example"))) })
	for how, text := range map[string]string{
		"a web address": "https://prod.rxw.example/ward", "no path": "spiffe://prod.rxw.example", "a trailing slash": id + "/", "scheme in capitals": "SPIFFE://prod.rxw.example/ward/sync", "percent": "spiffe://prod.rxw.example/%77ard",
		"a port": "spiffe://prod.rxw.example:1/ward/sync", "a fragment": id + "#", "a query": id + "?", "a parent": "spiffe://prod.rxw.example/x/../ward/sync", "domain in capitals": "spiffe://Prod.rxw.example/ward/sync",
	} {
		one("name: "+how, trust.EvidenceMalformed, raw(text))
	}
	one("a path of no class", trust.Unclassified, raw("spiffe://prod.rxw.example/wards/sync"))

	// What it may do.
	one("an authority as leaf", trust.CertificateUnfit, func(t *template) { t.IsCA, t.BasicConstraintsValid = true, true })
	one("signs certificates", trust.CertificateUnfit, usage(0x84, true))
	one("signs revocation lists", trust.CertificateUnfit, usage(0x82, true))
	one("signs nothing", trust.CertificateUnfit, usage(0x20, true))
	one("key usage that is not critical", trust.CertificateUnfit, usage(0x80, false))
	one("no key usage", trust.CertificateUnfit, func(t *template) { t.KeyUsage = 0 })
	one("for servers alone", trust.UnknownAuthority, func(t *template) { t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	one("for code", trust.UnknownAuthority, func(t *template) { t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} })
	one("a critical extension nobody knows", trust.UnknownAuthority, func(t *template) {
		t.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}
	})
	weak := template{KeyUsage: x509.KeyUsageDigitalSignature, URIs: []*url.URL{must(url.Parse(id))}}
	add("a weak key", trust.CertificateUnfit, sign(weak, weakRSA(), root))
	add("a curve of nobody's", trust.CertificateUnfit, sign(weak, newEC(elliptic.P224()), root))

	// Its times.
	one("expired", trust.TokenExpired, span(-time.Hour, -time.Second))
	one("expired within a leeway", trust.TokenExpired, span(-time.Hour, -20*time.Second))
	one("of the future", trust.TokenNotYetValid, span(time.Minute, 5*time.Minute))
	one("lives too long", trust.TokenLifetime, span(-time.Minute, time.Hour))

	// What it stands on.
	add("a stranger's authority", trust.UnknownAuthority, stranger.leaf(id, nil))
	add("a stranger's authority behind it", trust.UnknownAuthority, stranger.leaf(id, nil), stranger.certificate)
	add("another domain's authority", trust.UnknownAuthority, w.staging.authorities[0].leaf(id, nil))
	add("our authority in another domain", trust.UnknownAuthority, root.leaf("spiffe://staging.rxw.example/ward/sync", nil))
	add("control: another domain's own", trust.Permit, w.staging.authorities[0].leaf("spiffe://staging.rxw.example/ward/sync", nil))
	self := template{KeyUsage: x509.KeyUsageDigitalSignature, URIs: []*url.URL{must(url.Parse(id))}}
	add("signed by itself", trust.UnknownAuthority, sign(self, newEC(elliptic.P256()), nil))
	under("an intermediate of no authority", trust.CertificateUnfit, func(t *template) { t.IsCA, t.KeyUsage = false, x509.KeyUsageDigitalSignature })
	under("an intermediate that may not sign", trust.CertificateUnfit, func(t *template) { t.KeyUsage = x509.KeyUsageCRLSign })
	under("an intermediate of a workload's name", trust.CertificateUnfit, func(t *template) { t.URIs = []*url.URL{must(url.Parse(id))} })
	under("an intermediate of another domain", trust.CertificateUnfit, func(t *template) { t.URIs = []*url.URL{must(url.Parse("spiffe://staging.rxw.example"))} })
	under("an expired intermediate", trust.TokenExpired, span(-time.Hour, -time.Second))
	under("a future intermediate", trust.TokenExpired, span(time.Minute, time.Hour))
	under("outside a name constraint", trust.UnknownAuthority, func(t *template) {
		t.PermittedURIDomains, t.PermittedDNSDomainsCritical = []string{"other.example"}, true
	})
	under("in an excluded name", trust.UnknownAuthority, func(t *template) {
		t.ExcludedURIDomains, t.PermittedDNSDomainsCritical = []string{"prod.rxw.example"}, true
	})
	under("an intermediate for servers alone", trust.UnknownAuthority, func(t *template) { t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	through("an intermediate's weak key", trust.CertificateUnfit, newAuthority(root, weakRSA(), nil))
	through("a path too long", trust.UnknownAuthority, newAuthority(w.limited, newEC(elliptic.P256()), nil))
	middle := newAuthority(root, newEC(elliptic.P256()), nil)
	add("control: no path too long", trust.Permit, w.limited.leaf(id, nil))
	add("an intermediate left out", trust.UnknownAuthority, middle.leaf(id, nil))
	add("out of order", trust.UnknownAuthority, middle.leaf(id, nil), root.certificate, middle.certificate)
	add("seven certificates", trust.EvidenceMalformed, slices.Concat([]*x509.Certificate{root.leaf(id, nil)}, slices.Repeat([]*x509.Certificate{root.certificate}, 6))...)

	// Whose it is.
	add("a domain that nobody states", trust.UnknownIssuer, w.nobodys.authorities[0].leaf("spiffe://prod.nobody.example/ward/sync", nil))
	add("a participant without an agreement", trust.NoAgreement, w.abroad.authorities[0].leaf("spiffe://prod.rcb.example/ward/sync", nil))
	for how, d := range map[string]*domain{"withdrawn": w.withdrawn, "unusable": w.unusable, "never read": w.unread} {
		add("a domain "+how, trust.UntrustedDomain, d.authorities[0].leaf(d.id.String()+"/ward/sync", nil))
	}

	// Who shows it.
	leaf, other := root.leaf(id, nil), root.leaf(id, nil)
	all["nothing shown"] = certificateCase{credential{pemOf(leaf), nil}, trust.ProofMissing}
	all["another certificate of the same name shown"] = certificateCase{credential{pemOf(leaf), other}, trust.ProofKey}
	all["the authority shown"] = certificateCase{credential{pemOf(leaf), root.certificate}, trust.ProofKey}
	for how, text := range map[string]string{
		"empty": "", "no certificate": "rubbish", "a private key beside it": pemOf(leaf) + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "text before it": "x\n" + pemOf(leaf), "text behind it": pemOf(leaf) + "x",
		"half of it": pemOf(leaf)[:len(pemOf(leaf))/2], "too long": pemOf(leaf) + strings.Repeat(" ", 17<<10), "in base64": base64.StdEncoding.EncodeToString(leaf.Raw),
	} {
		all["text: "+how] = certificateCase{credential{text, leaf}, trust.EvidenceMalformed}
	}
	return all
}
