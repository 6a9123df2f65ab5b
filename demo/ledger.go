package demo

import (
	"context"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/store/local"
)

// verify recomputes the node's ledger from its files, as entente ledger verify
// does. The node is not asked.
func (h *hospital) verify() (Ledger, error) {
	l := Ledger{Participant: h.id}
	r, _, err := local.OpenReader(h.file("data"), local.Options{})
	if err != nil {
		return l, err
	}
	defer r.Close()
	report, err := node.VerifyLedger(context.Background(), r, nil, nil)
	if err != nil {
		return l, err
	}
	l.Verified = report.Participant == h.id
	for _, log := range report.Logs {
		switch log.Log {
		case store.TrustLog:
			l.Trust, l.Root = log.Entries, log.Root
		case store.DecisionLog:
			l.Decisions = log.Entries
		}
	}
	return l, nil
}
