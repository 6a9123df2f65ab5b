package admin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/entente-id/entente/breakglass"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// BreakGlass is emergency access, here or of one of our own people at a host, and
// where it and its review stand. Of a host's we know no resource and no reason;
// Issuer, Subject, Resource, Reason and Ticket are what was written when the glass
// was broken, until the person is erased.
type BreakGlass struct {
	ID           string              `json:"id"` // the host's
	Stage        breakglass.Stage    `json:"stage"`
	Host         trust.ParticipantID `json:"host"`
	Participant  trust.ParticipantID `json:"participant"` // the home
	Issuer       string              `json:"issuer,omitempty"`
	Subject      string              `json:"subject,omitempty"`
	Service      string              `json:"service,omitempty"` // its audience
	Action       trust.Action        `json:"action,omitempty"`
	ResourceType trust.ResourceType  `json:"resource_type,omitempty"`
	Resource     string              `json:"resource,omitempty"`
	Agreement    string              `json:"agreement"`
	Role         string              `json:"role,omitempty"` // that reviews
	Uses         int                 `json:"uses,omitzero"`  // for how many decisions; left out: any number
	Used         int                 `json:"used,omitzero"`  // by how many so far, where that is bounded
	Reason       string              `json:"reason,omitempty"`
	Ticket       string              `json:"ticket,omitempty"`
	Since        trust.Instant       `json:"since"`
	Ends         trust.Instant       `json:"ends"`
	Due          trust.Instant       `json:"due"` // of the review
	ReviewedBy   string              `json:"reviewed_by,omitempty"`
}

// BreakGlasses are the use cases about emergency access.
type BreakGlasses interface {
	BreakGlasses(ctx context.Context, a node.Actor) ([]node.BreakGlass, error)
	ReviewBreakGlass(ctx context.Context, a node.Actor, id string, r node.Review) (node.BreakGlass, error)
	EndBreakGlass(ctx context.Context, a node.Actor, id string, w node.Word) (node.BreakGlass, error)
}

var breakGlassRoutes = map[string]route{
	"GET /v1/breakglass":              lists[BreakGlass](handler.listBreakGlass, "Lists the emergency access that the operator may see: here, then that of our own people at hosts.", func(b BreakGlass) string { return b.Host.String() + " " + b.ID }),
	"POST /v1/breakglass/{id}/review": answers[node.Review, BreakGlass](handler.reviewBreakGlass, "Reviews emergency access here."),
	"POST /v1/breakglass/{id}/end":    answers[node.Word, BreakGlass](handler.endBreakGlass, "Ends emergency access here before its time."),
}

func renderBreakGlass(b node.BreakGlass) BreakGlass {
	out := BreakGlass{
		ID: b.ID, Stage: b.Stage, Host: b.Host, Participant: b.Participant, Issuer: b.Issuer, Subject: b.Caller, Service: b.Service,
		Action: b.Action, ResourceType: b.ResourceType, Resource: b.Which, Agreement: b.Agreement, Role: b.Role, Uses: b.Uses,
		Reason: b.Reason, Ticket: b.Ticket, Since: trust.Instant(b.Since), Ends: trust.Instant(b.Ends), Due: trust.Instant(b.Due), ReviewedBy: b.By,
	}
	if b.Uses > 0 {
		out.Used = b.Used
	}
	return out
}

func (h handler) listBreakGlass(ctx context.Context, r request) (any, error) {
	all, err := h.node.BreakGlasses(ctx, r.actor)
	if err != nil {
		return nil, err
	}
	var items []BreakGlass
	for _, b := range all {
		items = append(items, renderBreakGlass(b))
	}
	return listOf("BreakGlass", items), nil
}

func (h handler) reviewBreakGlass(ctx context.Context, r request) (any, error) {
	review, err := body[node.Review](r)
	if err != nil {
		return nil, err
	}
	b, err := h.node.ReviewBreakGlass(ctx, r.actor, r.PathValue("id"), review)
	return renderBreakGlass(b), err
}

func (h handler) endBreakGlass(ctx context.Context, r request) (any, error) {
	word, err := body[node.Word](r)
	if err != nil {
		return nil, err
	}
	b, err := h.node.EndBreakGlass(ctx, r.actor, r.PathValue("id"), word)
	return renderBreakGlass(b), err
}

// BreakGlasses lists the emergency access that the operator may see: here, then
// that of our own people at hosts.
func (c *Client) BreakGlasses(ctx context.Context) (List[BreakGlass], error) {
	return call[List[BreakGlass]](ctx, c, http.MethodGet, "/v1/breakglass", nil)
}

// ReviewBreakGlass is the operator's review of emergency access here.
func (c *Client) ReviewBreakGlass(ctx context.Context, id string, r node.Review) (BreakGlass, error) {
	return call[BreakGlass](ctx, c, http.MethodPost, "/v1/breakglass/"+url.PathEscape(id)+"/review", r)
}

// EndBreakGlass ends emergency access here before its time.
func (c *Client) EndBreakGlass(ctx context.Context, id string, w node.Word) (BreakGlass, error) {
	return call[BreakGlass](ctx, c, http.MethodPost, "/v1/breakglass/"+url.PathEscape(id)+"/end", w)
}
