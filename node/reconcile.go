package node

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// ReconciliationsPath is where a partner's account is compared with ours.
const ReconciliationsPath = "/edge/v1/reconciliations"

const (
	reconcileEvery  = 3600 // times as long as from one question for receipts to the next
	reconcileTries  = 5    // where a partner has no time
	reconcileBucket = "receipts.reconciled"
)

// Reconciliation is how the accounts of an edge in one direction compared: the
// numbers From to To of a series, none if To is 0.
type Reconciliation struct {
	Partner     trust.ParticipantID `json:"partner"`
	Side        receipt.Side        `json:"side"` // what we are
	Series      uint32              `json:"series,omitzero"`
	From        uint64              `json:"from"`
	To          uint64              `json:"to"`
	Erased      int                 `json:"erased,omitzero"` // numbers of which one side has no content any more
	Differences []receipt.Range     `json:"differences"`
}

// Reconcile compares our account with a partner's, from a number of each series on,
// in each direction in which there are receipts. Differences are findings at both nodes
// when it returns. It fails with Unavailable where the partner does not answer.
func (n *Node) Reconcile(ctx context.Context, a Actor, partner trust.ParticipantID, from uint64) ([]Reconciliation, error) {
	if err := n.read(a); err != nil {
		return nil, err
	}
	if _, ok := n.State().Participant.Partner(partner); !ok {
		return nil, trust.Errorf(trust.NotFound, "participant %s is not known", partner)
	}
	if err := n.numbered(ctx, partner); err != nil {
		return nil, err
	}
	var all []Reconciliation
	for _, side := range []receipt.Side{receipt.Home, receipt.Host} {
		held, _ := n.receipts.series(partner, finding.Side(side), 0)
		for _, last := range held {
			one, err := n.reconcile(ctx, partner, side, receipt.Place{Series: last.Series, N: max(from, 1)})
			if err != nil {
				return nil, err
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// keepReconciling compares what is new now and then, until ctx ends.
func (n *Node) keepReconciling(ctx context.Context, partner trust.ParticipantID) {
	for {
		wait(ctx, nil, reconcileEvery*n.Config.Receipts)
		if ctx.Err() != nil {
			return
		}
		for _, side := range []receipt.Side{receipt.Home, receipt.Host} {
			if err := n.reconcileOn(ctx, partner, side); err != nil && ctx.Err() == nil {
				n.Log.Warn("accounts were not compared; trying again later", "partner", partner.String(), "error", err)
			}
		}
	}
}

// reconcileOn goes on from where the last one ended.
func (n *Node) reconcileOn(ctx context.Context, partner trust.ParticipantID, side receipt.Side) error {
	if err := n.numbered(ctx, partner); err != nil {
		return err
	}
	held, _ := n.receipts.series(partner, finding.Side(side), 0)
	for _, last := range held {
		if err := n.reconcileUpTo(ctx, partner, side, last); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) reconcileUpTo(ctx context.Context, partner trust.ParticipantID, side receipt.Side, last receipt.Place) error {
	key := columnKey{partner, finding.Side(side), last.Series}
	done := uint64(0)
	value, err := n.Store.Get(ctx, reconcileBucket, key.String())
	if err == nil {
		done, err = strconv.ParseUint(string(value), 10, 63)
	}
	if err != nil && trust.KindOf(err) != trust.NotFound {
		return err
	}
	if last.N <= done {
		return nil
	}
	one, err := n.reconcile(ctx, partner, side, receipt.Place{Series: last.Series, N: done + 1})
	if err != nil || one.To == 0 {
		return err
	}
	return n.Store.Put(ctx, store.Pair{Bucket: reconcileBucket, Key: key.String(), Value: strconv.AppendUint(nil, one.To, 10)})
}

// reconcile exchanges statements until all closed numbers are compared.
func (n *Node) reconcile(ctx context.Context, partner trust.ParticipantID, side receipt.Side, from receipt.Place) (Reconciliation, error) {
	out := Reconciliation{Partner: partner, Side: side, Series: from.Series, From: from.N, Differences: []receipt.Range{}}
	for first := from.N; ; first += receipt.MaxStatement {
		ours, err := n.statement(ctx, columnKey{partner, finding.Side(side), from.Series}, first, first+receipt.MaxStatement-1)
		if err != nil {
			return out, err
		}
		theirs, err := n.exchangeStatements(ctx, partner, ours)
		if err != nil {
			return out, err
		}
		found, last, err := n.settleStatements(ctx, partner, side, ours, theirs)
		if err != nil {
			return out, err
		}
		if last == 0 {
			return out, nil
		}
		out.To, out.Differences = last, append(out.Differences, found...)
		out.Erased += len(ours.Erased) + len(theirs.Erased)
		if last < ours.Last {
			return out, nil
		}
	}
}

// settleStatements compares two statements and raises what they differ in.
func (n *Node) settleStatements(ctx context.Context, partner trust.ParticipantID, side receipt.Side, ours, theirs receipt.Statement) ([]receipt.Range, uint64, error) {
	host, home := ours, theirs
	if side == receipt.Home {
		host, home = theirs, ours
	}
	found, last := receipt.Reconcile(host, home)
	if len(found) == 0 {
		return nil, last, nil
	}
	return found, last, n.raise(ctx, partner, finding.Side(side), found)
}

// numbered waits until all there is by now has its number.
func (n *Node) numbered(ctx context.Context, partner trust.ParticipantID) error {
	if !n.receipts.reached(ctx, n.decisions.Size()) {
		return trust.Errorf(trust.Unavailable, "the receipts of %s are not numbered yet", partner)
	}
	return nil
}

// statement is our account of the numbers first to last.
func (n *Node) statement(ctx context.Context, key columnKey, first, last uint64) (receipt.Statement, error) {
	partner, side := key.Partner, receipt.Side(key.Side)
	if err := n.numbered(ctx, partner); err != nil {
		return receipt.Statement{}, err
	}
	column := n.receipts.of(key)
	s := receipt.Statement{Iss: n.self, Aud: partner, Iat: n.Now(), Side: side, Series: key.Series, First: first, Last: last, Closed: column.head, Leaves: []byte{}}
	records, err := n.entriesOf(ctx, key, first, int(last-first+1))
	if err != nil {
		return s, err
	}
	for i, r := range records {
		if side == receipt.Home {
			var c counterLeaf
			if err := canonical.Decode(r.Body, &c); err != nil {
				return s, err
			}
			if s.Leaves, err = base64.StdEncoding.AppendDecode(s.Leaves, []byte(c.Hash)); err != nil {
				return s, trust.Errorf(trust.Internal, "receipt %d of %s has no hash", c.N, partner)
			}
			continue
		}
		number := first + uint64(i)
		one, erased, err := n.receiptOf(ctx, partner, number, r)
		if err != nil {
			return s, err
		}
		var leaf tlog.Hash
		if erased {
			s.Erased = append(s.Erased, number)
		} else if leaf, err = one.Hash(); err != nil {
			return s, err
		}
		s.Leaves = append(s.Leaves, leaf[:]...)
	}
	return s, nil
}

// exchangeStatements sends our statement and gives the answer to it.
func (n *Node) exchangeStatements(ctx context.Context, partner trust.ParticipantID, ours receipt.Statement) (theirs receipt.Statement, err error) {
	jws, err := jose.Sign(n.Keys.Signer(participant.StreamKey), receipt.StatementType, ours)
	if err != nil {
		return theirs, err
	}
	for try := 1; ; try++ {
		card, ok := n.State().Participant.Partner(partner)
		if !ok {
			return theirs, trust.Errorf(trust.NotFound, "participant %s is not known", partner)
		}
		answer, err := n.Send.Send(ctx, *card, Outgoing{Method: http.MethodPost, Path: ReconciliationsPath, ContentType: "application/jwt", Body: []byte(jws)})
		if err != nil {
			return theirs, err
		}
		if answer.Status == http.StatusServiceUnavailable && try < reconcileTries {
			wait(ctx, nil, time.Second) // our share of this second is used up there
			continue
		}
		if answer.Status != http.StatusOK {
			return theirs, trust.Errorf(trust.Unavailable, "%s answered %d to our account", partner, answer.Status)
		}
		if theirs, err = n.openStatement(*card, answer.Body); err != nil {
			return theirs, err
		}
		if theirs.Answers != digest(jws) || theirs.Side != ours.Side.Other() || theirs.Series != ours.Series || theirs.First != ours.First || theirs.Last != ours.Last {
			return theirs, trust.Errorf(trust.Denied, "the account of %s does not answer ours", partner)
		}
		return theirs, nil
	}
}

func digest(jws string) string {
	sum := sha256.Sum256([]byte(jws))
	return hex.EncodeToString(sum[:])
}

// openStatement verifies a partner's statement. It fails with Denied and Invalid.
func (n *Node) openStatement(from participant.Partner, jws []byte) (receipt.Statement, error) {
	var s receipt.Statement
	keys := from.Keys(participant.StreamKey, n.Now())
	form := jose.Form{Types: []string{receipt.StatementType}, Use: jose.ForMessage, MaxBytes: maxMessage}
	payload, err := verifyBy(func(int64) []jose.Key { return keys }, jws, form)
	if err != nil {
		return s, err
	}
	if err := canonical.Decode(payload, &s); err != nil {
		return s, err
	}
	return s, s.Check(from.Card.ID, n.self, n.Now())
}

// Reconciled compares a partner's statement with our own account, raises what they
// differ in, and gives our account, signed. Errors: Invalid for a shape, Denied for
// a signature or a foreign edge, Unavailable for a partner that has had its share
// of this second.
func (n *Node) Reconciled(ctx context.Context, from trust.ParticipantID, jws []byte) (string, error) {
	partner, ok := n.State().Participant.Partner(from)
	if !ok {
		return "", trust.Errorf(trust.Denied, "participant %s is not a partner here", from)
	}
	theirs, err := n.openStatement(*partner, jws)
	if err != nil {
		return "", err
	}
	if theirs.Answers != "" {
		return "", trust.Errorf(trust.Denied, "a statement of %s answers one, and came as a question", from)
	}
	share := share{from, comparing}
	if !n.receipts.spend(share, askCost, n.bootTime()) {
		return "", trust.Errorf(trust.Unavailable, "%s has had its share of this second", from)
	}
	side := theirs.Side.Other()
	ours, err := n.statement(ctx, columnKey{from, finding.Side(side), theirs.Series}, theirs.First, theirs.Last)
	if err != nil {
		return "", err
	}
	n.receipts.spend(share, len(ours.Leaves)/tlog.HashSize, n.bootTime())
	if _, _, err := n.settleStatements(ctx, from, side, ours, theirs); err != nil {
		return "", err
	}
	ours.Answers = digest(string(jws))
	return jose.Sign(n.Keys.Signer(participant.StreamKey), receipt.StatementType, ours)
}
