package evidence_test

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/spiffe"
	"github.com/entente-id/entente/trust"
)

const (
	prod     = "spiffe://prod.rxw.example"
	workload = prod + "/ward/sync"
)

// trustDomain is a SPIFFE trust domain with one authority and one key.
type trustDomain struct {
	ca  *x509.Certificate
	key signer // of the authority
	jwt signer
}

func newTrustDomain() trustDomain {
	d := trustDomain{key: newSigner(jose.ES256, ""), jwt: newSigner(jose.ES256, "jwt-1")}
	d.ca = d.issue(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, prod, d.key.private)
	return d
}

func (d trustDomain) issue(c *x509.Certificate, id string, key crypto.Signer) *x509.Certificate {
	c.SerialNumber, c.URIs = big.NewInt(1), []*url.URL{must(url.Parse(id))}
	if c.NotBefore.IsZero() {
		c.NotBefore, c.NotAfter = time.Unix(now-60, 0), time.Unix(now+3600, 0)
	}
	parent := d.ca
	if parent == nil {
		parent = c
	}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, c, parent, key.Public(), d.key.private))))
}

func (d trustDomain) svid(id string) *x509.Certificate {
	return d.issue(&x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature}, id, newSigner(jose.ES256, "").private)
}

func jwkOf(k jose.Key, with object) object {
	var o object
	if err := json.Unmarshal(must(k.MarshalJSON()), &o); err != nil {
		panic(err)
	}
	delete(o, "kid")
	for name, v := range with {
		o[name] = v
	}
	return o
}

func (d trustDomain) keys() []object {
	return []object{
		jwkOf(d.key.key, object{"use": "x509-svid", "x5c": []string{base64.StdEncoding.EncodeToString(d.ca.Raw)}}),
		jwkOf(d.jwt.key, object{"use": "jwt-svid", "kid": "jwt-1"}),
	}
}

// domain registers a trust domain of rxw with a bundle of these keys.
func domain(keys []object) participant.Speaker {
	id := must(trust.ParseIssuerID(prod))
	if keys == nil {
		keys = []object{}
	}
	b := must(spiffe.ParseBundle(id, must(json.Marshal(object{"keys": keys}))))
	return participant.Speaker{Issuer: id, Bundle: &b, Candidates: []participant.Claimant{{
		Participant: org("rxw"), Issuer: participant.Issuer{Issuer: id, Classes: []participant.ClassRule{
			{Class: trust.Workload, Path: "/ward/"}, {Class: trust.Agent, Path: "/agent"}, {Class: trust.ServiceAccount, Claim: "kind", Equals: "account"},
		}},
	}}}
}

func svidClaims() object {
	return object{"sub": workload, "aud": records, "iat": now - 60, "exp": now + 240}
}

func svidHeader(typ any) object {
	return with(object{"alg": "ES256", "kid": "jwt-1"}, object{"typ": typ})
}

func TestJWTSVID(t *testing.T) {
	d := newTrustDomain()
	r, cache := registry{prod: domain(d.keys())}, newMemory()
	for _, typ := range []any{absent, "JWT", "JOSE"} {
		for _, c := range []struct {
			claims object
			class  trust.Class
		}{
			{object{}, trust.Workload}, {object{"sub": prod + "/agent"}, trust.Agent}, {object{"sub": prod + "/agents"}, ""},
			{object{"sub": prod + "/x", "kind": "account"}, trust.ServiceAccount}, {object{"aud": []string{records}}, trust.Workload},
			{object{"iss": "https://oidc.spire.example"}, trust.Workload}, {object{"iss": rxwIDP}, trust.Workload},
		} {
			p := proof(evidence.JWTSVID, mint(d.jwt, svidHeader(typ), with(svidClaims(), c.claims)))
			for range 2 { // the second time from the cache
				ev, once, f := evidence.Verify(p, r, now, cache)
				if f != nil || ev.Class != c.class || ev.Participant != org("rxw") || ev.Issuer.String() != prod || once != nil ||
					ev.Claims["iss"] != prod || ev.Audience != records || ev.Thumbprint != d.jwt.key.Thumbprint() || ev.Binding.Bound() {
					t.Fatalf("%v %v: %+v, %v", typ, c.claims, ev, f)
				}
			}
		}
	}
	if cache.hits == 0 {
		t.Error("the cache was not asked")
	}
}

