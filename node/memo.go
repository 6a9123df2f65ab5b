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

// How much is remembered: tokens, permits, grants and multiples of keys of one
// generation.
const (
	tokenLimit = 1 << 14
	keyLimit   = 1 << 7
	memoLimit  = 1 << 15
	grantLimit = 1 << 13
)

// tokenCache remembers verified tokens, and the multiples of the keys that
// verify often.
type tokenCache struct {
	*generations[[32]byte, jose.Verified]
	tables *jose.Tables
	spent  *generations[[32]byte, struct{}] // tokens whose refusal cost a check already
}

func newTokenCache() *tokenCache {
	return &tokenCache{newGenerations[[32]byte, jose.Verified](tokenLimit, byHash), jose.NewTables(keyLimit), newGenerations[[32]byte, struct{}](tokenLimit, byHash)}
}

// Spend does the work of a check for a token that was not seen before. A token
// whose signature held is remembered too, and costs none the second time.
func (c *tokenCache) Spend(token [32]byte, u *jose.Unverified) {
	if _, seen := c.spent.Get(token); !seen {
		u.Spend(c.tables)
		c.spent.Put(token, struct{}{})
	}
}

// Verify checks a signature and remembers it if it holds.
func (c *tokenCache) Verify(token [32]byte, u *jose.Unverified, key jose.Key) (jose.Verified, error) {
	v, err := c.tables.Verify(u, key)
	if err == nil {
		c.Put(token, v)
	}
	return v, err
}

// memo remembers permits, and orders for credentials that were granted, by a
// hash of the request. A hash chooses where to look
// and proves nothing: what is remembered answers the request it was made for,
// which it has, compared byte by byte.
type memo struct {
	permits *generations[uint64, *permit]
	grants  *generations[uint64, *grant]
	seed    maphash.Seed
}

func newMemo() *memo {
	return &memo{newGenerations[uint64, *permit](memoLimit, byNumber), newGenerations[uint64, *grant](grantLimit, byNumber), maphash.MakeSeed()}
}

// permit is a recorded permit that may be given again for the identical request.
// It never changes.
type permit struct {
	standing
	ask        Ask
	properties []member // of ask, in no order
}

// member is one of a request's properties.
type member struct {
	name  string
	value any
}

// standing is what a recorded permit rests on: the generation of rules it was
// decided by, and all that is asked again, which is what may not be skipped; the
// record is made every time.
type standing struct {
	rules uint64
	of    trust.Position // of its record
	decision.Bounds
	made decision.Observed
	decision.Ground
	served
	agreement string // random id
}

func newPermit(v *verdict, a *Ask, of trust.Position) *permit {
	p := &permit{ask: *a, standing: standing{rules: v.rules, of: of, agreement: v.decision.Agreement, Ground: v.evidence.Ground(), made: v.observed, Bounds: v.decision.Bounds, served: servedBy(&v.evidence, &v.observed, &v.decision)}}
	for name, value := range a.Properties {
		p.properties = append(p.properties, member{name, value})
	}
	return p
}

// stillHolds asks again what a hit never skips: whether the time is to be relied
// on, its bounds, the age of the partner's word, and every revocation. A new
// statement has other dates, by which the permit's own bound is not reckoned.
// What it then observed is in o.
func (p *standing) stillHolds(n *Node, s *state.Snapshot, now clock.Mark, o *decision.Observed) bool {
	n.observe(o, p.Participant, p.made.Subject, now)
	if o.Unsure || o.Now < p.made.Now || o.Now >= p.Bound || o.StatementEnd <= o.Now || o.StatementEnd != p.made.StatementEnd ||
		o.PartnerAge < 0 || o.PartnerAge > p.MaxAge {
		return false
	}
	if !p.feedsHold(n, s, o, &p.made, p.Issuer, now) || !p.chainHolds(n, s, o, now) {
		return false
	}
	if p.made.BundleAge != 0 {
		if o.BundleAge = n.bundleAge(p.Issuer, now); o.BundleAge < 0 || o.BundleAge > p.MaxBundleAge {
			return false
		}
	}
	o.Origin, o.Session, o.Device = p.made.Origin, p.made.Session, p.made.Device
	n.monitor(s, o)
	_, ended := p.Ended(s, o)
	return !ended
}

// key gives where to look for a request's permit: by the caller, the action, the
// resource and the purpose. Requests that differ in something else share a place,
// of which the latest has it.
func (m *memo) key(a *Ask, rules uint64) uint64 {
	sum := m.mix(rules, string(a.Action), a.ResourceID, string(a.Purpose))
	for i := range a.Evidence {
		sum = mix(sum, m.tail(a.Evidence[i].Token))
	}
	return sum
}

// tail stands for a token: its end is a signature's, and no two are alike.
func (m *memo) tail(token []byte) uint64 {
	return maphash.Bytes(m.seed, token[max(len(token)-tailSize, 0):])
}

// tailSize is in bytes of a token.
const tailSize = 48

// grantKey is key for an order: by the caller, the client, the target and the
// scope.
func (m *memo) grantKey(r *Exchange, rules uint64) uint64 {
	return mix(m.mix(rules, r.Client, r.Target, r.Scope), m.tail(r.Subject.Token))
}

func (m *memo) mix(sum uint64, parts ...string) uint64 {
	for _, part := range parts {
		sum = mix(sum, maphash.String(m.seed, part))
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
		a.Reason == own.Reason && a.Ticket == own.Ticket &&
		isOf(a.Properties, p.properties) && sameMembers(a.Workload, own.Workload)
}

// answers is the same of an order.
func (g *grant) answers(r *Exchange, rules uint64) bool {
	own := &g.order
	return g.rules == rules && sameProof(&r.Subject, &own.Subject) && r.Client == own.Client && r.Target == own.Target && r.Scope == own.Scope &&
		r.Partner == own.Partner && sameProofs(r.Via, own.Via) && r.Redeems == own.Redeems &&
		slices.EqualFunc(r.Access, own.Access, sameAccess)
}

func sameAccess(a, b evidence.Access) bool {
	return a.Type == b.Type && a.Purpose == b.Purpose && slices.Equal(a.Actions, b.Actions) && slices.Equal(a.IDs, b.IDs)
}

func sameProofs(a, b []evidence.Proof) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameProof(&a[i], &b[i]) {
			return false
		}
	}
	return true
}

func sameProof(a, b *evidence.Proof) bool {
	return bytes.Equal(a.Token, b.Token) && a.Kind == b.Kind && sameShown(a.Shown, b.Shown)
}

// sameShown reports whether the same was shown beside a token. A DPoP proof is
// of one request, whatever else is alike.
func sameShown(a, b *evidence.Shown) bool {
	if a == nil || b == nil {
		return a == b
	}
	return len(a.DPoP) == 0 && len(b.DPoP) == 0 && a.Method == b.Method && a.URL == b.URL && a.ForToken == b.ForToken && bytes.Equal(a.Certificate, b.Certificate)
}

// isOf reports whether m has these members and no other.
func isOf(m map[string]any, members []member) bool {
	if len(m) != len(members) {
		return false
	}
	for i := range members {
		if value, ok := m[members[i].name]; !ok || !same(value, members[i].value) {
			return false
		}
	}
	return true
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
