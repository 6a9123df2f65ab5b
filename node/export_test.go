package node

import (
	"context"

	"github.com/entente-id/entente/ledger"
)

// Permits is what VerifyLedger knows of the decision log.
type Permits struct{ permits }

// Check reads one entry.
func (p *Permits) Check(r ledger.Record) error { return p.check(r) }

// PauseBehind looks at every stream, as the node does once a minute.
func (n *Node) PauseBehind(ctx context.Context) { n.pauseBehind(ctx) }

// PagesOf divides what an unwinding found into entries.
var PagesOf = pagesOf
