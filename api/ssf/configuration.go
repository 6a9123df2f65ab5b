package ssf

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/trust"
)

// freshFor is for how many seconds these documents may be kept. A key is
// announced longer ahead than that.
const freshFor = "300"

// configuration is a transmitter's metadata (SSF 1.0, section 7.1).
type configuration struct {
	Version       string          `json:"spec_version"`
	Issuer        string          `json:"issuer"`
	Keys          string          `json:"jwks_uri"`
	Methods       []stream.Method `json:"delivery_methods_supported"`
	Configuration string          `json:"configuration_endpoint"`
	Status        string          `json:"status_endpoint"`
	Add           string          `json:"add_subject_endpoint"`
	Remove        string          `json:"remove_subject_endpoint"`
	Verification  string          `json:"verification_endpoint"`
	Critical      []signal.Member `json:"critical_subject_members"`
	Schemes       []scheme        `json:"authorization_schemes"`
	Default       string          `json:"default_subjects"`
}

type scheme struct {
	URN string `json:"spec_urn"`
}

// configuration answers where the path behind well-known is the issuer's own. By
// default a stream is about nobody; an operator may let a receiver hear of
// everybody.
func (h handler) configuration(r *http.Request) (any, string, bool) {
	issuer := h.node.Self().String()
	u, err := url.Parse(issuer)
	if err != nil || strings.TrimPrefix(r.URL.EscapedPath(), wellKnown) != u.EscapedPath() {
		return nil, "", false
	}
	at := h.node.Address()
	return configuration{
		Version: "1_0", Issuer: issuer, Keys: at + keysPath, Methods: []stream.Method{stream.Push, stream.Poll},
		Configuration: at + streamPath, Status: at + statusPath, Add: at + addPath, Remove: at + removePath, Verification: at + verifyPath,
		Critical: []signal.Member{signal.Tenant}, Schemes: []scheme{{"urn:ietf:rfc:6749"}, {"urn:ietf:rfc:6750"}}, Default: "NONE",
	}, wire.JSON, true
}

func (h handler) keys(*http.Request) (any, string, bool) {
	set, err := h.node.StreamKeys()
	return set, "application/jwk-set+json", err == nil
}

// public gives a document and its content type, or false for one that there is
// not: whichever it is, the answer is the same.
type public func(r *http.Request) (document any, media string, ok bool)

func (find public) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	document, media, ok := find(r)
	body, err := json.Marshal(document, json.Deterministic(true))
	switch {
	case !ok || r.URL.RawQuery != "":
		wire.Fail(w, trust.Errorf(trust.NotFound, "there is no such document"))
		return
	case err != nil:
		wire.Fail(w, trust.Errorf(trust.Internal, "rendering a document: %w", err))
		return
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Cache-Control", "public, max-age="+freshFor)
	_, _ = w.Write(body) // the receiver may have gone
}
