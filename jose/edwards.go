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
// The standard library has no test for either. This one is not in constant time,
// which public keys allow.
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
	y2 := product(y, y)
	return !smallOrder(y2) && onCurve(y2)
}

// onCurve reports whether -x² + y² = 1 + d·x²·y² has a solution: whether
// x² = (y² - 1) / (d·y² + 1) is a square, and so the product of the two.
func onCurve(y2 *big.Int) bool {
	one := big.NewInt(1)
	u := new(big.Int).Sub(y2, one)
	v := product(curveD, y2)
	return big.Jacobi(product(u, v.Add(v, one)), fieldPrime) >= 0
}

// smallOrder reports whether the order of the points with this y² divides the
// cofactor, which is 8: twice a point has the y of (x² + y²) / (1 - d·x²·y²), so
// that y is 1 or -1 for the orders 1 and 2, 0 for 4, and y² = -x² for 8, which in
// the curve's equation is d·y⁴ + 2·y² = 1.
func smallOrder(y2 *big.Int) bool {
	one := big.NewInt(1)
	eighth := product(curveD, y2, y2)
	eighth.Add(eighth, y2).Add(eighth, y2).Sub(eighth, one)
	return y2.Sign() == 0 || y2.Cmp(one) == 0 || modulo(eighth).Sign() == 0
}
