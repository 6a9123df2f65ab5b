package authzen

import (
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/trust"
)

// shown is context.proof, which no standard has yet: what the enforcement point
// saw beside the token. No member of it may be unknown or empty.
type shown struct {
	DPoP        *string `json:"dpop"` // the one DPoP header field
	Method      *string `json:"htm"`  // of the request that brought it
	URL         *string `json:"htu"`
	Certificate *string `json:"x5c"` // DER in base64, of the client whose TLS handshake it verified
}

// parseShown reads context.proof; absent it is nil. A DPoP proof counts for one
// method and one URL, so the three stand together. It fails with Invalid.
func parseShown(data jsontext.Value) (*evidence.Shown, error) {
	if len(data) == 0 {
		return nil, nil
	}
	var s shown
	if err := canonical.Decode(data, &s); err != nil {
		return nil, err
	}
	for _, m := range [...]struct {
		name  string
		value *string
	}{{"dpop", s.DPoP}, {"htm", s.Method}, {"htu", s.URL}, {"x5c", s.Certificate}} {
		if m.value != nil && *m.value == "" {
			return nil, trust.Errorf(trust.Invalid, "context.proof has an empty %s; what was not seen is left out", m.name)
		}
	}
	out := &evidence.Shown{}
	switch {
	case s.DPoP != nil && s.Method != nil && s.URL != nil:
		out.DPoP, out.Method, out.URL = []byte(*s.DPoP), *s.Method, *s.URL
	case s.DPoP != nil || s.Method != nil || s.URL != nil:
		return nil, trust.Errorf(trust.Invalid, "context.proof has not all of dpop, htm and htu; a proof is one for a method and a URL")
	case s.Certificate == nil:
		return nil, trust.Errorf(trust.Invalid, "context.proof has neither dpop nor x5c; what shows nothing is left out")
	}
	if s.Certificate != nil {
		der, err := base64.StdEncoding.Strict().DecodeString(*s.Certificate)
		if err != nil || strings.ContainsAny(*s.Certificate, "\r\n") {
			return nil, trust.Errorf(trust.Invalid, "context.proof has an x5c that is not base64")
		}
		out.Certificate = der
	}
	return out, nil
}
