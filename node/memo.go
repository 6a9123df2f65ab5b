package node

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/state"
)

// How much is remembered: tokens and verdicts of one generation.
const (
	tokenLimit = 1 << 14
	memoLimit  = 1 << 15
)

type tokenCache = generations[[32]byte, jose.Verified]

func newTokenCache() *tokenCache { return newGenerations[[32]byte, jose.Verified](tokenLimit) }

// memo remembers verdicts by the GMAC of the request under a key that nobody
// ever learns, nor any of its results: whoever makes up requests finds two with
// one key with a chance of 2^-120 a try, and it costs a fraction of a SHA-256.
type memo struct {
	*generations[[16]byte, *verdict]
	mac cipher.AEAD
}

func newMemo() *memo {
	var key [16]byte
	rand.Read(key[:])
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the key has one of the sizes there are
	}
	mac, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the one block size that GCM takes
	}
	return &memo{newGenerations[[16]byte, *verdict](memoLimit), mac}
}

// verdict is a decision and the drafts of its record. A permit may be given
// again for the identical request: it is keyed by everything the enforcement
// point sent and by the generation of the rules. What it may not skip is asked
// again by stillHolds, and the record is made every time. It never changes.
type verdict struct {
	rules    uint64            // the generation of rules it was made by
	made     decision.Observed // when it was made
	decision decision.Decision
	evidence decision.Evidence
	draft    decision.Draft
	sealed   sealedPart
	// requestID stands in sealed: another request has it sealed anew.
	requestID string
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

// key is one no two different requests share: every part stands behind its
// length. It is false for a request that has no verdict to remember.
func (m *memo) key(a *Ask, rules uint64) (key [16]byte, ok bool) {
	if len(a.Evidence) != 1 {
		return key, false
	}
	space := bodies.Get().(*[]byte)
	defer bodies.Put(space)
	b := binary.BigEndian.AppendUint64((*space)[:0], rules)
	for _, part := range [...]string{
		a.EnforcementPoint, a.SubjectID, string(a.Action), string(a.ResourceType), a.ResourceID, string(a.Purpose), string(a.Evidence[0].Kind),
	} {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(part))), part...)
	}
	start := len(b)
	if b, ok = appendProperties(append(b, 0, 0, 0, 0), a.Properties); !ok {
		return key, false
	}
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	b = append(b, a.Evidence[0].Token...)
	end := len(b)
	b = m.mac.Seal(b, nonce[:], nil, b[:end])
	*space = b
	return [16]byte(b[end:]), true
}

// nonce may be the same for all, since the results stay inside.
var nonce [12]byte

// appendProperties renders the resource's properties so that equal ones are
// equal bytes. One text, the common case, is rendered by hand.
func appendProperties(b []byte, p map[string]any) ([]byte, bool) {
	switch len(p) {
	case 0:
		return b, true
	case 1:
		for name, value := range p {
			if text, ok := value.(string); ok {
				b = append(canonical.AppendString(append(b, '{'), name), ':')
				return append(canonical.AppendString(b, text), '}'), true
			}
		}
	}
	rendered, err := canonical.Marshal(p)
	return append(b, rendered...), err == nil
}
