package evidence_test

import (
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

const self = "https://trust.rje.example"

// clients is a table of clients at a node with the identifier self.
type clients map[string]client.Client

func (c clients) RegisteredClient(id string) (client.Client, bool) {
	found, ok := c[id]
	return found, ok
}

func (c clients) Issues(iss string) bool { return iss == self }

func registeredClient(id string, m client.Means) client.Client {
	return client.Client{Document: client.Document{Kind: "Client", ID: id, Participant: org("rxw"), Services: []string{"ward-records"}, Means: m}}
}

func byKeys(id string, keys ...signer) client.Client {
	var public []jose.Key
	for _, k := range keys {
		public = append(public, k.key)
	}
	return registeredClient(id, client.Means{Keys: must(jose.NewKeySet(public...))})
}

func assertionHeader(s signer) object {
	return object{"alg": string(s.key.Alg()), "kid": s.key.KeyID(), "typ": "client-authentication+jwt"}
}

func assertionClaims() object {
	return object{"iss": "ward-app", "sub": "ward-app", "aud": self, "iat": now - 5, "exp": now + 60, "jti": "3f9a"}
}

// RFC 7523, sections 2.2 and 3, as RFC 10070 has them.
func TestClientAssertion(t *testing.T) {
	for _, alg := range jose.Algs() {
		s := newSigner(alg, "k1")
		r := clients{"ward-app": byKeys("ward-app", s)}
		for _, typ := range []any{"client-authentication+jwt", "JWT", absent} {
			token := mint(s, with(assertionHeader(s), object{"typ": typ}), assertionClaims())
			for _, id := range []string{"", "ward-app"} {
				c, signed, f := evidence.VerifyClient(evidence.ClientProof{ID: id, Assertion: []byte(token)}, r, now)
				if f != nil || c.Document.ID != "ward-app" || signed == nil || signed.Key != s.key.Thumbprint() || signed.Once.Expires != now+60 || signed.Once.Edge != org("rxw") {
					t.Errorf("%s, typ %v, client_id %q: %+v, %+v, %v", alg, typ, id, c, signed, f)
				}
			}
		}
	}
}

// A value that is used up is the client's own.
func TestClientAssertionsAreUsedUpForEachClient(t *testing.T) {
	s := newSigner(jose.ES256, "k1")
	r := clients{"ward-app": byKeys("ward-app", s), "letter-app": byKeys("letter-app", s)}
	once := func(change object) trust.Once {
		token := mint(s, assertionHeader(s), with(assertionClaims(), change))
		_, signed, f := evidence.VerifyClient(evidence.ClientProof{Assertion: []byte(token)}, r, now)
		if f != nil {
			t.Fatal(f)
		}
		return signed.Once
	}
	first := once(nil)
	if again := once(object{"iat": now, "exp": now + 61}); again.Key != first.Key {
		t.Error("the same jti of the same client is another value")
	}
	if other := once(object{"iss": "letter-app", "sub": "letter-app"}); other.Key == first.Key {
		t.Error("the same jti of another client is the same value")
	}
	if other := once(object{"jti": "3f9b"}); other.Key == first.Key {
		t.Error("another jti is the same value")
	}
}

func TestClientAssertionRefuses(t *testing.T) {
	s, stranger := newSigner(jose.ES256, "k1"), newSigner(jose.ES256, "k1")
	byCertificate := registeredClient("tls-app", client.Means{Certificates: []string{strings.Repeat("A", 43)}})
	r := clients{"ward-app": byKeys("ward-app", s), "letter-app": byKeys("letter-app", s, newSigner(jose.EdDSA, "k2")), "tls-app": byCertificate}
	for _, tt := range []struct {
		name           string
		id             string
		signer         signer
		header, claims object
		want           trust.Reason
	}{
		{"unknown client", "", s, nil, object{"iss": "nobody", "sub": "nobody"}, trust.UnknownClient},
		{"no subject", "", s, nil, object{"sub": absent}, trust.UnknownClient},
		{"another client_id", "letter-app", s, nil, nil, trust.UnknownClient},
		{"a client of another way", "", s, nil, object{"iss": "tls-app", "sub": "tls-app"}, trust.ClientMethod},
		{"another key", "", stranger, nil, nil, trust.BadSignature},
		{"an unknown kid", "", s, object{"kid": "k9"}, nil, trust.UnknownKey},
		{"no kid", "", s, object{"kid": absent}, nil, trust.UnknownKey},
		{"another algorithm", "", s, object{"alg": "EdDSA"}, nil, trust.TokenAlgorithm},
		{"none", "", s, object{"alg": "none"}, nil, trust.TokenAlgorithm},
		{"symmetric", "", s, object{"alg": "HS256"}, nil, trust.TokenAlgorithm},
		{"an access token", "", s, object{"typ": "at+jwt"}, nil, trust.TokenType},
		{"an ID-JAG", "", s, object{"typ": "oauth-id-jag+jwt"}, nil, trust.TokenType},
		{"a key in the header", "", s, object{"jwk": object{}}, nil, trust.TokenHeader},
		{"another issuer", "", s, nil, object{"iss": "letter-app"}, trust.ClaimMissing},
		{"no issuer", "", s, nil, object{"iss": absent}, trust.ClaimMissing},
		{"no audience", "", s, nil, object{"aud": absent}, trust.AudienceMultiple},
		{"two audiences", "", s, nil, object{"aud": []any{self, "https://x.example"}}, trust.AudienceMultiple},
		{"a list of one audience", "", s, nil, object{"aud": []any{self}}, trust.AudienceMultiple},
		{"the token endpoint", "", s, nil, object{"aud": self + "/oauth/token"}, trust.AudienceForeign},
		{"our identifier with a slash", "", s, nil, object{"aud": self + "/"}, trust.AudienceForeign},
		{"another server", "", s, nil, object{"aud": "https://trust.rcb.example"}, trust.AudienceForeign},
		{"no jti", "", s, nil, object{"jti": absent}, trust.ClaimMissing},
		{"an empty jti", "", s, nil, object{"jti": ""}, trust.ClaimMissing},
		{"a jti that is a number", "", s, nil, object{"jti": 7}, trust.ClaimMissing},
		{"a long jti", "", s, nil, object{"jti": strings.Repeat("j", 513)}, trust.ClaimMissing},
		{"no exp", "", s, nil, object{"exp": absent}, trust.ClaimMissing},
		{"exp as a text", "", s, nil, object{"exp": "1790000060"}, trust.ClaimMissing},
		{"exp of nought", "", s, nil, object{"exp": 0}, trust.ClaimMissing},
		{"exp past all years", "", s, nil, object{"exp": int64(253402300800)}, trust.ClaimMissing},
		{"expired this second", "", s, nil, object{"exp": now}, trust.TokenExpired},
		{"good for too long", "", s, nil, object{"exp": now + 301}, trust.AssertionLifetime},
		{"iat as a text", "", s, nil, object{"iat": "x"}, trust.ClaimMissing},
		{"nbf of null", "", s, nil, object{"nbf": nil}, trust.ClaimMissing},
		{"issued in the future", "", s, nil, object{"iat": now + 31}, trust.TokenNotYetValid},
		{"valid in the future", "", s, nil, object{"nbf": now + 31}, trust.TokenNotYetValid},
		{"control: as long as may be", "", s, nil, object{"exp": now + 300, "iat": absent}, ""},
		{"control: within the leeway", "", s, nil, object{"iat": now + 30, "nbf": now + 30}, ""},
	} {
		token := mint(tt.signer, with(assertionHeader(tt.signer), tt.header), with(assertionClaims(), tt.claims))
		c, signed, f := evidence.VerifyClient(evidence.ClientProof{ID: tt.id, Assertion: []byte(token)}, r, now)
		var got trust.Reason
		if f != nil {
			got = f.Reason
		}
		if got != tt.want || f != nil && (c.Document.ID != "" || signed != nil) {
			t.Errorf("%s: refused for %q, want %q (%+v)", tt.name, got, tt.want, c)
		}
	}
	for _, token := range []string{"x", "a.b.c", strings.Repeat("x", jose.MaxToken+1)} {
		if _, _, f := evidence.VerifyClient(evidence.ClientProof{Assertion: []byte(token)}, r, now); f == nil || f.Reason != trust.EvidenceMalformed {
			t.Errorf("%.20s: %v", token, f)
		}
	}
}

// Back ends that name the token endpoint in their assertions, as SMART has it,
// are taken one by one.
func TestClientAudience(t *testing.T) {
	s := newSigner(jose.ES256, "k1")
	smart := byKeys("smart-app", s)
	smart.Document.Audience = self + "/oauth/token"
	r := clients{"ward-app": byKeys("ward-app", s), "smart-app": smart}
	for _, tt := range []struct {
		id, aud string
		want    bool
	}{
		{"smart-app", self + "/oauth/token", true},
		{"smart-app", self, true},
		{"smart-app", self + "/oauth/token/", false},
		{"smart-app", self + "/oauth/introspect", false},
		{"smart-app", "", false},
		{"ward-app", self + "/oauth/token", false},
		{"ward-app", "", false},
	} {
		token := mint(s, assertionHeader(s), with(assertionClaims(), object{"iss": tt.id, "sub": tt.id, "aud": tt.aud}))
		if _, _, f := evidence.VerifyClient(evidence.ClientProof{Assertion: []byte(token)}, r, now); (f == nil) != tt.want {
			t.Errorf("%s for %q: %v", tt.id, tt.aud, f)
		}
	}
}

// RFC 8705, section 2.2.
func TestClientCertificate(t *testing.T) {
	s := newSigner(jose.ES256, "k1")
	at := time.Unix(now, 0)
	issue := func(from, to time.Time) []byte {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: to}
		return must(x509.CreateCertificate(rand.Reader, template, template, s.private.Public(), s.private))
	}
	good, old, early := issue(at.Add(-time.Hour), at), issue(at.Add(-time.Hour), at.Add(-time.Second)), issue(at.Add(time.Second), at.Add(time.Hour))
	var sums []string
	for _, der := range [][]byte{good, old, early} {
		sums = append(sums, must(client.ReadCertificate(der)).Thumbprint)
	}
	r := clients{"tls-app": registeredClient("tls-app", client.Means{Certificates: sums}), "ward-app": byKeys("ward-app", s)}
	for _, tt := range []struct {
		name, id string
		der      []byte
		want     trust.Reason
	}{
		{"registered", "tls-app", good, ""},
		{"no client_id", "", good, trust.UnknownClient},
		{"an unknown client", "nobody", good, trust.UnknownClient},
		{"a client of another way", "ward-app", good, trust.ClientMethod},
		{"another certificate of the same key", "tls-app", issue(at.Add(-time.Hour), at.Add(time.Hour)), trust.UnknownKey},
		{"expired", "tls-app", old, trust.TokenExpired},
		{"not valid yet", "tls-app", early, trust.TokenNotYetValid},
		{"no certificate", "tls-app", []byte("x"), trust.CertificateUnfit},
		{"nothing", "tls-app", nil, trust.CertificateUnfit},
	} {
		c, signed, f := evidence.VerifyClient(evidence.ClientProof{ID: tt.id, Certificate: tt.der}, r, now)
		var got trust.Reason
		if f != nil {
			got = f.Reason
		}
		if got != tt.want || signed != nil || (c.Document.ID == "tls-app") != (f == nil) {
			t.Errorf("%s: refused for %q, want %q", tt.name, got, tt.want)
		}
	}
}
