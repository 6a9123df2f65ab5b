package oauth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/entente-id/entente/api/wire"
)

// RFC 6749, section 4.4: a registered receiver gets a token of the node's own,
// nobody else does.
func TestReceiverGrant(t *testing.T) {
	token := wire.FormatCredential(wire.Receiver, secret[:])
	const assertion = "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=x.y.z"
	nobody := func(r *http.Request) { r.Header.Del("Authorization") }
	for _, tt := range []struct {
		name, form string
		change     func(*http.Request)
		status     int
		body       string
	}{
		{"without scope", assertion, nobody, 200, `{"access_token":"` + token + `","token_type":"Bearer","expires_in":600,"scope":"ssf.manage ssf.read"}`},
		{"to manage", assertion + "&scope=ssf.manage", nobody, 200, `{"access_token":"` + token + `","token_type":"Bearer","expires_in":600,"scope":"ssf.manage ssf.read"}`},
		{"to read", assertion + "&scope=ssf.read", nobody, 200, `{"access_token":"` + token + `","token_type":"Bearer","expires_in":300,"scope":"ssf.read"}`},
		{"for more", assertion + "&scope=ssf.read+WardRecord.read", nobody, 400, `"invalid_scope"`},
		{"an enforcement point", "&scope=ssf.read", nil, 400, `"unauthorized_client"`},
		{"nobody", "&scope=ssf.read", nobody, 401, `"invalid_client"`},
	} {
		w := post(t, &shell{}, "grant_type=client_credentials"+tt.form, tt.change)
		if w.Code != tt.status || tt.status == 200 && w.Body.String() != tt.body || !strings.Contains(w.Body.String(), tt.body) {
			t.Errorf("%s: answered %d %s", tt.name, w.Code, w.Body)
		}
	}
}
