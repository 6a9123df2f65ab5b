package cli_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/jose"
)

const audience = "https://records.rje.example"

const ward = "spiffe://prod.rxw.example/ward/sync"

// SVIDs are checked by the bundle of their own trust domain, as a node would.
func TestEvidenceCheckOfSVIDs(t *testing.T) {
	d := desk{t, t.TempDir()}
	root, signer := newKey(t), newKey(t)
	ca := certify(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, &root.PublicKey, root)
	leaf := certify(t, &x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature, URIs: []*url.URL{{Scheme: "spiffe", Host: "prod.rxw.example", Path: "/ward/sync"}}}, ca, &newKey(t).PublicKey, root)
	authority := jwk(t, root, map[string]any{"use": "x509-svid", "x5c": []string{base64.StdEncoding.EncodeToString(ca.Raw)}})
	key := jwk(t, signer, map[string]any{"use": "jwt-svid", "kid": "k1"})
	bundle := d.file("bundle.json", text(t, map[string]any{"keys": []any{authority, key}, "spiffe_sequence": 1}))
	chain := d.file("leaf.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})))
	sign, err := jose.NewSigner(signer, "k1")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	token, err := jose.Sign(sign, "JWT", map[string]any{"sub": ward, "aud": []string{audience}, "iat": now, "exp": now + 300})
	if err != nil {
		t.Fatal(err)
	}
	jwt := d.file("svid.jwt", token+"\n")

	by := func(more ...string) []string {
		return append([]string{"evidence", "check", "--bundle", bundle, "--trust-domain", "prod.rxw.example"}, more...)
	}
	d.like(`^verified\n\nidentify +pass +spiffe://prod\.rxw\.example\nauthenticate +pass +ES256 by key k1, until (?s:.*)"sub": "`+ward, by("--audience", audience, "--token", jwt)...)
	d.like(`"kind": "urn:entente:params:token-type:jwt-svid"(?s:.*)"class": "agent"`, by("--audience", audience, "--token", jwt, "--class", "agent", "--kind", "jwt-svid", "-o", "json")...)
	d.like(`^verified\n\nidentify +pass +spiffe://prod\.rxw\.example\nauthenticate +pass +ECDSA-SHA256 by key (?s:.*)\nclassify +pass +workload\n`, by("--token", chain)...)
	d.like(`"subject": "`+ward, by("--token", d.file("leaf.der", string(leaf.Raw)), "--kind", "x509-svid", "-o", "json")...)
	lines := d.file("lines", token+"\n"+base64.StdEncoding.EncodeToString(leaf.Raw)+"\nMIxx\n")
	code, out, _ := d.run(by("--audience", audience, "--lines", "--token", lines)...)
	if want := "1  verified  " + ward + "\n2  verified  " + ward + "\n3  refused  identify.malformed"; code != 6 || !strings.HasPrefix(out, want) {
		t.Errorf("exit %d, lines are\n%s", code, out)
	}

	stranger := newKey(t)
	strange := certify(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, &stranger.PublicKey, stranger)
	foreign := d.file("foreign.json", text(t, map[string]any{"keys": []any{
		jwk(t, stranger, map[string]any{"use": "x509-svid", "x5c": []string{base64.StdEncoding.EncodeToString(strange.Raw)}}),
	}}))
	empty := d.file("empty.json", `{"keys":[],"spiffe_sequence":2}`)
	for what, c := range map[string]struct {
		reason string
		args   []string
	}{
		"another audience":         {`authenticate.audience_foreign`, by("--audience", "https://records.rje.exampl", "--token", jwt)},
		"no audience":              {`authenticate.audience_foreign`, by("--token", jwt)},
		"an expired token":         {`authenticate.expired`, by("--audience", audience, "--token", jwt, "--at", "2100-01-01T00:00:00Z")},
		"an expired certificate":   {`authenticate.expired`, by("--token", chain, "--at", "2100-01-01T00:00:00Z")},
		"certificates as a JWT":    {`identify.malformed`, by("--token", chain, "--kind", "jwt-svid")},
		"another domain's":         {`identify.unknown_issuer`, []string{"evidence", "check", "--bundle", bundle, "--trust-domain", "spiffe://staging.rxw.example", "--token", chain}},
		"a domain that is no more": {`authenticate.trust_domain`, []string{"evidence", "check", "--bundle", empty, "--trust-domain", "prod.rxw.example", "--token", chain}},
		"a token of such a domain": {`authenticate.trust_domain`, []string{"evidence", "check", "--bundle", empty, "--trust-domain", "prod.rxw.example", "--audience", "x", "--token", jwt}},
		"another authority":        {`authenticate.authority`, []string{"evidence", "check", "--bundle", foreign, "--trust-domain", "prod.rxw.example", "--token", chain}},
	} {
		if code, out, _ := d.run(c.args...); code != 6 || !strings.HasPrefix(out, "refused\n") || !strings.Contains(out, c.reason) || strings.Contains(out, ward) {
			t.Errorf("%s: exit %d, printed\n%s", what, code, out)
		}
	}
	unusable := d.file("unusable.json", text(t, map[string]any{"keys": []any{jwk(t, signer, map[string]any{"use": "jwt-svid"})}}))
	for _, c := range map[string]struct {
		says string
		args []string
	}{
		"no trust domain":           {`--trust-domain is missing`, []string{"evidence", "check", "--bundle", bundle, "--token", jwt}},
		"no bundle":                 {`--trust-domain goes with --bundle`, []string{"evidence", "check", "--trust-domain", "prod.rxw.example", "--token", jwt}},
		"keys beside it":            {`both given`, by("--jwks", bundle, "--token", jwt)},
		"an issuer beside it":       {`--issuer goes with --jwks`, by("--issuer", "https://idp.rxw.example", "--token", jwt)},
		"a trust domain that is no": {`trust domain "Prod"`, []string{"evidence", "check", "--bundle", bundle, "--trust-domain", "Prod", "--token", jwt}},
		"no bundle in the file":     {`svid\.jwt`, []string{"evidence", "check", "--bundle", jwt, "--trust-domain", "prod.rxw.example", "--token", jwt}},
		"a bundle without use":      {`a key for JWT-SVIDs has a kid`, []string{"evidence", "check", "--bundle", unusable, "--trust-domain", "prod.rxw.example", "--token", jwt}},
		"a token's kind":            {`not one of jwt-svid, x509-svid`, by("--token", jwt, "--kind", "id_token")},
		"the signature alone":       {`--signature-only`, by("--token", jwt, "--signature-only")},
	} {
		d.fails(2, c.says, c.args...)
	}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// certify signs a certificate by parent's key; nil is a root.
func certify(t *testing.T, c, parent *x509.Certificate, public *ecdsa.PublicKey, by *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(1), time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, public, by)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func jwk(t *testing.T, key *ecdsa.PrivateKey, with map[string]any) map[string]any {
	t.Helper()
	public, err := jose.NewKey(&key.PublicKey, jose.ES256, "")
	if err != nil {
		t.Fatal(err)
	}
	var o map[string]any
	if err := json.Unmarshal([]byte(text(t, public)), &o); err != nil {
		t.Fatal(err)
	}
	for name, v := range with {
		o[name] = v
	}
	return o
}

func text(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
