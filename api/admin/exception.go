package admin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/entente-id/entente/exception"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// Exception is a waiver of a check, and where it stands. Reason and what is done
// instead come with one alone, not with a list.
type Exception struct {
	Name                string              `json:"name"`
	Alive               bool                `json:"alive"`
	Waives              exception.Check     `json:"waives"`
	Secret              exception.Secret    `json:"secret"`
	Participant         trust.ParticipantID `json:"participant"`
	Issuer              trust.IssuerID      `json:"issuer"`
	Account             string              `json:"account"`
	Service             string              `json:"service"`
	Owner               string              `json:"owner"`
	Since               trust.Instant       `json:"since"`
	Expires             trust.Instant       `json:"expires"`
	GrantedBy           string              `json:"granted_by"`
	Ended               trust.Instant       `json:"ended,omitzero"` // before its own end
	EndedBy             string              `json:"ended_by,omitempty"`
	Reason              string              `json:"reason,omitempty"`
	CompensatingControl string              `json:"compensating_control,omitempty"`
}

// NewSecret is the shared secret of a new exception. It is shown here and never
// again.
type NewSecret struct {
	Name   string `json:"name"`
	Secret string `json:"secret"`
}

// Exceptions are the use cases about waived checks.
type Exceptions interface {
	AddException(ctx context.Context, a node.Actor, d exception.Document) (secret string, err error)
	EndException(ctx context.Context, a node.Actor, name string) error
	Exception(ctx context.Context, a node.Actor, name string) (x exception.Exception, reason, control string, err error)
}

var exceptionRoutes = map[string]route{
	"GET /v1/exceptions":           lists[Exception](handler.listExceptions, "Lists the exceptions by name, ended ones too.", func(x Exception) string { return x.Name }),
	"POST /v1/exceptions":          answers[exception.Document, NewSecret](handler.addException, "Waives a check for a time."),
	"GET /v1/exceptions/{name}":    gives[Exception](handler.showException, "Shows an exception, with its reason and what is done instead."),
	"DELETE /v1/exceptions/{name}": does(handler.endException, "Ends an exception before its time."),
}

func (h handler) exception(x exception.Exception) Exception {
	return Exception{
		Name: x.Name, Alive: x.Alive(h.node.Now()), Waives: x.Waives, Secret: x.Secret, Participant: x.Participant, Issuer: x.Issuer,
		Account: x.Account, Service: x.Service, Owner: x.Owner, Since: trust.Instant(x.Since), Expires: trust.Instant(x.Expires),
		GrantedBy: x.By, Ended: trust.Instant(x.EndedAt), EndedBy: x.EndedBy,
	}
}

func (h handler) listExceptions(_ context.Context, _ request) (any, error) {
	var items []Exception
	for x := range h.node.State().Exception.All() {
		items = append(items, h.exception(x))
	}
	return listOf("Exception", items), nil
}

func (h handler) addException(ctx context.Context, r request) (any, error) {
	d, err := body[exception.Document](r)
	if err != nil {
		return nil, err
	}
	secret, err := h.node.AddException(ctx, r.actor, d)
	return NewSecret{Name: d.Name, Secret: secret}, err
}

func (h handler) showException(ctx context.Context, r request) (any, error) {
	x, reason, control, err := h.node.Exception(ctx, r.actor, r.PathValue("name"))
	v := h.exception(x)
	v.Reason, v.CompensatingControl = reason, control
	return v, err
}

func (h handler) endException(ctx context.Context, r request) (any, error) {
	return nil, h.node.EndException(ctx, r.actor, r.PathValue("name"))
}

// Exceptions lists the exceptions by name, ended ones too.
func (c *Client) Exceptions(ctx context.Context) (List[Exception], error) {
	return call[List[Exception]](ctx, c, http.MethodGet, "/v1/exceptions", nil)
}

// AddException waives a check for a time.
func (c *Client) AddException(ctx context.Context, d exception.Document) (NewSecret, error) {
	return call[NewSecret](ctx, c, http.MethodPost, "/v1/exceptions", d)
}

// Exception gives one, with its reason and what is done instead.
func (c *Client) Exception(ctx context.Context, name string) (Exception, error) {
	return call[Exception](ctx, c, http.MethodGet, "/v1/exceptions/"+url.PathEscape(name), nil)
}

// EndException ends one before its time.
func (c *Client) EndException(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, "/v1/exceptions/"+url.PathEscape(name), nil)
}
