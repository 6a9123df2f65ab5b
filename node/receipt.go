package node

import (
	"context"
	"slices"
	"time"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/trust"
)

// ReceiptsPath is where a home fetches its receipts.
const ReceiptsPath = "/edge/v1/receipts"

// edgeBudget is how many receipts a second a partner is given, or has compared;
// what is more it gets later. A question that is answered by none costs askCost.
const (
	edgeBudget = 4 * receipt.MaxBatch
	askCost    = 8
)

// share is what a partner is given of this node's time, for each purpose apart.
type share struct {
	partner trust.ParticipantID
	purpose string
}

const (
	fetching  = "fetching"
	comparing = "comparing"
)

// budget is what was spent of a share in the second that ends at until.
type budget struct {
	until time.Time
	count int
}

// spend takes from a share; false where it has run out.
func (l *receiptLog) spend(of share, count int, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.spent[of]
	if !now.Before(b.until) {
		b = budget{until: now.Add(time.Second)}
	}
	if b.count >= edgeBudget {
		return false
	}
	b.count += count
	l.spent[of] = b
	return true
}

// After is the body of a home's question: the last number it has recorded, and of
// which series that is.
type After struct {
	After  uint64 `json:"after"`
	Series uint32 `json:"series,omitzero"`
}

// ReceiptsFor gives a home its next receipts after those that it has, with what this
// host signs about them; nil where there are none. It fails with Unavailable for a
// partner that has had its share of this second.
func (n *Node) ReceiptsFor(ctx context.Context, to trust.ParticipantID, after After) (*receipt.Delivery, error) {
	if _, ok := n.State().Participant.Partner(to); !ok {
		return nil, trust.Errorf(trust.Denied, "participant %s is not a partner here", to)
	}
	if after.Series == 1 {
		return nil, trust.Errorf(trust.Invalid, "%s names the first series of receipts by its number; that is left out", to)
	}
	if !n.receipts.spend(share{to, fetching}, askCost, n.bootTime()) {
		return nil, trust.Errorf(trust.Unavailable, "%s has had its receipts of this second", to)
	}
	held, behind := n.receipts.series(to, finding.Host, n.decisions.Size())
	epoch := n.State().At.Position.Epoch
	next, more := receipt.GoOn(held, receipt.SeriesOf(epoch), receipt.Place{Series: after.Series, N: after.After})
	if !more || next.N == 0 && behind {
		return nil, nil
	}
	batch := receipt.Batch{
		Iss: n.self, Aud: to, Iat: n.Now(), Epoch: epoch, Series: next.Series, Head: receipt.LastOf(held, next.Series),
		Past: slices.DeleteFunc(held, func(p receipt.Place) bool { return p.Series >= next.Series }),
	}
	given := &receipt.Delivery{Receipts: []receipt.Receipt{}}
	if next.N > 0 {
		records, err := n.entriesOf(ctx, columnKey{to, finding.Host, next.Series}, next.N, receipt.MaxBatch)
		if err != nil {
			return nil, err
		}
		n.receipts.spend(share{to, fetching}, len(records), n.bootTime())
		for i, r := range records {
			one, _, err := n.receiptOf(ctx, to, next.N+uint64(i), r)
			if err != nil {
				return nil, err
			}
			given.Receipts = append(given.Receipts, one)
		}
		leaves, err := receipt.Hashes(given.Receipts)
		if err != nil {
			return nil, err
		}
		batch.First, batch.Last, batch.Root = next.N, next.N+uint64(len(leaves))-1, receipt.Root(leaves)
	}
	var err error
	given.Batch, err = jose.Sign(n.Keys.Signer(participant.StreamKey), receipt.BatchType, batch)
	return given, err
}

// receiptOf renders what a home is told of a decision; true where the person was
// erased here since, and the receipt says less than it did.
func (n *Node) receiptOf(ctx context.Context, home trust.ParticipantID, number uint64, r ledger.Record) (receipt.Receipt, bool, error) {
	leaf, details, erased, err := n.recorded(ctx, r)
	if err != nil {
		return receipt.Receipt{}, false, err
	}
	reference := n.Keys.Reference(r.Position)
	one := receipt.Receipt{
		N: number, At: trust.Instant(r.At), Txn: reference, Reference: reference, Subject: "erased", Class: leaf.Class,
		Kind: receipt.Access, Action: leaf.Action, Type: leaf.ResourceType, Permit: leaf.Permit(), Leaf: r.LeafHash.String(),
	}
	switch r.Kind {
	case decision.IssuedKind.Name, decision.ReissuedKind.Name, decision.RefusedKind.Name:
		one.Kind = receipt.Credential
	case decision.ReusedKind.Name:
		used, err := decision.ParseReused(r.Body)
		if err != nil {
			return receipt.Receipt{}, false, err
		}
		one.Uses = len(used.Uses)
	}
	if erased {
		return one, true, nil
	}
	one.Token = details.TokenHash
	if receipt.Word(details.RequestID) {
		one.Txn = details.RequestID
	}
	one.Subject = sharedName(n.self, home, details.Namespace, details.Subject)
	return one, false, nil
}

// sharedName is what a host and a home call a subject between them. In a grant
// the home has given it such a name already.
func sharedName(host, home trust.ParticipantID, namespace, subject string) string {
	if namespace == evidence.Pairwise && receipt.Word(subject) {
		return subject
	}
	return receipt.Subject(host, home, namespace, subject)
}
