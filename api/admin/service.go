package admin

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// EnforcementPoint is who may ask for decisions, and for which services.
type EnforcementPoint struct {
	Name     string   `json:"name"`
	Services []string `json:"services"`
}

// Name names something to be made.
type Name struct {
	Name string `json:"name"`
}

// Credential is a new caller's secret. It is shown here and never again.
type Credential struct {
	Name       string `json:"name"`
	ID         string `json:"id,omitempty"`
	Credential string `json:"credential"`
}

var serviceRoutes = map[string]route{
	"GET /v1/services":                     lists[service.Document](handler.listServices, "Lists the services by name.", func(d service.Document) string { return d.Name }),
	"GET /v1/services/{name}":              gives[service.Document](handler.showService, "Shows a service."),
	"PUT /v1/services/{name}":              takes[service.Document](handler.replaceService, "Adds a service, or changes the one of its name.").replaces(handler.showService),
	"POST /v1/services":                    takes[service.Document](handler.registerService, "Adds a service, or changes the one of its name."),
	"DELETE /v1/services/{name}":           does(handler.removeService, "Ends a service."),
	"GET /v1/enforcement-points":           lists[EnforcementPoint](handler.listEnforcementPoints, "Lists the enforcement points by name.", func(p EnforcementPoint) string { return p.Name }),
	"POST /v1/enforcement-points":          answers[Name, Credential](handler.addEnforcementPoint, "Lets an enforcement point ask, with a new credential."),
	"DELETE /v1/enforcement-points/{name}": does(handler.removeEnforcementPoint, "Takes an enforcement point's credential away."),
}

func (h handler) listServices(_ context.Context, _ request) (any, error) {
	return listOf("Service", services(h.node.State())), nil
}

func services(s *state.Snapshot) []service.Document {
	return slices.SortedFunc(s.Service.All(), func(a, b service.Document) int { return strings.Compare(a.Name, b.Name) })
}

func (h handler) registerService(ctx context.Context, r request) (any, error) {
	d, err := body[service.Document](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.RegisterService(ctx, r.actor, d)
}

func (h handler) showService(_ context.Context, r request) (any, error) {
	for d := range h.node.State().Service.All() {
		if d.Name == r.PathValue("name") {
			return d, nil
		}
	}
	return nil, trust.Errorf(trust.NotFound, "service %q is not registered", r.PathValue("name"))
}

func (h handler) replaceService(ctx context.Context, r request) (any, error) {
	d, err := body[service.Document](r)
	if err != nil {
		return nil, err
	}
	if d.Name != r.PathValue("name") {
		return nil, trust.Errorf(trust.Invalid, "service %q is registered under the name %q; a service has one name", d.Name, r.PathValue("name"))
	}
	return nil, h.node.RegisterService(ctx, r.actor, d)
}

func (h handler) removeService(ctx context.Context, r request) (any, error) {
	return nil, h.node.RemoveService(ctx, r.actor, r.PathValue("name"))
}

func (h handler) listEnforcementPoints(_ context.Context, _ request) (any, error) {
	var items []EnforcementPoint
	all := services(h.node.State())
	for _, name := range slices.Sorted(h.node.State().Service.EnforcementPoints()) {
		point := EnforcementPoint{Name: name, Services: []string{}}
		for _, s := range all {
			if s.EnforcementPoint == name {
				point.Services = append(point.Services, s.Name)
			}
		}
		items = append(items, point)
	}
	return listOf("EnforcementPoint", items), nil
}

func (h handler) addEnforcementPoint(ctx context.Context, r request) (any, error) {
	n, err := body[Name](r)
	if err != nil {
		return nil, err
	}
	credential, err := h.node.AddEnforcementPoint(ctx, r.actor, n.Name)
	return Credential{Name: n.Name, Credential: credential}, err
}

func (h handler) removeEnforcementPoint(ctx context.Context, r request) (any, error) {
	return nil, h.node.RemoveEnforcementPoint(ctx, r.actor, r.PathValue("name"))
}

// Services lists the services by name.
func (c *Client) Services(ctx context.Context) (List[service.Document], error) {
	return call[List[service.Document]](ctx, c, http.MethodGet, "/v1/services", nil)
}

// RegisterService adds a service, or changes the one of its name.
func (c *Client) RegisterService(ctx context.Context, d service.Document) error {
	return c.do(ctx, http.MethodPost, "/v1/services", d)
}

// RemoveService ends a service.
func (c *Client) RemoveService(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, "/v1/services/"+url.PathEscape(name), nil)
}

// EnforcementPoints lists the enforcement points by name.
func (c *Client) EnforcementPoints(ctx context.Context) (List[EnforcementPoint], error) {
	return call[List[EnforcementPoint]](ctx, c, http.MethodGet, "/v1/enforcement-points", nil)
}

// AddEnforcementPoint lets an enforcement point ask, with a new credential.
func (c *Client) AddEnforcementPoint(ctx context.Context, name string) (Credential, error) {
	return call[Credential](ctx, c, http.MethodPost, "/v1/enforcement-points", Name{name})
}

// RemoveEnforcementPoint takes an enforcement point's credential away.
func (c *Client) RemoveEnforcementPoint(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, "/v1/enforcement-points/"+url.PathEscape(name), nil)
}
