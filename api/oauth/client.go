package oauth

import (
	"net/http"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/node"
)

// client finds who calls, in the one way that the request uses: an enforcement
// point by its own credential, which stands in the header and nowhere else; a
// registered client by an assertion, or by the certificate of its connection.
// Two ways at once are none (RFC 6749, section 2.3), and whatever is wrong the
// answer is the same. A certificate beside another way is not one: it may be what
// a token is bound to.
func (h handler) client(r *http.Request, f form) (string, error) {
	_, header := r.Header["Authorization"]
	_, assertion := f["client_assertion"]
	_, kind := f["client_assertion_type"]
	_, secret := f["client_secret"]
	var name string
	var ok bool
	switch {
	case secret, assertion != kind, header && assertion:
	case header:
		name, ok = h.point(r, f)
	default:
		name, ok = h.node.Client(r.Context(), shown(r, f))
	}
	if !ok {
		return "", refused(f, header)
	}
	return name, nil
}

// refused is the answer to who is not authenticated. Who shows itself in the form
// alone is not challenged to use a header: clients would take that for the answer
// (RFC 6749, section 5.2).
func refused(f form, header bool) *Error {
	_, assertion := f["client_assertion"]
	_, id := f["client_id"]
	if !header && (assertion || id) {
		return invalidAssertion
	}
	return invalidClient
}

func (h handler) point(r *http.Request, f form) (string, bool) {
	secret, ok := wire.Bearer(r, wire.EnforcementPoint)
	if !ok {
		return "", false
	}
	name, ok := h.node.EnforcementPoint(secret[:])
	id, named := f["client_id"]
	return name, ok && (!named || id == name)
}

// shown is what a registered client shows of itself.
func shown(r *http.Request, f form) node.ClientProof {
	p := node.ClientProof{ID: f["client_id"], Type: evidence.Assertion(f["client_assertion_type"]), Assertion: []byte(f["client_assertion"])}
	if r.TLS != nil && len(p.Assertion) == 0 {
		for _, c := range r.TLS.PeerCertificates {
			p.Certificates = append(p.Certificates, c.Raw)
		}
	}
	return p
}
