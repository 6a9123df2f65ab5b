package admin

import (
	"context"
	"net/http"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// EndingSession ends one open session.
type EndingSession struct {
	Reason string `json:"reason"`
}

// EndedSession tells where the end of a session is on record.
type EndedSession struct {
	Position trust.Position `json:"position"`
}

// EndingCredential ends one credential of the node's own. Credential is its
// identifier, or the reference of a record of it.
type EndingCredential struct {
	Credential string `json:"credential"`
	node.Why
}

var sessionRoutes = map[string]route{
	"GET /v1/sessions":                  lists[node.OpenSession](handler.listSessions, "Lists the open sessions.", func(s node.OpenSession) string { return s.Reference }),
	"POST /v1/sessions/{reference}/end": answers[EndingSession, EndedSession](handler.endSession, "Ends one open session. When it answers, that is durable, and its enforcement point is being told."),
	"POST /v1/credentials/revocations":  answers[EndingCredential, node.EndedCredential](handler.revokeCredential, "Ends one credential of the node's own."),
}

func (h handler) listSessions(ctx context.Context, r request) (any, error) {
	items, err := h.node.Sessions(ctx, r.actor)
	return listOf("Session", items), err
}

func (h handler) endSession(ctx context.Context, r request) (any, error) {
	e, err := body[EndingSession](r)
	if err != nil {
		return nil, err
	}
	at, err := h.node.EndSession(ctx, r.actor, r.PathValue("reference"), e.Reason)
	return EndedSession{at}, err
}

func (h handler) revokeCredential(ctx context.Context, r request) (any, error) {
	e, err := body[EndingCredential](r)
	if err != nil {
		return nil, err
	}
	return h.node.RevokeCredential(ctx, r.actor, e.Credential, e.Why)
}

// Sessions lists the open sessions.
func (c *Client) Sessions(ctx context.Context) (List[node.OpenSession], error) {
	return call[List[node.OpenSession]](ctx, c, http.MethodGet, "/v1/sessions", nil)
}

// EndSession ends one open session. When it returns, that is durable, and its
// enforcement point is being told.
func (c *Client) EndSession(ctx context.Context, reference, reason string) (EndedSession, error) {
	return call[EndedSession](ctx, c, http.MethodPost, "/v1/sessions/"+reference+"/end", EndingSession{reason})
}

// RevokeCredential ends one credential of the node's own.
func (c *Client) RevokeCredential(ctx context.Context, e EndingCredential) (node.EndedCredential, error) {
	return call[node.EndedCredential](ctx, c, http.MethodPost, "/v1/credentials/revocations", e)
}
