package jose

import (
	"slices"
	"strings"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

const (
	maxKeySetSize = 64 << 10
	maxKeys       = 64
)

// KeySet is the signing keys of one owner, told apart by kid. It is made only
// by ParseKeySet and NewKeySet. The zero value is the empty set, under which
// nothing verifies.
type KeySet struct{ keys []Key }

// NewKeySet makes a set of at most 64 keys. Several keys must each have a kid
// of their own. It fails with Invalid.
func NewKeySet(keys ...Key) (KeySet, error) {
	if len(keys) > maxKeys {
		return KeySet{}, trust.Errorf(trust.Invalid, "key set has %d keys; the most is %d", len(keys), maxKeys)
	}
	s := KeySet{slices.SortedFunc(slices.Values(keys), func(a, b Key) int { return strings.Compare(a.KeyID(), b.KeyID()) })}
	for i, k := range s.keys {
		switch {
		case k.IsZero():
			return KeySet{}, trust.Errorf(trust.Invalid, "key set holds a missing key")
		case len(keys) > 1 && k.KeyID() == "":
			return KeySet{}, trust.Errorf(trust.Invalid, "key set has several keys and one of them has no kid")
		case i > 0 && k.KeyID() == s.keys[i-1].KeyID():
			return KeySet{}, trust.Errorf(trust.Invalid, "key set has two keys with the kid %q", k.KeyID())
		}
	}
	return s, nil
}

// ParseKeySet reads a JWK Set (RFC 7517, section 5) of at most 64 KiB and 64
// keys. Public keys of another use, type, curve or algorithm are left out, as
// the standard asks. A private, symmetric or unfit key and two signing keys of
// one kid refuse the whole set. An empty set is valid: its owner has withdrawn
// every key. It fails with Invalid.
func ParseKeySet(jwks []byte) (KeySet, error) {
	if len(jwks) > maxKeySetSize {
		return KeySet{}, trust.Errorf(trust.Invalid, "key set has %d bytes; the most is %d", len(jwks), maxKeySetSize)
	}
	o, err := canonical.ParseObject(jwks)
	if err != nil {
		return KeySet{}, err
	}
	list, ok := o["keys"].([]any)
	if !ok || len(list) > maxKeys {
		return KeySet{}, trust.Errorf(trust.Invalid, "key set has no list of at most %d keys", maxKeys)
	}
	keys := make([]Key, 0, len(list))
	for i, v := range list {
		jwk, ok := v.(canonical.Object)
		if !ok {
			return KeySet{}, trust.Errorf(trust.Invalid, "key set has something that is no key at place %d", i)
		}
		if err := checkPublic(jwk); err != nil {
			return KeySet{}, err
		}
		if foreign(jwk, "sig", general) != "" {
			continue
		}
		key, err := build(jwk)
		if err != nil {
			return KeySet{}, err
		}
		keys = append(keys, key)
	}
	return NewKeySet(keys...)
}

// Lookup gives the key with exactly this kid. Without a kid it gives the only
// key of the set. It fails with the faults KidMissing and KidUnknown.
func (s KeySet) Lookup(kid string) (Key, error) {
	if kid == "" {
		if len(s.keys) == 1 {
			return s.keys[0], nil
		}
		return Key{}, refuse(KidMissing)
	}
	for _, k := range s.keys {
		if k.KeyID() == kid {
			return k, nil
		}
	}
	return Key{}, refuse(KidUnknown)
}

// Keys gives the keys in the order of their kids.
func (s KeySet) Keys() []Key { return slices.Clone(s.keys) }

// MarshalJSON gives the canonical JWK Set.
func (s KeySet) MarshalJSON() ([]byte, error) {
	return canonical.Marshal(map[string][]Key{"keys": s.keys})
}

// UnmarshalJSON is ParseKeySet.
func (s *KeySet) UnmarshalJSON(data []byte) (err error) {
	*s, err = ParseKeySet(data)
	return err
}
