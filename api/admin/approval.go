package admin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/entente-id/entente/approval"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// Approval is what local people say to a privileged action, and where it stands.
// Issuer, Subject, Resource, Reason and Ticket are what was written when it was
// asked for, until the person is erased.
type Approval struct {
	ID           string              `json:"id"`
	Stage        approval.Stage      `json:"stage"`
	Participant  trust.ParticipantID `json:"participant"`
	Issuer       string              `json:"issuer,omitempty"`
	Subject      string              `json:"subject,omitempty"`
	Service      string              `json:"service"` // its audience
	Action       trust.Action        `json:"action"`
	ResourceType trust.ResourceType  `json:"resource_type"`
	Resource     string              `json:"resource,omitempty"`
	Agreement    string              `json:"agreement"`
	Role         string              `json:"role"`   // that approves
	People       int                 `json:"people"` // how many it takes
	Said         []string            `json:"said"`   // who said yes
	Once         bool                `json:"once,omitzero"`
	Reason       string              `json:"reason,omitempty"`
	Ticket       string              `json:"ticket,omitempty"`
	Since        trust.Instant       `json:"since"`
	Until        trust.Instant       `json:"until"`         // until when people may answer
	Ends         trust.Instant       `json:"ends,omitzero"` // of what was approved
	ClosedBy     string              `json:"closed_by,omitempty"`
}

// Approvals are the use cases about approvals.
type Approvals interface {
	Approvals(ctx context.Context, a node.Actor) ([]node.Approval, error)
	Approve(ctx context.Context, a node.Actor, id string, w node.Word) (node.Approval, error)
	DeclineApproval(ctx context.Context, a node.Actor, id string, w node.Word) (node.Approval, error)
	WithdrawApproval(ctx context.Context, a node.Actor, id string, w node.Word) (node.Approval, error)
}

var approvalRoutes = map[string]route{
	"GET /v1/approvals":                lists[Approval](handler.listApprovals, "Lists the approvals that the operator may see, in the order in which they were asked for.", func(a Approval) string { return a.ID }),
	"POST /v1/approvals/{id}/approve":  answers[node.Word, Approval](answerApproval(Approvals.Approve), "Says yes to what was asked for."),
	"POST /v1/approvals/{id}/refuse":   answers[node.Word, Approval](answerApproval(Approvals.DeclineApproval), "Says no to it."),
	"POST /v1/approvals/{id}/withdraw": answers[node.Word, Approval](answerApproval(Approvals.WithdrawApproval), "Takes back what was approved."),
}

func renderApproval(a node.Approval) Approval {
	said := a.Said
	if said == nil {
		said = []string{}
	}
	return Approval{
		ID: a.ID, Stage: a.Stage, Participant: a.Participant, Issuer: a.Issuer, Subject: a.Caller, Service: a.Service, Action: a.Action, ResourceType: a.ResourceType,
		Resource: a.Which, Agreement: a.Agreement, Role: a.Role, People: a.People, Said: said, Once: a.Once, Reason: a.Reason, Ticket: a.Ticket,
		Since: trust.Instant(a.Since), Until: trust.Instant(a.Until), Ends: trust.Instant(a.Ends), ClosedBy: a.By,
	}
}

func (h handler) listApprovals(ctx context.Context, r request) (any, error) {
	all, err := h.node.Approvals(ctx, r.actor)
	if err != nil {
		return nil, err
	}
	var items []Approval
	for _, a := range all {
		items = append(items, renderApproval(a))
	}
	return listOf("Approval", items), nil
}

// answerApproval is one of the answers that people give.
func answerApproval(answer func(Approvals, context.Context, node.Actor, string, node.Word) (node.Approval, error)) serve {
	return func(h handler, ctx context.Context, r request) (any, error) {
		word, err := body[node.Word](r)
		if err != nil {
			return nil, err
		}
		a, err := answer(h.node, ctx, r.actor, r.PathValue("id"), word)
		return renderApproval(a), err
	}
}

// Approvals lists what the operator may see, in the order in which it was asked
// for.
func (c *Client) Approvals(ctx context.Context) (List[Approval], error) {
	return call[List[Approval]](ctx, c, http.MethodGet, "/v1/approvals", nil)
}

// Approve is the operator's yes.
func (c *Client) Approve(ctx context.Context, id string, w node.Word) (Approval, error) {
	return call[Approval](ctx, c, http.MethodPost, "/v1/approvals/"+url.PathEscape(id)+"/approve", w)
}

// RefuseApproval is the operator's no.
func (c *Client) RefuseApproval(ctx context.Context, id string, w node.Word) (Approval, error) {
	return call[Approval](ctx, c, http.MethodPost, "/v1/approvals/"+url.PathEscape(id)+"/refuse", w)
}

// WithdrawApproval takes back what was approved.
func (c *Client) WithdrawApproval(ctx context.Context, id string, w node.Word) (Approval, error) {
	return call[Approval](ctx, c, http.MethodPost, "/v1/approvals/"+url.PathEscape(id)+"/withdraw", w)
}
