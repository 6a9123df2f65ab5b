package oauth

import (
	"net/http"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/evidence"
)

// active is the response of RFC 7662, section 2.2, for a credential that is
// still good.
type active struct {
	Active    bool     `json:"active"`
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  string   `json:"aud"`
	ClientID  string   `json:"client_id"`
	ID        string   `json:"jti"`
	ExpiresAt int64    `json:"exp"`
	TokenType string   `json:"token_type"`
	Holder    *holder  `json:"cnf,omitempty"`
	Details   []detail `json:"authorization_details"`
}

// holder is the confirmation that the service has to ask for itself (RFC 9449,
// section 6.2; RFC 8705, section 3.2).
type holder struct {
	Key         string `json:"jkt,omitempty"`
	Certificate string `json:"x5t#S256,omitempty"`
}

// inactive is all that is said of any other token.
type inactive struct {
	Active bool `json:"active"`
}

// introspect decides on a credential again.
func (h handler) introspect(w http.ResponseWriter, r *http.Request) error {
	client, token, err := h.given(w, r)
	if err != nil {
		return err
	}
	i, ok := h.node.Introspect(r.Context(), client, token)
	if !ok {
		return wire.Answer(w, http.StatusOK, inactive{})
	}
	answer := active{
		Active: true, Issuer: i.Issuer, Subject: i.Subject, Audience: i.Audience, ClientID: i.Client, ID: i.ID,
		ExpiresAt: i.ExpiresAt, TokenType: "Bearer", Details: details(i.Access),
	}
	if i.Key != "" {
		answer.TokenType = "DPoP"
	}
	if i.Key != "" || i.Certificate != "" {
		answer.Holder = &holder{i.Key, i.Certificate}
	}
	return wire.Answer(w, http.StatusOK, answer)
}

// revoke ends a credential; of any other token the answer is the same (RFC 7009,
// section 2.2).
func (h handler) revoke(w http.ResponseWriter, r *http.Request) error {
	client, token, err := h.given(w, r)
	if err != nil {
		return err
	}
	if err := h.node.GiveBack(r.Context(), client, token); err != nil {
		return temporarilyUnready
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// given reads the one parameter that both take. A hint of its type changes
// nothing.
func (h handler) given(w http.ResponseWriter, r *http.Request) (client string, token []byte, err error) {
	f, err := readForm(w, r)
	if err != nil {
		return "", nil, err
	}
	if client, err = h.client(r, f); err != nil {
		return "", nil, err
	}
	if f["token"] == "" {
		return "", nil, invalidRequest
	}
	return client, []byte(f["token"]), nil
}

func details(all []evidence.Access) (out []detail) {
	for _, a := range all {
		out = append(out, detail{evidence.AccessType, a})
	}
	return out
}
