package admin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/trust"
)

// OAuthClient is a client of the token endpoint: its document, how it proves
// itself, and whether it has ended.
type OAuthClient struct {
	client.Document
	Method client.Method `json:"method,omitempty"`
	Ended  bool          `json:"ended,omitzero"`
}

var clientRoutes = map[string]route{
	"GET /v1/clients":           lists[OAuthClient](handler.listClients, "Lists the token endpoint's clients by identifier.", func(c OAuthClient) string { return c.ID }),
	"POST /v1/clients":          takes[client.Document](handler.addClient, "Registers a client."),
	"GET /v1/clients/{id}":      gives[OAuthClient](handler.showClient, "Shows a client."),
	"PUT /v1/clients/{id}/keys": takes[client.Means](handler.renewClient, "Gives a client other means to prove itself.").replaces(handler.showClient),
	"DELETE /v1/clients/{id}":   does(handler.endClient, "Ends a client for good."),
}

func (h handler) listClients(_ context.Context, _ request) (any, error) {
	var items []OAuthClient
	for c := range h.node.State().Client.All() {
		items = append(items, oauthClient(c))
	}
	return listOf("Client", items), nil
}

func oauthClient(c client.Client) OAuthClient {
	return OAuthClient{c.Document, c.Document.Method(), c.Ended}
}

func (h handler) showClient(_ context.Context, r request) (any, error) {
	c, ok := h.node.State().Client.Get(r.PathValue("id"))
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "client %s is not known", r.PathValue("id"))
	}
	return oauthClient(c), nil
}

func (h handler) addClient(ctx context.Context, r request) (any, error) {
	d, err := body[client.Document](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.AddClient(ctx, r.actor, d)
}

func (h handler) renewClient(ctx context.Context, r request) (any, error) {
	m, err := body[client.Means](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.RenewClient(ctx, r.actor, r.PathValue("id"), m)
}

func (h handler) endClient(ctx context.Context, r request) (any, error) {
	return nil, h.node.EndClient(ctx, r.actor, r.PathValue("id"))
}

// OAuthClients lists the token endpoint's clients by identifier.
func (c *Client) OAuthClients(ctx context.Context) (List[OAuthClient], error) {
	return call[List[OAuthClient]](ctx, c, http.MethodGet, "/v1/clients", nil)
}

// OAuthClient shows one of them.
func (c *Client) OAuthClient(ctx context.Context, id string) (OAuthClient, error) {
	return call[OAuthClient](ctx, c, http.MethodGet, "/v1/clients/"+url.PathEscape(id), nil)
}

// AddOAuthClient registers a client.
func (c *Client) AddOAuthClient(ctx context.Context, d client.Document) error {
	return c.do(ctx, http.MethodPost, "/v1/clients", d)
}

// RenewOAuthClient gives a client other means to prove itself.
func (c *Client) RenewOAuthClient(ctx context.Context, id string, m client.Means) error {
	return c.do(ctx, http.MethodPut, "/v1/clients/"+url.PathEscape(id)+"/keys", m)
}

// EndOAuthClient ends a client for good.
func (c *Client) EndOAuthClient(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/v1/clients/"+url.PathEscape(id), nil)
}
