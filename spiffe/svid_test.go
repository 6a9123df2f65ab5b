package spiffe_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/spiffe"
)

// verify is the whole way.
func verify(b spiffe.Bundle, data []byte, at int64) (spiffe.SVID, error) {
	c, err := spiffe.ParseChain(data)
	if err != nil {
		return spiffe.SVID{}, err
	}
	return b.Verify(c, spiffe.Client, at)
}

// theirs is what go-spiffe says of the same certificates.
func theirs(at int64, chain []*x509.Certificate, authorities ...ca) error {
	b := x509bundle.New(spiffeid.RequireTrustDomainFromString("prod.rxw.example"))
	for _, a := range authorities {
		b.AddX509Authority(a.certificate)
	}
	_, _, err := x509svid.Verify(chain, b, x509svid.WithTime(time.Unix(at, 0)))
	return err
}

func TestVerify(t *testing.T) {
	top := root("prod.rxw.example")
	middle := newCA(authorityTemplate("prod.rxw.example"), ec(elliptic.P384()), &top)
	for what, key := range map[string]crypto.Signer{
		"P-256": ec(elliptic.P256()), "P-384": ec(elliptic.P384()), "P-521": ec(elliptic.P521()), "RSA": rsa2048(), "Ed25519": ed(),
	} {
		leaf := issue(leafTemplate(ward), key, &middle)
		for form, data := range map[string][]byte{"DER": der(leaf, middle.certificate), "PEM": pemOf(leaf, middle.certificate)} {
			got, err := verify(bundle(rxw, top), data, now)
			if err != nil || got.ID.String() != ward || len(got.Keys) != 2 || got.Authority == "" || got.Ends != now+3600 || got.NotBefore != now-60 {
				t.Errorf("%s as %s: %+v, %v", what, form, got, err)
			}
			if _, err := verify(bundle(rxw, top), append(data, "\n"...), now); (err == nil) != (form == "PEM") {
				t.Errorf("a line feed behind %s: %v", form, err)
			}
		}
		if err := theirs(now, []*x509.Certificate{leaf, middle.certificate}, top); err != nil {
			t.Errorf("go-spiffe refuses %s: %v", what, err)
		}
	}
	// With its authority behind it, and by an authority that is no root.
	leaf := middle.leaf(nil)
	for what, b := range map[string]spiffe.Bundle{"root": bundle(rxw, top), "middle": bundle(rxw, middle)} {
		if _, err := verify(b, der(leaf, middle.certificate, top.certificate), now); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	short := authorityTemplate("prod.rxw.example")
	short.NotBefore, short.NotAfter = time.Unix(now-60, 0), time.Unix(now+10, 0)
	brief := newCA(short, ec(elliptic.P256()), &top)
	chain := der(brief.leaf(nil), brief.certificate)
	if got, err := verify(bundle(rxw, top), chain, now); err != nil || got.Ends != now+10 || got.NotAfter != now+3600 {
		t.Errorf("on an authority that ends first: %+v, %v", got, err)
	}
	for _, at := range []int64{now + 10, now + 11} {
		if _, err := verify(bundle(rxw, top), chain, at); spiffe.FaultOf(err) != spiffe.Expired {
			t.Errorf("at its end: %v", err)
		}
	}
}

// Every rule of an X509-SVID by its own case. Where go-spiffe takes what we
// refuse, the case says so: these are all the differences there are.
func TestX509SVIDsThatAreRefused(t *testing.T) {
	const ours = true // go-spiffe takes it
	top := root("prod.rxw.example")
	middle := newCA(authorityTemplate("prod.rxw.example"), ec(elliptic.P256()), &top)
	other := root("prod.rxw.example")
	usage := func(critical bool, bits byte) func(*template) {
		return func(t *template) {
			t.KeyUsage = 0
			t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{
				Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: critical, Value: must(asn1.Marshal(asn1.BitString{Bytes: []byte{bits}, BitLength: 8})),
			})
		}
	}
	named := func(uris ...string) func(*template) {
		return func(t *template) { t.URIs, t.ExtraExtensions = nil, []pkix.Extension{names(uris...)} }
	}
	under := func(change func(*template)) ca {
		t := authorityTemplate("prod.rxw.example")
		change(&t)
		return newCA(t, ec(elliptic.P256()), &top)
	}
	type chain = []*x509.Certificate
	one := func(change func(*template)) chain { return chain{top.leaf(change)} }
	through := func(a ca) chain { return chain{a.leaf(nil), a.certificate} }
	weak := newCA(authorityTemplate("prod.rxw.example"), rsa1024(), &top)
	confined := under(func(t *template) {
		t.PermittedURIDomains = []string{"other.example"}
		t.PermittedDNSDomainsCritical = true
	})
	for what, c := range map[string]struct {
		fault spiffe.Fault
		ours  bool
		chain chain
	}{
		"no URI":                   {spiffe.Malformed, false, one(func(t *template) { t.URIs, t.DNSNames = nil, []string{"ward.example"} })},
		"two URIs":                 {spiffe.Malformed, false, one(func(t *template) { t.URIs = append(t.URIs, uri("https://x.example")) })},
		"the same URI twice":       {spiffe.Malformed, false, one(func(t *template) { t.URIs = append(t.URIs, t.URIs[0]) })},
		"no SPIFFE ID":             {spiffe.Malformed, false, one(func(t *template) { t.URIs = []*url.URL{uri("https://prod.rxw.example/ward")} })},
		"no path":                  {spiffe.Malformed, ours, one(func(t *template) { t.URIs = []*url.URL{uri("spiffe://prod.rxw.example")} })},
		"a trailing slash":         {spiffe.Malformed, false, one(named("spiffe://prod.rxw.example/"))},
		"percent-encoding":         {spiffe.Malformed, false, one(named("spiffe://prod.rxw.example/%61"))},
		"an upper-case scheme":     {spiffe.Malformed, ours, one(named("SPIFFE://prod.rxw.example/ward"))},
		"an empty fragment":        {spiffe.Malformed, ours, one(named(ward + "#"))},
		"a port":                   {spiffe.Malformed, false, one(named("spiffe://prod.rxw.example:1/ward"))},
		"an authority as leaf":     {spiffe.Certificate, false, one(func(t *template) { t.IsCA, t.BasicConstraintsValid = true, true })},
		"keyCertSign":              {spiffe.Certificate, false, one(usage(true, 0x84))},
		"cRLSign":                  {spiffe.Certificate, false, one(usage(true, 0x82))},
		"no digitalSignature":      {spiffe.Certificate, ours, one(usage(true, 0x20))},
		"no key usage":             {spiffe.Certificate, ours, one(func(t *template) { t.KeyUsage = 0 })},
		"a key usage not critical": {spiffe.Certificate, ours, one(usage(false, 0x80))},
		"not for clients":          {spiffe.NoPath, ours, one(func(t *template) { t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })},
		"a critical extension unknown": {spiffe.NoPath, false, one(func(t *template) {
			t.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}
		})},
		"a weak leaf key":            {spiffe.Certificate, ours, chain{issue(leafTemplate(ward), rsa1024(), &top)}},
		"a leaf on P-224":            {spiffe.Certificate, ours, chain{issue(leafTemplate(ward), ec(elliptic.P224()), &top)}},
		"an authority's weak key":    {spiffe.Certificate, ours, through(weak)},
		"another authority":          {spiffe.NoPath, false, chain{other.leaf(nil)}},
		"another authority's root":   {spiffe.NoPath, false, chain{other.leaf(nil), other.certificate}},
		"no intermediate":            {spiffe.NoPath, false, chain{middle.leaf(nil)}},
		"out of order":               {spiffe.NoPath, ours, chain{middle.leaf(nil), top.leaf(nil), middle.certificate}},
		"an intermediate's path":     {spiffe.Certificate, ours, through(under(func(t *template) { t.URIs = []*url.URL{uri(ward)} }))},
		"another domain's authority": {spiffe.Certificate, ours, through(under(func(t *template) { t.URIs = []*url.URL{uri("spiffe://prod.rje.example")} }))},
		"an intermediate, no CA": {spiffe.Certificate, false, through(under(func(t *template) {
			t.IsCA, t.KeyUsage = false, x509.KeyUsageDigitalSignature
		}))},
		"an intermediate that may not sign": {spiffe.Certificate, false, through(under(func(t *template) { t.KeyUsage = x509.KeyUsageCRLSign }))},
		"a path too long":                   {spiffe.NoPath, false, chain{middle.leaf(nil), middle.certificate}},
		"outside a name constraint":         {spiffe.NoPath, false, through(confined)},
		"expired":                           {spiffe.Expired, false, one(func(t *template) { t.NotBefore, t.NotAfter = time.Unix(now-100, 0), time.Unix(now-1, 0) })},
		"expiring now":                      {spiffe.Expired, ours, one(func(t *template) { t.NotBefore, t.NotAfter = time.Unix(now-100, 0), time.Unix(now, 0) })},
		"of the future":                     {spiffe.NotYetValid, false, one(func(t *template) { t.NotBefore, t.NotAfter = time.Unix(now+1, 0), time.Unix(now+100, 0) })},
		"an expired intermediate": {spiffe.Expired, false, through(under(func(t *template) {
			t.NotBefore, t.NotAfter = time.Unix(now-100, 0), time.Unix(now-1, 0)
		}))},
		"seven certificates": {spiffe.Malformed, ours, slices.Concat(chain{top.leaf(nil)}, slices.Repeat(chain{top.certificate}, 6))},
	} {
		at := top
		if what == "a path too long" {
			limited := authorityTemplate("prod.rxw.example")
			limited.MaxPathLenZero = true
			at = newCA(limited, top.key, nil)
		}
		if _, err := verify(bundle(rxw, at), der(c.chain...), now); spiffe.FaultOf(err) != c.fault {
			t.Errorf("%s: %v, expected %s", what, err, c.fault)
		}
		if err := theirs(now, c.chain, at); (err == nil) != c.ours {
			t.Errorf("%s: go-spiffe says %v", what, err)
		}
	}
}

