package node

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/state"
)

// How much is remembered: tokens, verdicts and multiples of keys of one
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

// memo remembers verdicts by a hash of the request. A hash chooses where to
// look and proves nothing: a verdict answers the request it was made for, which
// it has, compared byte by byte.
type memo struct {
	*generations[uint64, *verdict]
	seed maphash.Seed
}

func newMemo() *memo {
	return &memo{newGenerations[uint64, *verdict](memoLimit), maphash.MakeSeed()}
}

// verdict is a decision and the drafts of its record. A permit may be given
// again for the identical request: it is keyed by everything the enforcement
// point sent and by the generation of the rules. What it may not skip is asked
// again by stillHolds, and the record is made every time. It never changes.
type verdict struct {
	rules    uint64            // the generation of rules it was made by
	ask      Ask               // what it answers
	made     decision.Observed // when it was made
	decision decision.Decision
	evidence decision.Evidence
	draft    decision.Draft
	sealed   sealedPart // has the request id in it: for another one it is made anew
}

// sealedPart is what only an authorised reader may see. Without bytes it could
// not be sealed, and so the decision cannot be recorded.
type sealedPart struct {
	bytes []byte
	hash  ledger.Hash
}

// ruling is a verdict at the moment at which it is given.
type ruling struct {
	*verdict
	observed decision.Observed
	ttl      int64
	sealed   sealedPart
}

// stillHolds asks again what a hit never skips: the bounds of time, the age of
// the partner's word, and every revocation. A new statement has other dates, by
// which the verdict's own bound is not reckoned.
func (v *verdict) stillHolds(n *Node, s *state.Snapshot, now clock.Mark) (decision.Observed, bool) {
	ev := &v.evidence
	o := n.observe(&ev.Evidence, v.made.Subject, now)
	if o.Now < v.made.Now || o.Now >= v.decision.Bound || o.StatementEnd <= o.Now || o.StatementEnd != v.made.StatementEnd ||
		o.PartnerAge < 0 || o.PartnerAge > v.decision.MaxAge {
		return o, false
	}
	_, ended := s.Revocation.Verdict(ev.Participant.String(), ev.Issuer.String(), ev.Thumbprint, o.Subject, ev.IssuedAt)
	return o, !ended
}

// key gives where to look for a request's verdict: by the caller, the action, the
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

// answers reports whether the verdict is one on this very request, by these
// rules. The identifier of the request is for logs and decides nothing.
func (v *verdict) answers(a *Ask, rules uint64) bool {
	own := &v.ask
	return v.rules == rules && len(a.Evidence) == 1 && len(own.Evidence) == 1 &&
		bytes.Equal(a.Evidence[0].Token, own.Evidence[0].Token) && a.Evidence[0].Kind == own.Evidence[0].Kind &&
		a.EnforcementPoint == own.EnforcementPoint && a.SubjectID == own.SubjectID && a.Action == own.Action &&
		a.ResourceType == own.ResourceType && a.ResourceID == own.ResourceID && a.Purpose == own.Purpose &&
		sameMembers(a.Properties, own.Properties)
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
