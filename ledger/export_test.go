package ledger

import "io"

// Salts gives what hands out salts by a source of randomness.
func Salts(random io.Reader) (func() [saltSize]byte, error) {
	s, err := newSalts(random)
	if err != nil {
		return nil, err
	}
	return s.next, nil
}
