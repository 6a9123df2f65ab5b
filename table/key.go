package table

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/entente-id/entente/trust"
)

// Key is a row's name: 16 bytes that are spread evenly, because KeyOf or an
// HMAC made them. Tables are ordered by it.
type Key [16]byte

// KeyOf is the one way to make a Key, a cache key or a single-use key out of
// several values. The first part is a tag that says what is being named. Every
// part is written with its length before it, so that no two different lists of
// parts give the same bytes, and the whole is hashed: SHA-256, cut to 16 bytes.
// Parts of up to 512 bytes in all cost no allocation.
func KeyOf(parts ...string) Key {
	var space [512]byte
	buf := space[:0]
	for _, part := range parts {
		buf = binary.BigEndian.AppendUint64(buf, uint64(len(part)))
		buf = append(buf, part...)
	}
	sum := sha256.Sum256(buf)
	return Key(sum[:16])
}

// String gives 32 hexadecimal digits.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// MarshalText gives 32 hexadecimal digits.
func (k Key) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, k[:]), nil }

// UnmarshalText parses 32 lower-case hexadecimal digits. It fails with Invalid.
func (k *Key) UnmarshalText(b []byte) error {
	var parsed Key
	if len(b) != 2*len(parsed) {
		return trust.Errorf(trust.Invalid, "key %q is not 32 hexadecimal digits", b)
	}
	if _, err := hex.Decode(parsed[:], b); err != nil || parsed.String() != string(b) {
		return trust.Errorf(trust.Invalid, "key %q is not 32 lower-case hexadecimal digits", b)
	}
	*k = parsed
	return nil
}
