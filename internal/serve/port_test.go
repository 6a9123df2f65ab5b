package serve_test

import (
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/internal/serve"
	"github.com/entente-id/entente/node"
)

// The ports of package node fit what stands behind them.
var (
	_ node.Keys   = (*keyring.Keyring)(nil)
	_ node.Clock  = (*clock.Clock)(nil)
	_ node.Clock  = clock.Demo{}
	_ node.Sender = (*serve.Edge)(nil)
	_ node.Meter  = (*serve.Metrics)(nil)
)
