// Package records is the patient-record service of a demonstration trust: an
// ordinary HTTP service with a bearer token in front, and the smallest policy
// enforcement point there can be. It asks its node on every call and does what
// the answer says; without an answer it gives nothing.
//
// It decides nothing: it reads no claim, verifies no signature, caches no
// answer, and never learns who the caller is. The patients are made up.
package records

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/pep"
	"github.com/entente-id/entente/trust"
)

// DecisionHeader carries the reference of the node's decision, on a permit and
// on a denial. The caller can quote it; only the trust that decided can read it.
const DecisionHeader = "X-Decision-Id"

// ChainHeader carries whom a caller acts for: the principal's token and the
// links of delegation behind it, in their order, separated by commas. The
// caller's own token stands in Authorization, as ever.
const ChainHeader = "Acts-For"

// Evidence types: of RFC 8693, 3, and of a link of delegation.
const (
	AccessToken = "urn:ietf:params:oauth:token-type:access_token"
	IDToken     = "urn:ietf:params:oauth:token-type:id_token"
	Link        = "urn:entente:params:token-type:delegation"
)

// denialText is all that a refused caller is told, whatever the reason.
const denialText = "access denied"

// Config is what the service needs to reach its node.
type Config struct {
	// Node is the enforcement listener: "https://host:port", or
	// "unix:/path/of/the/socket".
	Node string
	// Credential is the enforcement point's own bearer credential.
	Credential string
	// HTTPClient carries the trusted roots for an https node; nil is the
	// system's. It is not changed, and not used for a socket.
	HTTPClient *http.Client
	// Type is the Cedar type of a record; empty is "WardRecord".
	Type string
	// Evidence is the type of the bearer tokens; empty is AccessToken.
	Evidence string
	// Purpose is stated when the caller names none in X-Purpose; empty is TREAT.
	Purpose string
	// URL is the https origin that callers know the service by, which their DPoP
	// proofs are for; empty takes bearer tokens only.
	URL string
	// Timeout bounds one question to the node; 0 is 5 seconds.
	Timeout time.Duration
}

// Service answers GET /wards/{ward}/records/{id}, and with /live behind it a
// stream of vital signs. It is safe for concurrent use.
type Service struct {
	node     node
	kind     string
	evidence string
	purpose  string
	url      string
	sessions *pep.Sessions
}

// Record is a made-up patient record.
type Record struct {
	ID        string `json:"id"`
	Ward      string `json:"ward"`
	Patient   string `json:"patient"`
	Note      string `json:"note"`
	Allergies string `json:"allergies"`
}

// New makes a service. It fails with Invalid when the node's address is neither
// https nor a socket, or the credential is missing.
func New(c Config) (*Service, error) {
	if c.Credential == "" {
		return nil, trust.Errorf(trust.Invalid, "the record service has no credential; its node answers only a known enforcement point")
	}
	n, err := newNode(c)
	if err != nil {
		return nil, err
	}
	return &Service{
		node:     n,
		kind:     cmp.Or(c.Type, "WardRecord"),
		evidence: cmp.Or(c.Evidence, AccessToken),
		purpose:  cmp.Or(c.Purpose, "TREAT"),
		url:      c.URL,
		sessions: pep.NewSessions(pep.Config{Node: n.base, Credential: c.Credential, Client: n.client}),
	}, nil
}

// Handler serves the records. The answers are 200 with a [Record], 401 without
// a token or where its proof needs a nonce, 403 with {"error", "reference"} when the node denies, and 503
// with {"error"} when it does not answer.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /wards/{ward}/records/{id}", s.record)
	mux.HandleFunc("GET /wards/{ward}/records/{id}/live", s.live)
	return mux
}

func (s *Service) record(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.permitted(r.Context(), w, r, false); !ok {
		return
	}
	ward, id := r.PathValue("ward"), r.PathValue("id")
	write(w, http.StatusOK, Record{
		ID: id, Ward: ward,
		Patient:   "Patient " + id + " (made up)",
		Note:      "Observations stable; review on the morning round.",
		Allergies: "none known",
	})
}

// permitted asks the node about a request, and refuses the request where it is
// not permitted. The reference of a permit names the session, if it is for one.
func (s *Service) permitted(ctx context.Context, w http.ResponseWriter, r *http.Request, session bool) (reference string, ok bool) {
	token, shown := s.presented(r)
	chain, whole := s.actsFor(r)
	if token == "" || !whole {
		w.Header().Set("WWW-Authenticate", "Bearer")
		write(w, http.StatusUnauthorized, denial{Error: "a bearer token is required"})
		return "", false
	}
	ward, id := r.PathValue("ward"), r.PathValue("id")
	answer, err := s.node.ask(ctx, r.Header.Get("X-Request-ID"), evaluation{
		Subject:  entity{Type: "evidence", ID: "0"},
		Action:   action{Name: "read"},
		Resource: entity{Type: s.kind, ID: id, Properties: map[string]string{"ward": ward}},
		Context: circumstance{
			Purpose:  cmp.Or(r.Header.Get("X-Purpose"), s.purpose),
			Evidence: append(chain, evidence{Type: s.evidence, Value: token}),
			Proof:    shown,
			Session:  session,
		},
	})
	if err != nil {
		write(w, http.StatusServiceUnavailable, denial{Error: "access cannot be decided now"})
		return "", false
	}
	if answer.ID != "" {
		w.Header().Set(DecisionHeader, answer.ID)
	}
	if answer.Nonce != "" {
		w.Header().Set("DPoP-Nonce", answer.Nonce)
	}
	if !answer.Permit && answer.Nonce != "" { // RFC 9449, 9: the caller tries again with the nonce
		w.Header().Set("WWW-Authenticate", `DPoP error="use_dpop_nonce"`)
		write(w, http.StatusUnauthorized, denial{Error: denialText, Reference: answer.ID})
		return "", false
	}
	if !answer.Permit {
		write(w, http.StatusForbidden, denial{Error: denialText, Reference: answer.ID})
		return "", false
	}
	return answer.ID, true
}

// denial is the body of every refusal.
type denial struct {
	Error     string `json:"error"`
	Reference string `json:"reference,omitzero"`
}

// presented gives the token of RFC 6750, 2.1, or of RFC 9449, 7.1, with the proof
// beside it; nothing when there is none or more than one could be meant. The URL
// is the service's own, whatever host the caller asked for.
func (s *Service) presented(r *http.Request) (token string, shown *proof) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", nil
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if strings.ContainsAny(token, " \t,") {
		return "", nil
	}
	proofs := r.Header.Values("DPoP")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return token, nil
	case strings.EqualFold(scheme, "DPoP") && s.url != "" && len(proofs) == 1 && proofs[0] != "":
		return token, &proof{proofs[0], r.Method, s.url + r.URL.EscapedPath()}
	default:
		return "", nil
	}
}

// actsFor gives whom the caller acts for; nothing for one that calls for itself.
// It is false where the header is not one list without gaps.
func (s *Service) actsFor(r *http.Request) (chain []evidence, ok bool) {
	values := r.Header.Values(ChainHeader)
	if len(values) == 0 {
		return nil, true
	}
	kind := s.evidence
	for value := range strings.SplitSeq(values[0], ",") {
		value = strings.TrimSpace(value)
		if value == "" || len(values) > 1 {
			return nil, false
		}
		chain = append(chain, evidence{Type: kind, Value: value})
		kind = Link
	}
	return chain, true
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The client may have gone; there is nobody left to tell.
	_ = json.MarshalWrite(w, body)
}
