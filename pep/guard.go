package pep

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
)

// Types of evidence: of RFC 8693, section 3, and of a link of delegation.
const (
	AccessToken = "urn:ietf:params:oauth:token-type:access_token"
	IDToken     = "urn:ietf:params:oauth:token-type:id_token"
	Link        = "urn:entente:params:token-type:delegation"
)

// Header fields beside the standards' own. DecisionHeader carries the reference of
// the node's decision, on a permit and on a denial. ChainHeader carries whom a
// caller acts for: the principal's token and the links of delegation behind it, in
// their order, separated by commas; the caller's own token stands in Authorization,
// as ever.
const (
	DecisionHeader = "X-Decision-Id"
	ChainHeader    = "Acts-For"
)

// Target is what a request is for.
type Target struct {
	Action       string
	ResourceType string
	Resource     string
	Properties   map[string]any
	Purpose      string
	// Reason is why, in the caller's words, and Ticket where that is written down:
	// for whoever approves or reviews it.
	Reason, Ticket string
}

// Guard lets requests through that the node permits, each asked for. It refuses
// with 401 what brings no token, or one whose proof needs the node's nonce; with
// 403 what is denied, by one text whatever the reason; with 503 what could not be
// decided.
type Guard struct {
	Node *Node
	// Target says what a request is for. An error refuses it with 400; its text
	// is shown.
	Target func(*http.Request) (Target, error)
	// Token is the type of the tokens; empty is AccessToken.
	Token string
	// URL is the https origin that callers know the service by, which their DPoP
	// proofs are for, whatever host they asked for; empty takes no such proof.
	URL string
	// Reuse lets a permit be given again without asking, as Node.AskOrReuse does.
	Reuse bool
}

// Wrap guards h. The request that h gets has the node's answer in its context.
func (g *Guard) Wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ask := g.Node.Ask
		if g.Reuse {
			ask = g.Node.AskOrReuse
		}
		answer, ok := g.permitted(w, r, ask)
		if ok {
			h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), answerKey{}, answer)))
		}
	})
}

// WrapSession guards h, whose answer lasts: the context of the request that h gets
// ends when the node permits the session no longer, with *Ended or ErrCut as its
// cause (R81).
func (g *Guard) WrapSession(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var s Session
		answer, ok := g.permitted(w, r, func(ctx context.Context, q Question) (a Answer, err error) {
			a, s, err = g.Node.Open(ctx, q)
			return a, err
		})
		if ok {
			defer s.Release()
			h.ServeHTTP(w, r.WithContext(context.WithValue(s.Context, answerKey{}, answer)))
		}
	})
}

type answerKey struct{}

// AnswerOf gives the node's answer to a request that a Guard let through.
func AnswerOf(ctx context.Context) (Answer, bool) {
	a, ok := ctx.Value(answerKey{}).(Answer)
	return a, ok
}

// refusal is the body of every refusal.
type refusal struct {
	Error     string `json:"error"`
	Reference string `json:"reference,omitzero"`
}

// permitted asks about a request, and answers it where it is not permitted.
func (g *Guard) permitted(w http.ResponseWriter, r *http.Request, ask func(context.Context, Question) (Answer, error)) (Answer, bool) {
	q, err := g.question(r)
	switch {
	case errors.Is(err, errNoToken):
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, refusal{Error: "a bearer token is required"})
		return Answer{}, false
	case err != nil:
		refuse(w, http.StatusBadRequest, refusal{Error: err.Error()})
		return Answer{}, false
	}
	answer, err := ask(r.Context(), q)
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, refusal{Error: "access cannot be decided now"})
		return Answer{}, false
	}
	if answer.Reference != "" {
		w.Header().Set(DecisionHeader, answer.Reference)
	}
	if answer.Nonce != "" {
		w.Header().Set("DPoP-Nonce", answer.Nonce)
	}
	if answer.Permit {
		return answer, true
	}
	status := http.StatusForbidden
	if answer.Nonce != "" { // RFC 9449, section 9: the caller tries again with the nonce
		w.Header().Set("WWW-Authenticate", `DPoP error="use_dpop_nonce"`)
		status = http.StatusUnauthorized
	}
	refuse(w, status, refusal{"access denied", answer.Reference})
	return Answer{}, false
}

var errNoToken = errors.New("pep: the request brings no token, or more than one could be meant")

func (g *Guard) question(r *http.Request) (Question, error) {
	token, proof, err := g.presented(r)
	if err != nil {
		return Question{}, err
	}
	kind := cmp.Or(g.Token, AccessToken)
	chain, err := actsFor(r, kind)
	if err != nil {
		return Question{}, err
	}
	t, err := g.Target(r)
	if err != nil {
		return Question{}, err
	}
	return Question{
		Action: t.Action, ResourceType: t.ResourceType, Resource: t.Resource, Properties: t.Properties, Purpose: t.Purpose, Reason: t.Reason, Ticket: t.Ticket,
		Evidence: append(chain, Evidence{kind, token}), Proof: proof, RequestID: r.Header.Get("X-Request-ID"),
	}, nil
}

// presented gives the token of RFC 6750, section 2.1, or of RFC 9449, section 7.1,
// with the proof beside it and the certificate of the client's handshake.
func (g *Guard) presented(r *http.Request) (token string, proof Proof, err error) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", proof, errNoToken
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if token == "" || strings.ContainsAny(token, " \t,") {
		return "", proof, errNoToken
	}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		proof.Certificate = r.TLS.PeerCertificates[0].Raw
	}
	proofs := r.Header.Values("DPoP")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return token, proof, nil
	case strings.EqualFold(scheme, "DPoP") && g.URL != "" && len(proofs) == 1 && proofs[0] != "":
		proof.DPoP, proof.Method, proof.URL = proofs[0], r.Method, g.URL+r.URL.EscapedPath()
		return token, proof, nil
	default:
		return "", proof, errNoToken
	}
}

// actsFor gives whom the caller acts for, nobody for one that calls for itself.
// The header is one list without gaps.
func actsFor(r *http.Request, kind string) (chain []Evidence, err error) {
	values := r.Header.Values(ChainHeader)
	if len(values) == 0 {
		return nil, nil
	}
	for value := range strings.SplitSeq(values[0], ",") {
		value = strings.TrimSpace(value)
		if value == "" || len(values) > 1 {
			return nil, errNoToken
		}
		chain = append(chain, Evidence{kind, value})
		kind = Link
	}
	return chain, nil
}

func refuse(w http.ResponseWriter, status int, body refusal) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.MarshalWrite(w, body) // the client may have gone
}
