package jose_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"sync"
	"testing"

	"filippo.io/nistec"
	"pgregory.net/rapid"

	"github.com/entente-id/entente/jose"
)

// TestTimesIsScalarMult compares with the library's own multiplication at every
// scalar where a digit, a carry or a byte turns.
func TestTimesIsScalarMult(t *testing.T) {
	key := keyOnP256(t)
	table := jose.MultiplesOf(&key.PublicKey)
	encoded, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	point, err := nistec.NewP256Point().SetBytes(encoded)
	if err != nil {
		t.Fatal(err)
	}
	check := func(k *big.Int) {
		t.Helper()
		var scalar [32]byte
		want, err := nistec.NewP256Point().ScalarMult(point, k.FillBytes(scalar[:]))
		if err != nil {
			t.Fatal(err)
		}
		if got := jose.Times(table, k); !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Fatalf("%x times the point is %x; want %x", k, got.Bytes(), want.Bytes())
		}
	}
	one := big.NewInt(1)
	for bit := range 256 {
		power := new(big.Int).Lsh(one, uint(bit))
		for _, k := range []*big.Int{power, new(big.Int).Sub(power, one), new(big.Int).Sub(order, power)} {
			if k.Sign() >= 0 {
				check(k)
			}
		}
	}
	for digit := range int64(2 * jose.Half) {
		repeated := new(big.Int)
		for range jose.Windows - 1 {
			repeated.Lsh(repeated, jose.Width).Or(repeated, big.NewInt(digit))
		}
		check(repeated)
	}
}

// TestTablesAnswerAsTheStandardLibrary: a genuine signature, and one with a bit
// turned anywhere in it or in what it is of.
func TestTablesAnswerAsTheStandardLibrary(t *testing.T) {
	key := keyOnP256(t)
	table := jose.MultiplesOf(&key.PublicKey)
	rapid.Check(t, func(t *rapid.T) {
		digest := sha256.Sum256(rapid.SliceOf(rapid.Byte()).Draw(t, "message"))
		signature := rawSignature(t, key, digest[:])
		both := append(signature, digest[:]...)
		if flip := rapid.IntRange(-1, 8*len(both)-1).Draw(t, "bit"); flip >= 0 {
			both[flip/8] ^= 1 << (flip % 8)
		}
		r, s, e := both[:32], both[32:64], both[64:]
		if !jose.InRange(r) || !jose.InRange(s) {
			return
		}
		want := ecdsa.VerifyASN1(&key.PublicKey, e, jose.DEROf(both[:64]))
		if got := jose.HoldsBy(table, e, r, s); got != want {
			t.Fatalf("by the table %v, by the standard library %v", got, want)
		}
	})
}

// TestTablesAtTheEdges: what chance never makes. Each case is a signature made
// backwards from u1 and u2.
func TestTablesAtTheEdges(t *testing.T) {
	d, u2 := big.NewInt(0xd15ea5e), big.NewInt(0xc0ffee)
	q, err := nistec.NewP256Point().ScalarBaseMult(fixed(d))
	if err != nil {
		t.Fatal(err)
	}
	mod := func(n *big.Int) *big.Int { return n.Mod(n, order) }
	opposite := mod(new(big.Int).Neg(mod(new(big.Int).Mul(u2, d)))) // u1*G is -u2*Q
	equal := mod(new(big.Int).Mul(u2, d))                           // u1*G is u2*Q
	large, largeR := pointBeyondOrder(t)
	for name, c := range map[string]struct {
		key       *nistec.P256Point
		u1, u2, r *big.Int
		holds     bool
	}{
		"the sum is at infinity":      {q, opposite, u2, big.NewInt(5), false},
		"both summands are equal":     {q, equal, u2, xOf(t, q, equal, u2), true},
		"the digest is zero":          {q, new(big.Int), u2, xOf(t, q, new(big.Int), u2), true},
		"x is not less than n":        {keyFor(t, large, big.NewInt(7), u2), big.NewInt(7), u2, largeR, true},
		"another r than x less n":     {keyFor(t, large, big.NewInt(7), u2), big.NewInt(7), u2, big.NewInt(9), false},
		"the key is the generator":    {nistec.NewP256Point().SetGenerator(), u2, u2, xOf(t, nistec.NewP256Point().SetGenerator(), u2, u2), true},
		"u2 is the order less one":    {q, u2, new(big.Int).Sub(order, big.NewInt(1)), xOf(t, q, u2, new(big.Int).Sub(order, big.NewInt(1))), true},
		"the sign of the sum is lost": {q, u2, u2, new(big.Int).Sub(order, xOf(t, q, u2, u2)), false},
	} {
		t.Run(name, func(t *testing.T) {
			public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), c.key.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			s := mod(new(big.Int).Mul(c.r, new(big.Int).ModInverse(c.u2, order)))
			e := mod(new(big.Int).Mul(c.u1, s))
			if got := jose.HoldsBy(jose.MultiplesOf(public), fixed(e), fixed(c.r), fixed(s)); got != c.holds {
				t.Errorf("by the table it is %v", got)
			}
			if got := ecdsa.VerifyASN1(public, fixed(e), jose.DEROf(append(fixed(c.r), fixed(s)...))); got != c.holds {
				t.Errorf("by the standard library it is %v", got)
			}
		})
	}
}

