package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/trust"
)

// oneStory reads a record under an id of the caller's own and finds that id in
// both ledgers (R23).
func (s *scene) oneStory(ctx context.Context, token string) error {
	const both = "the same id at RXW and RJE"
	p, w := s.play, s.play.world
	return s.do(ctx, "one correlation id joins the ledgers of both trusts", both, func(ctx context.Context) (string, error) {
		txn := "ward-round-" + rand.Text()
		permit, reference, _, err := p.records["RJE"].callWith(ctx, showing{token: token, txn: txn})
		if err != nil || !permit {
			return fmt.Sprintf("permit %t", permit), err
		}
		there, err := w.rje.operators[auditor].Explain(ctx, reference)
		if err != nil || there.RequestID != txn {
			return "another id at RJE", err
		}
		err = until(ctx, "the counter-record to reach RXW", func(ctx context.Context) (bool, error) {
			here, err := w.rxw.operators[auditor].Explain(ctx, txn)
			if trust.KindOf(err) == trust.NotFound {
				return false, nil
			}
			return err == nil && here.Reference == reference && here.Permit && here.RequestID == txn, err
		})
		return both, err
	})
}

// equalAccounts compares what RXW was told with what RJE's ledger has (R43).
func (s *scene) equalAccounts(ctx context.Context) error {
	const equal = "equal, no finding"
	w := s.play.world
	return s.do(ctx, "RXW and RJE compare their accounts of all that RXW's people did at RJE", equal, func(ctx context.Context) (string, error) {
		list, err := w.rxw.operators[auditor].Reconcile(ctx, admin.Reconciling{Partner: w.rje.id})
		if err != nil || len(list.Items) != 1 {
			return fmt.Sprintf("%d accounts", len(list.Items)), err
		}
		if one := list.Items[0]; one.To == 0 || len(one.Differences) > 0 {
			return fmt.Sprintf("numbers %d to %d differ in %v", one.From, one.To, one.Differences), nil
		}
		for _, h := range []*hospital{w.rxw, w.rje} {
			found, err := h.operators[auditor].Findings(ctx)
			differ := slices.DeleteFunc(found.Items, func(f admin.Finding) bool { return f.Kind == finding.BreakGlass || f.Kind == finding.BreakGlassOverdue })
			if err != nil || len(differ) > 0 {
				return fmt.Sprintf("%d findings at %s", len(differ), h.code), err
			}
		}
		return equal, nil
	})
}
