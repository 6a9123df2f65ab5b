package admin

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// Agreement is an agreement as this node sees it. A list leaves Document and
// Bytes out.
type Agreement struct {
	Name        string                `json:"name"`
	ID          string                `json:"id"`
	Stage       agreement.Stage       `json:"stage"`
	Revision    int                   `json:"revision"`
	Hash        string                `json:"hash"`
	Home        trust.ParticipantID   `json:"home"`
	Host        trust.ParticipantID   `json:"host"`
	Tier        trust.Tier            `json:"tier"`
	Ends        trust.Instant         `json:"ends"`
	SignedBy    []trust.ParticipantID `json:"signed_by"`
	ActiveAt    []trust.ParticipantID `json:"active_at,omitempty"`
	SuspendedBy []trust.ParticipantID `json:"suspended_by,omitempty"`
	EndedBy     trust.ParticipantID   `json:"ended_by,omitzero"`
	Since       trust.Instant         `json:"since"`
	// Halt says why the agreement carries no decision now; empty when it does.
	Halt     trust.Reason        `json:"halt,omitempty"`
	Document *agreement.Document `json:"document,omitempty"`
	Bytes    []byte              `json:"bytes,omitempty"` // the canonical Revision that is signed
}

// Draft is an agreement to be rendered. An empty ID begins one; another counters
// the agreement of that id.
type Draft struct {
	Document agreement.Document `json:"document"`
	ID       string             `json:"id,omitempty"`
}

// Rendered is the bytes to sign and their hex SHA-256.
type Rendered struct {
	Bytes []byte `json:"bytes"`
	Hash  string `json:"hash"`
}

// Offer is rendered bytes with the governance signature over them.
type Offer struct {
	Bytes     []byte `json:"bytes"`
	Signature []byte `json:"signature"`
}

// Countersignature is the second signature, over the bytes with this hash.
type Countersignature struct {
	Hash      string `json:"hash"`
	Signature []byte `json:"signature"`
}

// Because is why something is suspended or ended; it stays in this node.
type Because struct {
	Reason string `json:"reason"`
}

var agreementRoutes = map[string]route{
	"GET /v1/agreements":                     lists[Agreement](handler.listAgreements, "Lists the agreements by name.", func(a Agreement) string { return a.Name + " " + a.ID }),
	"GET /v1/agreements/{name}":              gives[Agreement](handler.showAgreement, "Shows an agreement with its document."),
	"POST /v1/agreements/render":             answers[Draft, Rendered](handler.renderAgreement, "Renders the bytes that both parties sign."),
	"POST /v1/agreements":                    takes[Offer](handler.offerAgreement, "Proposes or counters an agreement."),
	"POST /v1/agreements/{name}/countersign": takes[Countersignature](handler.countersignAgreement, "Signs the partner's revision too."),
	"GET /v1/agreements/{name}/authority":    lists[node.AuthorityLine](handler.showAuthority, "Shows who may do what under an agreement.", nil),
	"POST /v1/agreements/{name}/activate":    does(handler.activateAgreement, "Puts an agreement in force here."),
	"POST /v1/agreements/{name}/suspend":     takes[Because](handler.suspendAgreement, "Stops an agreement at once."),
	"POST /v1/agreements/{name}/end":         takes[Because](handler.endAgreement, "Ends an agreement for good."),
}

// viewAgreement writes self where the noun says "this node" by the zero value.
func viewAgreement(a *agreement.Agreement, self trust.ParticipantID, now int64) Agreement {
	named := func(ids []trust.ParticipantID) []trust.ParticipantID {
		out := slices.Clone(ids)
		for i := range out {
			if out[i].IsZero() {
				out[i] = self
			}
		}
		return out
	}
	d := &a.Revision.Document
	v := Agreement{
		Name: d.Name, ID: a.ID, Stage: a.Stage, Revision: a.Revision.Revision, Hash: a.Hash,
		Home: d.Home, Host: d.Host, Tier: d.Tier, Ends: d.Ends, Since: trust.Instant(a.Since),
		ActiveAt: named(a.ActiveAt), SuspendedBy: named(a.SuspendedBy), SignedBy: []trust.ParticipantID{},
	}
	for id := range a.Signatures {
		v.SignedBy = append(v.SignedBy, id)
	}
	slices.SortFunc(v.SignedBy, func(p, q trust.ParticipantID) int { return strings.Compare(p.String(), q.String()) })
	if a.Stage == agreement.Ended {
		v.EndedBy = named([]trust.ParticipantID{a.EndedBy})[0]
	}
	if reason, alive := a.Alive(now); !alive {
		v.Halt = reason
	}
	return v
}