// TestTablesForget keeps the most recent keys only, and answers the same before,
// while and after a key's multiples are made.
func TestTablesForget(t *testing.T) {
	tables := jose.NewTables(2)
	var keys []*ecdsa.PrivateKey
	for range 6 {
		keys = append(keys, keyOnP256(t))
	}
	digest := sha256.Sum256([]byte("message"))
	var wait sync.WaitGroup
	for i, private := range keys {
		key, err := jose.NewKey(&private.PublicKey, jose.ES256, fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		signature := rawSignature(t, private, digest[:])
		other := rawSignature(t, keys[(i+1)%len(keys)], digest[:])
		for range 3 * jose.Worthwhile {
			wait.Go(func() {
				if !key.Holds(digest[:], signature, tables) || key.Holds(digest[:], other, tables) {
					t.Errorf("key %d takes another's signature, or not its own", i)
				}
			})
		}
		wait.Wait()
		if !tables.Has(key) {
			t.Errorf("key %d has no multiples after %d verifications", i, 6*jose.Worthwhile)
		}
		if n := tables.Size(); n > 4 {
			t.Errorf("%d keys are remembered; the most is twice the limit of 2", n)
		}
	}
}

func keyOnP256(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var order = elliptic.P256().Params().N

func fixed(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }

func rawSignature(t interface{ Fatal(...any) }, key *ecdsa.PrivateKey, digest []byte) []byte {
	r, s, err := ecdsa.Sign(rand.Reader, key, digest)
	if err != nil {
		t.Fatal(err)
	}
	return append(fixed(r), fixed(s)...)
}

// sumOf is u1*G + u2*q by the library alone.
func sumOf(t *testing.T, q *nistec.P256Point, u1, u2 *big.Int) *nistec.P256Point {
	t.Helper()
	a, err := nistec.NewP256Point().ScalarBaseMult(fixed(u1))
	if err != nil {
		t.Fatal(err)
	}
	b, err := nistec.NewP256Point().ScalarMult(q, fixed(u2))
	if err != nil {
		t.Fatal(err)
	}
	return a.Add(a, b)
}

func xOf(t *testing.T, q *nistec.P256Point, u1, u2 *big.Int) *big.Int {
	t.Helper()
	x, err := sumOf(t, q, u1, u2).BytesX()
	if err != nil {
		t.Fatal(err)
	}
	n := new(big.Int).SetBytes(x)
	return n.Mod(n, order)
}

// pointBeyondOrder finds a point whose x is not less than the order, and x less
// the order.
func pointBeyondOrder(t *testing.T) (*nistec.P256Point, *big.Int) {
	t.Helper()
	for i := int64(1); i < 1000; i++ {
		x := new(big.Int).Add(order, big.NewInt(i))
		if p, err := nistec.NewP256Point().SetBytes(append([]byte{2}, fixed(x)...)); err == nil {
			return p, big.NewInt(i)
		}
	}
	t.Fatal("no such point was found")
	return nil, nil
}

// keyFor gives the key for which u1*G + u2*key is the point.
func keyFor(t *testing.T, point *nistec.P256Point, u1, u2 *big.Int) *nistec.P256Point {
	t.Helper()
	back := new(big.Int).ModInverse(u2, order)
	minus := new(big.Int).Mul(u1, back)
	minus.Mod(minus.Neg(minus), order)
	return sumOf(t, point, minus, back)
}
