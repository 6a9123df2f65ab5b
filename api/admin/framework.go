package admin

import (
	"context"
	"net/http"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// FrameworkStage is where a framework stands at this node.
type FrameworkStage string

const (
	InForce  FrameworkStage = "in_force"
	Accepted FrameworkStage = "accepted" // adopted; it waits for its date
	Waiting  FrameworkStage = "waiting"  // for a local operator to adopt it
)

// Framework is a framework that is in force or awaits adoption.
type Framework struct {
	Stage    FrameworkStage        `json:"stage"`
	Hash     string                `json:"hash"`
	Name     string                `json:"name"`
	Version  int                   `json:"version"`
	Expires  trust.Instant         `json:"expires"`
	Since    trust.Instant         `json:"since,omitzero"` // from when on it holds here, once adopted
	From     trust.ParticipantID   `json:"from,omitzero"`  // who sent it; zero: a local operator
	SignedBy []trust.ParticipantID `json:"signed_by"`
	Document framework.Document    `json:"document"`
}

// Hash names a document by its hex SHA-256.
type Hash struct {
	Hash string `json:"hash"`
}

var frameworkRoutes = map[string]route{
	"GET /v1/frameworks":               lists[Framework](handler.listFrameworks, "Lists the framework in force, first, the one that waits for its date, and those that wait for people.", nil),
	"GET /v1/frameworks/adoptions":     lists[node.Adoption](handler.listAdoptions, "Tells which version of the framework each organisation has adopted.", func(a node.Adoption) string { return a.Participant.String() }),
	"POST /v1/frameworks":              answers[framework.Signed, Hash](handler.receiveFramework, "Takes a signed framework, which then waits for adoption."),
	"POST /v1/frameworks/{hash}/adopt": does(handler.adoptFramework, "Puts a waiting framework in force here."),
}

func viewFramework(stage FrameworkStage, hash string, d framework.Document, signed framework.Signed) Framework {
	v := Framework{
		Stage: stage, Hash: hash, Name: d.Name, Version: d.Version, Expires: d.Expires, Document: d,
		SignedBy: []trust.ParticipantID{},
	}
	for _, s := range signed.Signatures {
		v.SignedBy = append(v.SignedBy, s.Participant)
	}
	return v
}

func (h handler) listFrameworks(_ context.Context, _ request) (any, error) {
	s := h.node.State().Framework
	var items []Framework
	for _, f := range s.Adopted() {
		stage := InForce
		if f == s.Next {
			stage = Accepted
		}
		v := viewFramework(stage, f.Hash, f.Document, f.Signed)
		v.Since = trust.Instant(f.Since)
		items = append(items, v)
	}
	for _, w := range s.Waiting {
		var d framework.Document
		if err := canonical.Decode(w.Signed.Bytes, &d); err != nil {
			return nil, trust.Errorf(trust.Internal, "reading framework %s: %w", w.Hash, err)
		}
		v := viewFramework(Waiting, w.Hash, d, w.Signed)
		v.From = w.From
		items = append(items, v)
	}
	return listOf("Framework", items), nil
}

func (h handler) listAdoptions(_ context.Context, _ request) (any, error) {
	return listOf("Adoption", h.node.Adoptions()), nil
}

func (h handler) receiveFramework(ctx context.Context, r request) (any, error) {
	signed, err := body[framework.Signed](r)
	if err != nil {
		return nil, err
	}
	hash, err := h.node.ReceiveFramework(ctx, r.actor, signed)
	return Hash{hash}, err
}

func (h handler) adoptFramework(ctx context.Context, r request) (any, error) {
	return nil, h.node.AdoptFramework(ctx, r.actor, r.PathValue("hash"))
}

// Adoptions tells which version of the framework each organisation has adopted.
func (c *Client) Adoptions(ctx context.Context) (List[node.Adoption], error) {
	return call[List[node.Adoption]](ctx, c, http.MethodGet, "/v1/frameworks/adoptions", nil)
}

// Frameworks lists the framework in force, first, the one that waits for its date,
// and those that wait for people.
func (c *Client) Frameworks(ctx context.Context) (List[Framework], error) {
	return call[List[Framework]](ctx, c, http.MethodGet, "/v1/frameworks", nil)
}

// PublishFramework hands the node a signed framework, which then waits for
// adoption.
func (c *Client) PublishFramework(ctx context.Context, s framework.Signed) (Hash, error) {
	return call[Hash](ctx, c, http.MethodPost, "/v1/frameworks", s)
}

// AdoptFramework puts a waiting framework in force here.
func (c *Client) AdoptFramework(ctx context.Context, hash string) error {
	return c.do(ctx, http.MethodPost, "/v1/frameworks/"+hash+"/adopt", nil)
}
