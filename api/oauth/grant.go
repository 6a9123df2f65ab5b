package oauth

import (
	"net/http"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/node"
)

// redeem answers a client that brings a partner's grant (RFC 7523, section 2.1;
// draft-ietf-oauth-identity-assertion-authz-grant, section 4.4). There is no
// refresh token: a new grant is asked for.
func (h handler) redeem(w http.ResponseWriter, r *http.Request, client string, f form) error {
	x, err := parseGrant(f)
	if err != nil {
		return err
	}
	x.Client = client
	if err := h.possess(r, &x); err != nil {
		return err
	}
	issued := h.node.Exchange(r.Context(), x)
	refer(w, &issued)
	if issued.Token == "" {
		return grantErrorOf(issued.Refusal)
	}
	return wire.Answer(w, http.StatusOK, granted{
		AccessToken: issued.Token, TokenType: tokenType(&issued), ExpiresIn: issued.TTL, Scope: x.Scope, Details: details(issued.Access),
	})
}

// parseGrant reads the request. What is not asked for, the grant says.
func parseGrant(f form) (x node.Exchange, err error) {
	x.Subject, x.Redeems = evidence.Proof{Kind: evidence.IDJAG, Token: []byte(f["assertion"])}, true
	if f["assertion"] == "" {
		return x, invalidRequest
	}
	if f["resource"] != "" || f["audience"] != "" {
		if x.Target, err = target(f); err != nil {
			return x, err
		}
	}
	x.Scope = f["scope"]
	if _, detailed := f["authorization_details"]; x.Scope != "" || detailed {
		x.Access, err = access(f)
	}
	return x, err
}

// grantErrorOf is errorOf for a grant. Which service it is for the grant itself
// says, and so what is wrong with that is wrong with the grant.
func grantErrorOf(refusal node.Refusal) *Error {
	switch refusal {
	case node.BadToken, node.BadTarget:
		return invalidGrant // RFC 7521, section 4.1.1
	default:
		return errorOf(refusal)
	}
}
