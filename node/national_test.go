package node_test

import (
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

const (
	nationalURL = "https://cis2.example"
	orgClaim    = "org_code"
)

// oneIssuer is two homes and a host, which trust one national issuer.
type oneIssuer struct {
	rxw, rcb, host *nodetest.Node
	national       *nodetest.Issuer
	ward           *nodetest.Ward
	rules          framework.Document
}

func newOneIssuer(t *testing.T) oneIssuer {
	t.Helper()
	w := nodetest.NewWorld(t)
	o := oneIssuer{national: w.NewIssuer(nationalURL)}
	id, err := trust.ParseIssuerID(nationalURL)
	done(t, err)
	o.rxw, o.host = founded(t, w, func(d *framework.Document) {
		d.Issuers = []framework.NationalIssuer{{Issuer: id, JWKSURI: nationalURL + "/jwks", Discriminator: orgClaim}}
		o.rules = *d
	})
	o.rcb = w.New("trust.rcb.example", nodetest.HomeRoles()...)
	w.Introduce(o.host, o.rcb)
	nodetest.Eventually(t, "the framework to reach the third", func() bool {
		_, ok := o.rcb.State().Framework.Pending(o.host.State().Framework.Current.Hash)
		return ok
	})
	done(t, o.rcb.AdoptFramework(t.Context(), o.rcb.Admin, o.host.State().Framework.Current.Hash))
	o.ward = w.Agree(o.rxw, o.host, []*nodetest.Issuer{o.of("RXW")}, nil)
	o.ward.Furnish()
	w.Agree(o.rcb, o.host, []*nodetest.Issuer{o.of("RCB")}, func(d *agreement.Document) { d.Name = "other-staff" })
	return o
}

// of is the national issuer as one participant states it.
func (o oneIssuer) of(value string) *nodetest.Issuer {
	i := *o.national
	i.Discriminator = &participant.Discriminator{Claim: orgClaim, Value: value}
	return &i
}

func (o oneIssuer) token(value any) []byte {
	return o.host.World.Token(o.national, "nurse-1", o.ward.Audience, map[string]any{orgClaim: value})
}

// One issuer speaks for two participants; its token says for which (R50, R58).
func TestANationalIssuer(t *testing.T) {
	o := newOneIssuer(t)
	want(t, o.ward, o.token("RXW"), trust.Permit)
	want(t, o.ward, o.token("RCB"), trust.NoMapping) // its own agreement, which has no mapping yet
	for name, value := range map[string]any{"unknown": "RJE", "empty": "", "absent": nil, "a list": []string{"RXW"}, "a number": 7} {
		if got := read(t, o.ward, o.token(value)); got != trust.UnknownParticipant {
			t.Errorf("a discriminator that is %s gives %s", name, got)
		}
	}

	// The same number at the two trusts is two people.
	revokeAt(t, o.rcb, node.RevokeRequest{Kind: revocation.Subject, Issuer: nationalURL, Subject: "nurse-1", Reason: "left"})
	await(t, o.ward, o.token("RCB"), trust.SubjectRevoked)
	want(t, o.ward, o.token("RXW"), trust.Permit)

	// A key that speaks for both is not one participant's to end, an issuer for it is.
	waitForKeys(t, o.rcb, o.national)
	revokeAt(t, o.rcb, node.RevokeRequest{Kind: revocation.Key, Issuer: nationalURL, KeyID: o.national.Key.Key().KeyID(), Reason: "leaked"})
	revokeAt(t, o.rcb, node.RevokeRequest{Kind: revocation.Issuer, Issuer: nationalURL, Reason: "left it"})
	await(t, o.ward, o.token("RCB"), trust.IssuerRevoked)
	want(t, o.ward, o.token("RXW"), trust.Permit)
	revokeAt(t, o.host, node.RevokeRequest{Kind: revocation.Key, Issuer: nationalURL, KeyID: o.national.Key.Key().KeyID(), Reason: "we heard"})
	want(t, o.ward, o.token("RXW"), trust.KeyRevoked)
}

// Nobody takes another's value, and nobody states the national issuer as his own.
func TestAValueIsOneParticipants(t *testing.T) {
	o := newOneIssuer(t)
	id, err := trust.ParseIssuerID(nationalURL)
	done(t, err)
	human := []participant.ClassRule{{Class: trust.Human}}
	refused(t, "stating it without a discriminator", o.rxw.Declare(t.Context(), o.rxw.Admin, participant.Document{
		Kind: "Participant", ID: o.rxw.ID, Issuers: []participant.Issuer{{Issuer: id, JWKSURI: nationalURL + "/jwks", Classes: human}},
	}), trust.Denied)
	// rcb does not know rxw, so its own node lets it state the value; the host
	// does not.
	declare(t, o.rcb, participant.Issuer{Issuer: id, Discriminator: &participant.Discriminator{Claim: orgClaim, Value: "RXW"}, Classes: human})
	quiet(t, o.rcb, o.host)
	s, _ := o.host.State().Speaker(nationalURL)
	for _, c := range s.Candidates {
		if c.Value == "RXW" && c.Participant != o.rxw.ID {
			t.Errorf("RXW is %s at the host", c.Participant)
		}
	}
	want(t, o.ward, o.token("RXW"), trust.Permit)
}

// An issuer that the amended framework no longer registers, or that it tells
// apart by another claim, speaks for nobody.
func TestAnIssuerThatIsRegisteredNoMore(t *testing.T) {
	for name, change := range map[string]func(*framework.Document){
		"removed":       func(d *framework.Document) { d.Issuers = nil },
		"another claim": func(d *framework.Document) { d.Issuers[0].Discriminator = "other" },
	} {
		t.Run(name, func(t *testing.T) {
			o := newOneIssuer(t)
			token := o.token("RXW")
			want(t, o.ward, token, trust.Permit)
			d := amended(o.host, o.rules)
			d.Issuers = append([]framework.NationalIssuer(nil), d.Issuers...)
			change(&d)
			o.host.Adopt(o.host.World.Sign(d, o.rxw, o.host))
			want(t, o.ward, token, trust.UnknownIssuer)
		})
	}
}

// An issuer that becomes a national one speaks for nobody without a
// discriminator any more.
func TestAnIssuerThatBecomesNational(t *testing.T) {
	ward := wardOf(t, nil)
	w, home, host := ward.Home.World, ward.Home, ward.Host
	id, err := trust.ParseIssuerID(ward.Issuer.URL)
	done(t, err)
	token := nurse(ward, "nurse-1")
	want(t, ward, token, trust.Permit)
	d := amended(host, w.Rules(home, host))
	d.Issuers = []framework.NationalIssuer{{Issuer: id, JWKSURI: ward.Issuer.URL + "/jwks", Discriminator: orgClaim}}
	host.Adopt(w.Sign(d, home, host))
	want(t, ward, token, trust.UnknownIssuer)
}
