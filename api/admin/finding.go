package admin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// Finding is what this node and a partner do not agree about, and where it stands.
type Finding struct {
	ID       string              `json:"id"`
	Open     bool                `json:"open"`
	Partner  trust.ParticipantID `json:"partner"`
	Side     finding.Side        `json:"side"` // what we are on that edge
	Kind     finding.Kind        `json:"kind"`
	Series   uint32              `json:"series,omitzero"` // of the numbers; 0: the first
	From     uint64              `json:"from"`
	To       uint64              `json:"to"`
	Owner    string              `json:"owner,omitempty"` // a role of ours
	Since    trust.Instant       `json:"since"`
	Due      trust.Instant       `json:"due"`
	Closed   trust.Instant       `json:"closed,omitzero"`
	ClosedBy string              `json:"closed_by,omitempty"`
}

// Closing says what a finding came to.
type Closing struct {
	Reason string `json:"reason"`
}

// Findings are the use cases about findings.
type Findings interface {
	CloseFinding(ctx context.Context, a node.Actor, id, reason string) error
	Reconcile(ctx context.Context, a node.Actor, partner trust.ParticipantID, from uint64) ([]node.Reconciliation, error)
}

// Reconciling asks for the accounts of the edge with a partner to be compared,
// from a number of each series on.
type Reconciling struct {
	Partner trust.ParticipantID `json:"partner"`
	From    uint64              `json:"from,omitzero"`
}

var findingRoutes = map[string]route{
	"GET /v1/findings":             lists[Finding](handler.listFindings, "Lists the findings in the order in which they were raised, closed ones too.", func(f Finding) string { return f.ID }),
	"POST /v1/findings/{id}/close": takes[Closing](handler.closeFinding, "Ends a finding with what it came to."),
	"POST /v1/reconciliations":     answers[Reconciling, List[node.Reconciliation]](handler.reconcile, "Compares our account of an edge with the partner's, in each direction in which there are receipts."),
}

func (h handler) listFindings(_ context.Context, _ request) (any, error) {
	var items []Finding
	for f := range h.node.State().Finding.All() {
		items = append(items, Finding{
			ID: f.ID, Open: f.Open(), Partner: f.Partner, Side: f.Side, Kind: f.Kind, Series: f.Series, From: f.From, To: f.To, Owner: f.Owner,
			Since: trust.Instant(f.Since), Due: trust.Instant(f.Due), Closed: trust.Instant(f.ClosedAt), ClosedBy: f.ClosedBy,
		})
	}
	return listOf("Finding", items), nil
}

func (h handler) closeFinding(ctx context.Context, r request) (any, error) {
	what, err := body[Closing](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.CloseFinding(ctx, r.actor, r.PathValue("id"), what.Reason)
}

func (h handler) reconcile(ctx context.Context, r request) (any, error) {
	what, err := body[Reconciling](r)
	if err != nil {
		return nil, err
	}
	items, err := h.node.Reconcile(ctx, r.actor, what.Partner, what.From)
	return listOf("Reconciliation", items), err
}

// Reconcile compares our account of an edge with the partner's, in each direction
// in which there are receipts.
func (c *Client) Reconcile(ctx context.Context, r Reconciling) (List[node.Reconciliation], error) {
	return call[List[node.Reconciliation]](ctx, c, http.MethodPost, "/v1/reconciliations", r)
}

// Findings lists the findings in the order in which they were raised, closed ones
// too.
func (c *Client) Findings(ctx context.Context) (List[Finding], error) {
	return call[List[Finding]](ctx, c, http.MethodGet, "/v1/findings", nil)
}

// CloseFinding ends a finding with what it came to.
func (c *Client) CloseFinding(ctx context.Context, id, reason string) error {
	return c.do(ctx, http.MethodPost, "/v1/findings/"+url.PathEscape(id)+"/close", Closing{reason})
}
