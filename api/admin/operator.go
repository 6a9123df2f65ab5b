package admin

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/entente-id/entente/trust"
)

// Operator is a local person.
type Operator struct {
	ID    string       `json:"id"`
	Roles []trust.Role `json:"roles"`
	Self  bool         `json:"self,omitzero"` // who is asking
}

// Identity is who an operator is at an issuer of ours or a partner's. Participant
// says whose, where the issuer speaks for several.
type Identity struct {
	Issuer      string              `json:"issuer"`
	Subject     string              `json:"subject"`
	Participant trust.ParticipantID `json:"participant,omitzero"`
}

// NewOperator is a person to be made an operator. Name is kept sealed.
type NewOperator struct {
	Name  string       `json:"name"`
	Roles []trust.Role `json:"roles"`
}

var operatorRoutes = map[string]route{
	"GET /v1/operators":         lists[Operator](handler.listOperators, "Lists the operators by identifier.", func(o Operator) string { return o.ID }),
	"POST /v1/operators":        answers[NewOperator, Credential](handler.addOperator, "Makes a person an operator."),
	"DELETE /v1/operators/{id}": does(handler.removeOperator, "Ends a person's rights at once."),

	"POST /v1/operators/{id}/identities": takes[Identity](handler.linkOperator, "Says who an operator is. It is never taken back."),
}

func (h handler) listOperators(_ context.Context, r request) (any, error) {
	var items []Operator
	for o := range h.node.State().Operator.All() {
		if !o.Removed {
			items = append(items, Operator{ID: o.ID, Roles: o.Roles, Self: o.ID == r.actor.ID})
		}
	}
	slices.SortFunc(items, func(a, b Operator) int { return strings.Compare(a.ID, b.ID) })
	return listOf("Operator", items), nil
}

func (h handler) addOperator(ctx context.Context, r request) (any, error) {
	o, err := body[NewOperator](r)
	if err != nil {
		return nil, err
	}
	id, credential, err := h.node.AddOperator(ctx, r.actor, o.Name, o.Roles)
	return Credential{Name: o.Name, ID: id, Credential: credential}, err
}

func (h handler) removeOperator(ctx context.Context, r request) (any, error) {
	return nil, h.node.RemoveOperator(ctx, r.actor, r.PathValue("id"))
}

func (h handler) linkOperator(ctx context.Context, r request) (any, error) {
	who, err := body[Identity](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.LinkOperator(ctx, r.actor, r.PathValue("id"), who.Issuer, who.Subject, who.Participant)
}

// LinkOperator says who an operator is. It is never taken back.
func (c *Client) LinkOperator(ctx context.Context, id string, who Identity) error {
	return c.do(ctx, http.MethodPost, "/v1/operators/"+url.PathEscape(id)+"/identities", who)
}

// Operators lists the operators by identifier.
func (c *Client) Operators(ctx context.Context) (List[Operator], error) {
	return call[List[Operator]](ctx, c, http.MethodGet, "/v1/operators", nil)
}

// AddOperator makes a person an operator.
func (c *Client) AddOperator(ctx context.Context, o NewOperator) (Credential, error) {
	return call[Credential](ctx, c, http.MethodPost, "/v1/operators", o)
}

// RemoveOperator ends a person's rights at once.
func (c *Client) RemoveOperator(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/v1/operators/"+url.PathEscape(id), nil)
}
