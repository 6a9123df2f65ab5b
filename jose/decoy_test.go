package jose_test

import (
	"testing"

	"github.com/entente-id/entente/jose"
)

// Every algorithm of a token has a decoy, under which nothing holds.
func TestDecoys(t *testing.T) {
	for _, alg := range jose.Algs() {
		key, ok := jose.Decoys()[alg]
		if !ok || key.Alg() != alg || key.KeyID() != "" {
			t.Errorf("%s has the decoy %v", alg, key)
			continue
		}
		u, err := jose.Parse(foreignToken(alg, private(alg, false), nil, payload), anyType)
		if err != nil {
			t.Fatal(err)
		}
		u.Spend(nil)
		if _, err := u.Verify(key); jose.FaultOf(err) != jose.Signature {
			t.Errorf("%s: %v", alg, err)
		}
	}
}
