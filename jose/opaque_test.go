package jose_test

import (
	"crypto/rsa"
	"math/big"
	"strings"
	"testing"

	"github.com/entente-id/entente/jose"
)

// The payload may be any bytes and the typ any text; all else is as Verify has it.
func TestCheckSignature(t *testing.T) {
	named, bare := must(jose.NewKeySet(publicKey(jose.ES256, "k"))), must(jose.NewKeySet(publicKey(jose.ES256, "")))
	two := must(jose.NewKeySet(publicKey(jose.ES256, "k"), publicKey(jose.EdDSA, "e")))
	stranger := must(jose.NewKeySet(must(jose.NewKey(ecOther.Public(), jose.ES256, "k"))))
	good := esToken(`{"alg":"ES256","kid":"k"}`, "any \x00\xff bytes")
	for name, c := range map[string]struct {
		token string
		keys  jose.KeySet
		want  jose.Fault
	}{
		"good":                     {good, named, ""},
		"one key without a kid":    {good, bare, ""},
		"one of two":               {good, two, ""},
		"empty payload":            {esToken(`{"alg":"ES256"}`, ""), named, ""},
		"any typ":                  {esToken(`{"alg":"ES256","typ":"x/y"}`, payload), bare, ""},
		"no kid, two keys":         {esToken(`{"alg":"ES256"}`, ""), two, jose.KidMissing},
		"another kid":              {esToken(`{"alg":"ES256","kid":"K"}`, ""), named, jose.KidUnknown},
		"no keys":                  {good, jose.KeySet{}, jose.KidUnknown},
		"key of another algorithm": {esToken(`{"alg":"ES256","kid":"e"}`, ""), two, jose.AlgMismatch},
		"stranger's key":           {good, stranger, jose.Signature},
		"crit":                     {esToken(`{"alg":"ES256","crit":[]}`, ""), bare, jose.HeaderCrit},
		"none":                     {b64(`{"alg":"none"}`) + "..", bare, jose.AlgUnknown},
		"padded":                   {good + "=", named, jose.Base64},
		"two parts":                {strings.Join(strings.Split(good, ".")[:2], "."), named, jose.Malformed},
		"too long":                 {esToken(`{"alg":"ES256"}`, strings.Repeat("x", jose.MaxToken)), named, jose.TooLarge},
	} {
		_, content, err := jose.CheckSignature([]byte(c.token), c.keys)
		if c.want == "" && err != nil || c.want != "" && content != nil {
			t.Errorf("%s: payload %q, %v", name, content, err)
		}
		if c.want != "" {
			wantFault(t, name, err, c.want)
		}
	}
	if _, content, _ := jose.CheckSignature([]byte(good), named); string(content) != "any \x00\xff bytes" {
		t.Errorf("payload is %q", content)
	}
}

// CVE-2017-15361: moduli that are powers of 65537 modulo many small primes.
func TestGuessableRSAKeysAreRefused(t *testing.T) {
	m := big.NewInt(2)
	for p := int64(3); p < 170; p += 2 {
		if big.NewInt(p).ProbablyPrime(10) {
			m.Mul(m, big.NewInt(p))
		}
	}
	for a := range int64(20) {
		n := new(big.Int).Exp(big.NewInt(65537), big.NewInt(a+1000), m)
		n.Add(n, new(big.Int).Mul(m, new(big.Int).Rsh(new(big.Int).Lsh(big.NewInt(1), 2047), uint(m.BitLen()-1))))
		_, err := jose.NewKey(&rsa.PublicKey{N: n, E: 65537}, jose.RS256, "k")
		wantRefused(t, "guessable", err, "can be guessed")
	}
	for range 3 {
		if _, err := jose.NewKey(newRSA(2048).Public(), jose.RS256, "k"); err != nil {
			t.Error(err)
		}
	}
}
