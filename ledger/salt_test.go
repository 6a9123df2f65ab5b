package ledger_test

import (
	"bytes"
	"testing"
	"testing/iotest"

	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/trust"
)

// No two leaves have one salt, over more than is made ready at a time, nor do
// those of another opening; and without randomness nothing opens.
func TestSalts(t *testing.T) {
	seen := map[[16]byte]bool{}
	for opening := range 2 {
		next, err := ledger.Salts(bytes.NewReader(bytes.Repeat([]byte{byte(opening)}, 64)))
		if err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			salt := next()
			if seen[salt] || salt == [16]byte{} {
				t.Fatalf("salt %x comes twice", salt)
			}
			seen[salt] = true
		}
	}
	if _, err := ledger.Salts(iotest.ErrReader(trust.Errorf(trust.Internal, "none"))); trust.KindOf(err) != trust.Unavailable {
		t.Errorf("without randomness: %v", err)
	}
}
