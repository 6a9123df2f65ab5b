package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"strings"
	"time"
)

// The workload: tokens drawn by Zipf from issuers, beside a large state and many
// local policies, while the trust log goes on.
const (
	issuerCount  = 100
	tokenCount   = 10_000
	stateEntries = 100_000
	policyCount  = 1_000
	trustRate    = 10 // appends a second

	audience = "https://records.host.example"
	nurse    = "S8000:G8000:R8001"
)

// issuer signs tokens with one ES256 key.
type issuer struct {
	URL string
	Kid string
	Key *ecdsa.PrivateKey
}

// token is a signed access token and the number of its issuer. Before is an
// earlier one of the same person: tokens change every quarter of an hour, people
// stay.
type token struct {
	Issuer int
	Text   string
	Before string
	Other  string // one more, for the exchanges
}

// population is who calls.
type population struct {
	Issuers []issuer
	Tokens  []token
}

// populate makes the issuers and two tokens for each of the callers, all of them
// nurses who signed in two minutes before now.
func populate(now time.Time) (*population, error) {
	p := &population{Issuers: make([]issuer, issuerCount)}
	for i := range p.Issuers {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		p.Issuers[i] = issuer{URL: fmt.Sprintf("https://idp.p%02d.example", i), Kid: fmt.Sprintf("k-%02d", i), Key: key}
	}
	for n, i := range zipf(issuerCount, tokenCount) {
		before, err := p.Issuers[i].sign(claims(p.Issuers[i].URL, n, now.Unix()-60))
		if err != nil {
			return nil, err
		}
		text, err := p.Issuers[i].sign(claims(p.Issuers[i].URL, n, now.Unix()))
		if err != nil {
			return nil, err
		}
		other, err := p.Issuers[i].sign(claims(p.Issuers[i].URL, n, now.Unix()-30))
		if err != nil {
			return nil, err
		}
		p.Tokens = append(p.Tokens, token{Issuer: i, Text: text, Before: before, Other: other})
	}
	return p, nil
}

// claims are those of RFC 9068, section 2.2, with what a hospital's provider
// says about how sure it is.
func claims(url string, n int, now int64) map[string]any {
	return map[string]any{
		"iss": url, "sub": fmt.Sprintf("staff-%05d", n), "aud": audience, "client_id": "ward-app",
		"iat": now - 60, "exp": now + 840, "auth_time": now - 60, "jti": fmt.Sprintf("bench-%05d-%d", n, now),
		"acr": "AAL3", "id_assurance_level": "3", "authentication_assurance_level": "3",
		"identity_class": "human", "role_code": nurse, "ward_ids": []string{"w7", "w8"}, "scope": "records",
	}
}

// sign makes a compact JWS as a provider would (RFC 7515, RFC 7518 section 3.4).
func (i issuer) sign(claims map[string]any) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": "ES256", "kid": i.Kid, "typ": "at+jwt"})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(body)
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, i.Key, digest[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// bare gives, for each token, the verification that no verifier can do without:
// the signature over a digest that is there already.
func (p *population) bare() ([]func() bool, error) {
	checks := make([]func() bool, len(p.Tokens))
	for n, t := range p.Tokens {
		input, encoded := t.Text[:strings.LastIndexByte(t.Text, '.')], t.Text[strings.LastIndexByte(t.Text, '.')+1:]
		signature, err := base64.RawURLEncoding.DecodeString(encoded)
		if err != nil {
			return nil, err
		}
		digest := sha256.Sum256([]byte(input))
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		key := &p.Issuers[t.Issuer].Key.PublicKey
		checks[n] = func() bool { return ecdsa.Verify(key, digest[:], r, s) }
	}
	return checks, nil
}

// bareSigned gives, for each token, the verification and one signature of the
// same kind: what no exchange can do without.
func (p *population) bareSigned() ([]func() bool, error) {
	checks, err := p.bare()
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256([]byte("a credential"))
	for n, check := range checks {
		checks[n] = func() bool {
			_, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
			return check() && err == nil
		}
	}
	return checks, nil
}

// zipf draws n numbers below limit, small ones far more often, the same every
// time.
func zipf(limit, n int) []int {
	z := mathrand.NewZipf(mathrand.New(mathrand.NewPCG(1, 2)), 1.1, 1, uint64(limit-1))
	draws := make([]int, n)
	for i := range draws {
		draws[i] = int(z.Uint64())
	}
	return draws
}

// policies is the local policy: one rule that lets nurses read, a forbid that
// is visited every time, and rules about other things.
func policies() string {
	var b strings.Builder
	b.WriteString(`@id("ward-read")
permit (principal is Human in Role::"ward-reader", action == Action::"read", resource is WardRecord)
when { context.purpose == "TREAT" };

@id("no-agents")
forbid (principal is Agent, action, resource is WardRecord);
`)
	for i := range policyCount - 2 {
		fmt.Fprintf(&b, `
@id("other-%03d")
permit (principal is Human in Role::"role-%02d", action == Action::"act-%d", resource is Thing%02d)
when { context.purpose == "TREAT" };
`, i, i%50, i%7, i%90)
	}
	return b.String()
}
