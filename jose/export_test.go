package jose

import "errors"

// For the tests of the tables, which compare them with the standard library
// piece by piece.
var (
	MultiplesOf = multiplesOf
	Times       = times
	HoldsBy     = holdsBy
	DEROf       = derOf
	InRange     = inRange
	Decoys      = decoys
)

const (
	Windows, Half, Width = windows, half, width
	Worthwhile           = worthwhile
)

// Holds checks a signature with tables.
func (k Key) Holds(input, signature []byte, tables *Tables) bool {
	return k.holds(input, signature, tables)
}

// Has reports whether the multiples of a key are there.
func (t *Tables) Has(k Key) bool { return t.of(k) != nil }

// Size is how many keys are remembered.
func (t *Tables) Size() int { return len(t.young) + len(t.old) }

// Public gives the key of the library that verifies.
func (k Key) Public() any { return k.k.public }

// Decode is the strict reading of a token's part.
func Decode(s string) ([]byte, error) {
	b, ok := decode([]byte(s))
	if !ok {
		return nil, errors.New("not base64url")
	}
	return b, nil
}
