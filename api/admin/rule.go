package admin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// Rules are the use cases about rules that act on incidents.
type Rules interface {
	SetRule(ctx context.Context, a node.Actor, t node.RuleText) (trust.Position, error)
	RemoveRule(ctx context.Context, a node.Actor, name string) (trust.Position, error)
	Rules(a node.Actor) ([]node.RuleText, error)
	Incidents(ctx context.Context, a node.Actor) ([]node.IncidentText, error)
}

var ruleRoutes = map[string]route{
	"GET /v1/rules":           lists[node.RuleText](handler.listRules, "Lists the rules in force, by name.", func(t node.RuleText) string { return t.Name }),
	"GET /v1/rules/{name}":    gives[node.RuleText](handler.showRule, "Shows a rule in force."),
	"PUT /v1/rules/{name}":    takes[node.RuleText](handler.setRule, "Puts a rule in force, in place of one of that name.").replaces(handler.showRule),
	"DELETE /v1/rules/{name}": does(handler.removeRule, "Takes a rule out of force."),
	"GET /v1/incidents":       lists[node.IncidentText](handler.listIncidents, "Lists what rules did, the newest last.", func(i node.IncidentText) string { return i.ID }),
}

func (h handler) listRules(_ context.Context, r request) (any, error) {
	items, err := h.node.Rules(r.actor)
	return listOf("Rule", items), err
}

func (h handler) showRule(_ context.Context, r request) (any, error) {
	items, err := h.node.Rules(r.actor)
	if err != nil {
		return nil, err
	}
	for _, t := range items {
		if t.Name == r.PathValue("name") {
			return t, nil
		}
	}
	return nil, trust.Errorf(trust.NotFound, "rule %q is not in force", r.PathValue("name"))
}

func (h handler) setRule(ctx context.Context, r request) (any, error) {
	text, err := body[node.RuleText](r)
	if err != nil {
		return nil, err
	}
	if text.Name != r.PathValue("name") || text.Standing {
		return nil, trust.Errorf(trust.Invalid, "rule %q is set under the name %q; a rule has one name, and is set by an operator", text.Name, r.PathValue("name"))
	}
	_, err = h.node.SetRule(ctx, r.actor, text)
	return nil, err
}

func (h handler) removeRule(ctx context.Context, r request) (any, error) {
	_, err := h.node.RemoveRule(ctx, r.actor, r.PathValue("name"))
	return nil, err
}

func (h handler) listIncidents(ctx context.Context, r request) (any, error) {
	items, err := h.node.Incidents(ctx, r.actor)
	return listOf("Incident", items), err
}

// Rules lists the rules in force, by name.
func (c *Client) Rules(ctx context.Context) (List[node.RuleText], error) {
	return call[List[node.RuleText]](ctx, c, http.MethodGet, "/v1/rules", nil)
}

// SetRule puts a rule in force, in place of one of that name.
func (c *Client) SetRule(ctx context.Context, t node.RuleText) error {
	return c.do(ctx, http.MethodPut, "/v1/rules/"+url.PathEscape(t.Name), t)
}

// RemoveRule takes a rule out of force.
func (c *Client) RemoveRule(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, "/v1/rules/"+url.PathEscape(name), nil)
}

// Incidents lists what rules did, the newest last.
func (c *Client) Incidents(ctx context.Context) (List[node.IncidentText], error) {
	return call[List[node.IncidentText]](ctx, c, http.MethodGet, "/v1/incidents", nil)
}
