package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
)

var keyRoutes = map[string]route{
	"GET /v1/keys": lists[node.KeyView](handler.listKeys, "Lists every key the node knows.", func(k node.KeyView) string {
		return fmt.Sprint(k.Participant, k.Use, k.Issuer, k.KeyID, k.Thumbprint, k.From)
	}),
	"GET /v1/keys/accepted": gives[node.Accepted](handler.accepted, "Gives what an issuer's key had been accepted for, as far as one question reads; go on from next.").with(
		asks[string]("issuer", "whose key it is"),
		asks[string]("key", "its kid or its thumbprint"),
		asks[uint64]("from", "where to go on")),
	"POST /v1/cards": answers[participant.Rotation, node.CardDraft](handler.draftCard, "Makes next online keys and drafts the card that certifies them."),
	"PUT /v1/card":   takes[participant.SignedCard](handler.renewCard, "Puts a signed card of the node's own in force."),
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

func (h handler) draftCard(ctx context.Context, r request) (any, error) {
	rotation, err := body[participant.Rotation](r)
	if err != nil {
		return nil, err
	}
	return h.node.DraftCard(ctx, r.actor, rotation)
}

func (h handler) renewCard(ctx context.Context, r request) (any, error) {
	signed, err := body[participant.SignedCard](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.RenewCard(ctx, r.actor, signed)
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

// DraftCard has the node make next online keys and draft the card that certifies
// them.
func (c *Client) DraftCard(ctx context.Context, r participant.Rotation) (node.CardDraft, error) {
	return call[node.CardDraft](ctx, c, http.MethodPost, "/v1/cards", r)
}

// RenewCard puts a signed card of the node's own in force.
func (c *Client) RenewCard(ctx context.Context, signed participant.SignedCard) error {
	return c.do(ctx, http.MethodPut, "/v1/card", signed)
}
