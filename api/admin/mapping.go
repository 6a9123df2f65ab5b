package admin

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/trust"
)

// Mapping is a mapping and where it stands.
type Mapping struct {
	Stage      mapping.Stage    `json:"stage"`
	Alive      bool             `json:"alive"` // it gives its role now
	OfferedBy  string           `json:"offered_by"`
	ApprovedBy string           `json:"approved_by,omitempty"`
	ClosedBy   string           `json:"closed_by,omitempty"`
	Since      trust.Instant    `json:"since"`
	Document   mapping.Document `json:"document"`
}

var mappingRoutes = map[string]route{
	"GET /v1/mappings":               lists[Mapping](handler.listMappings, "Lists the mappings by name.", func(m Mapping) string { return m.Document.Name }),
	"POST /v1/mappings":              takes[mapping.Document](handler.offerMapping, "Proposes a mapping."),
	"POST /v1/mappings/{name}/grant": does(handler.grantMapping, "Accepts a proposed mapping."),
	"POST /v1/mappings/{name}/end":   does(handler.endMapping, "Ends a mapping."),
}

func (h handler) mappings() []Mapping {
	var items []Mapping
	for m := range h.node.State().Mapping.All() {
		items = append(items, Mapping{
			Stage: m.Stage, Alive: m.Alive(h.node.Now()), OfferedBy: m.OfferedBy, ApprovedBy: m.ApprovedBy,
			ClosedBy: m.ClosedBy, Since: trust.Instant(m.Since), Document: m.Document,
		})
	}
	slices.SortFunc(items, func(a, b Mapping) int { return strings.Compare(a.Document.Name, b.Document.Name) })
	return items
}

func (h handler) listMappings(_ context.Context, _ request) (any, error) {
	return listOf("Mapping", h.mappings()), nil
}

func (h handler) offerMapping(ctx context.Context, r request) (any, error) {
	d, err := body[mapping.Document](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.OfferMapping(ctx, r.actor, d)
}

func (h handler) grantMapping(ctx context.Context, r request) (any, error) {
	return nil, h.node.ApproveMapping(ctx, r.actor, r.PathValue("name"))
}

func (h handler) endMapping(ctx context.Context, r request) (any, error) {
	return nil, h.node.CloseMapping(ctx, r.actor, r.PathValue("name"))
}

// Mappings lists the mappings by name.
func (c *Client) Mappings(ctx context.Context) (List[Mapping], error) {
	return call[List[Mapping]](ctx, c, http.MethodGet, "/v1/mappings", nil)
}

// OfferMapping proposes a mapping.
func (c *Client) OfferMapping(ctx context.Context, d mapping.Document) error {
	return c.do(ctx, http.MethodPost, "/v1/mappings", d)
}

// GrantMapping accepts a proposed mapping.
func (c *Client) GrantMapping(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodPost, "/v1/mappings/"+url.PathEscape(name)+"/grant", nil)
}

// EndMapping ends a mapping.
func (c *Client) EndMapping(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodPost, "/v1/mappings/"+url.PathEscape(name)+"/end", nil)
}
