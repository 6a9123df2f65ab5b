package node

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// The kinds of entry that a home makes of receipts, in its decision log: one for
// each batch, whose sealed part is what the host signed, and behind it one for
// each receipt, sealed under the subject that it is about.
var (
	batchKind   = trust.Kind{Name: "receipt.batch", Version: 1}
	counterKind = trust.Kind{Name: "receipt.counter", Version: 1}
)

type (
	batchLeaf struct {
		Epoch  uint32              `json:"epoch"`
		First  uint64              `json:"first"`
		Head   uint64              `json:"head"`
		Host   trust.ParticipantID `json:"host"`
		Last   uint64              `json:"last"`
		Root   string              `json:"root"`
		Series uint32              `json:"series,omitzero"`
	}
	counterLeaf struct {
		Hash   string              `json:"hash"` // the receipt's leaf in its batch, base64
		Host   trust.ParticipantID `json:"host"`
		N      uint64              `json:"n"`
		Owner  trust.SubjectKey    `json:"owner"`
		Series uint32              `json:"series,omitzero"`
	}
)

// counterNamespace is the namespace of the subjects of receipts, as the data keys
// that they are sealed under know them.
const counterNamespace = "urn:entente:receipt"

// ReceiptsEvery is how often a home asks a host for receipts, if its Config does
// not say. Where there are none it asks less and less often.
const (
	ReceiptsEvery = time.Second
	receiptsRest  = 5 // times as long, at most
)

// keepCounters fetches a host's receipts until ctx ends.
func (n *Node) keepCounters(ctx context.Context, host trust.ParticipantID) {
	if !n.receipts.reached(ctx, n.decisions.Size()) {
		return
	}
	pause := n.Config.Receipts
	for ctx.Err() == nil {
		count := 0
		if n.isHomeTo(host) {
			var err error
			if count, err = n.fetchReceipts(ctx, host); err != nil && ctx.Err() == nil {
				n.Log.Debug("no receipts from a host", "host", host.String(), "error", err)
			}
		}
		switch {
		case count == receipt.MaxBatch:
			continue
		case count > 0:
			pause = n.Config.Receipts
		default:
			pause = min(pause+n.Config.Receipts, receiptsRest*n.Config.Receipts)
		}
		wait(ctx, nil, pause)
	}
}

// isHomeTo reports whether a partner accepts, or did, our people.
func (n *Node) isHomeTo(host trust.ParticipantID) bool {
	for _, a := range n.State().Agreement.Between(n.self, host) {
		if a.Stage != agreement.Proposed && a.Stage != agreement.Countered {
			return true
		}
	}
	return false
}

// fetchReceipts fetches one batch, records it and gives how many receipts it had.
func (n *Node) fetchReceipts(ctx context.Context, host trust.ParticipantID) (int, error) {
	partner, ok := n.State().Participant.Partner(host)
	if !ok {
		return 0, trust.Errorf(trust.NotFound, "participant %s is not known", host)
	}
	recorded, _ := n.receipts.series(host, finding.Home, 0)
	var after receipt.Place
	if len(recorded) > 0 {
		after = recorded[len(recorded)-1]
	}
	before := n.receipts.of(columnKey{host, finding.Home, after.Series})
	body, err := canonical.Marshal(After{after.N, after.Series})
	if err != nil {
		return 0, err
	}
	answer, err := n.Send.Send(ctx, *partner, Outgoing{Method: http.MethodPost, Path: ReceiptsPath, ContentType: "application/json", Body: body})
	switch {
	case err != nil:
		return 0, err
	case answer.Status == http.StatusNoContent:
		return 0, nil
	case answer.Status != http.StatusOK:
		return 0, trust.Errorf(trust.Unavailable, "%s answered %d to a question for receipts", host, answer.Status)
	}
	var given receipt.Delivery
	if err := canonical.Decode(answer.Body, &given); err != nil {
		return 0, err
	}
	batch, err := n.openBatch(*partner, []byte(given.Batch))
	if err != nil {
		return 0, err
	}
	if batch.Epoch < before.epoch {
		return 0, trust.Errorf(trust.Denied, "%s signs receipts of epoch %d; those of epoch %d are recorded", host, batch.Epoch, before.epoch)
	}
	if known, _ := n.State().Edge.Position(host, edge.Safety); known != 0 && batch.Epoch > known {
		return 0, trust.Errorf(trust.Denied, "%s signs receipts of epoch %d, which nobody has accepted here", host, batch.Epoch)
	}
	leaves, lost, err := batch.Check(recorded, given.Receipts)
	if refusal, ok := errors.AsType[*receipt.Refusal](err); ok {
		return 0, errors.Join(err, n.raise(ctx, host, finding.Home, []receipt.Range{receipt.Range(*refusal)}))
	}
	if err == nil && len(lost) > 0 {
		err = n.raise(ctx, host, finding.Home, lost)
	}
	if err != nil || len(leaves) == 0 {
		return 0, err
	}
	return len(leaves), n.recordBatch(ctx, batch, given, leaves)
}