func TestJWTSVIDsThatAreRefused(t *testing.T) {
	d, stranger := newTrustDomain(), newTrustDomain()
	r := registry{prod: domain(d.keys()), rxwIDP: own(rxwIDP, "rxw", d.jwt.key), cis2: national(d.jwt.key, "rxw")}
	for what, c := range map[string]struct {
		header, claims object
		want           trust.Reason
	}{
		"no sub": {nil, object{"sub": absent}, trust.EvidenceMalformed}, "an empty sub": {nil, object{"sub": ""}, trust.EvidenceMalformed},
		"a list for sub": {nil, object{"sub": []any{workload}}, trust.EvidenceMalformed}, "no SPIFFE ID": {nil, object{"sub": rxwIDP}, trust.EvidenceMalformed},
		"no path": {nil, object{"sub": prod}, trust.EvidenceMalformed}, "a slash too much": {nil, object{"sub": workload + "/"}, trust.EvidenceMalformed},
		"another domain": {nil, object{"sub": "spiffe://prod.rje.example/ward"}, trust.UnknownIssuer},
		"no aud":         {nil, object{"aud": absent}, trust.ClaimMissing}, "no aud in the list": {nil, object{"aud": []any{}}, trust.ClaimMissing},
		"two audiences": {nil, object{"aud": []any{records, "x"}}, trust.AudienceMultiple},
		"no exp":        {nil, object{"exp": absent}, trust.ClaimMissing}, "exp as a text": {nil, object{"exp": "1"}, trust.ClaimMissing},
		"no iat": {nil, object{"iat": absent}, trust.ClaimMissing}, "expired": {nil, object{"exp": now}, trust.TokenExpired},
		"of the future":      {nil, object{"iat": now + 31}, trust.TokenNotYetValid},
		"an access token's":  {object{"typ": "at+jwt"}, nil, trust.TokenType},
		"another typ":        {object{"typ": "secevent+jwt"}, nil, trust.TokenType},
		"EdDSA":              {object{"alg": "EdDSA"}, nil, trust.TokenAlgorithm},
		"HMAC":               {object{"alg": "HS256"}, nil, trust.TokenAlgorithm},
		"none":               {object{"alg": "none"}, nil, trust.TokenAlgorithm},
		"not the key's":      {object{"alg": "ES384"}, nil, trust.TokenAlgorithm},
		"no kid":             {object{"kid": absent}, nil, trust.UnknownKey},
		"an unknown kid":     {object{"kid": "jwt-2"}, nil, trust.UnknownKey},
		"an embedded key":    {object{"jwk": jwkOf(d.jwt.key, nil)}, nil, trust.TokenHeader},
		"an address of keys": {object{"jku": "https://x.example"}, nil, trust.TokenHeader},
		"another member":     {object{"cty": "JWT"}, nil, trust.TokenHeader},
	} {
		token := mint(d.jwt, with(svidHeader("JWT"), c.header), with(svidClaims(), c.claims))
		if got := reasonOf(t, proof(evidence.JWTSVID, token), r, now); got != c.want {
			t.Errorf("%s: %s, expected %s", what, got, c.want)
		}
	}
	token := mint(stranger.jwt, svidHeader("JWT"), svidClaims())
	if got := reasonOf(t, proof(evidence.JWTSVID, token), r, now); got != trust.BadSignature {
		t.Errorf("a stranger's key: %s", got)
	}
}

// An SVID is no token, a token no SVID, and neither kind of key is the other's.
func TestSVIDsAreNoTokens(t *testing.T) {
	d := newTrustDomain()
	r := registry{prod: domain(d.keys()), rxwIDP: own(rxwIDP, "rxw", d.jwt.key)}
	for what, c := range map[string]struct {
		kind   evidence.Kind
		header object
		claims object
		want   trust.Reason
	}{
		"an SVID as an ID token":           {evidence.IDToken, svidHeader("JWT"), svidClaims(), trust.EvidenceMalformed},
		"one that names its domain as iss": {evidence.IDToken, svidHeader("JWT"), with(svidClaims(), object{"iss": prod}), trust.UnknownIssuer},
		"an access token of a domain":      {evidence.AccessToken, svidHeader("at+jwt"), claims(prod), trust.UnknownIssuer},
		"an ID token as an SVID":           {evidence.JWTSVID, svidHeader("JWT"), claims(rxwIDP), trust.EvidenceMalformed},
		"a JWT-SVID as certificates":       {evidence.X509SVID, svidHeader("JWT"), svidClaims(), trust.EvidenceMalformed},
	} {
		if got := reasonOf(t, proof(c.kind, mint(d.jwt, c.header, c.claims)), r, now); got != c.want {
			t.Errorf("%s: %s, expected %s", what, got, c.want)
		}
	}
	if got := reasonOf(t, evidence.Proof{Kind: evidence.JWTSVID, Token: d.svid(workload).Raw}, r, now); got != trust.EvidenceMalformed {
		t.Errorf("certificates as a JWT-SVID: %s", got)
	}
}

