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
	bearerGrant   = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	clientGrant   = "client_credentials"

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
	case bearerGrant:
		return h.redeem(w, r, client, f)
	case clientGrant:
		return h.receiver(w, client, f)
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
	IssuedTokenType string   `json:"issued_token_type,omitempty"`
	TokenType       string   `json:"token_type"`
	ExpiresIn       int64    `json:"expires_in"`
	Scope           string   `json:"scope,omitempty"`
	Details         []detail `json:"authorization_details,omitempty"`
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
	if err := h.possess(r, &x); err != nil {
		return err
	}
	issued := h.node.Exchange(r.Context(), x)
	refer(w, &issued)
	if issued.Token == "" {
		return errorOf(issued.Refusal)
	}
	g := granted{
		AccessToken: issued.Token, IssuedTokenType: accessTokenType, TokenType: tokenType(&issued),
		ExpiresIn: issued.TTL, Scope: x.Scope, Details: details(x.Access),
	}
	if !x.Partner.IsZero() {
		g.IssuedTokenType, g.TokenType = string(evidence.IDJAG), "N_A" // it is not an access token
	}
	return wire.Answer(w, http.StatusOK, g)
}

// refer names the decision behind an answer.
func refer(w http.ResponseWriter, issued *node.Issued) {
	if issued.Reference != "" {
		w.Header().Set(referenceHeader, issued.Reference)
	}
	if issued.Nonce != "" {
		w.Header().Set(nonceHeader, issued.Nonce)
	}
}

// nonceHeader has the nonce for the client's next proof (RFC 9449, section 8).
const nonceHeader = "DPoP-Nonce"

// possess takes over the one DPoP proof beside a request, which whoever calls
// shows: what is issued is bound to its key (RFC 9449, section 5).
func (h handler) possess(r *http.Request, x *node.Exchange) error {
	fields := r.Header["Dpop"]
	if len(fields) == 0 {
		return nil
	}
	if len(fields) > 1 || fields[0] == "" {
		return invalidProof
	}
	shown := &evidence.Shown{DPoP: []byte(fields[0]), Method: r.Method, URL: h.node.Address() + tokenPath, ForToken: true}
	if n := len(x.Via); n > 0 {
		x.Via[n-1].Shown = shown
	} else {
		x.Subject.Shown = shown
	}
	return nil
}

// tokenType is how a credential is to be presented (RFC 9449, section 5).
func tokenType(issued *node.Issued) string {
	if issued.Bound {
		return "DPoP"
	}
	return "Bearer"
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
	case wanted != "" && wanted != accessTokenType && wanted != jwtType && wanted != string(evidence.IDJAG):
		return x, invalidRequest
	case acting != actingAs, !acting && f["delegation"] != "", acting && (f["actor_token"] == "" || f["actor_token_type"] == ""):
		return x, invalidRequest
	}
	if acting {
		x.Via = via(f)
	}
	if wanted == string(evidence.IDJAG) {
		x.Partner, x.Target, err = abroad(f)
	} else {
		x.Target, err = target(f)
	}
	if err != nil {
		return x, err
	}
	x.Scope = f["scope"]
	if x.Access, err = access(f); err != nil {
		return x, err
	}
	return x, nil
}

// via gives the proofs of who acts for the subject: the links of delegation, in
// their order and a space between two, then the actor's own.
func via(f form) (all []evidence.Proof) {
	for link := range strings.FieldsSeq(f["delegation"]) {
		all = append(all, evidence.Proof{Kind: evidence.Delegation, Token: []byte(link)})
	}
	return append(all, evidence.Proof{Kind: evidence.Kind(f["actor_token_type"]), Token: []byte(f["actor_token"])})
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

// abroad gives the partner whose authorization server a grant is for, and its
// service (draft-ietf-oauth-identity-assertion-authz-grant, section 4.3): one
// each, and both are named.
func abroad(f form) (partner trust.ParticipantID, service string, err error) {
	partner, err = trust.ParseParticipantID(f["audience"])
	if err != nil || f["resource"] == "" {
		return partner, "", invalidTarget
	}
	return partner, f["resource"], nil
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
