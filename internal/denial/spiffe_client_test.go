package denial_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/api/oauth"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/trust"
)

// A client that shows an SVID is held to every rule of SVIDs, and is let in under
// its own SPIFFE ID alone, shown to the node itself
// (draft-ietf-oauth-spiffe-client-auth).
func TestSPIFFEClients(t *testing.T) {
	w := newDomains(t)
	o := &office{world: w.world, Handler: oauth.New(w.host)}
	id, us := w.prod.id.String()+"/ward/sync", w.host.ID.String()
	for name, spiffe := range map[string]string{"sync-app": id, "abroad-app": w.abroad.id.String() + "/ward/sync"} {
		check(t, w.host.AddClient(t.Context(), w.host.Admin, client.Document{
			Kind: "Client", ID: name, Participant: w.home.ID, Services: []string{"ward-records"}, Means: client.Means{SPIFFEID: spiffe},
		}))
	}
	good := func() *draft {
		d := w.good()
		d.claims["aud"] = us
		return d
	}
	svid := func(d *draft) url.Values {
		return url.Values{"client_assertion_type": {string(evidence.SPIFFEAssertion)}, "client_assertion": {d.token()}}
	}
	var asked tally
	try := func(path, name string, with url.Values, change func(*http.Request), want bool) {
		asked.one(path)
		in, answer := o.let(path, with, change)
		if in != want || !in && answer.Body.String() != refusedClient {
			t.Errorf("%s: %s: answered %d %s", path, name, answer.Code, answer.Body)
		}
	}
	all := slices.Concat(joseCases(w.form()), w.subjectCases(), w.timesOfSVIDs(), claimCases([]string{"aud"}, []string{"iat", "exp"}, []string{"nbf"}),
		audienceCases(us, trust.AudienceForeign), w.domainCases())
	each(t, all, func(s spoil) {
		d := good()
		s.do(d)
		form := svid(d)
		if form.Get("client_assertion") == "" {
			return // an empty parameter is none, and the request no good (RFC 6749, section 3.2)
		}
		own := s.want == "" && d.claims["sub"] == id
		try("/oauth/token", s.rule+": "+s.name, form, nil, own)
		try("/oauth/introspect", s.rule+": "+s.name, form, nil, own)
	})
	shows := func(chain ...*x509.Certificate) func(*http.Request) {
		return func(r *http.Request) { r.TLS = &tls.ConnectionState{PeerCertificates: chain} }
	}
	for name, c := range w.certificateCases() {
		chain := certificatesIn(c.text)
		if len(chain) == 0 || c.shown == nil || !chain[0].Equal(c.shown) || strings.HasPrefix(name, "text:") {
			continue // nobody has a connection like that
		}
		own := c.want == trust.Permit && len(chain[0].URIs) == 1 && chain[0].URIs[0].String() == id
		try("/oauth/token", "X509-SVID: "+name, url.Values{"client_id": {"sync-app"}}, shows(chain...), own)
		try("/oauth/revoke", "X509-SVID of nobody: "+name, url.Values{"client_id": {"abroad-app"}}, shows(chain...), false)
	}
	leaf := w.prod.authorities[0].leaf(id, nil)
	try("/oauth/token", "a client of another participant's domain", url.Values{"client_id": {"abroad-app"}}, shows(w.abroad.authorities[0].leaf(w.abroad.id.String()+"/ward/sync", nil)), false)
	try("/oauth/token", "without client_id", nil, shows(leaf), false)
	try("/oauth/token", "another client_id", url.Values{"client_id": {"abroad-app"}}, shows(leaf), false)
	elsewhere := good()
	elsewhere.claims["aud"] = w.ward.Audience
	try("/oauth/token", "an SVID for a service", svid(elsewhere), nil, false)
	misnamed := svid(good())
	misnamed.Set("client_id", "abroad-app")
	try("/oauth/token", "an SVID and another client_id", misnamed, nil, false)
	if sum := asked.report(t); sum < 1000 {
		t.Errorf("only %d cases", sum)
	}
}

func certificatesIn(text string) (chain []*x509.Certificate) {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return chain
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil
		}
		chain = append(chain, c)
	}
}
