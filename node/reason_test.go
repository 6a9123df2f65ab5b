package node_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/api/authzen"
	"github.com/entente-id/entente/demo/records"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/pep"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/trust"
)

// front is a record service of the host, which asks its node over AuthZEN.
func front(t *testing.T, host *nodetest.Node, resource string) http.Handler {
	t.Helper()
	credential, err := host.AddEnforcementPoint(t.Context(), host.Admin, "pep")
	done(t, err)
	socket := filepath.Join(t.TempDir(), "s")
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	done(t, err)
	server := &http.Server{Handler: authzen.New(host.Node, "https://node.example"), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	s, err := records.New(records.Config{Config: pep.Config{Node: "unix:" + socket, Credential: credential}, Type: resource})
	done(t, err)
	return s.Handler()
}

// outside calls the record service as a stranger does, and gives what he sees
// with the reference, which is taken out of it.
func outside(t *testing.T, service http.Handler, token []byte, purpose string) (seen, reference string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/wards/w7/records/42", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+string(token))
	r.Header.Set("X-Purpose", purpose)
	w := httptest.NewRecorder()
	service.ServeHTTP(w, r)
	reference = w.Header().Get(pep.DecisionHeader)
	w.Header().Del(pep.DecisionHeader)
	body := w.Body.String()
	if w.Code != http.StatusForbidden || reference == "" || !strings.Contains(body, reference) {
		t.Fatalf("a refused caller sees %d %s and the reference %q", w.Code, body, reference)
	}
	w.Header().Set("Status", http.StatusText(w.Code))
	var headers strings.Builder
	done(t, w.Header().Write(&headers))
	return headers.String() + strings.ReplaceAll(body, reference, "REFERENCE"), reference
}

// Every wrong thing is denied for a reason of its own, which our operators see,
// and looks the same to the caller (R4, R12).
func TestDenialsDifferInsideAndAreOneOutside(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, nil)
	second := w.NewIssuer("https://second.rxw.example")
	ward := w.Agree(home, host, []*nodetest.Issuer{w.NewIssuer("https://idp.rxw.example"), second}, nil)
	ward.Furnish()
	third := w.New("trust.rcb.example")
	w.Introduce(third, host)
	stranger := w.NewIssuer("https://idp.rcb.example")
	declare(t, third, ownIssuer(t, stranger, participant.ClassRule{Class: trust.Human}))
	declare(t, home, ownIssuer(t, ward.Issuer, participant.ClassRule{Class: trust.Human}), ownIssuer(t, second,
		participant.ClassRule{Class: trust.Human, Claim: "kind", Equals: "person"},
		participant.ClassRule{Class: trust.Workload, Claim: "kind", Equals: "program"}))
	done(t, host.RegisterService(t.Context(), host.Admin, service.Document{
		Kind: "Service", Name: "ward-records", Audience: ward.Audience, EnforcementPoint: "pep",
		Resources: map[trust.ResourceType][]string{"WardRecord": {"ward"}, "WardNote": {"ward"}},
	}))
	done(t, host.RegisterService(t.Context(), host.Admin, service.Document{
		Kind: "Service", Name: "pharmacy", Audience: "https://pharmacy.rje.example", EnforcementPoint: "pep",
		Resources: map[trust.ResourceType][]string{"Prescription": nil},
	}))
	nodetest.Eventually(t, "the statements to arrive", func() bool {
		a, ok := host.State().Speaker(stranger.URL)
		b, _ := host.State().Speaker(second.URL)
		return ok && len(a.Keys.Keys()) > 0 && len(b.Candidates) == 1 && len(b.Candidates[0].Issuer.Classes) == 2
	})
	heardOf(t, host, third)

	token := func(i *nodetest.Issuer, audience string, with map[string]any) []byte {
		return w.Token(i, "nurse-1", audience, with)
	}
	good := token(ward.Issuer, ward.Audience, nil)
	for _, c := range []struct {
		token             []byte
		resource, purpose string
		want              trust.Reason
	}{
		{token: token(w.NewIssuer("https://nobody.example"), ward.Audience, nil), want: trust.UnknownIssuer},
		{token: token(ward.Issuer, "https://elsewhere.example", nil), want: trust.AudienceForeign},
		{token: token(ward.Issuer, "https://pharmacy.rje.example", nil), want: trust.AudienceOtherService},
		{token: token(stranger, ward.Audience, nil), want: trust.NoAgreement},
		{token: good, resource: "Unheard", want: trust.UnknownResource},
		{token: good, resource: "WardNote", want: trust.ResourceNotCovered},
		{token: good, purpose: "MARKETING", want: trust.PurposeNotCovered},
		{token: token(second, ward.Audience, nil), want: trust.Unclassified},
		{token: token(second, ward.Audience, map[string]any{"kind": "program"}), want: trust.UnknownClass},
		{token: token(ward.Issuer, ward.Audience, map[string]any{"role_code": "S0:G0:R0"}), want: trust.NoMapping},
		{token: token(ward.Issuer, ward.Audience, map[string]any{"ward_ids": []string{"w9"}}), want: trust.PolicyDenies},
	} {
		t.Run(string(c.want), func(t *testing.T) { sameOutside(t, ward, c.token, c.resource, c.purpose, c.want) })
	}
}

