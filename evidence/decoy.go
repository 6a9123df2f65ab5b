package evidence

import (
	"crypto/rsa"
	"crypto/sha256"
	"math/big"

	"github.com/entente-id/entente/jose"
)

// decoys are keys under which a signature is checked in vain where there is no
// registered key, so that an unknown name takes as long as a wrong signature.
// What they say counts for nothing.
var decoys = func() map[jose.Alg]jose.Key {
	all := map[jose.Alg]jose.Key{}
	for _, jwk := range []string{
		// The examples of RFC 7515, appendix A.3, and RFC 8037, appendix A.2.
		`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
		`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
	} {
		key, err := jose.ParseKey([]byte(jwk))
		all[key.Alg()] = mustKey(key, err)
	}
	var modulus []byte // nobody knows its factors
	for i := range byte(8) {
		sum := sha256.Sum256([]byte{'d', 'e', 'c', 'o', 'y', i})
		modulus = append(modulus, sum[:]...)
	}
	modulus[0] |= 0x80
	modulus[len(modulus)-1] |= 1
	for _, alg := range []jose.Alg{jose.RS256, jose.PS256} {
		all[alg] = mustKey(jose.NewKey(&rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: 65537}, alg, ""))
	}
	return all
}()

func mustKey(key jose.Key, err error) jose.Key {
	if err != nil {
		panic(err)
	}
	return key
}
