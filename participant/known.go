package participant

import (
	"cmp"
	"slices"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// maxGone is how many keys that are gone the state remembers of an issuer; the
// log has them all.
const maxGone = 64

// KnownKey is a key that an issuer publishes or once published. Whoever looks
// into an old decision finds by it whose key that was.
type KnownKey struct {
	KeyID      string   `json:"kid,omitempty"`
	Thumbprint string   `json:"thumbprint"` // RFC 7638
	Alg        jose.Alg `json:"alg"`
	From       int64    `json:"from"`           // Unix seconds at which it was first seen
	Until      int64    `json:"until,omitzero"` // at which it was seen no longer; 0 while it is
}

// known follows a set of keys: which are there and since when, which are gone.
func known(before []KnownKey, keys jose.KeySet, at int64) []KnownKey {
	next := make([]KnownKey, 0, len(before)+1)
	for _, key := range keys.Keys() {
		k := KnownKey{KeyID: key.KeyID(), Thumbprint: key.Thumbprint(), Alg: key.Alg(), From: at}
		if i := slices.IndexFunc(before, k.continues); i >= 0 {
			k.From = before[i].From
		}
		next = append(next, k)
	}
	current := len(next)
	for _, k := range before {
		if k.Until == 0 && !slices.ContainsFunc(next[:current], k.continues) {
			k.Until = at
			next = append(next, k)
		}
	}
	for _, k := range before {
		if k.Until != 0 && len(next) < current+maxGone {
			next = append(next, k)
		}
	}
	return next[:min(len(next), current+maxGone)]
}

// continues reports whether other is the same key, published under the same name
// until now.
func (k KnownKey) continues(other KnownKey) bool {
	return other.Until == 0 && other.Thumbprint == k.Thumbprint && other.KeyID == k.KeyID && other.Alg == k.Alg
}

// FindKey finds a key of an issuer by its kid or its thumbprint: one that is
// published now before one that is gone. It fails with NotFound, and with
// Conflict for a kid that several keys had and none has now.
func (s State) FindKey(issuer, name string) (KnownKey, error) {
	if speaker, ok := s.Speaker(issuer); ok && speaker.Issuer.TrustDomain() {
		return speaker.findKey(name)
	}
	set, _ := s.KeySets.Get(issuerKey(issuer))
	var found []KnownKey
	for _, k := range set.Known {
		if name == "" || k.KeyID != name && k.Thumbprint != name {
			continue
		}
		if k.Until == 0 {
			return k, nil
		}
		if !slices.ContainsFunc(found, func(f KnownKey) bool { return f.Thumbprint == k.Thumbprint }) {
			found = append(found, k)
		}
	}
	switch len(found) {
	case 0:
		return KnownKey{}, trust.Errorf(trust.NotFound, "key %q is not and was not among the keys of issuer %s", name, issuer)
	case 1:
		return found[0], nil
	default:
		return KnownKey{}, trust.Errorf(trust.Conflict, "issuer %s gave the kid %q to %d keys that are gone; name one by its thumbprint", issuer, name, len(found))
	}
}

// AllKeySets gives the key sets that were seen, by issuer.
func (s State) AllKeySets() []KeySet {
	var all []KeySet
	for _, set := range s.KeySets.All() {
		all = append(all, set)
	}
	slices.SortFunc(all, func(a, b KeySet) int { return cmp.Compare(a.Issuer.String(), b.Issuer.String()) })
	return all
}

// readsAt reports whether keys that were seen at an address are the issuer's. A
// national issuer's address is the framework's affair: who knows the framework
// compares KeysFrom.
func (s Speaker) readsAt(address string) bool { return s.JWKSURI == "" || s.JWKSURI == address }
