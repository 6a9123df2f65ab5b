package admin

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/entente-id/entente/node"
)

var keyRoutes = map[string]route{
	"GET /v1/keys":          handler.listKeys,
	"GET /v1/keys/accepted": handler.accepted,
}

func (h handler) listKeys(ctx context.Context, r request) (any, error) {
	items, err := h.node.ListKeys(ctx, r.actor)
	return listOf("Key", items), err
}

func (h handler) accepted(ctx context.Context, r request) (any, error) {
	from, err := number(r, "from", 0)
	if err != nil {
		return nil, err
	}
	query := r.URL.Query()
	return h.node.Accepted(ctx, r.actor, query.Get("issuer"), query.Get("key"), from)
}

// Keys lists every key the node knows.
func (c *Client) Keys(ctx context.Context) (List[node.KeyView], error) {
	return call[List[node.KeyView]](ctx, c, http.MethodGet, "/v1/keys", nil)
}

// Accepted gives what an issuer's key had been accepted for, as far as one
// question reads; go on from Next. Key is a kid or a thumbprint.
func (c *Client) Accepted(ctx context.Context, issuer, key string, from uint64) (node.Accepted, error) {
	query := url.Values{"issuer": {issuer}, "key": {key}, "from": {strconv.FormatUint(from, 10)}}
	return call[node.Accepted](ctx, c, http.MethodGet, "/v1/keys/accepted?"+query.Encode(), nil)
}