// openBatch verifies what a host signed about its receipts. It fails with Denied
// and Invalid.
func (n *Node) openBatch(host participant.Partner, jws []byte) (receipt.Batch, error) {
	var b receipt.Batch
	keys := host.Keys(participant.StreamKey, n.Now())
	form := jose.Form{Types: []string{receipt.BatchType}, Use: jose.ForMessage, MaxBytes: maxMessage}
	payload, err := verifyBy(func(int64) []jose.Key { return keys }, jws, form)
	if err != nil {
		return b, err
	}
	if err := canonical.Decode(payload, &b); err != nil {
		return b, err
	}
	if b.Iss != host.Card.ID || b.Aud != n.self {
		return b, trust.Errorf(trust.Denied, "receipts of %s for %s came from %s", b.Iss, b.Aud, host.Card.ID)
	}
	return b, nil
}

// recordBatch makes a batch durable, all of it or nothing, and waits until it is
// numbered here.
func (n *Node) recordBatch(ctx context.Context, b receipt.Batch, given receipt.Delivery, leaves []tlog.Hash) error {
	entries := make([]ledger.Entry, 0, 1+len(leaves))
	add := func(kind trust.Kind, body any, owner trust.SubjectKey, text any) error {
		leaf, err := canonical.Marshal(body)
		if err != nil {
			return err
		}
		part, err := n.seal(ctx, sealed{owner: owner, text: text})
		entries = append(entries, ledger.Entry{Kind: kind.Name, Version: kind.Version, Body: leaf, Sealed: part})
		return err
	}
	err := add(batchKind, batchLeaf{b.Epoch, b.First, b.Head, b.Iss, b.Last, b.Root, b.Series}, trust.SubjectKey{}, []byte(given.Batch))
	for i, one := range given.Receipts {
		if err != nil {
			return err
		}
		owner := n.Keys.Subject(b.Iss.String(), counterNamespace, one.Subject)
		err = add(counterKind, counterLeaf{base64.StdEncoding.EncodeToString(leaves[i][:]), b.Iss, one.N, owner, b.Series}, owner, one)
	}
	if err != nil {
		return err
	}
	_, at, err := n.decisions.Do(ctx, func(struct{}, trust.Stamp) ([]ledger.Entry, error) { return entries, nil })
	if err != nil {
		return err
	}
	n.receipts.reached(ctx, at[len(at)-1].N+1)
	return nil
}

// counterIndex gives what a receipt is found by: its txn and its reference.
func (n *Node) counterIndex(ctx context.Context, r ledger.Record) (counterLeaf, []store.Pair, error) {
	c, one, err := n.counter(ctx, r)
	if err != nil || one == nil {
		return c, nil, err
	}
	var pairs []store.Pair
	for _, id := range slices.Compact([]string{one.Reference, one.Txn}) {
		pairs = append(pairs, store.Pair{Bucket: idBucket, Key: fmt.Sprintf("%s%016x", n.idPrefix(id), r.Position.N), Value: []byte{1}})
	}
	return c, pairs, nil
}

// counter reads a receipt's entry; the receipt is nil once its subject was erased.
func (n *Node) counter(ctx context.Context, r ledger.Record) (counterLeaf, *receipt.Receipt, error) {
	var c counterLeaf
	if err := canonical.Decode(r.Body, &c); err != nil {
		return c, nil, err
	}
	text, err := n.Keys.Unseal(ctx, c.Owner, r.Sealed)
	if trust.KindOf(err) == trust.NotFound {
		return c, nil, nil
	}
	if err != nil {
		return c, nil, err
	}
	var one receipt.Receipt
	err = canonical.Decode(text, &one)
	return c, &one, err
}

// nameAbroad notes what a partner calls the subject of a grant that was issued
// here for it.
func (n *Node) nameAbroad(r ledger.Record) error {
	c, err := decision.ParseCredentialLeaf(r.Body)
	if err != nil || c.Partner.IsZero() || c.Decision.Subject == nil {
		return err
	}
	subject, err := c.Decision.Subject.MarshalText()
	if err != nil {
		return err
	}
	pair := store.Pair{Bucket: nameBucket, Key: c.Partner.String() + " " + n.pairwise(c.Partner.String(), *c.Decision.Subject), Value: subject}
	l := n.receipts
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, pair)
	return nil
}