func TestX509SVID(t *testing.T) {
	d, stranger := newTrustDomain(), newTrustDomain()
	leaf := d.svid(workload)
	full := registry{prod: domain(d.keys())}
	show := func(c *x509.Certificate) *evidence.Shown { return &evidence.Shown{Certificate: c.Raw} }
	ev, once, f := evidence.Verify(evidence.Proof{Kind: evidence.X509SVID, Token: leaf.Raw, Shown: show(leaf)}, full, now, nil)
	if f != nil || once != nil || ev.Subject != workload || ev.Class != trust.Workload || ev.Claims["iss"] != prod || !ev.Binding.Shown ||
		ev.Thumbprint != d.key.key.Thumbprint() || len(ev.Keys) != 1 || ev.ExpiresAt != now+3600 || ev.IssuedAt != now-60 || ev.Audience != "" || ev.Hash == [32]byte{} {
		t.Fatalf("%+v, %v", ev, f)
	}
	if ev, _, f := evidence.Verify(evidence.Proof{Kind: evidence.X509SVID, Token: leaf.Raw}, full, now, nil); f != nil || !ev.Binding.Bound() || ev.Binding.Shown {
		t.Errorf("with nothing shown: %+v, %v", ev.Binding, f)
	}
	noSignature := d.issue(&x509.Certificate{KeyUsage: x509.KeyUsageKeyEncipherment}, workload, newSigner(jose.ES256, "").private)
	unseen := domain(d.keys())
	unseen.Bundle = nil
	two := domain(d.keys())
	two.Candidates = append(two.Candidates, participant.Claimant{Participant: org("r0a"), Issuer: two.Candidates[0].Issuer})
	for what, c := range map[string]struct {
		r     registry
		token []byte
		shown *evidence.Shown
		at    int64
		want  trust.Reason
	}{
		"another's certificate":  {full, leaf.Raw, show(d.svid(workload)), now, trust.ProofKey},
		"no certificate":         {full, []byte("x"), nil, now, trust.EvidenceMalformed},
		"another domain":         {registry{}, leaf.Raw, show(leaf), now, trust.UnknownIssuer},
		"a domain of two":        {registry{prod: two}, leaf.Raw, show(leaf), now, trust.AmbiguousIssuer},
		"a stranger's authority": {full, stranger.svid(workload).Raw, nil, now, trust.UnknownAuthority},
		"no digitalSignature":    {full, noSignature.Raw, nil, now, trust.CertificateUnfit},
		"expired":                {full, leaf.Raw, show(leaf), now + 3600, trust.TokenExpired},
		"not yet":                {full, leaf.Raw, show(leaf), now - 61, trust.TokenNotYetValid},
		"no bundle yet":          {registry{prod: unseen}, leaf.Raw, show(leaf), now, trust.UntrustedDomain},
		"an empty bundle":        {registry{prod: domain(nil)}, leaf.Raw, show(leaf), now, trust.UntrustedDomain},
		"no authority":           {registry{prod: domain(d.keys()[1:])}, leaf.Raw, show(leaf), now, trust.UntrustedDomain},
		"an unusable bundle":     {registry{prod: domain(append(d.keys(), object{"use": "jwt-svid"}))}, leaf.Raw, show(leaf), now, trust.UntrustedDomain},
	} {
		if got := reasonOf(t, evidence.Proof{Kind: evidence.X509SVID, Token: c.token, Shown: c.shown}, c.r, c.at); got != c.want {
			t.Errorf("%s: %s, expected %s", what, got, c.want)
		}
	}
}
