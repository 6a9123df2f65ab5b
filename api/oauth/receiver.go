package oauth

import (
	"net/http"
	"strings"

	"github.com/entente-id/entente/api/wire"
)

// The scopes of a receiver's token: to change streams and take events, or to look
// at them only.
const (
	manageScope = "ssf.manage"
	readScope   = "ssf.read"
)

// receiver answers a client that receives signals with a token for its streams
// (RFC 6749, section 4.4). It asks for nothing that could hold somebody else's
// data, and so for nobody's proof but its own.
func (h handler) receiver(w http.ResponseWriter, client string, f form) error {
	manage := f["scope"] == ""
	for scope := range strings.FieldsSeq(f["scope"]) {
		switch scope {
		case manageScope:
			manage = true
		case readScope:
		default:
			return invalidScope
		}
	}
	secret, ttl, ok := h.node.ReceiverToken(client, manage)
	if !ok {
		return unauthorizedClient
	}
	scope := readScope
	if manage {
		scope = manageScope + " " + readScope
	}
	return wire.Answer(w, http.StatusOK, granted{
		AccessToken: wire.FormatCredential(wire.Receiver, secret), TokenType: "Bearer", ExpiresIn: ttl, Scope: scope,
	})
}
