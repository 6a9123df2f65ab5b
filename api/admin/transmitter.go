package admin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/signal"
)

// Transmitters are the use cases about foreign transmitters of Shared Signals.
type Transmitters interface {
	AddTransmitter(ctx context.Context, a node.Actor, d signal.Document) (secret string, err error)
	RemoveTransmitter(ctx context.Context, a node.Actor, name string) error
	Transmitters(ctx context.Context) ([]node.Transmitter, error)
}

var transmitterRoutes = map[string]route{
	"GET /v1/transmitters":           handler.listTransmitters,
	"POST /v1/transmitters":          handler.addTransmitter,
	"DELETE /v1/transmitters/{name}": handler.removeTransmitter,
}

func (h handler) listTransmitters(ctx context.Context, _ request) (any, error) {
	items, err := h.node.Transmitters(ctx)
	return listOf("Transmitter", items), err
}

func (h handler) addTransmitter(ctx context.Context, r request) (any, error) {
	d, err := body[signal.Document](r)
	if err != nil {
		return nil, err
	}
	secret, err := h.node.AddTransmitter(ctx, r.actor, d)
	return NewSecret{Name: d.Name, Secret: secret}, err
}

func (h handler) removeTransmitter(ctx context.Context, r request) (any, error) {
	return nil, h.node.RemoveTransmitter(ctx, r.actor, r.PathValue("name"))
}

// Transmitters lists the transmitters that are heard, by name.
func (c *Client) Transmitters(ctx context.Context) (List[node.Transmitter], error) {
	return call[List[node.Transmitter]](ctx, c, http.MethodGet, "/v1/transmitters", nil)
}

// AddTransmitter lets a transmitter's signals count.
func (c *Client) AddTransmitter(ctx context.Context, d signal.Document) (NewSecret, error) {
	return call[NewSecret](ctx, c, http.MethodPost, "/v1/transmitters", d)
}

// RemoveTransmitter lets them count no longer.
func (c *Client) RemoveTransmitter(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, "/v1/transmitters/"+url.PathEscape(name), nil)
}
