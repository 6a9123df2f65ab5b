package jose

import (
	"crypto/ecdsa"
	"crypto/fips140"
	"math/big"
	"sync"
	"sync/atomic"

	"filippo.io/nistec"
)

// Tables makes ES256 keys that verify often cheaper to verify with: it keeps
// multiples of a key's point, about 130 KB a key, by which the costlier of a
// verification's two multiplications becomes some additions. What it answers is
// what Unverified.Verify answers, for every key and every signature; ADR 10 says
// what that was weighed against. Everything in it is public, so it need not take
// constant time. In FIPS 140-3 mode it keeps nothing. The zero value of the
// pointer is ready to use and keeps nothing either.
type Tables struct {
	mu         sync.Mutex
	limit      int
	young, old map[string]*multiples // by thumbprint; what nobody asks for grows old and is forgotten
}

// NewTables keeps the multiples of at least limit and at most twice as many
// keys, those that were asked for last.
func NewTables(limit int) *Tables {
	if fips140.Enabled() {
		return nil
	}
	return &Tables{limit: limit, young: map[string]*multiples{}}
}

// Verify is u.Verify(key).
func (t *Tables) Verify(u *Unverified, key Key) (Verified, error) { return u.verify(key, t) }

// of gives the multiples of an ES256 key, or nil where they are not kept, not
// worth their making yet, or just being made.
func (t *Tables) of(key Key) *[windows][half]nistec.P256Point {
	if t == nil {
		return nil
	}
	m := t.entry(key.k.thumbprint)
	if m.uses.Add(1) == worthwhile {
		m.points.Store(multiplesOf(key.k.public.(*ecdsa.PublicKey)))
	}
	return m.points.Load()
}

func (t *Tables) entry(thumbprint string) *multiples {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m, ok := t.young[thumbprint]; ok {
		return m
	}
	m, ok := t.old[thumbprint]
	if !ok {
		m = &multiples{}
	}
	if len(t.young) >= t.limit {
		t.old, t.young = t.young, make(map[string]*multiples, t.limit)
	}
	t.young[thumbprint] = m
	return m
}

// worthwhile is after how many verifications the multiples of a key are made,
// which costs about ten.
const worthwhile = 16

type multiples struct {
	uses   atomic.Int64
	points atomic.Pointer[[windows][half]nistec.P256Point]
}

// A scalar is written in signed digits of width bits, from -half to half, the
// lowest first. For digit i the table holds the point times 1 to half, each
// times 2^(width*i).
const (
	width   = 6
	half    = 1 << (width - 1)
	windows = (256 + width) / width // the last has room for the carry
)

func multiplesOf(key *ecdsa.PublicKey) *[windows][half]nistec.P256Point {
	encoded, err := key.Bytes()
	if err != nil {
		return nil // no Key is made of such a point
	}
	base, err := nistec.NewP256Point().SetBytes(encoded)
	if err != nil {
		return nil
	}
	table := new([windows][half]nistec.P256Point)
	for i := range table {
		row := &table[i]
		row[0].Set(base)
		for j := 1; j < half; j++ {
			row[j].Add(&row[j-1], base)
		}
		base.Double(&row[half-1])
	}
	return table
}

// times gives the table's point times k, which is less than 2^256.
func times(table *[windows][half]nistec.P256Point, k *big.Int) *nistec.P256Point {
	var scalar [2 + size256]byte
	k.FillBytes(scalar[2:])
	sum, negated := nistec.NewP256Point(), nistec.NewP256Point()
	carry := 0
	for i := range table {
		digit := bitsOf(&scalar, i*width) + carry
		carry = 0
		if digit > half {
			digit, carry = digit-2*half, 1
		}
		switch {
		case digit > 0:
			sum.Add(sum, &table[i][digit-1])
		case digit < 0:
			sum.Add(sum, negated.Negate(&table[i][-digit-1]))
		}
	}
	return sum
}

// bitsOf gives the width bits from bit at on of a number that stands big-endian
// behind two bytes of zero.
func bitsOf(scalar *[2 + size256]byte, at int) int {
	low := len(scalar) - 1 - at/8
	pair := int(scalar[low]) | int(scalar[low-1])<<8
	return pair >> (at % 8) & (2*half - 1)
}

// holdsBy is ECDSA verification (FIPS 186-5, section 6.4.2) with a table for
// the public key. digest is a SHA-256; r and s are 32 bytes each and in range.
func holdsBy(table *[windows][half]nistec.P256Point, digest, r, s []byte) bool {
	e, first, w := new(big.Int).SetBytes(digest), new(big.Int).SetBytes(r), new(big.Int).SetBytes(s)
	w.ModInverse(w, orderOfP256)
	var u1 [size256]byte
	e.Mul(e, w).Mod(e, orderOfP256).FillBytes(u1[:])
	u2 := w.Mul(first, w)
	u2.Mod(u2, orderOfP256)
	sum, err := nistec.NewP256Point().ScalarBaseMult(u1[:])
	if err != nil {
		return false
	}
	x, err := sum.Add(sum, times(table, u2)).BytesX()
	if err != nil {
		return false // the sum is the point at infinity
	}
	v := e.SetBytes(x)
	return v.Mod(v, orderOfP256).Cmp(first) == 0
}
