package decision

import (
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// The kinds of entry of what is given again for the identical request: a record
// of its own (R69) that names the one it repeats in place of saying everything
// anew.
var (
	AgainKind    = trust.Kind{Name: "decision.repeated", Version: 1}
	ReissuedKind = trust.Kind{Name: "credential.repeated", Version: 1}
)

// Again is the body of such an entry: what differs from the entry at Of. Its
// sealed part, where the request had an identifier, is that of AppendSealedID.
type Again struct {
	Expires  int64          `json:"expires,omitzero"` // of the credential, Unix seconds
	ID       string         `json:"id,omitempty"`     // of the credential, its jti
	Observed Seen           `json:"observed"`
	Of       trust.Position `json:"of"`              // an earlier entry of the same log: decision.made, or credential.issued for a credential
	Status   Place          `json:"status,omitzero"` // of the credential
	Trust    trust.Position `json:"trust"`
	TTL      int64          `json:"ttl,omitzero"`
}

// Repeats gives the kind of the entry that one of kind k repeats; false where k
// is no kind that repeats another.
func Repeats(k trust.Kind) (trust.Kind, bool) {
	switch k {
	case AgainKind:
		return EntryKind, true
	case ReissuedKind:
		return IssuedKind, true
	default:
		return trust.Kind{}, false
	}
}

// AppendAgain appends the body of the permit at of, given again, as canonical
// JSON (RFC 8785).
func AppendAgain(dst []byte, of trust.Position, o *Observed, at trust.Position, ttl int64) []byte {
	w := writer{dst: append(dst, '{')}
	return w.again(of, o, Place{}, at, ttl)
}

// AppendReissued appends that of another credential i, on the grant at of.
func AppendReissued(dst []byte, i *Issue, of trust.Position, o *Observed, at trust.Position, ttl int64) []byte {
	w := writer{dst: append(dst, '{')}
	w.number("expires", i.Expires)
	w.text("id", i.ID)
	return w.again(of, o, i.Place, at, ttl)
}

func (w *writer) again(of trust.Position, o *Observed, p Place, at trust.Position, ttl int64) []byte {
	w.observed(o)
	w.position("of", of)
	w.place(p)
	return w.end(at, ttl)
}

// ParseAgain reads the body of an entry of kind k that repeats another. It fails
// with Invalid.
func ParseAgain(k trust.Kind, body []byte) (Again, error) {
	var a Again
	if err := canonical.Decode(body, &a); err != nil {
		return Again{}, err
	}
	if credential := k == ReissuedKind; (a.ID != "") != credential || (a.Expires > 0) != credential {
		return Again{}, trust.Errorf(trust.Invalid, "entry %s has credential %q, expiring at %d; one that issues a credential again has both, any other none", k, a.ID, a.Expires)
	}
	return a, nil
}

// Leaf gives the whole leaf of a, which repeats first. It fails with Invalid
// where first is no permit.
func (a Again) Leaf(first Leaf) (Leaf, error) {
	if !first.Permit() {
		return Leaf{}, trust.Errorf(trust.Invalid, "decision repeats the one at %s, which is no permit; only permits are given again", a.Of)
	}
	first.Observed, first.Trust, first.TTL = a.Observed, a.Trust, a.TTL
	if n := len(a.Observed.Chain); first.Actor != nil && n > 0 {
		actor := *first.Actor
		actor.Observed, actor.Trust, actor.TTL = a.Observed.Chain[n-1], a.Trust, a.TTL
		first.Actor = &actor
	}
	return first, nil
}

// AppendSealedID appends the plaintext of the sealed part of a permit given
// again: the request's identifier.
func AppendSealedID(dst []byte, requestID string) []byte {
	w := writer{dst: append(dst, '{')}
	w.text("request_id", requestID)
	return append(w.dst, '}')
}
