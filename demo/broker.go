package demo

import (
	"context"
	"crypto/rand"

	"github.com/entente-id/entente/demo/idp"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// brokerClient is what a broker is registered as at the providers whose sign-ins
// it restates.
const brokerClient = "https://hub.example"

// hub is a broker of RXW: people sign in at RXW's provider, and applications get
// the hub's tokens.
type hub struct {
	home     *hospital
	provider *idp.Provider
	issuer   trust.IssuerID
	app      *idp.Client
}

// openHub brings a hub up beside its trust's provider.
func (h *hospital) openHub(ctx context.Context) (*hub, error) {
	l, url, err := h.world.authority.listen()
	if err != nil {
		return nil, err
	}
	b := &hub{home: h}
	if b.issuer, err = trust.ParseIssuerID(url); err != nil {
		return nil, err
	}
	ward := idp.Registration{ID: wardApp, Secret: rand.Text(), RedirectURI: redirect}
	if b.provider, err = idp.New(idp.Config{Issuer: url, Clients: []idp.Registration{ward}}); err != nil {
		return nil, err
	}
	h.world.authority.serve(l, b.provider.Handler())
	b.app, err = idp.NewClient(ctx, h.world.http, url, ward)
	return b, err
}

// line registers the hub as a broker.
func (b *hub) line() participant.Issuer {
	return participant.Issuer{
		Issuer: b.issuer, JWKSURI: b.issuer.String() + "/jwks", Subjects: "hub",
		Namespaces: map[string][]participant.Namespace{"org_code": participant.Exactly(b.home.code)},
		Classes:    []participant.ClassRule{{Class: trust.Human}},
		Broker:     &participant.Broker{Assertion: "origin_token", Audience: brokerClient, Origin: "origin", Subject: "origin_sub"},
	}
}

// restate signs a nurse in at her own provider and gives the hub's token about
// that, which says AAL3 whatever the provider said. Silent leaves the provider's
// own word out.
func (b *hub) restate(ctx context.Context, n nurse, audience string, silent bool) (string, error) {
	first, err := b.home.broker.Login(ctx, n.login, n.password, brokerClient)
	if err != nil {
		return "", err
	}
	claims := idp.Staff{Role: nurseRole, RoleID: "role-" + n.login, Org: b.home.code, Wards: []string{"w7"}, Level: 3}.Claims()
	claims["origin"], claims["origin_sub"] = b.home.issuer.String(), n.subject
	if !silent {
		claims["origin_token"] = first.ID
	}
	password := rand.Text()
	b.provider.SetPerson(idp.Person{Subject: "hub-" + n.subject, Login: n.login, Password: password, Claims: claims})
	tokens, err := b.app.Login(ctx, n.login, password, audience)
	return tokens.Access, err
}
