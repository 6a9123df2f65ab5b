package jose

import "math/big"

// A faulty generator (CVE-2017-15361, "ROCA") makes RSA primes that are powers
// of 65537 modulo many small primes, so that they can be found. The modulus then
// is such a power too: modulo each of these, where fewer than all residues are.
var rocaPrimes = []int64{11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157}

// guessable reports whether n bears the mark of that generator; any other
// modulus does once in about 2^27.
func guessable(n *big.Int) bool {
	for _, p := range rocaPrimes {
		residue := new(big.Int).Mod(n, big.NewInt(p)).Int64()
		power := int64(1)
		for power != residue {
			if power = power * (65537 % p) % p; power == 1 {
				return false
			}
		}
	}
	return true
}
