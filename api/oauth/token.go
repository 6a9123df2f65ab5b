package oauth

import (
	"net/http"
	"strings"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

const (
	exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"

	accessTokenType = "urn:ietf:params:oauth:token-type:access_token"
	jwtType         = "urn:ietf:params:oauth:token-type:jwt"
)

// token is the token endpoint.
func (h handler) token(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	client, err := h.client(r, f)
	if err != nil {
		return err
	}
	switch f["grant_type"] {
	case exchangeGrant:
		return h.exchange(w, r, client, f)
	case "":
		return invalidRequest
	default:
		return unsupportedGrant
	}
}

// granted is the response of RFC 8693, section 2.2.1, with what was granted
// (RFC 9396, section 7).
type granted struct {
	AccessToken     string   `json:"access_token"`
	IssuedTokenType string   `json:"issued_token_type"`
	TokenType       string   `json:"token_type"`
	ExpiresIn       int64    `json:"expires_in"`
	Scope           string   `json:"scope,omitempty"`
	Details         []detail `json:"authorization_details"`
}

type detail struct {
	Type string `json:"type"`
	evidence.Access
}

func (h handler) exchange(w http.ResponseWriter, r *http.Request, client string, f form) error {
	x, err := parseExchange(f)
	if err != nil {
		return err
	}
	x.Client = client
	issued := h.node.Exchange(r.Context(), x)
	if issued.Reference != "" {
		w.Header().Set(referenceHeader, issued.Reference)
	}
	if issued.Token == "" {
		return errorOf(issued.Refusal)
	}
	g := granted{
		AccessToken: issued.Token, IssuedTokenType: accessTokenType, TokenType: "Bearer",
		ExpiresIn: issued.TTL, Scope: x.Scope, Details: details(x.Access),
	}
	return wire.Answer(w, http.StatusOK, g)
}

// parseExchange reads a request of RFC 8693, section 2.1. What is asked for is
// said by scope, by authorization_details or by both; nothing is not everything.
func parseExchange(f form) (x node.Exchange, err error) {
	x.Subject = evidence.Proof{Kind: evidence.Kind(f["subject_token_type"]), Token: []byte(f["subject_token"])}
	wanted := f["requested_token_type"]
	_, acting := f["actor_token"]
	_, actingAs := f["actor_token_type"]
	switch {
	case len(x.Subject.Token) == 0 || x.Subject.Kind == "":
		return x, invalidRequest
	case wanted != "" && wanted != accessTokenType && wanted != jwtType:
		return x, invalidRequest
	case acting || actingAs: // nobody acts for another until delegation can be verified
		return x, invalidRequest
	}
	if x.Target, err = target(f); err != nil {
		return x, err
	}
	x.Scope = f["scope"]
	if x.Access, err = access(f); err != nil {
		return x, err
	}
	return x, nil
}

// target gives the one service that audience and resource name; both name it the
// same way, by its audience.
func target(f form) (string, error) {
	audience, named := f["audience"]
	resource, placed := f["resource"]
	switch {
	case named && placed && audience != resource:
		return "", invalidTarget
	case named:
		return audience, nil
	case placed:
		return resource, nil
	default:
		return "", invalidTarget
	}
}

// access reads what is asked for.
func access(f form) ([]evidence.Access, error) {
	all, err := scopes(f["scope"], trust.Purpose(f["purpose_of_use"]))
	if err != nil {
		return nil, err
	}
	if text, ok := f["authorization_details"]; ok {
		o, err := canonical.ParseObject([]byte(`{"details":` + text + `}`))
		if err != nil || len(o) != 1 { // one that closes the list and goes on is none
			return nil, invalidDetails
		}
		details, ok := evidence.ParseAccess(o["details"])
		if !ok {
			return nil, invalidDetails
		}
		all = append(all, details...)
	}
	if len(all) == 0 || evidence.Size(all) > evidence.MaxSize {
		return nil, invalidScope
	}
	return all, nil
}

// scopes reads scope values such as WardRecord.read: an action on every resource
// of a type, for the purpose that purpose_of_use states.
func scopes(text string, purpose trust.Purpose) (all []evidence.Access, err error) {
	if text == "" {
		return nil, nil
	}
	for value := range strings.SplitSeq(text, " ") {
		t, action, ok := strings.Cut(value, ".")
		if !ok || t == "" || action == "" || purpose == "" {
			return nil, invalidScope
		}
		all = append(all, evidence.Access{Type: trust.ResourceType(t), Actions: []trust.Action{trust.Action(action)}, Purpose: purpose})
	}
	return all, nil
}