// sameOutside sees that a caller is denied for a reason inside, and compares
// what he sees with what the bearer of no token at all worth reading sees.
func sameOutside(t *testing.T, ward *nodetest.Ward, token []byte, resource, purpose string, want trust.Reason) {
	t.Helper()
	if purpose == "" {
		purpose = "TREAT"
	}
	service := front(t, ward.Host, resource)
	plain, _ := outside(t, service, []byte("rubbish"), "TREAT")
	seen, reference := outside(t, service, token, purpose)
	e, err := ward.Host.Explain(t.Context(), ward.Host.Admin, reference)
	if err != nil || e.Permit || e.Reason != want || len(e.Checks) != 10 {
		t.Errorf("inside it is %s after %s, %v; expected %s", e.Reason, e.Decided, err, want)
	}
	if seen != plain {
		t.Errorf("outside it is %q; rubbish gets %q", seen, plain)
	}
}

func TestDeniedWithoutTheTier(t *testing.T) { // R30
	ward := wardOf(t, nil)
	w, home, host := ward.Home.World, ward.Home, ward.Host
	d := w.Rules(home, host)
	d.Version, d.Previous = 2, host.State().Framework.Current.Hash
	d.Tiers[trust.Basic] = d.Tiers[trust.Standard]
	delete(d.Tiers, trust.Standard)
	class := d.Classes[trust.Human]
	class.Tier = trust.Basic
	d.Classes[trust.Human] = class
	token := nurse(ward, "nurse-1")
	want(t, ward, token, trust.Permit)
	host.Adopt(w.Sign(d, home, host))
	sameOutside(t, ward, token, "", "", trust.UnknownTier)
}

func TestDeniedUnderAnExpiredFramework(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, func(d *framework.Document) { d.Expires = trust.Instant(time.Now().Add(10 * time.Minute).Unix()) })
	ward := w.NewWard(home, host, func(d *agreement.Document) { d.Ends = trust.Instant(time.Now().Add(20 * time.Minute).Unix()) })
	later := time.Now().Add(11 * time.Minute).Unix()
	token := w.Token(ward.Issuer, "nurse-1", ward.Audience, map[string]any{"exp": later + 60, "iat": later - 600})
	host.Clock.Shift(11 * time.Minute)
	home.Clock.Shift(11 * time.Minute)
	sameOutside(t, ward, token, "", "", trust.FrameworkExpired)
	if err := host.Ready(); trust.KindOf(err) != trust.Unavailable {
		t.Errorf("an expired framework leaves the node ready: %v", err)
	}
}

// ownIssuer is a statement's line for an issuer with keys of its own.
func ownIssuer(t *testing.T, i *nodetest.Issuer, classes ...participant.ClassRule) participant.Issuer {
	t.Helper()
	id, err := trust.ParseIssuerID(i.URL)
	done(t, err)
	return participant.Issuer{Issuer: id, JWKSURI: i.URL + "/jwks", Classes: classes}
}

func declare(t *testing.T, n *nodetest.Node, issuers ...participant.Issuer) {
	t.Helper()
	done(t, n.Declare(t.Context(), n.Admin, participant.Document{Kind: "Participant", ID: n.ID, Issuers: issuers}))
}

// heardOf waits until n has heard a partner's word.
func heardOf(t *testing.T, n, partner *nodetest.Node) {
	t.Helper()
	nodetest.Eventually(t, "word from "+partner.ID.String(), func() bool {
		for _, p := range n.Status(t.Context()).Partners {
			if p.ID == partner.ID {
				return p.Age >= 0
			}
		}
		return false
	})
}
