package admin

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// Participant is an organisation as this node knows it. Self is the own one.
// The own has no fingerprint here: an invitation shows it.
type Participant struct {
	ID               trust.ParticipantID  `json:"id"`
	Name             string               `json:"name"`
	Self             bool                 `json:"self,omitzero"`
	Suspended        bool                 `json:"suspended,omitzero"`
	SuspendsUs       bool                 `json:"suspends_us,omitzero"`
	Broken           string               `json:"broken,omitempty"` // the rule that what it proved breaks
	Endpoint         string               `json:"endpoint"`
	GovernanceKey    string               `json:"governance_key"`
	Fingerprint      string               `json:"fingerprint,omitempty"`
	Framework        string               `json:"framework,omitempty"` // hash that the fingerprint covered
	Confirmed        trust.Instant        `json:"confirmed,omitzero"`
	StatementExpires trust.Instant        `json:"statement_expires,omitzero"`
	Issuers          []participant.Issuer `json:"issuers"`
	// Edge is what both nodes understand on the edge, by what each has stated.
	Edge *edge.Terms `json:"edge,omitzero"`
}

// Invitation is what travels by hand to a partner, and the fingerprint that both
// read to each other.
type Invitation struct {
	Invitation  participant.Invitation `json:"invitation"`
	Fingerprint string                 `json:"fingerprint"`
}

// Confirmation is the partner that was let in.
type Confirmation struct {
	Participant trust.ParticipantID `json:"participant"`
}

// Bundle is what a trust domain publishes, given by hand.
type Bundle struct {
	TrustDomain trust.IssuerID `json:"trust_domain"`
	Document    []byte         `json:"document"`
}

var participantRoutes = map[string]route{
	"GET /v1/invitation":        gives[Invitation](handler.invite, "Gives what to hand to a partner."),
	"POST /v1/participants":     answers[Invitation, Confirmation](handler.confirm, "Lets a partner in whose fingerprint was compared."),
	"GET /v1/participants":      lists[Participant](handler.listParticipants, "Lists the own organisation and its partners.", func(p Participant) string { return p.ID.String() }),
	"GET /v1/participants/{id}": gives[Participant](handler.showParticipant, "Shows the own organisation or a partner."),
	"GET /v1/declaration":       gives[participant.Document](handler.showDeclaration, "Shows which issuers speak for the own organisation."),
	"PUT /v1/declaration":       takes[participant.Document](handler.declare, "States which issuers speak for the own organisation.").replaces(handler.showDeclaration),
	"POST /v1/bundles":          takes[Bundle](handler.giveBundle, "Gives the bundle by which a trust domain's endpoint proves itself."),
}

func (h handler) invite(ctx context.Context, _ request) (any, error) {
	inv, print, err := h.node.Invitation(ctx)
	return Invitation{inv, print}, err
}

func (h handler) confirm(ctx context.Context, r request) (any, error) {
	i, err := body[Invitation](r)
	if err != nil {
		return nil, err
	}
	id, err := h.node.Confirm(ctx, r.actor, i.Invitation, i.Fingerprint)
	return Confirmation{id}, err
}

func (h handler) declare(ctx context.Context, r request) (any, error) {
	d, err := body[participant.Document](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.Declare(ctx, r.actor, d)
}

func (h handler) showDeclaration(_ context.Context, _ request) (any, error) {
	return participant.Document{Kind: "Participant", ID: h.node.Self(), Issuers: issuers(h.node.State().Participant.Declared())}, nil
}

func (h handler) giveBundle(ctx context.Context, r request) (any, error) {
	b, err := body[Bundle](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.GiveBundle(ctx, r.actor, b.TrustDomain, b.Document)
}

// participants gives the own organisation first, then the partners by name.
func (h handler) participants() []Participant {
	s := h.node.State()
	var items []Participant
	for p := range s.Participant.Partners() {
		rule, _ := s.Edge.Broken(p.Card.ID)
		terms := s.Edge.Terms(h.node.Speech(), p.Card.ID)
		items = append(items, Participant{
			ID: p.Card.ID, Name: p.Card.Name, Suspended: p.Suspended, SuspendsUs: p.SuspendsUs, Broken: rule,
			Endpoint: p.Card.Endpoint, GovernanceKey: p.Card.GovernanceKey, Fingerprint: p.Fingerprint,
			Framework: p.Framework, Confirmed: trust.Instant(p.Confirmed),
			StatementExpires: trust.Instant(p.StatementExpires), Issuers: issuers(p.Issuers), Edge: &terms,
		})
	}
	slices.SortFunc(items, func(a, b Participant) int { return strings.Compare(a.ID.String(), b.ID.String()) })
	if self := s.Participant.Self(); self != nil {
		items = slices.Insert(items, 0, Participant{
			ID: self.Card.ID, Name: self.Card.Name, Self: true, Endpoint: self.Card.Endpoint,
			GovernanceKey: self.Card.GovernanceKey, Issuers: issuers(s.Participant.Declared()),
		})
	}
	return items
}

func issuers(in []participant.Issuer) []participant.Issuer {
	if in == nil {
		return []participant.Issuer{}
	}
	return in
}

func (h handler) listParticipants(_ context.Context, _ request) (any, error) {
	return listOf("Participant", h.participants()), nil
}

func (h handler) showParticipant(_ context.Context, r request) (any, error) {
	for _, p := range h.participants() {
		if p.ID.String() == r.PathValue("id") {
			return p, nil
		}
	}
	return nil, trust.Errorf(trust.NotFound, "participant %q is not known here", r.PathValue("id"))
}

// Invitation gives what to hand to a partner.
func (c *Client) Invitation(ctx context.Context) (Invitation, error) {
	return call[Invitation](ctx, c, http.MethodGet, "/v1/invitation", nil)
}

// Confirm lets a partner in whose fingerprint was compared.
func (c *Client) Confirm(ctx context.Context, i Invitation) (Confirmation, error) {
	return call[Confirmation](ctx, c, http.MethodPost, "/v1/participants", i)
}

// Participants lists the own organisation and its partners.
func (c *Client) Participants(ctx context.Context) (List[Participant], error) {
	return call[List[Participant]](ctx, c, http.MethodGet, "/v1/participants", nil)
}

// Participant gives one of them.
func (c *Client) Participant(ctx context.Context, id string) (Participant, error) {
	return call[Participant](ctx, c, http.MethodGet, "/v1/participants/"+url.PathEscape(id), nil)
}

// Declare states which issuers speak for the own organisation.
func (c *Client) Declare(ctx context.Context, d participant.Document) error {
	return c.do(ctx, http.MethodPut, "/v1/declaration", d)
}

// GiveBundle gives the bundle by which a trust domain's endpoint proves itself.
func (c *Client) GiveBundle(ctx context.Context, b Bundle) error {
	return c.do(ctx, http.MethodPost, "/v1/bundles", b)
}
