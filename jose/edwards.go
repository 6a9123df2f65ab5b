package jose

import (
	"crypto/ed25519"
	"math/big"
	"slices"
)

// The field and the curve constant of edwards25519 (RFC 8032, section 5.1).
var (
	fieldPrime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	curveD     = modulo(new(big.Int).Mul(big.NewInt(-121665), new(big.Int).ModInverse(big.NewInt(121666), fieldPrime)))
)

func modulo(x *big.Int) *big.Int { return x.Mod(x, fieldPrime) }

func product(factors ...*big.Int) *big.Int {
	x := big.NewInt(1)
	for _, f := range factors {
		modulo(x.Mul(x, f))
	}
	return x
}

// signingPoint reports whether p encodes a point of the curve canonically and
// one that is not of small order: under such a key a signature of any text can
// be made to hold, so its owner could deny whatever it signed.
//
// The standard library has no test for either. This one is slow and not in
// constant time, which public keys at registration allow.
func signingPoint(p ed25519.PublicKey) bool {
	if len(p) != ed25519.PublicKeySize {
		return false
	}
	text := slices.Clone(p)
	slices.Reverse(text)
	text[0] &= 0x7f // the sign of x
	y := new(big.Int).SetBytes(text)
	if y.Cmp(fieldPrime) >= 0 {
		return false
	}
	x2 := squareOfX(y)
	if big.Jacobi(x2, fieldPrime) < 0 {
		return false
	}
	for range 3 { // the cofactor is 2^3
		x2, y = double(x2, y)
	}
	return x2.Sign() != 0 || y.Cmp(big.NewInt(1)) != 0
}

// squareOfX solves -x² + y² = 1 + d·x²·y² for x².
func squareOfX(y *big.Int) *big.Int {
	y2 := product(y, y)
	u := new(big.Int).Sub(y2, big.NewInt(1))
	v := modulo(new(big.Int).Add(product(curveD, y2), big.NewInt(1)))
	return product(modulo(u), v.ModInverse(v, fieldPrime))
}

// double gives x² and y of twice a point; the sign of x does not matter to them.
func double(x2, y *big.Int) (*big.Int, *big.Int) {
	y2 := product(y, y)
	dxy := product(curveD, x2, y2)
	plus := modulo(new(big.Int).Add(big.NewInt(1), dxy))
	minus := modulo(new(big.Int).Sub(big.NewInt(1), dxy))
	plus.ModInverse(plus, fieldPrime)
	minus.ModInverse(minus, fieldPrime)
	return product(big.NewInt(4), x2, y2, plus, plus), product(modulo(new(big.Int).Add(y2, x2)), minus)
}
