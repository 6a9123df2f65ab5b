package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// Resuming asks that something suspended goes on, or confirms it.
type Resuming struct {
	node.Stoppable
	Reason string `json:"reason"`
}

// RevokeMany ends many subjects in one act. It is the other form of a request to
// end something.
type RevokeMany struct {
	Leavers  []node.Leaver `json:"leavers"`
	Reason   string        `json:"reason"`
	Incident string        `json:"incident,omitempty"`
}

// ending is a request to end something, in either form.
type ending struct {
	node.RevokeRequest
	Leavers []node.Leaver `json:"leavers"`
}

// MaxLeavers is the bytes of a request that names leavers; others are shorter.
const MaxLeavers = 32 << 20

// NewEngagement vouches for a subject's return after a joiner check, whose
// reference it names.
type NewEngagement struct {
	Issuer      string `json:"issuer"`
	Subject     string `json:"subject"`
	JoinerCheck string `json:"joiner_check"`
}

// Opened tells the number of an engagement that was opened.
type Opened struct {
	Engagement trust.Engagement `json:"engagement"`
}

var revocationRoutes = map[string]route{
	"POST /v1/revocations":               answers[node.RevokeRequest, node.Revocation](handler.revoke, "Ends a subject, a key or an issuer, or many subjects in one act. When it answers, the end is durable and in force at this node.").or(answers[RevokeMany, node.BulkRevocation](nil, "").Operation),
	"POST /v1/suspensions":               answers[node.SuspendRequest, node.Suspension](handler.suspend, "Stops something for a time. When it answers, that is durable and in force at this node."),
	"GET /v1/suspensions":                lists[node.Suspended](handler.listSuspensions, "Lists what this node has suspended.", suspended),
	"POST /v1/resumptions":               answers[Resuming, node.Resumption](handler.resume, "Asks that something suspended goes on, or confirms it."),
	"GET /v1/notices":                    lists[node.Suspended](handler.listNotices, "Lists what partners told us that they suspended.", suspended),
	"GET /v1/engagements":                lists[node.Engagement](handler.listEngagements, "Lists the engagements that await approval.", func(e node.Engagement) string { return fmt.Sprint(e.Subject) }),
	"POST /v1/engagements":               answers[NewEngagement, Opened](handler.openEngagement, "Vouches for a subject's return."),
	"POST /v1/engagements/{key}/approve": does(handler.approveEngagement, "Accepts a subject back, by its key in the list of engagements."),
}

// suspended names what is suspended among the others.
func suspended(s node.Suspended) string {
	w := s.What
	return fmt.Sprint(s.From, w.Kind, w.Participant, w.Namespace, w.Subject, w.Pairwise, w.Agreement, w.Client, w.Class, w.Service, w.Action)
}

func (h handler) revoke(ctx context.Context, r request) (any, error) {
	what, err := bodyUpTo[ending](r, MaxLeavers)
	switch {
	case err != nil:
		return nil, err
	case what.Leavers == nil:
		return h.node.Revoke(ctx, r.actor, what.RevokeRequest)
	case what.RevokeRequest != node.RevokeRequest{Reason: what.Reason, Incident: what.Incident}:
		return nil, trust.Errorf(trust.Invalid, "a request that names leavers ends them and nothing beside; it has no kind, issuer, subject or key_id of its own")
	}
	return h.node.RevokeMany(ctx, r.actor, what.Leavers, what.Reason, what.Incident, nil)
}

func (h handler) suspend(ctx context.Context, r request) (any, error) {
	what, err := body[node.SuspendRequest](r)
	if err != nil {
		return nil, err
	}
	return h.node.Suspend(ctx, r.actor, what)
}

func (h handler) listSuspensions(ctx context.Context, r request) (any, error) {
	items, err := h.node.Suspensions(ctx, r.actor)
	return listOf("Suspension", items), err
}

func (h handler) resume(ctx context.Context, r request) (any, error) {
	what, err := body[Resuming](r)
	if err != nil {
		return nil, err
	}
	return h.node.Resume(ctx, r.actor, what.Stoppable, what.Reason)
}

func (h handler) listNotices(ctx context.Context, r request) (any, error) {
	items, err := h.node.Notices(ctx, r.actor)
	return listOf("Notice", items), err
}

func (h handler) listEngagements(ctx context.Context, _ request) (any, error) {
	items, err := h.node.Engagements(ctx)
	return listOf("Engagement", items), err
}

func (h handler) openEngagement(ctx context.Context, r request) (any, error) {
	e, err := body[NewEngagement](r)
	if err != nil {
		return nil, err
	}
	number, err := h.node.OpenEngagement(ctx, r.actor, e.Issuer, e.Subject, e.JoinerCheck)
	return Opened{number}, err
}

func (h handler) approveEngagement(ctx context.Context, r request) (any, error) {
	var key trust.SubjectKey
	if err := key.UnmarshalText([]byte(r.PathValue("key"))); err != nil {
		return nil, err
	}
	return nil, h.node.ApproveEngagement(ctx, r.actor, key)
}

// Revoke ends a subject, a key or an issuer. When it returns, the end is durable
// and in force at this node.
func (c *Client) Revoke(ctx context.Context, r node.RevokeRequest) (node.Revocation, error) {
	return call[node.Revocation](ctx, c, http.MethodPost, "/v1/revocations", r)
}

// RevokeMany ends many subjects: all of them, or none. When it returns, that is
// durable and in force at this node.
func (c *Client) RevokeMany(ctx context.Context, r RevokeMany) (node.BulkRevocation, error) {
	return call[node.BulkRevocation](ctx, c, http.MethodPost, "/v1/revocations", r)
}

// Suspend stops what r names. When it returns, that is durable and in force at
// this node.
func (c *Client) Suspend(ctx context.Context, r node.SuspendRequest) (node.Suspension, error) {
	return call[node.Suspension](ctx, c, http.MethodPost, "/v1/suspensions", r)
}

// Suspensions lists what this node has suspended.
func (c *Client) Suspensions(ctx context.Context) (List[node.Suspended], error) {
	return call[List[node.Suspended]](ctx, c, http.MethodGet, "/v1/suspensions", nil)
}

// Resume asks that something suspended goes on, or confirms it.
func (c *Client) Resume(ctx context.Context, r Resuming) (node.Resumption, error) {
	return call[node.Resumption](ctx, c, http.MethodPost, "/v1/resumptions", r)
}

// Notices lists what partners told us that they suspended.
func (c *Client) Notices(ctx context.Context) (List[node.Suspended], error) {
	return call[List[node.Suspended]](ctx, c, http.MethodGet, "/v1/notices", nil)
}

// Engagements lists the engagements that await approval.
func (c *Client) Engagements(ctx context.Context) (List[node.Engagement], error) {
	return call[List[node.Engagement]](ctx, c, http.MethodGet, "/v1/engagements", nil)
}

// OpenEngagement vouches for a subject's return.
func (c *Client) OpenEngagement(ctx context.Context, e NewEngagement) (Opened, error) {
	return call[Opened](ctx, c, http.MethodPost, "/v1/engagements", e)
}

// ApproveEngagement accepts a subject back. Key is as Engagements gives it.
func (c *Client) ApproveEngagement(ctx context.Context, key string) error {
	return c.do(ctx, http.MethodPost, "/v1/engagements/"+key+"/approve", nil)
}
