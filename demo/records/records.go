// Package records is the patient-record service of a demonstration trust: an
// ordinary HTTP service behind a [pep.Guard], which asks the trust's node on every
// call. It decides nothing and never learns who the caller is. The patients are
// made up.
package records

import (
	"cmp"
	"context"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/pep"
)

// Config is what the service needs to reach its node, and what it has.
type Config struct {
	pep.Config
	// Type is the Cedar type of a record; empty is "WardRecord".
	Type string
	// Token is the type of the bearer tokens; empty is pep.AccessToken.
	Token string
	// Action is what is done with a record; empty is "read".
	Action string
	// Purpose is stated when the caller names none in X-Purpose; empty is TREAT.
	Purpose string
	// URL is the https origin that callers know the service by, which their DPoP
	// proofs are for; empty takes bearer tokens only.
	URL string
}

// Service answers GET /wards/{ward}/records/{id}, and with /live behind it a
// stream of vital signs. It is safe for concurrent use.
type Service struct {
	node  *pep.Node
	guard pep.Guard
}

// Record is a made-up patient record.
type Record struct {
	ID        string `json:"id"`
	Ward      string `json:"ward"`
	Patient   string `json:"patient"`
	Note      string `json:"note"`
	Allergies string `json:"allergies"`
}

// New makes a service. It fails as pep.New does.
func New(c Config) (*Service, error) {
	n, err := pep.New(c.Config)
	if err != nil {
		return nil, err
	}
	return &Service{n, pep.Guard{Node: n, Token: c.Token, URL: c.URL, Target: func(r *http.Request) (pep.Target, error) {
		return pep.Target{
			Action: cmp.Or(c.Action, "read"), ResourceType: cmp.Or(c.Type, "WardRecord"), Resource: r.PathValue("id"),
			Properties: map[string]any{"ward": r.PathValue("ward")}, Purpose: cmp.Or(r.Header.Get("X-Purpose"), c.Purpose, "TREAT"),
			Reason: r.Header.Get("X-Reason"), Ticket: r.Header.Get("X-Ticket"),
		}, nil
	}}}, nil
}

// Run listens to what the node says about open sessions, until ctx ends. Without
// it no live stream is let in.
func (s *Service) Run(ctx context.Context) { s.node.Run(ctx) }

// Handler serves the records. The answers are 200 with a [Record], and the
// refusals of a [pep.Guard].
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /wards/{ward}/records/{id}", s.guard.Wrap(http.HandlerFunc(record)))
	mux.Handle("GET /wards/{ward}/records/{id}/live", s.guard.WrapSession(http.HandlerFunc(live)))
	return mux
}

func record(w http.ResponseWriter, r *http.Request) {
	ward, id := r.PathValue("ward"), r.PathValue("id")
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.MarshalWrite(w, Record{ // the client may have gone
		ID: id, Ward: ward,
		Patient:   "Patient " + id + " (made up)",
		Note:      "Observations stable; review on the morning round.",
		Allergies: "none known",
	})
}
