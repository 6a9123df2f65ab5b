package node

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/trust"
)

// A nonce for DPoP proofs (RFC 9449, section 9) is the time it was given and a
// commitment to that and to the enforcement point. Nobody without the node's
// index key can make one ahead of time, and no table of them is kept.
const (
	nonceAge   = 300 // seconds for which a nonce counts
	nonceSpare = 60  // seconds from its end on another is given
	nonceSize  = 8 + 16
)

// nonce gives the nonce of an enforcement point at a time in Unix seconds.
func (n *Node) nonce(point string, at int64) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, nonceSize), uint64(at))
	sum := n.Keys.Commit("dpop nonce", string(b)+point)
	return base64.RawURLEncoding.EncodeToString(append(b, sum[:]...))
}

// nonceLeft gives for how long an enforcement point's nonce counts from now on;
// nothing for one that this node did not give it.
func (n *Node) nonceLeft(point, nonce string, now int64) int64 {
	b, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(b) != nonceSize {
		return 0
	}
	at := int64(binary.BigEndian.Uint64(b))
	if at > now || now-at >= nonceAge || subtle.ConstantTimeCompare([]byte(n.nonce(point, at)), []byte(nonce)) != 1 {
		return 0
	}
	return at + nonceAge - now
}

func (n *Node) nonceOf(point, nonce string, now int64) decision.Nonce {
	switch {
	case nonce == "":
		return decision.NoNonce
	case n.nonceLeft(point, nonce, now) > 0:
		return decision.FreshNonce
	default:
		return decision.StaleNonce
	}
}

// nonceAfter gives the nonce that goes back with a verdict: with a denial where
// one is missing or stale, and with a permit where that of the proof soon will be.
func (n *Node) nonceAfter(point string, v *verdict) string {
	o, shown, reason := &v.observed, v.evidence.Binding.Nonce, v.decision.Reason
	if c, actor := v.evidence.Chain, v.decision.Actor; actor != nil && !c.Stated { // who showed a proof is the actor
		o, shown, reason = &o.Chain[len(c.Links)], c.Actor.Binding.Nonce, actor.Reason
	}
	switch {
	case reason == trust.NonceMissing, reason == trust.NonceStale,
		v.decision.Permit && o.Nonce == decision.FreshNonce && n.nonceLeft(point, shown, o.Now) <= nonceSpare:
		return n.nonce(point, o.Now)
	default:
		return ""
	}
}
