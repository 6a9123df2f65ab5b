// Package ssf is the transmitting end of Shared Signals on the wire (SSF 1.0; RFC
// 8936 for polling): the configuration document and the streams of receivers,
// which are OAuth clients of this node. It decides what is a well-formed request
// and what a refusal says, which is little: another receiver's stream and none
// are the same. It refuses to know what is sent, and about whom.
package ssf

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

const (
	wellKnown  = "/.well-known/ssf-configuration"
	keysPath   = "/ssf/jwks"
	streamPath = "/ssf/v1/stream"
	statusPath = "/ssf/v1/status"
	verifyPath = "/ssf/v1/verify"
	addPath    = "/ssf/v1/subjects/add"
	removePath = "/ssf/v1/subjects/remove"
	pollPath   = "/ssf/v1/poll/"
	pollRoute  = pollPath + "{id}"

	maxBody = 64 << 10 // bytes
)

// Node is what this protocol asks of the shell.
type Node interface {
	// Receiver finds whose token this is.
	Receiver(secret []byte) (*node.Receiver, bool)
	// Self is the issuer of every token on a stream.
	Self() trust.ParticipantID
	// Address is where receivers reach the node, without a path.
	Address() string
	// StreamKeys gives the keys that sign what streams carry.
	StreamKeys() (jose.KeySet, error)
	// SignalTypes gives the types of events that are sent.
	SignalTypes() []signal.Type
	// VerifyEvery is how many seconds lie at least between two verifications.
	VerifyEvery() int64
}

type handler struct{ node Node }

// New serves the receivers of n.
func New(n Node) http.Handler {
	h := handler{n}
	mux := http.NewServeMux()
	mux.Handle("GET "+wellKnown, public(h.configuration))
	mux.Handle("GET "+wellKnown+"/{path...}", public(h.configuration))
	mux.Handle("GET "+keysPath, public(h.keys))
	mux.Handle("POST "+streamPath, h.admit(create))
	mux.Handle("GET "+streamPath, h.admit(h.show))
	mux.Handle("PATCH "+streamPath, h.admit(h.update))
	mux.Handle("PUT "+streamPath, h.admit(h.replace))
	mux.Handle("DELETE "+streamPath, h.admit(remove))
	mux.Handle("GET "+statusPath, h.admit(showStatus))
	mux.Handle("POST "+statusPath, h.admit(move))
	mux.Handle("POST "+verifyPath, h.admit(verify))
	mux.Handle("POST "+addPath, h.admit(addSubject))
	mux.Handle("POST "+removePath, h.admit(removeSubject))
	mux.Handle("POST "+pollRoute, h.admit(poll))
	return mux
}

// Paths are those of New, as a mux takes them.
func Paths() []string { return []string{wellKnown, wellKnown + "/", "/ssf/"} }

// call is one request of a receiver who was let in.
type call struct {
	*http.Request
	w        http.ResponseWriter
	h        handler
	receiver *node.Receiver
}

// route answers a call, or gives the error to answer with.
type route func(call) error

func (h handler) admit(serve route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if err := h.serve(w, r, serve); err != nil {
			fail(w, err)
		}
	})
}

func (h handler) serve(w http.ResponseWriter, r *http.Request, serve route) error {
	secret, ok := wire.Bearer(r, wire.Receiver)
	if !ok {
		return errStranger
	}
	receiver, ok := h.node.Receiver(secret[:])
	if !ok {
		return errStranger
	}
	return serve(call{r, w, h, receiver})
}

var errStranger = trust.Errorf(wire.Unauthenticated, "the request carries no token of a receiver")

// fail answers with the problem of err. Nothing of it is about anybody else's
// streams.
func fail(w http.ResponseWriter, err error) {
	if early, ok := errors.AsType[*node.TooSoon](err); ok {
		w.Header().Set("Retry-After", strconv.FormatInt(early.Wait, 10))
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	wire.Fail(w, err)
}
