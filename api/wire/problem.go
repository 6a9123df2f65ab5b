package wire

import (
	"errors"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/trust"
)

// MediaType is the content type of a Problem (RFC 9457, section 3).
const MediaType = "application/problem+json"

// The kinds beside the six of trust.Error, for what only HTTP knows.
const (
	Unauthenticated trust.ErrorKind = "unauthenticated" // no credential, or not one of ours
	TooLarge        trust.ErrorKind = "too_large"       // the body passes the limit
	MediaWrong      trust.ErrorKind = "media_type"      // another content type than the route takes
	Changed         trust.ErrorKind = "changed"         // not as If-Match says
)

// Problem is the body of an error. Kind tells a program what to do; Detail tells
// a person what happened.
type Problem struct {
	Type   string          `json:"type"` // always about:blank
	Title  string          `json:"title"`
	Status int             `json:"status"`
	Kind   trust.ErrorKind `json:"kind"`
	Detail string          `json:"detail,omitempty"`
}

// Status gives the HTTP status of a kind. A kind that is not in the table is our
// own fault: 500.
func Status(kind trust.ErrorKind) int {
	switch kind {
	case trust.Invalid:
		return http.StatusBadRequest
	case trust.NotFound:
		return http.StatusNotFound
	case trust.Conflict:
		return http.StatusConflict
	case trust.Denied:
		return http.StatusForbidden
	case trust.Unavailable:
		return http.StatusServiceUnavailable
	case Unauthenticated:
		return http.StatusUnauthorized
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case MediaWrong:
		return http.StatusUnsupportedMediaType
	case Changed:
		return http.StatusPreconditionFailed
	default:
		return http.StatusInternalServerError
	}
}

// ProblemOf makes the problem of err. Only the text of an error that was written for
// its reader gets out; an error without a kind, and every internal one, says
// nothing beside its status.
func ProblemOf(err error) Problem {
	kind := trust.KindOf(err)
	status := Status(kind)
	p := Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Kind: kind}
	if e, ok := errors.AsType[*trust.Error](err); ok && status != http.StatusInternalServerError {
		p.Detail = outward(e)
	}
	return p
}

// outward gives the text of e without that of a cause, which may hold a path, a
// query or a secret. A cause that is an error of our own speaks for itself.
func outward(e *trust.Error) string {
	if e.Cause == nil {
		return e.Text
	}
	said := ""
	if own, ok := e.Cause.(*trust.Error); ok && own.Kind != trust.Internal {
		said = outward(own)
	}
	return strings.TrimRight(strings.ReplaceAll(e.Text, e.Cause.Error(), said), ": ")
}

// Err gives the error that a Problem stands for, on the side that received it.
func (p Problem) Err() error {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	return trust.Errorf(p.Kind, "%s", text)
}

// Fail answers with the problem of err.
func Fail(w http.ResponseWriter, err error) {
	p := ProblemOf(err)
	body, _ := json.Marshal(p) // strings and an int cannot fail
	h := w.Header()
	h.Set("Content-Type", MediaType)
	h.Set("Cache-Control", "no-store")
	if p.Kind == Unauthenticated {
		h.Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client may have gone
}
