package node

import (
	"context"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/trust"
)

// maxSkew is how far an enforcement point's clock may be from ours, in seconds.
const maxSkew = 60

// Reused records uses that an enforcement point made of a permit without asking
// again, at these instants (Unix seconds, in order): N calls, N on record. What
// it used for longer than it might is recorded all the same, and the node's log
// says so. A reference that is not of a session of this enforcement point is
// NotFound; Invalid are more than a thousand uses, none, and those that cannot
// have been.
func (n *Node) Reused(ctx context.Context, point, reference string, uses []int64) error {
	unknown := trust.Errorf(trust.NotFound, "session %.40q was not permitted to %s", reference, point)
	at, ok := n.Keys.ParseReference(reference)
	if !ok {
		return unknown
	}
	record, err := n.decisionAt(ctx, at)
	if trust.KindOf(err) == trust.NotFound {
		return unknown
	}
	if err != nil {
		return err
	}
	if (trust.Kind{Name: record.Kind, Version: record.Version}) != decision.EntryKind {
		return unknown
	}
	leaf, err := decision.ParseLeaf(record.Body)
	if err != nil {
		return err
	}
	if leaf.EnforcementPoint != point || !leaf.Permit() || !leaf.Session {
		return unknown
	}
	body := decision.Reused{Of: at, Uses: uses}
	if err := body.Check(); err != nil {
		return err
	}
	first, last := uses[0], uses[len(uses)-1]
	if first < record.At-maxSkew || last > n.Now()+maxSkew {
		return trust.Errorf(trust.Invalid, "uses of session %s from %d to %d are reported; it was permitted at %d, and now is %d", reference, first, last, record.At, n.Now())
	}
	if last > record.At+leaf.TTL+maxSkew {
		n.Log.Warn("an enforcement point used a permit for longer than it might", "service", point, "position", at.String())
	}
	text, err := canonical.Marshal(body)
	if err != nil {
		return err
	}
	_, err = n.decisions.Append(ctx, ledger.Entry{Kind: decision.ReusedKind.Name, Version: decision.ReusedKind.Version, Body: text})
	if err == nil {
		n.countReused(ctx, &leaf, record, len(uses))
	}
	return err
}
