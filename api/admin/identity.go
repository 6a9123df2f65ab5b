package admin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/entente-id/entente/identity"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// IdentityRecord is a subject that this organisation answers for. What was written of it
// is gone once it was erased.
type IdentityRecord struct {
	ID         string                 `json:"id"`
	Class      trust.Class            `json:"class"`
	Stage      identity.Stage         `json:"stage"`
	Name       string                 `json:"name,omitempty"`
	Owner      string                 `json:"owner,omitempty"` // operator:ID or role:NAME
	Purpose    string                 `json:"purpose,omitempty"`
	Engagement trust.Engagement       `json:"engagement"`
	Since      trust.Instant          `json:"since"`
	Until      trust.Instant          `json:"until,omitzero"`   // 0: it has no end
	Due        trust.Instant          `json:"due,omitzero"`     // its owner has left: by when somebody else must own it
	Stopped    trust.Instant          `json:"stopped,omitzero"` // by a date
	Asked      string                 `json:"asked,omitempty"`  // who asked for its return
	Accounts   []node.IdentityAccount `json:"accounts"`         // newest first
	Keys       []node.IdentityKey     `json:"keys,omitempty"`   // likewise
}

// HandOver says who owns an identity from now on, and why.
type HandOver struct {
	Owner  string `json:"owner"`
	Reason string `json:"reason"`
}

// Return names the joiner check of somebody who comes back.
type Return struct {
	JoinerCheck string `json:"joiner_check"`
}

// Identities are the use cases about the subjects that this organisation answers for.
type Identities interface {
	RegisterIdentity(ctx context.Context, a node.Actor, r node.IdentityRequest) (node.Identity, error)
	ActivateIdentity(ctx context.Context, a node.Actor, id string) (node.Identity, error)
	MoveIdentity(ctx context.Context, a node.Actor, id string, m node.IdentityMove) (node.Identity, error)
	HandOverIdentity(ctx context.Context, a node.Actor, id, owner, reason string) (node.Identity, error)
	LinkIdentity(ctx context.Context, a node.Actor, id string, l node.IdentityLink) (node.Identity, error)
	SuspendIdentity(ctx context.Context, a node.Actor, id string, why node.Why) (node.Identity, error)
	OffboardIdentity(ctx context.Context, a node.Actor, id string, why node.Why) (node.Revocation, error)
	ReturnIdentity(ctx context.Context, a node.Actor, id, check string) (node.IdentityReturn, error)
	Identities(ctx context.Context, a node.Actor, after string) (page []node.Identity, next string, err error)
	Identity(ctx context.Context, a node.Actor, id string) (node.Identity, error)
}

var identityRoutes = map[string]route{
	"GET /v1/identities": lists[IdentityRecord](handler.listIdentities, "Lists a page of the identities that this organisation answers for.", nil).with(
		asks[string]("cursor", "The page that begins there, as next of the page before says.")),
	"POST /v1/identities":               answers[node.IdentityRequest, IdentityRecord](handler.registerIdentity, "Takes a subject of ours into the register."),
	"GET /v1/identities/{id}":           gives[IdentityRecord](handler.showIdentity, "Shows an identity with its accounts and keys."),
	"POST /v1/identities/{id}/activate": gives[IdentityRecord](handler.activateIdentity, "Lets an identity be used."),
	"POST /v1/identities/{id}/move":     answers[node.IdentityMove, IdentityRecord](handler.moveIdentity, "Changes what an identity is for, or its end."),
	"POST /v1/identities/{id}/handover": answers[HandOver, IdentityRecord](handler.handOverIdentity, "Gives an identity to another owner."),
	"POST /v1/identities/{id}/links":    answers[node.IdentityLink, IdentityRecord](handler.linkIdentity, "Gives an identity another account or key."),
	"POST /v1/identities/{id}/suspend":  answers[node.Why, IdentityRecord](handler.suspendIdentity, "Stops every account of an identity."),
	"POST /v1/identities/{id}/offboard": answers[node.Why, node.Revocation](handler.offboardIdentity, "Ends an identity for good, here and at every host."),
	"POST /v1/identities/{id}/return":   answers[Return, node.IdentityReturn](handler.returnIdentity, "Asks that an identity comes back, or is the second word."),
}

func identityOf(i *node.Identity) IdentityRecord {
	return IdentityRecord{
		ID: i.ID(), Class: i.Class(), Stage: i.Stage, Name: i.Text.Name, Owner: i.Owner.String(), Purpose: i.Text.Purpose, Engagement: i.Engagement,
		Since: trust.Instant(i.Since), Until: trust.Instant(i.Until), Due: trust.Instant(i.Due), Stopped: trust.Instant(i.Stopped), Asked: i.Asked.By,
		Accounts: i.Accounts, Keys: i.Keys,
	}
}

// oneIdentity renders what a use case gives.
func oneIdentity(i node.Identity, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return identityOf(&i), nil
}

func (h handler) listIdentities(ctx context.Context, r request) (any, error) {
	page, next, err := h.node.Identities(ctx, r.actor, r.URL.Query().Get("cursor"))
	if err != nil {
		return nil, err
	}
	items := make([]IdentityRecord, len(page))
	for i := range page {
		items[i] = identityOf(&page[i])
	}
	list := listOf("Identity", items)
	list.Next = next
	return list, nil
}

