package admin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/api/authzen"
	"github.com/entente-id/entente/node"
)

// Hypothetical is an AuthZEN evaluation request as an enforcement point would
// send it. It is decided and explained, and nothing is recorded.
type Hypothetical struct {
	EnforcementPoint string         `json:"enforcement_point"`
	Request          jsontext.Value `json:"request"`
}

var decisionRoutes = map[string]route{
	"GET /v1/decisions/{reference}": gives[node.Explanation](handler.explain, "Lays a recorded decision open, by its reference."),
	"POST /v1/explanations":         answers[Hypothetical, node.Explanation](handler.explainHypothetical, "Decides a request as of now, without a record, and explains that."),
}

func (h handler) explain(ctx context.Context, r request) (any, error) {
	return h.node.Explain(ctx, r.actor, r.PathValue("reference"))
}

func (h handler) explainHypothetical(ctx context.Context, r request) (any, error) {
	what, err := body[Hypothetical](r)
	if err != nil {
		return nil, err
	}
	ask, err := authzen.Parse(what.Request)
	if err != nil {
		return nil, err
	}
	ask.EnforcementPoint = what.EnforcementPoint
	return h.node.ExplainHypothetical(ctx, r.actor, ask)
}

// Explain lays a recorded decision open, by its reference.
func (c *Client) Explain(ctx context.Context, reference string) (node.Explanation, error) {
	return call[node.Explanation](ctx, c, http.MethodGet, "/v1/decisions/"+url.PathEscape(reference), nil)
}

// ExplainHypothetical decides a request as of now, without a record.
func (c *Client) ExplainHypothetical(ctx context.Context, what Hypothetical) (node.Explanation, error) {
	return call[node.Explanation](ctx, c, http.MethodPost, "/v1/explanations", what)
}
