package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// Erased is somebody whose data keys were destroyed, named by a keyed hash.
type Erased struct {
	Key         trust.SubjectKey    `json:"key"`
	Participant trust.ParticipantID `json:"participant"`
	Position    trust.Position      `json:"position"`
	At          trust.Instant       `json:"at"`
	Asked       string              `json:"asked"`
	By          string              `json:"by"`
	Reason      string              `json:"reason,omitempty"`
	Ticket      string              `json:"ticket,omitempty"`
	Keys        int                 `json:"keys"`          // destroyed by it
	Times       int                 `json:"times"`         // how often that was, for this subject
	Back        bool                `json:"back,omitzero"` // a new engagement has begun since
}

// Hold is a legal hold. What was written of it, and who it is, is gone once the
// person was erased after it.
type Hold struct {
	ID          string              `json:"id"`
	Stage       string              `json:"stage"` // stands, ended or expired
	Key         trust.SubjectKey    `json:"key"`
	Participant trust.ParticipantID `json:"participant"`
	Issuer      string              `json:"issuer,omitempty"`
	Subject     string              `json:"subject,omitempty"`
	Reason      string              `json:"reason,omitempty"`
	Case        string              `json:"case,omitempty"`
	By          string              `json:"by"`
	Since       trust.Instant       `json:"since"`
	Until       trust.Instant       `json:"until,omitzero"` // 0: until it is ended
	Ended       trust.Instant       `json:"ended,omitzero"`
	EndedBy     string              `json:"ended_by,omitempty"`
}

// EndOfHold says why a hold ends.
type EndOfHold struct {
	Reason string `json:"reason"`
}

// Erasures are the use cases about what is kept of people.
type Erasures interface {
	Erase(ctx context.Context, a node.Actor, r node.ErasureRequest) (node.Erasure, error)
	Erased(ctx context.Context, a node.Actor) ([]node.ErasedSubject, error)
	PlaceHold(ctx context.Context, a node.Actor, r node.HoldRequest) (node.Hold, error)
	EndHold(ctx context.Context, a node.Actor, id, reason string) (node.Hold, error)
	Holds(ctx context.Context, a node.Actor) ([]node.Hold, error)
}

var erasureRoutes = map[string]route{
	"GET /v1/erasures":        lists[Erased](handler.listErasures, "Lists who was erased.", func(e Erased) string { return fmt.Sprint(e.Position, e.Key) }),
	"POST /v1/erasures":       answers[node.ErasureRequest, node.Erasure](handler.erase, "Asks that somebody is erased, or is the second word."),
	"GET /v1/holds":           lists[Hold](handler.listHolds, "Lists the holds, ended ones too.", func(one Hold) string { return one.ID }),
	"POST /v1/holds":          answers[node.HoldRequest, Hold](handler.placeHold, "Keeps what is sealed about somebody, whoever asks that it is erased."),
	"POST /v1/holds/{id}/end": answers[EndOfHold, Hold](handler.endHold, "Ends a hold that stands."),
}

func (h handler) erase(ctx context.Context, r request) (any, error) {
	asked, err := body[node.ErasureRequest](r)
	if err != nil {
		return nil, err
	}
	return h.node.Erase(ctx, r.actor, asked)
}

func (h handler) listErasures(ctx context.Context, r request) (any, error) {
	all, err := h.node.Erased(ctx, r.actor)
	if err != nil {
		return nil, err
	}
	var items []Erased
	for _, e := range all {
		items = append(items, Erased{
			Key: e.Subject, Participant: e.Participant, Position: e.Position, At: e.At, Asked: e.Asked, By: e.By,
			Reason: e.Why.Reason, Ticket: e.Why.Ticket, Keys: 1 + len(e.Also) + len(e.Lists), Times: e.Times, Back: e.Back,
		})
	}
	return listOf("Erasure", items), nil
}

func (h handler) hold(one node.Hold) Hold {
	stage := "stands"
	switch {
	case one.EndedAt != 0:
		stage = "ended"
	case !one.Stands(h.node.Now()):
		stage = "expired"
	}
	return Hold{
		ID: one.ID(), Stage: stage, Key: one.Subject, Participant: one.Participant, Issuer: one.Text.Issuer, Subject: one.Text.Name,
		Reason: one.Text.Reason, Case: one.Text.Case, By: one.By, Since: trust.Instant(one.Since), Until: trust.Instant(one.Until),
		Ended: trust.Instant(one.EndedAt), EndedBy: one.EndedBy,
	}
}

func (h handler) listHolds(ctx context.Context, r request) (any, error) {
	all, err := h.node.Holds(ctx, r.actor)
	if err != nil {
		return nil, err
	}
	var items []Hold
	for _, one := range all {
		items = append(items, h.hold(one))
	}
	return listOf("Hold", items), nil
}

func (h handler) placeHold(ctx context.Context, r request) (any, error) {
	asked, err := body[node.HoldRequest](r)
	if err != nil {
		return nil, err
	}
	one, err := h.node.PlaceHold(ctx, r.actor, asked)
	if err != nil {
		return nil, err
	}
	return h.hold(one), nil
}

func (h handler) endHold(ctx context.Context, r request) (any, error) {
	why, err := body[EndOfHold](r)
	if err != nil {
		return nil, err
	}
	one, err := h.node.EndHold(ctx, r.actor, r.PathValue("id"), why.Reason)
	if err != nil {
		return nil, err
	}
	return h.hold(one), nil
}

// Erase asks that somebody is erased, or is the second word.
func (c *Client) Erase(ctx context.Context, r node.ErasureRequest) (node.Erasure, error) {
	return call[node.Erasure](ctx, c, http.MethodPost, "/v1/erasures", r)
}

// Erasures lists who was erased.
func (c *Client) Erasures(ctx context.Context) (List[Erased], error) {
	return call[List[Erased]](ctx, c, http.MethodGet, "/v1/erasures", nil)
}

// PlaceHold keeps what is sealed about somebody.
func (c *Client) PlaceHold(ctx context.Context, r node.HoldRequest) (Hold, error) {
	return call[Hold](ctx, c, http.MethodPost, "/v1/holds", r)
}

// EndHold ends a hold that stands.
func (c *Client) EndHold(ctx context.Context, id string, why EndOfHold) (Hold, error) {
	return call[Hold](ctx, c, http.MethodPost, "/v1/holds/"+url.PathEscape(id)+"/end", why)
}

// Holds lists the holds, ended ones too.
func (c *Client) Holds(ctx context.Context) (List[Hold], error) {
	return call[List[Hold]](ctx, c, http.MethodGet, "/v1/holds", nil)
}
