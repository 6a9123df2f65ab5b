package nodetest

import (
	"context"
	"net/http"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// serveDrill answers what a drill asks of the partner plane.
func (n *Node) serveDrill(ctx context.Context, from trust.ParticipantID, r node.Outgoing) (node.Incoming, error) {
	if r.Path == node.CanaryPath {
		return answerJSON(ctx, r.Body, func(ctx context.Context, c node.CanaryCall) (node.CanaryAnswer, error) {
			return n.Canary(ctx, from, c)
		})
	}
	return answerJSON(ctx, r.Body, func(ctx context.Context, d node.DrillResult) (node.DrillResult, error) {
		return n.SettleDrill(ctx, from, d)
	})
}

// answerJSON answers a request whose body is a Q with an A.
func answerJSON[Q, A any](ctx context.Context, body []byte, serve func(context.Context, Q) (A, error)) (node.Incoming, error) {
	var q Q
	if err := canonical.Decode(body, &q); err != nil {
		return node.Incoming{Status: http.StatusBadRequest}, nil
	}
	a, err := serve(ctx, q)
	if err != nil {
		return node.Incoming{Status: http.StatusForbidden}, nil
	}
	text, err := canonical.Marshal(a)
	return node.Incoming{Status: http.StatusOK, Body: text}, err
}
