package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	oracle "github.com/go-jose/go-jose/v4"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

func TestSignedTokensVerifyHereAndThere(t *testing.T) {
	for _, held := range []crypto.Signer{ecKey, edKey} {
		s := must(jose.NewSigner(held, "k"))
		for range 40 { // so that an r or s with leading zeros comes by
			token, err := jose.Sign(s, "at+jwt", map[string]any{"sub": "x", "exp": 1790000300, "jti": rand.Text()})
			if err != nil {
				t.Fatal(err)
			}
			if v, err := accept(token, s.Key(), anyType); err != nil || v.Header().Type != "at+jwt" || v.Header().KeyID != "k" {
				t.Fatalf("%s: %+v, %v", s.Key().Alg(), v.Header(), err)
			}
			theirs := must(oracle.ParseSignedCompact(token, []oracle.SignatureAlgorithm{oracle.ES256, oracle.EdDSA}))
			if _, err := theirs.Verify(held.Public()); err != nil {
				t.Fatalf("go-jose on %s: %v", s.Key().Alg(), err)
			}
		}
	}
}

func TestSignIsDeterministic(t *testing.T) {
	for _, held := range []crypto.Signer{ecKey, edKey} {
		s := must(jose.NewSigner(held, ""))
		if s.Key().KeyID() != s.Key().Thumbprint() {
			t.Errorf("kid %q is not the thumbprint", s.Key().KeyID())
		}
		claims := map[string]int{"b": 2, "a": 1}
		if first, second := must(jose.Sign(s, "JWT", claims)), must(jose.Sign(s, "JWT", claims)); first != second {
			t.Errorf("%s signs the same twice differently", s.Key().Alg())
		}
	}
}

func TestSignRefuses(t *testing.T) {
	s := must(jose.NewSigner(edKey, "k"))
	for name, claims := range map[string]any{"list": []int{1}, "text": "x", "nothing": nil, "channel": make(chan int), "inexact": map[string]int64{"exp": 1<<53 + 1}} {
		if token, err := jose.Sign(s, "JWT", claims); trust.KindOf(err) != trust.Invalid || token != "" {
			t.Errorf("%s: got %q, %v", name, token, err)
		}
	}
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	for name, held := range map[string]crypto.Signer{"RSA": rsaKey, "P-384": p384, "short": ed25519.PrivateKey("short"), "nil": nil} {
		_, err := jose.NewSigner(held, "k")
		wantRefused(t, name, err, "")
	}
}

func TestBytesAreBoundToTheirDomain(t *testing.T) {
	s, key := must(jose.NewSigner(edKey, "k")), publicKey(jose.EdDSA, "k")
	signature, err := jose.SignBytes(s, "entente/framework/v1", []byte("document"))
	if err != nil || jose.VerifyBytes(key, "entente/framework/v1", []byte("document"), signature) != nil {
		t.Fatalf("does not verify: %v", err)
	}
	for name, err := range map[string]error{
		"another domain":  jose.VerifyBytes(key, "entente/agreement/v1", []byte("document"), signature),
		"another payload": jose.VerifyBytes(key, "entente/framework/v1", []byte("Document"), signature),
		"moved border":    jose.VerifyBytes(key, "entente/framework/v1d", []byte("ocument"), signature),
		"another key":     jose.VerifyBytes(must(jose.NewKey(edOther.Public(), jose.EdDSA, "k")), "entente/framework/v1", []byte("document"), signature),
		"short":           jose.VerifyBytes(key, "entente/framework/v1", []byte("document"), signature[:63]),
		"none":            jose.VerifyBytes(key, "entente/framework/v1", []byte("document"), nil),
	} {
		wantFault(t, name, err, jose.Signature)
	}
}

func TestBytesRefuse(t *testing.T) {
	s := must(jose.NewSigner(edKey, "k"))
	for _, domain := range []string{"", "a\nb", "\n"} {
		_, err := jose.SignBytes(s, domain, nil)
		wantRefused(t, domain, err, "is empty or has a line feed")
		wantRefused(t, domain, jose.VerifyBytes(s.Key(), domain, nil, nil), "is empty or has a line feed")
	}
	_, err := jose.SignBytes(must(jose.NewSigner(ecKey, "k")), "d", nil)
	wantRefused(t, "ES256", err, "not for EdDSA")
	wantRefused(t, "no key", jose.VerifyBytes(jose.Key{}, "d", nil, nil), "not for EdDSA")
}

// A signed text can never pass for a token, nor a token for a signed text.
func TestNoSignatureCrossesOver(t *testing.T) {
	s := must(jose.NewSigner(edKey, "k"))
	input := b64(`{"alg":"EdDSA"}`) + "." + b64(payload)
	signature := must(jose.SignBytes(s, input, nil))
	_, err := accept(input+"."+b64(string(signature)), s.Key(), anyType)
	wantFault(t, "domain as signing input", err, jose.Signature)
}

// signature is a true signature, whatever the input says of itself.
func signature(alg jose.Alg, input string) []byte {
	if alg == jose.ES256 || alg == jose.EdDSA {
		return must(must(jose.NewSigner(private(alg, false), "")).Sign([]byte(input)))
	}
	digest := sha256.Sum256([]byte(input))
	return must(rsaKey.Sign(rand.Reader, digest[:], rsaOptions(alg)))
}