func (h handler) showIdentity(ctx context.Context, r request) (any, error) {
	return oneIdentity(h.node.Identity(ctx, r.actor, r.PathValue("id")))
}

func (h handler) registerIdentity(ctx context.Context, r request) (any, error) {
	asked, err := body[node.IdentityRequest](r)
	if err != nil {
		return nil, err
	}
	return oneIdentity(h.node.RegisterIdentity(ctx, r.actor, asked))
}

func (h handler) activateIdentity(ctx context.Context, r request) (any, error) {
	return oneIdentity(h.node.ActivateIdentity(ctx, r.actor, r.PathValue("id")))
}

func (h handler) moveIdentity(ctx context.Context, r request) (any, error) {
	asked, err := body[node.IdentityMove](r)
	if err != nil {
		return nil, err
	}
	return oneIdentity(h.node.MoveIdentity(ctx, r.actor, r.PathValue("id"), asked))
}

func (h handler) handOverIdentity(ctx context.Context, r request) (any, error) {
	asked, err := body[HandOver](r)
	if err != nil {
		return nil, err
	}
	return oneIdentity(h.node.HandOverIdentity(ctx, r.actor, r.PathValue("id"), asked.Owner, asked.Reason))
}

func (h handler) linkIdentity(ctx context.Context, r request) (any, error) {
	asked, err := body[node.IdentityLink](r)
	if err != nil {
		return nil, err
	}
	return oneIdentity(h.node.LinkIdentity(ctx, r.actor, r.PathValue("id"), asked))
}

func (h handler) suspendIdentity(ctx context.Context, r request) (any, error) {
	asked, err := body[node.Why](r)
	if err != nil {
		return nil, err
	}
	return oneIdentity(h.node.SuspendIdentity(ctx, r.actor, r.PathValue("id"), asked))
}

func (h handler) offboardIdentity(ctx context.Context, r request) (any, error) {
	asked, err := body[node.Why](r)
	if err != nil {
		return nil, err
	}
	return h.node.OffboardIdentity(ctx, r.actor, r.PathValue("id"), asked)
}

func (h handler) returnIdentity(ctx context.Context, r request) (any, error) {
	asked, err := body[Return](r)
	if err != nil {
		return nil, err
	}
	return h.node.ReturnIdentity(ctx, r.actor, r.PathValue("id"), asked.JoinerCheck)
}

// RegisterIdentity takes a subject of ours into the register.
func (c *Client) RegisterIdentity(ctx context.Context, r node.IdentityRequest) (IdentityRecord, error) {
	return call[IdentityRecord](ctx, c, http.MethodPost, "/v1/identities", r)
}

// Identities lists a page of the identities, behind the one that after names.
func (c *Client) Identities(ctx context.Context, after string) (List[IdentityRecord], error) {
	path := "/v1/identities"
	if after != "" {
		path += "?cursor=" + url.QueryEscape(after)
	}
	return call[List[IdentityRecord]](ctx, c, http.MethodGet, path, nil)
}

// Identity shows one.
func (c *Client) Identity(ctx context.Context, id string) (IdentityRecord, error) {
	return call[IdentityRecord](ctx, c, http.MethodGet, "/v1/identities/"+url.PathEscape(id), nil)
}

// ActivateIdentity lets it be used.
func (c *Client) ActivateIdentity(ctx context.Context, id string) (IdentityRecord, error) {
	return c.changeIdentity(ctx, id, "activate", nil)
}

// MoveIdentity changes what it is for, or its end.
func (c *Client) MoveIdentity(ctx context.Context, id string, m node.IdentityMove) (IdentityRecord, error) {
	return c.changeIdentity(ctx, id, "move", m)
}

// HandOverIdentity gives it to another owner.
func (c *Client) HandOverIdentity(ctx context.Context, id string, to HandOver) (IdentityRecord, error) {
	return c.changeIdentity(ctx, id, "handover", to)
}

// LinkIdentity gives it another account or key.
func (c *Client) LinkIdentity(ctx context.Context, id string, l node.IdentityLink) (IdentityRecord, error) {
	return c.changeIdentity(ctx, id, "links", l)
}

// SuspendIdentity stops every account of it.
func (c *Client) SuspendIdentity(ctx context.Context, id string, why node.Why) (IdentityRecord, error) {
	return c.changeIdentity(ctx, id, "suspend", why)
}

// OffboardIdentity ends it for good.
func (c *Client) OffboardIdentity(ctx context.Context, id string, why node.Why) (node.Revocation, error) {
	return call[node.Revocation](ctx, c, http.MethodPost, "/v1/identities/"+url.PathEscape(id)+"/offboard", why)
}

// ReturnIdentity asks that it comes back, or is the second word.
func (c *Client) ReturnIdentity(ctx context.Context, id string, r Return) (node.IdentityReturn, error) {
	return call[node.IdentityReturn](ctx, c, http.MethodPost, "/v1/identities/"+url.PathEscape(id)+"/return", r)
}

func (c *Client) changeIdentity(ctx context.Context, id, verb string, what any) (IdentityRecord, error) {
	return call[IdentityRecord](ctx, c, http.MethodPost, "/v1/identities/"+url.PathEscape(id)+"/"+verb, what)
}
