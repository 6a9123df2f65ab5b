package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"strings"
	"testing"

	oracle "github.com/go-jose/go-jose/v4"

	"github.com/entente-id/entente/jose"
)

func rsaOptions(alg jose.Alg) crypto.SignerOpts {
	if alg == jose.PS256 {
		return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	}
	return crypto.SHA256
}

func benchToken(alg jose.Alg) string {
	return foreignToken(alg, private(alg, false), map[oracle.HeaderKey]any{"kid": "2026-key-1", "typ": "at+jwt"}, payload)
}

// BenchmarkVerify sets the whole path of a token against the bare check of the
// same signature over the same bytes.
func BenchmarkVerify(b *testing.B) {
	token := benchToken(jose.ES256)
	cut := strings.LastIndexByte(token, '.')
	b.Run("bare", func(b *testing.B) {
		digest := sha256.Sum256([]byte(token[:cut]))
		der := must(ecdsa.SignASN1(nil, ecKey, digest[:]))
		for b.Loop() {
			digest := sha256.Sum256([]byte(token[:cut]))
			if !ecdsa.VerifyASN1(&ecKey.PublicKey, digest[:], der) {
				b.Fatal("does not verify")
			}
		}
	})
	for _, alg := range jose.Algs() {
		b.Run(string(alg), func(b *testing.B) {
			token, key := benchToken(alg), publicKey(alg, "2026-key-1")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := accept(token, key, anyType); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("bareEd25519", func(b *testing.B) {
		signature := ed25519.Sign(edKey, []byte(token[:cut]))
		for b.Loop() {
			if !ed25519.Verify(edKey.Public().(ed25519.PublicKey), []byte(token[:cut]), signature) {
				b.Fatal("does not verify")
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	token := benchToken(jose.ES256)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jose.Parse(token, anyType); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	s := must(jose.NewSigner(ecKey, "k"))
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			digest := sha256.Sum256([]byte(payload))
			must(ecdsa.SignASN1(nil, ecKey, digest[:]))
		}
	})
	b.Run("Sign", func(b *testing.B) {
		for b.Loop() {
			must(s.Sign([]byte(payload)))
		}
	})
	b.Run("token", func(b *testing.B) {
		claims := map[string]any{"iss": "https://host.example", "sub": "x", "aud": []string{"y"}, "exp": 1790000300, "iat": 1790000000}
		for b.Loop() {
			must(jose.Sign(s, "at+jwt", claims))
		}
	})
}
