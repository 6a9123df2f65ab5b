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
	AddTransmitter(ctx context.Context, a node.Actor, d signal.Document, token string) (secret string, err error)
	SetUpTransmitter(ctx context.Context, a node.Actor, d signal.Document, token, issuer string) (signal.Document, error)
	VerifyTransmitter(ctx context.Context, a node.Actor, name string) error
	RemoveTransmitter(ctx context.Context, a node.Actor, name string) error
	Transmitters(ctx context.Context) ([]node.Transmitter, error)
}

// NewTransmitter is one to be heard. Token is what the node authenticates itself
// with where it asks the transmitter; it is kept sealed. With Discover, an issuer
// of signals, the stream is opened there, by what its configuration says.
type NewTransmitter struct {
	Document signal.Document `json:"document"`
	Token    string          `json:"token,omitempty"`
	Discover string          `json:"discover,omitempty"`
}

// AddedTransmitter is one that is heard from now on. Secret is what it pushes with,
// where nobody has told it yet.
type AddedTransmitter struct {
	Name     string          `json:"name"`
	Secret   string          `json:"secret,omitempty"`
	Delivery signal.Delivery `json:"delivery"`
	StreamID string          `json:"stream_id,omitempty"`
}

var transmitterRoutes = map[string]route{
	"GET /v1/transmitters":                lists[node.Transmitter](handler.listTransmitters, "Lists the transmitters that are heard, by name.", func(t node.Transmitter) string { return t.Name }),
	"POST /v1/transmitters":               answers[NewTransmitter, AddedTransmitter](handler.addTransmitter, "Lets a transmitter's signals count, and sets its stream up where that is to be discovered."),
	"POST /v1/transmitters/{name}/verify": does(handler.verifyTransmitter, "Asks a transmitter for a verification now."),
	"DELETE /v1/transmitters/{name}":      does(handler.removeTransmitter, "Lets a transmitter's signals count no longer."),
}

func (h handler) listTransmitters(ctx context.Context, _ request) (any, error) {
	items, err := h.node.Transmitters(ctx)
	return listOf("Transmitter", items), err
}

func (h handler) addTransmitter(ctx context.Context, r request) (any, error) {
	t, err := body[NewTransmitter](r)
	if err != nil {
		return nil, err
	}
	d, secret := t.Document, ""
	if t.Discover != "" {
		d, err = h.node.SetUpTransmitter(ctx, r.actor, d, t.Token, t.Discover)
	} else {
		secret, err = h.node.AddTransmitter(ctx, r.actor, d, t.Token)
	}
	return AddedTransmitter{Name: d.Name, Secret: secret, Delivery: d.Delivery, StreamID: d.StreamID}, err
}

func (h handler) verifyTransmitter(ctx context.Context, r request) (any, error) {
	return nil, h.node.VerifyTransmitter(ctx, r.actor, r.PathValue("name"))
}

func (h handler) removeTransmitter(ctx context.Context, r request) (any, error) {
	return nil, h.node.RemoveTransmitter(ctx, r.actor, r.PathValue("name"))
}

// Transmitters lists the transmitters that are heard, by name.
func (c *Client) Transmitters(ctx context.Context) (List[node.Transmitter], error) {
	return call[List[node.Transmitter]](ctx, c, http.MethodGet, "/v1/transmitters", nil)
}

// AddTransmitter lets a transmitter's signals count, and sets its stream up where
// that is to be discovered.
func (c *Client) AddTransmitter(ctx context.Context, t NewTransmitter) (AddedTransmitter, error) {
	return call[AddedTransmitter](ctx, c, http.MethodPost, "/v1/transmitters", t)
}

// VerifyTransmitter asks a transmitter for a verification now.
func (c *Client) VerifyTransmitter(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodPost, "/v1/transmitters/"+url.PathEscape(name)+"/verify", nil)
}

// RemoveTransmitter lets them count no longer.
func (c *Client) RemoveTransmitter(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, "/v1/transmitters/"+url.PathEscape(name), nil)
}