func (h handler) agreements() []Agreement {
	var items []Agreement
	for a := range h.node.State().Agreement.All() {
		items = append(items, viewAgreement(a, h.node.Self(), h.node.Now()))
	}
	slices.SortFunc(items, func(a, b Agreement) int { return strings.Compare(a.Name+" "+a.ID, b.Name+" "+b.ID) })
	return items
}

func (h handler) listAgreements(_ context.Context, _ request) (any, error) {
	return listOf("Agreement", h.agreements()), nil
}

func (h handler) showAgreement(_ context.Context, r request) (any, error) {
	a, ok := h.node.State().Agreement.ByName(r.PathValue("name"))
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "agreement %q is not known here", r.PathValue("name"))
	}
	v := viewAgreement(a, h.node.Self(), h.node.Now())
	v.Document, v.Bytes = &a.Revision.Document, a.Bytes
	return v, nil
}

func (h handler) showAuthority(_ context.Context, r request) (any, error) {
	lines, err := h.node.Authority(r.actor, r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	return listOf("Authority", lines), nil
}

func (h handler) renderAgreement(ctx context.Context, r request) (any, error) {
	d, err := body[Draft](r)
	if err != nil {
		return nil, err
	}
	data, hash, err := h.node.RenderAgreement(ctx, r.actor, d.Document, d.ID)
	return Rendered{data, hash}, err
}

func (h handler) offerAgreement(ctx context.Context, r request) (any, error) {
	o, err := body[Offer](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.OfferAgreement(ctx, r.actor, o.Bytes, o.Signature)
}

func (h handler) countersignAgreement(ctx context.Context, r request) (any, error) {
	c, err := body[Countersignature](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.CountersignAgreement(ctx, r.actor, r.PathValue("name"), c.Hash, c.Signature)
}

func (h handler) activateAgreement(ctx context.Context, r request) (any, error) {
	return nil, h.node.ActivateAgreement(ctx, r.actor, r.PathValue("name"))
}

func (h handler) suspendAgreement(ctx context.Context, r request) (any, error) {
	because, err := body[Because](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.SuspendAgreement(ctx, r.actor, r.PathValue("name"), because.Reason)
}

func (h handler) endAgreement(ctx context.Context, r request) (any, error) {
	because, err := body[Because](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.EndAgreement(ctx, r.actor, r.PathValue("name"), because.Reason)
}

func agreementPath(name string, rest string) string {
	return "/v1/agreements/" + url.PathEscape(name) + rest
}

// Agreements lists the agreements by name.
func (c *Client) Agreements(ctx context.Context) (List[Agreement], error) {
	return call[List[Agreement]](ctx, c, http.MethodGet, "/v1/agreements", nil)
}

// Agreement gives one with its document.
func (c *Client) Agreement(ctx context.Context, name string) (Agreement, error) {
	return call[Agreement](ctx, c, http.MethodGet, agreementPath(name, ""), nil)
}

// Authority gives an agreement's authority matrix, a line for each role.
func (c *Client) Authority(ctx context.Context, name string) (List[node.AuthorityLine], error) {
	return call[List[node.AuthorityLine]](ctx, c, http.MethodGet, agreementPath(name, "/authority"), nil)
}

// RenderAgreement renders the bytes that both parties sign.
func (c *Client) RenderAgreement(ctx context.Context, d Draft) (Rendered, error) {
	return call[Rendered](ctx, c, http.MethodPost, "/v1/agreements/render", d)
}

// OfferAgreement proposes or counters an agreement.
func (c *Client) OfferAgreement(ctx context.Context, o Offer) error {
	return c.do(ctx, http.MethodPost, "/v1/agreements", o)
}

// CountersignAgreement signs the partner's revision too.
func (c *Client) CountersignAgreement(ctx context.Context, name string, s Countersignature) error {
	return c.do(ctx, http.MethodPost, agreementPath(name, "/countersign"), s)
}

// ActivateAgreement puts an agreement in force here.
func (c *Client) ActivateAgreement(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodPost, agreementPath(name, "/activate"), nil)
}

// SuspendAgreement stops an agreement at once.
func (c *Client) SuspendAgreement(ctx context.Context, name, reason string) error {
	return c.do(ctx, http.MethodPost, agreementPath(name, "/suspend"), Because{reason})
}

// EndAgreement ends an agreement for good.
func (c *Client) EndAgreement(ctx context.Context, name, reason string) error {
	return c.do(ctx, http.MethodPost, agreementPath(name, "/end"), Because{reason})
}
