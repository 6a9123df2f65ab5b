package decision

import (
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// AgainKind is the kind of the entry of a permit given again for the identical
// request: a record of its own (R69) that names the one it repeats in place of
// saying everything anew.
var AgainKind = trust.Kind{Name: "decision.repeated", Version: 1}

// Again is the body of such an entry: what differs from the permit at Of. Its
// sealed part, where the request had an identifier, is that of AppendSealedID.
type Again struct {
	Observed Seen           `json:"observed"`
	Of       trust.Position `json:"of"` // an earlier decision.made of the same log
	Trust    trust.Position `json:"trust"`
	TTL      int64          `json:"ttl,omitzero"`
}

// AppendAgain appends the leaf of the permit at of, given again, as canonical
// JSON (RFC 8785).
func AppendAgain(dst []byte, of trust.Position, o *Observed, at trust.Position, ttl int64) []byte {
	w := writer{dst: append(dst, '{')}
	w.observed(o)
	w.position("of", of)
	return w.end(at, ttl)
}

// ParseAgain reads what AppendAgain wrote. It fails with Invalid.
func ParseAgain(body []byte) (Again, error) {
	var a Again
	err := canonical.Decode(body, &a)
	return a, err
}

// Leaf gives the whole leaf of a, which repeats first. It fails with Invalid
// where first is no permit.
func (a Again) Leaf(first Leaf) (Leaf, error) {
	if !first.Permit() {
		return Leaf{}, trust.Errorf(trust.Invalid, "decision repeats the one at %s, which is no permit; only permits are given again", a.Of)
	}
	first.Observed, first.Trust, first.TTL = a.Observed, a.Trust, a.TTL
	return first, nil
}

// AppendSealedID appends the plaintext of the sealed part of a permit given
// again: the request's identifier.
func AppendSealedID(dst []byte, requestID string) []byte {
	w := writer{dst: append(dst, '{')}
	w.text("request_id", requestID)
	return append(w.dst, '}')
}
