package admin

import (
	"context"
	"net/http"
	"strconv"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// Unwinding ends something with everything that hangs from it.
type Unwinding struct {
	node.Root
	node.Why
}

var unwindRoutes = map[string]route{
	"POST /v1/reach":          answers[node.Root, node.Reach](handler.reach, "Tells what hangs from a root."),
	"POST /v1/unwindings":     answers[Unwinding, node.Unwound](handler.unwind, "Ends a root with everything that hangs from it. When it answers, that is durable, in force at this node, and was looked for again."),
	"POST /v1/leaks":          answers[node.LeakRequest, node.Leak](handler.reportLeak, "Tells whose something leaked is, where it was accepted and who has to act, and ends it if asked to."),
	"GET /v1/unwindings/{id}": gives[node.Unwound](handler.unwinding, "Reads back what an unwinding found, by the number of its first entry in the trust log, and looks once more."),
}

func (h handler) reach(ctx context.Context, r request) (any, error) {
	root, err := body[node.Root](r)
	if err != nil {
		return nil, err
	}
	return h.node.Reach(ctx, r.actor, root)
}

func (h handler) unwind(ctx context.Context, r request) (any, error) {
	u, err := body[Unwinding](r)
	if err != nil {
		return nil, err
	}
	return h.node.Unwind(ctx, r.actor, u.Root, u.Why)
}

func (h handler) unwinding(ctx context.Context, r request) (any, error) {
	n, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "%.40q is not the number of an entry of the trust log", r.PathValue("id"))
	}
	return h.node.Unwinding(ctx, r.actor, n)
}

func (h handler) reportLeak(ctx context.Context, r request) (any, error) {
	leak, err := body[node.LeakRequest](r)
	if err != nil {
		return nil, err
	}
	return h.node.ReportLeak(ctx, r.actor, leak)
}

// ReportLeak tells whose something leaked is, where it was accepted and who has to
// act, and ends it if asked to.
func (c *Client) ReportLeak(ctx context.Context, r node.LeakRequest) (node.Leak, error) {
	return call[node.Leak](ctx, c, http.MethodPost, "/v1/leaks", r)
}

// Reach tells what hangs from a root.
func (c *Client) Reach(ctx context.Context, r node.Root) (node.Reach, error) {
	return call[node.Reach](ctx, c, http.MethodPost, "/v1/reach", r)
}

// Unwind ends a root with everything that hangs from it. When it returns, that is
// durable, in force at this node, and was looked for again.
func (c *Client) Unwind(ctx context.Context, u Unwinding) (node.Unwound, error) {
	return call[node.Unwound](ctx, c, http.MethodPost, "/v1/unwindings", u)
}

// Unwinding reads back what an unwinding found, by the number of its first entry
// in the trust log, and looks once more.
func (c *Client) Unwinding(ctx context.Context, n uint64) (node.Unwound, error) {
	return call[node.Unwound](ctx, c, http.MethodGet, "/v1/unwindings/"+strconv.FormatUint(n, 10), nil)
}
