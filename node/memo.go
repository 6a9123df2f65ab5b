package node

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// How much is remembered: tokens, permits and multiples of keys of one
// generation.
const (
	tokenLimit = 1 << 14
	keyLimit   = 1 << 7
	memoLimit  = 1 << 15
)

// tokenCache remembers verified tokens, and the multiples of the keys that
// verify often.
type tokenCache struct {
	*generations[[32]byte, jose.Verified]
	tables *jose.Tables
}

func newTokenCache() *tokenCache {
	return &tokenCache{newGenerations[[32]byte, jose.Verified](tokenLimit), jose.NewTables(keyLimit)}
}

// Verify checks a signature and remembers it if it holds.
func (c *tokenCache) Verify(token [32]byte, u *jose.Unverified, key jose.Key) (jose.Verified, error) {
	v, err := c.tables.Verify(u, key)
	if err == nil {
		c.Put(token, v)
	}
	return v, err
}

// memo remembers permits by a hash of the request. A hash chooses where to look
// and proves nothing: a permit answers the request it was made for, which it
// has, compared byte by byte.
type memo struct {
	*generations[uint64, *permit]
	seed maphash.Seed
}

func newMemo() *memo {
	return &memo{newGenerations[uint64, *permit](memoLimit), maphash.MakeSeed()}
}

// permit is a recorded permit that may be given again for the identical request:
// the request, the generation of rules it was decided by, and all that is asked
// again, which is what may not be skipped; the record is made every time. It
// never changes.
type permit struct {
	ask   Ask
	rules uint64
	of    trust.Position // of its record

	decision.Ground
	made decision.Observed
	decision.Bounds
}

func newPermit(v *verdict, a *Ask, of trust.Position) *permit {
	return &permit{ask: *a, rules: v.rules, of: of, Ground: v.evidence.Ground(), made: v.observed, Bounds: v.decision.Bounds}
}

// stillHolds asks again what a hit never skips: the bounds of time, the age of
// the partner's word, and every revocation. A new statement has other dates, by
// which the permit's own bound is not reckoned.
func (p *permit) stillHolds(n *Node, s *state.Snapshot, now clock.Mark) (decision.Observed, bool) {
	o := n.observe(p.Participant, p.made.Subject, now)
	if o.Now < p.made.Now || o.Now >= p.Bound || o.StatementEnd <= o.Now || o.StatementEnd != p.made.StatementEnd ||
		o.PartnerAge < 0 || o.PartnerAge > p.MaxAge {
		return o, false
	}
	if !p.chainHolds(n, s, &o, now) {
		return o, false
	}
	if p.made.BundleAge != 0 {
		if o.BundleAge = n.bundleAge(p.Issuer, now); o.BundleAge < 0 || o.BundleAge > p.MaxBundleAge {
			return o, false
		}
	}
	o.Origin = p.made.Origin
	_, ended := p.Ended(s, &o)
	return o, !ended
}

// key gives where to look for a request's permit: by the caller, the action, the
// resource and the purpose. Requests that differ in something else share a place,
// of which the latest has it.
func (m *memo) key(a *Ask, rules uint64) uint64 {
	sum := rules
	for _, part := range [...]string{string(a.Action), a.ResourceID, string(a.Purpose)} {
		sum = mix(sum, maphash.String(m.seed, part))
	}
	for _, proof := range a.Evidence {
		sum = mix(sum, maphash.Bytes(m.seed, proof.Token))
	}
	return sum
}

func mix(a, b uint64) uint64 { return bits.RotateLeft64(a, 7)*0x9e3779b97f4a7c15 ^ b }

// answers reports whether the permit is one for this very request, by these
// rules. The identifier of the request is for logs and decides nothing.
func (p *permit) answers(a *Ask, rules uint64) bool {
	own := &p.ask
	return p.rules == rules && sameProofs(a.Evidence, own.Evidence) &&
		a.EnforcementPoint == own.EnforcementPoint && a.SubjectID == own.SubjectID && a.Order == own.Order && a.Action == own.Action &&
		a.ResourceType == own.ResourceType && a.ResourceID == own.ResourceID && a.Purpose == own.Purpose &&
		sameMembers(a.Properties, own.Properties)
}

func sameProofs(a, b []evidence.Proof) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i].Token, b[i].Token) || a[i].Kind != b[i].Kind || !sameShown(a[i].Shown, b[i].Shown) {
			return false
		}
	}
	return true
}

// sameShown reports whether the same was shown beside a token. A DPoP proof is
// of one request, whatever else is alike.
func sameShown(a, b *evidence.Shown) bool {
	if a == nil || b == nil {
		return a == b
	}
	return len(a.DPoP) == 0 && len(b.DPoP) == 0 && a.Method == b.Method && a.URL == b.URL && bytes.Equal(a.Certificate, b.Certificate)
}

func sameMembers(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	for name, value := range a {
		if other, ok := b[name]; !ok || !same(value, other) {
			return false
		}
	}
	return true
}

// same compares canonical values. What is not one equals nothing.
func same(a, b any) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case string:
		b, ok := b.(string)
		return ok && a == b
	case bool, int64, float64:
		return a == b
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && sameMembers(a, b)
	case canonical.Object:
		b, ok := b.(canonical.Object)
		return ok && sameMembers(a, b)
	default:
		return false
	}
}
