// Package authzen answers enforcement points over the OpenID AuthZEN
// Authorization API 1.0: one evaluation a request. It decides what is a
// well-formed question and how an answer is written. It refuses to know why a
// node answers as it does, and it never turns a fault into a permit.
package authzen

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

const (
	evaluationPath    = "/access/v1/evaluation"
	configurationPath = "/.well-known/authzen-configuration"

	maxBody      = 64 << 10 // bytes; a token is at most 16 KiB
	maxRequestID = 128      // bytes
)

// Node is what this protocol asks of the shell.
type Node interface {
	// EnforcementPoint finds whose credential this is.
	EnforcementPoint(credential []byte) (name string, ok bool)
	// Decide gives an answer that is recorded. What cannot be is a deny.
	Decide(ctx context.Context, ask node.Ask) node.Answer
	// Watch tells the ends of an enforcement point's sessions while ctx lasts.
	Watch(ctx context.Context, point, cursor string, tell func(node.SessionEvent) error) error
	// Release ends a session that is not needed any more.
	Release(point, reference string) error
	// Reused records uses of a session's permit that were not asked for.
	Reused(ctx context.Context, point, reference string, uses []int64) error
}

type handler struct {
	node Node
}

// New serves the evaluations of n. Base is the https address, without a path,
// under which enforcement points reach it; the metadata (section 9) names it.
func New(n Node, base string) http.Handler {
	h := handler{n}
	mux := http.NewServeMux()
	mux.Handle("POST "+evaluationPath, route(h.evaluate))
	mux.Handle("GET "+watchPath, route(h.watch))
	mux.Handle("DELETE "+sessionPath, route(h.release))
	mux.Handle("POST "+usesPath, route(h.reused))
	configuration, err := json.Marshal(struct {
		Point      string `json:"policy_decision_point"`
		Evaluation string `json:"access_evaluation_endpoint"`
	}{base, base + evaluationPath})
	mux.HandleFunc("GET "+configurationPath, func(w http.ResponseWriter, _ *http.Request) {
		if err != nil {
			wire.Fail(w, err)
			return
		}
		write(w, configuration)
	})
	return mux
}

// route answers a request, or gives the error to answer with.
type route func(w http.ResponseWriter, r *http.Request) error

func (serve route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := serve(w, r); err != nil {
		wire.Fail(w, err)
	}
}

// evaluate answers one question. A denial is 200; only what is no question at
// all, or no answer at all, is an error.
func (h handler) evaluate(w http.ResponseWriter, r *http.Request) error {
	id := requestID(r)
	if id != "" {
		w.Header()["X-Request-Id"] = []string{id}
	}
	name, ok := h.authenticate(r)
	if !ok {
		return trust.Errorf(wire.Unauthenticated, "the request carries no credential of an enforcement point")
	}
	data, err := wire.Body(w, r, wire.JSON, maxBody)
	if err != nil {
		return err
	}
	ask, err := Parse(data)
	if err != nil {
		return err
	}
	ask.EnforcementPoint, ask.RequestID = name, id
	write(w, appendAnswer(make([]byte, 0, 160), h.node.Decide(r.Context(), ask)))
	return nil
}

func (h handler) authenticate(r *http.Request) (string, bool) {
	secret, ok := wire.Bearer(r, wire.EnforcementPoint)
	if !ok {
		return "", false
	}
	return h.node.EnforcementPoint(secret[:])
}

// requestID gives the X-Request-ID that is echoed and recorded (section 10.1):
// visible ASCII of bounded length, or none.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-ID")
	if len(id) > maxRequestID {
		return ""
	}
	for i := range len(id) {
		if id[i] < '!' || id[i] > '~' {
			return ""
		}
	}
	return id
}

var jsonType = []string{wire.JSON}

func write(w http.ResponseWriter, body []byte) {
	w.Header()["Content-Type"] = jsonType
	_, _ = w.Write(body) // the client may have gone
}