// Bundles are never merged: each trust domain's stands alone (R44).
func TestOnlyTheOwnBundleCounts(t *testing.T) {
	mine, theirs := root("prod.rxw.example"), root("prod.rje.example")
	foreign := newCA(authorityTemplate("prod.rje.example"), ec(elliptic.P256()), &theirs)
	forged := foreign.leaf(nil) // names a workload of rxw
	if _, err := verify(bundle(domain("prod.rje.example"), theirs), der(forged), now); spiffe.FaultOf(err) != spiffe.Foreign {
		t.Errorf("another's bundle: %v", err)
	}
	if _, err := verify(bundle(rxw, mine), der(theirs.leaf(nil)), now); spiffe.FaultOf(err) != spiffe.NoPath {
		t.Errorf("signed by another domain: %v", err)
	}
	for what, b := range map[string]spiffe.Bundle{"empty": bundle(rxw), "unusable": must(spiffe.ParseBundle(rxw, document(object{"keys": nil})))} {
		if _, err := verify(b, der(mine.leaf(nil)), now); spiffe.FaultOf(err) != spiffe.Untrusted {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := verify(spiffe.Bundle{}, der(mine.leaf(nil)), now); spiffe.FaultOf(err) != spiffe.Foreign {
		t.Errorf("no bundle: %v", err)
	}
}

// A key that was removed is gone.
func TestARemovedAuthorityDies(t *testing.T) {
	old, next := root("prod.rxw.example"), root("prod.rxw.example")
	leaf := der(old.leaf(nil))
	if _, err := verify(bundle(rxw, old, next), leaf, now); err != nil {
		t.Error(err)
	}
	if _, err := verify(bundle(rxw, next), leaf, now); spiffe.FaultOf(err) != spiffe.NoPath {
		t.Errorf("removed: %v", err)
	}
}

func TestChainsThatCannotBeRead(t *testing.T) {
	top := root("prod.rxw.example")
	leaf := top.leaf(nil)
	text := string(pemOf(leaf))
	headed := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Headers: map[string]string{"a": "b"}, Bytes: leaf.Raw})
	for what, data := range map[string]string{
		"nothing": "", "space": " \n", "no certificate": "x", "a part": string(leaf.Raw[:len(leaf.Raw)-1]), "more behind": string(leaf.Raw) + "x",
		"text before": "x\n" + text, "text between": text + "x\n" + text, "text behind": text + "x", "another block": text + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"a head": string(headed), "half a block": text[:len(text)/2], "too long": text + string(make([]byte, 16<<10)),
	} {
		if _, err := spiffe.ParseChain([]byte(data)); spiffe.FaultOf(err) != spiffe.Malformed {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A bundle endpoint is who it is registered as.
func TestVerifyServer(t *testing.T) {
	top := root("prod.rxw.example")
	b, id := bundle(rxw, top), must(spiffe.ParseID(ward))
	if err := b.VerifyServer([]*x509.Certificate{top.leaf(nil)}, id, now); err != nil {
		t.Error(err)
	}
	for what, shown := range map[string][]*x509.Certificate{
		"nothing": nil, "another ID": {top.leaf(func(t *template) { t.URIs = []*url.URL{uri(ward + "/x")} })},
		"another authority": {root("prod.rxw.example").leaf(nil)},
		"a client":          {top.leaf(func(t *template) { t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })},
	} {
		if err := b.VerifyServer(shown, id, now); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

// Nothing panics, and nothing is taken that go-spiffe refuses.
func FuzzVerify(f *testing.F) {
	top := root("prod.rxw.example")
	middle := newCA(authorityTemplate("prod.rxw.example"), ec(elliptic.P256()), &top)
	f.Add(der(top.leaf(nil)))
	f.Add(der(middle.leaf(nil), middle.certificate))
	f.Add(pemOf(middle.leaf(nil), middle.certificate))
	f.Add(der(top.leaf(func(t *template) { t.URIs = nil })))
	b := bundle(rxw, top)
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := verify(b, data, now)
		if err != nil {
			if spiffe.FaultOf(err) == "" {
				t.Fatalf("no fault in %v", err)
			}
			return
		}
		raw := data
		if block, _ := pem.Decode(data); block != nil {
			raw = nil
			for rest := data; len(rest) > 0; {
				if block, rest = pem.Decode(rest); block == nil {
					break
				}
				raw = append(raw, block.Bytes...)
			}
		}
		chain, err := x509.ParseCertificates(raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := theirs(now, chain, top); err != nil {
			t.Fatalf("go-spiffe refuses %s: %v", got.ID, err)
		}
	})
}

// A kind of key that the registry of algorithms ends carries no certificate from
// then on, of a workload or above it.
func TestAKindOfKeyEnds(t *testing.T) {
	ends := must(jose.FitKey(rsa2048().Public(), jose.ForCertificate)).Ends()
	around := func(tmpl template) template {
		tmpl.NotBefore, tmpl.NotAfter = time.Unix(ends-60, 0), time.Unix(ends+60, 0)
		return tmpl
	}
	for what, keys := range map[string][2]crypto.Signer{"a leaf": {ec(elliptic.P256()), rsa2048()}, "an authority": {rsa2048(), ec(elliptic.P256())}} {
		top := newCA(around(authorityTemplate("prod.rxw.example")), keys[0], nil)
		data := der(issue(around(leafTemplate(ward)), keys[1], &top))
		if v, err := verify(bundle(rxw, top), data, ends-1); err != nil || v.Ends != ends {
			t.Errorf("%s a second before: ends at %d, %v", what, v.Ends, err)
		}
		if _, err := verify(bundle(rxw, top), data, ends); spiffe.FaultOf(err) != spiffe.Certificate {
			t.Errorf("%s on the day: %v", what, err)
		}
	}
}
