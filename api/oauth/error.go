package oauth

import (
	"errors"
	"net/http"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/node"
)

// Error is an error response of RFC 6749, section 5.2. There is one text for
// each code, whatever happened.
type Error struct {
	Status int    `json:"-"`
	Code   string `json:"error"`
	Text   string `json:"error_description"`
}

func (e *Error) Error() string { return e.Code + ": " + e.Text }

// Errors that are about the request itself.
var (
	invalidRequest     = &Error{http.StatusBadRequest, "invalid_request", "the request is not one that this endpoint takes, or a token in it does not count here"}
	invalidClient      = &Error{http.StatusUnauthorized, "invalid_client", "the client is not authenticated"}
	invalidAssertion   = &Error{invalidClient.Status, invalidClient.Code, invalidClient.Text} // of a client that shows itself in the form
	invalidProof       = &Error{http.StatusBadRequest, "invalid_dpop_proof", "the DPoP proof does not count for this request"}
	wantsNonce         = &Error{http.StatusBadRequest, "use_dpop_nonce", "the DPoP proof needs the nonce that stands beside this answer"}
	invalidGrant       = &Error{http.StatusBadRequest, "invalid_grant", "the grant does not count here"}
	invalidTarget      = &Error{http.StatusBadRequest, "invalid_target", "there is no such service for this client"}
	invalidScope       = &Error{http.StatusBadRequest, "invalid_scope", "the token is not good for what is asked"}
	invalidDetails     = &Error{http.StatusBadRequest, "invalid_authorization_details", "authorization_details are not of a kind that is known here"}
	unauthorizedClient = &Error{http.StatusBadRequest, "unauthorized_client", "the client may not use this grant type"}
	unsupportedGrant   = &Error{http.StatusBadRequest, "unsupported_grant_type", "this endpoint does not know the grant type"}
	temporarilyUnready = &Error{http.StatusServiceUnavailable, "temporarily_unavailable", "the request cannot be answered now"}
)

// errorOf is the one table from a node's refusal to the wire.
func errorOf(refusal node.Refusal) *Error {
	switch refusal {
	case node.BadTarget:
		return invalidTarget // RFC 8693, section 2.2.2
	case node.BadAccess:
		return invalidScope
	case node.BadToken:
		return invalidRequest
	case node.BadProof:
		return invalidProof // RFC 9449, section 5
	case node.WantsNonce:
		return wantsNonce // RFC 9449, section 8
	case node.Unavailable:
		return temporarilyUnready
	default:
		return temporarilyUnready
	}
}

// fail answers with the error; one that is not of OAuth, such as a body that is
// too large, is a problem (RFC 9457).
func fail(w http.ResponseWriter, err error) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		wire.Fail(w, err)
		return
	}
	if e.Status == http.StatusUnauthorized && e != invalidAssertion {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if err := wire.Answer(w, e.Status, e); err != nil {
		wire.Fail(w, err)
	}
}
