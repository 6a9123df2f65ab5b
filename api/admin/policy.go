package admin

import (
	"context"
	"net/http"

	"github.com/entente-id/entente/trust"
)

// Policy is the local Cedar policy in force. An empty Hash says that there is
// none, which denies everything.
type Policy struct {
	Hash   string        `json:"hash,omitempty"`
	Since  trust.Instant `json:"since,omitzero"`
	Source string        `json:"source"`
}

// PolicySource is Cedar text to be put in force.
type PolicySource struct {
	Source string `json:"source"`
}

var policyRoutes = map[string]route{
	"GET /v1/policy": gives[Policy](handler.showPolicy, "Gives the policy in force."),
	"PUT /v1/policy": answers[PolicySource, Policy](handler.applyPolicy, "Puts another policy in force.").replaces(handler.showPolicy),
}

func (h handler) showPolicy(_ context.Context, _ request) (any, error) {
	p := h.node.State().Policy
	return Policy{Hash: p.Hash, Since: trust.Instant(p.Since), Source: p.Source}, nil
}

func (h handler) applyPolicy(ctx context.Context, r request) (any, error) {
	p, err := body[PolicySource](r)
	if err != nil {
		return nil, err
	}
	hash, err := h.node.ApplyPolicy(ctx, r.actor, p.Source)
	return Policy{Hash: hash, Since: trust.Instant(h.node.Now()), Source: p.Source}, err
}

// Policy gives the policy in force.
func (c *Client) Policy(ctx context.Context) (Policy, error) {
	return call[Policy](ctx, c, http.MethodGet, "/v1/policy", nil)
}

// ApplyPolicy puts another policy in force.
func (c *Client) ApplyPolicy(ctx context.Context, source string) (Policy, error) {
	return call[Policy](ctx, c, http.MethodPut, "/v1/policy", PolicySource{source})
}
