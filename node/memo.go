package node

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// How much is remembered: tokens and verdicts of one generation.
const (
	tokenLimit = 1 << 14
	memoLimit  = 1 << 15
)

type tokenCache = generations[[32]byte, jose.Verified]

func newTokenCache() *tokenCache { return newGenerations[[32]byte, jose.Verified](tokenLimit) }

type memo = generations[[32]byte, *verdict]

func newMemo() *memo { return newGenerations[[32]byte, *verdict](memoLimit) }

// verdict is a permit that may be given again for the identical request. It is
// keyed by everything the enforcement point sent and by the generation of the
// rules. What it may not skip is asked again by stillHolds, and the record is
// made every time.
type verdict struct {
	made     int64  // Unix seconds
	rules    uint64 // the generation of rules it was made by
	decision decision.Decision
	evidence decision.Evidence
	subject  trust.SubjectKey
	commit   decision.Commit
	sealed   []byte
}

// stillHolds asks again what a hit never skips: the bounds of time, the age of
// the partner's word, and every revocation.
func (v *verdict) stillHolds(n *Node, s *state.Snapshot, now int64) (decision.Observed, bool) {
	o := n.observe(&v.evidence.Evidence, v.subject, now)
	if now < v.made || now >= v.decision.Bound || o.PartnerAge < 0 || o.PartnerAge > v.decision.MaxAge || o.StatementEnd <= now {
		return o, false
	}
	ev := &v.evidence
	_, ended := s.Revocation.Verdict(ev.Participant.String(), ev.Issuer.String(), ev.Thumbprint, v.subject, ev.IssuedAt)
	return o, !ended
}

// memoKey is a hash no two different requests share: every part stands behind
// its length. It is false for a request that has no verdict to remember.
func memoKey(a Ask, rules uint64) (key [32]byte, ok bool) {
	if len(a.Evidence) != 1 {
		return key, false
	}
	properties, ok := canonicalProperties(a.Properties)
	if !ok {
		return key, false
	}
	var space [2048]byte
	b := binary.BigEndian.AppendUint64(space[:0], rules)
	for _, part := range [...]string{
		a.EnforcementPoint, a.SubjectID, string(a.Action), string(a.ResourceType), a.ResourceID, string(a.Purpose),
		string(a.Evidence[0].Kind), properties,
	} {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(part))), part...)
	}
	return sha256.Sum256(append(b, a.Evidence[0].Token...)), true
}

// canonicalProperties renders the resource's properties so that equal ones are
// equal bytes. One text, the common case, is rendered by hand.
func canonicalProperties(p map[string]any) (string, bool) {
	switch len(p) {
	case 0:
		return "", true
	case 1:
		for name, value := range p {
			if text, ok := value.(string); ok {
				var space [256]byte
				b := append(canonical.AppendString(append(space[:0], '{'), name), ':')
				return string(append(canonical.AppendString(b, text), '}')), true
			}
		}
	}
	b, err := canonical.Marshal(p)
	return string(b), err == nil
}
