// Package signal takes what foreign transmitters of Shared Signals push here, one
// security event token a request, by RFC 8935, and logout tokens (OpenID Connect
// Back-Channel Logout 1.0). It decides how an outcome is said,
// and says the class of a refusal, never its ground. It refuses to know what an
// event does.
package signal

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

// Node is what this protocol asks of the shell.
type Node interface {
	// TransmitterOf finds whose secret this is.
	TransmitterOf(secret []byte) (name string, ok bool)
	// Hears reports whether a transmitter may send another token now.
	Hears(name string) bool
	// ReceiveSignal takes a token; when it returns nil the token and its effect are
	// durable. A *signal.Refusal says what is wrong with it.
	ReceiveSignal(ctx context.Context, name string, jws []byte) error
	// ReceiveLogout is the same of a logout token.
	ReceiveLogout(ctx context.Context, name string, jws []byte) error
}

// Path is where transmitters push; the name of one follows.
const Path = signal.PushPath

const (
	eventType = "application/secevent+jwt" // RFC 8417, section 7.2
	maxToken  = 16 << 10
	secret    = wire.Prefix("ent_set_")

	formType = "application/x-www-form-urlencoded"
	maxForm  = 3*maxToken + 64 // a token may be written in escapes
)

type handler struct{ node Node }

// New serves the push endpoints of n.
func New(n Node) http.Handler {
	h := handler{n}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /signals/{name}", func(w http.ResponseWriter, r *http.Request) {
		if err := h.push(w, r); err != nil {
			wire.Fail(w, err)
		}
	})
	mux.HandleFunc("POST /signals/{name}/logout", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if err := h.logout(w, r); err != nil {
			wire.Fail(w, err)
		}
	})
	return mux
}

// logout takes one logout token: a form with the one parameter logout_token. The
// token proves itself; a browser cannot send it from elsewhere with effect (OpenID
// Connect Back-Channel Logout 1.0, sections 2.5 to 2.8).
func (h handler) logout(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	form, err := wire.Body(w, r, formType, maxForm)
	if err != nil {
		return err
	}
	values, err := url.ParseQuery(string(form))
	if tokens := values["logout_token"]; err != nil || len(values) != 1 || len(tokens) != 1 || r.URL.RawQuery != "" {
		return wire.Answer(w, http.StatusBadRequest, badLogout)
	} else if err = h.node.ReceiveLogout(r.Context(), name, []byte(tokens[0])); err == nil {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	if _, ok := errors.AsType[*signal.Refusal](err); ok {
		return wire.Answer(w, http.StatusBadRequest, badLogout)
	}
	return uniform(err)
}

// badLogout is one answer to all that is wrong with a logout token: who sends it
// proved nothing yet.
var badLogout = struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}{"invalid_request", "The logout token is not accepted."}

// push takes one token. 202 means that it is durable here (RFC 8935, section 2.2).
// A transmitter finds its own stream and no other.
func (h handler) push(w http.ResponseWriter, r *http.Request) error {
	shown, ok := wire.Bearer(r, secret)
	if !ok {
		return errStranger
	}
	name, ok := h.node.TransmitterOf(shown[:])
	switch {
	case !ok:
		return errStranger
	case name != r.PathValue("name"):
		return trust.Errorf(trust.NotFound, "there is no such stream")
	case !h.node.Hears(name):
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return nil
	}
	token, err := wire.Body(w, r, eventType, maxToken)
	if err != nil {
		return err
	}
	err = h.node.ReceiveSignal(r.Context(), name, token)
	if err == nil {
		w.WriteHeader(http.StatusAccepted)
		return nil
	}
	if refusal, ok := errors.AsType[*signal.Refusal](err); ok {
		return wire.Answer(w, http.StatusBadRequest, answer{refusal.Code, descriptions[refusal.Code]})
	}
	return uniform(err)
}

var errStranger = trust.Errorf(wire.Unauthenticated, "the request carries no credential of a transmitter")

// answer is the body of RFC 8935, section 2.3.
type answer struct {
	Err         signal.Code `json:"err"`
	Description string      `json:"description"`
}

// descriptions are uniform: what exactly was wrong stands in our own records.
var descriptions = map[signal.Code]string{
	signal.InvalidRequest:       "The token is not one that this receiver can read.",
	signal.InvalidKey:           "The token names no key that is registered for this stream.",
	signal.InvalidIssuer:        "The token is of another issuer than this stream has.",
	signal.InvalidAudience:      "The token is for somebody else.",
	signal.AuthenticationFailed: "The token's signature does not hold.",
	signal.AccessDenied:         "This stream does not speak of what the token is about.",
}

func uniform(err error) error {
	switch kind := trust.KindOf(err); kind {
	case trust.NotFound:
		return trust.Errorf(kind, "there is no such stream")
	case trust.Unavailable:
		return trust.Errorf(kind, "try again later")
	default:
		return trust.Errorf(trust.Internal, "internal")
	}
}
