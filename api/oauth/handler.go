// Package oauth answers OAuth 2.0 clients: token exchange (RFC 8693) with rich
// authorization requests (RFC 9396), introspection (RFC 7662) and revocation
// (RFC 7009). It decides what is a well-formed request
// and which error code a refusal has. It refuses to know why a node refuses, and
// tells nobody: an unknown, a foreign and a revoked token get the same bytes.
package oauth

import (
	"context"
	"net/http"

	"github.com/entente-id/entente/node"
)

const (
	tokenPath         = "/oauth/token"
	introspectionPath = "/oauth/introspect"
	revocationPath    = "/oauth/revoke"

	formType = "application/x-www-form-urlencoded"
	maxBody  = 64 << 10 // bytes; a token is at most 16 KiB

	// referenceHeader names the decision behind an answer, so that a client can
	// quote it.
	referenceHeader = "Entente-Reference"
)

// Node is what this protocol asks of the shell.
type Node interface {
	// EnforcementPoint finds whose credential this is.
	EnforcementPoint(credential []byte) (name string, ok bool)
	// Client finds the registered client that a proof is of.
	Client(ctx context.Context, p node.ClientProof) (id string, ok bool)
	// Address is where clients reach the node, without a path.
	Address() string
	// ReceiverToken gives a client that may have streams of signals a token for
	// them; false for any other client.
	ReceiverToken(client string, manage bool) (secret []byte, ttl int64, ok bool)
	// Exchange gives a credential whose decision is recorded, or why not.
	Exchange(ctx context.Context, r node.Exchange) node.Issued
	// Introspect decides on a credential again; false whatever is wrong.
	Introspect(ctx context.Context, client string, token []byte) (node.Introspection, bool)
	// GiveBack ends a credential of the client's, durably; of anything else it
	// does nothing.
	GiveBack(ctx context.Context, client string, token []byte) error
}

type handler struct {
	node Node
}

// New serves the clients of n.
func New(n Node) http.Handler {
	h := handler{n}
	mux := http.NewServeMux()
	mux.Handle("POST "+tokenPath, route(h.token))
	mux.Handle("POST "+introspectionPath, route(h.introspect))
	mux.Handle("POST "+revocationPath, route(h.revoke))
	return mux
}

// route answers a request, or gives the error to answer with.
type route func(w http.ResponseWriter, r *http.Request) error

func (serve route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store") // RFC 6749, section 5.1
	if err := serve(w, r); err != nil {
		fail(w, err)
	}
}
