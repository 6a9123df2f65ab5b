package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/entente-id/entente/node"
)

// Clock is the injected offset of a demo node's time.
type Clock struct {
	OffsetSeconds int64 `json:"offset_seconds"`
}

var statusRoutes = map[string]route{
	"GET /v1/status": handler.status,
	"PUT /v1/clock":  handler.setClock,
}

func (h handler) status(ctx context.Context, _ request) (any, error) {
	return h.node.Status(ctx), nil
}

func (h handler) setClock(ctx context.Context, r request) (any, error) {
	c, err := body[Clock](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.SetClock(ctx, r.actor, time.Duration(c.OffsetSeconds)*time.Second)
}

// Status tells how the node is.
func (c *Client) Status(ctx context.Context) (node.Status, error) {
	return call[node.Status](ctx, c, http.MethodGet, "/v1/status", nil)
}

// SetClock moves the time of a demo node, in whole seconds; others refuse it.
func (c *Client) SetClock(ctx context.Context, offset time.Duration) error {
	return c.do(ctx, http.MethodPut, "/v1/clock", Clock{int64(offset / time.Second)})
}
