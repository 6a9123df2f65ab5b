package ledger

import (
	"crypto/aes"
	"crypto/cipher"
	"io"
	"sync"

	"github.com/entente-id/entente/trust"
)

// salts hands out the randomness that blinds leaves: the key stream of AES-256 in
// counter mode (NIST SP 800-38A) under a key drawn when the log was opened, which
// costs a tenth of asking for each. Salts are stored beside their leaves, so that
// who could read the key gains nothing by it.
type salts struct {
	mu     sync.Mutex
	stream cipher.Stream
	ready  [256 * saltSize]byte
	used   int
}

func newSalts(random io.Reader) (*salts, error) {
	var seed [32 + aes.BlockSize]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return nil, trust.Errorf(trust.Unavailable, "reading randomness for the leaves of a log: %w", err)
	}
	block, err := aes.NewCipher(seed[:32])
	if err != nil {
		return nil, err
	}
	s := &salts{stream: cipher.NewCTR(block, seed[32:])}
	s.used = len(s.ready)
	return s, nil
}

// next gives a salt that was never given.
func (s *salts) next() (salt [saltSize]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used == len(s.ready) {
		clear(s.ready[:])
		s.stream.XORKeyStream(s.ready[:], s.ready[:])
		s.used = 0
	}
	s.used += copy(salt[:], s.ready[s.used:])
	return salt
}
