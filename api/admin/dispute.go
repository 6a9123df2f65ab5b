package admin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/entente-id/entente/node"
)

// DisputeOpened names a dispute that was opened.
type DisputeOpened struct {
	ID string `json:"id"`
}

// Disputes are the use cases about what participants do not agree about.
type Disputes interface {
	OpenDispute(ctx context.Context, a node.Actor, r node.DisputeRequest) (string, error)
	MoveDispute(ctx context.Context, a node.Actor, id string, move node.DisputeMove) error
	Disputes(ctx context.Context, a node.Actor) ([]node.Dispute, error)
	Dispute(ctx context.Context, a node.Actor, id string) (node.Dispute, error)
}

var disputeRoutes = map[string]route{
	"GET /v1/disputes":             lists[node.Dispute](handler.listDisputes, "Lists the disputes that the node is in, without what was said.", func(d node.Dispute) string { return d.ID }),
	"POST /v1/disputes":            answers[node.DisputeRequest, DisputeOpened](handler.openDispute, "Disputes what a partner suspended of ours."),
	"GET /v1/disputes/{id}":        gives[node.Dispute](handler.showDispute, "Shows a dispute with all that was said."),
	"POST /v1/disputes/{id}/moves": takes[node.DisputeMove](handler.moveDispute, "Makes a move in a dispute."),
}

func (h handler) listDisputes(ctx context.Context, r request) (any, error) {
	items, err := h.node.Disputes(ctx, r.actor)
	return listOf("Dispute", items), err
}

func (h handler) openDispute(ctx context.Context, r request) (any, error) {
	what, err := body[node.DisputeRequest](r)
	if err != nil {
		return nil, err
	}
	id, err := h.node.OpenDispute(ctx, r.actor, what)
	return DisputeOpened{id}, err
}

func (h handler) showDispute(ctx context.Context, r request) (any, error) {
	return h.node.Dispute(ctx, r.actor, r.PathValue("id"))
}

func (h handler) moveDispute(ctx context.Context, r request) (any, error) {
	move, err := body[node.DisputeMove](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.MoveDispute(ctx, r.actor, r.PathValue("id"), move)
}

// OpenDispute disputes what a partner suspended of ours.
func (c *Client) OpenDispute(ctx context.Context, r node.DisputeRequest) (DisputeOpened, error) {
	return call[DisputeOpened](ctx, c, http.MethodPost, "/v1/disputes", r)
}

// MoveDispute makes a move in a dispute.
func (c *Client) MoveDispute(ctx context.Context, id string, move node.DisputeMove) error {
	return c.do(ctx, http.MethodPost, "/v1/disputes/"+url.PathEscape(id)+"/moves", move)
}

// Disputes lists the disputes that the node is in, without what was said.
func (c *Client) Disputes(ctx context.Context) (List[node.Dispute], error) {
	return call[List[node.Dispute]](ctx, c, http.MethodGet, "/v1/disputes", nil)
}

// Dispute shows one with all that was said.
func (c *Client) Dispute(ctx context.Context, id string) (node.Dispute, error) {
	return call[node.Dispute](ctx, c, http.MethodGet, "/v1/disputes/"+url.PathEscape(id), nil)
}
