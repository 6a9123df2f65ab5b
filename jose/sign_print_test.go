package jose_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/entente-id/entente/jose"
)

// R33
func TestSignerIsNeverPrinted(t *testing.T) {
	seed := []byte("a seed of thirty-two bytes only.")
	s, err := jose.NewSigner(ed25519.NewKeyFromSeed(seed), "k-1")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		text := fmt.Sprintf(verb, s)
		if text != "signer(k-1)" || strings.Contains(text, hex.EncodeToString(seed)) {
			t.Errorf("%s prints %q", verb, text)
		}
	}
}
