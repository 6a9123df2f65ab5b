package demo

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/demo/idp"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// nurseRole is the national code of a nurse.
const nurseRole = "S8000:G8000:R8001"

const (
	wardApp  = "ward-app"
	redirect = "https://app.example/callback"
)

// nurse is somebody who signs in at a provider.
type nurse struct {
	login    string
	subject  string
	password string
}

// signInServices brings the provider up with the two applications that people
// sign in to. An ID token's audience is the application, so the one that calls
// with ID tokens is registered under the service's own audience.
func (h *hospital) signInServices(ctx context.Context) error {
	l, url, err := h.world.authority.listen()
	if err != nil {
		return err
	}
	if h.issuer, err = trust.ParseIssuerID(url); err != nil {
		return err
	}
	ward := idp.Registration{ID: wardApp, Secret: rand.Text(), RedirectURI: redirect}
	handover := idp.Registration{ID: handoverAudience, RedirectURI: redirect}
	broker := idp.Registration{ID: brokerClient, RedirectURI: redirect}
	clients := []idp.Registration{ward, handover, broker}
	h.actors = map[string]actor{}
	for name, class := range programs {
		clients = append(clients, h.program(name, class))
	}
	if h.provider, err = idp.New(idp.Config{Issuer: url, Clients: clients}); err != nil {
		return err
	}
	h.world.authority.serve(l, h.provider.Handler())
	if h.ward, err = idp.NewClient(ctx, h.world.http, url, ward); err != nil {
		return err
	}
	if h.handover, err = idp.NewClient(ctx, h.world.http, url, handover); err != nil {
		return err
	}
	h.broker, err = idp.NewClient(ctx, h.world.http, url, broker)
	return err
}

// declaration states the provider: every token of it is a person of this trust,
// but for its programs'.
func (h *hospital) declaration() participant.Document {
	return participant.Document{
		Kind: "Participant", ID: h.id, Name: h.name,
		Issuers: []participant.Issuer{{
			Issuer: h.issuer, JWKSURI: h.issuer.String() + "/jwks",
			Namespaces: map[string][]participant.Namespace{"org_code": participant.Exactly(h.code)},
			Domains:    []string{h.domain()},
			Classes: []participant.ClassRule{
				{Class: trust.Agent, Claim: classClaim, Equals: string(trust.Agent)},
				{Class: trust.ServiceAccount, Claim: classClaim, Equals: string(trust.ServiceAccount)},
				{Class: trust.Human},
			},
		}},
	}
}

// enrol lets the provider know a nurse under a subject identifier.
func (h *hospital) enrol(login, subject string) nurse {
	n := nurse{login: login, subject: subject, password: rand.Text()}
	staff := idp.Staff{
		Role: nurseRole, RoleID: fmt.Sprintf("role-%s", login), Org: h.code, Wards: []string{"w7"}, Level: 3,
		Integer: login == integerLogin,
	}
	claims := staff.Claims()
	claims[registration] = "N-" + login
	h.provider.SetPerson(idp.Person{Subject: subject, Login: login, Password: n.password, Claims: claims})
	return n
}

// registration is the claim by which providers name a person for life, whatever
// their subject identifier.
const registration = "professional_registration"

// employ lets the provider know a nurse as enrol does, with other claims beside
// the usual ones.
func (h *hospital) employ(login, subject string, claims map[string]any) nurse {
	n := h.enrol(login, subject)
	all := idp.Staff{Role: nurseRole, RoleID: "role-" + login, Org: h.code, Wards: []string{"w7"}, Level: 3}.Claims()
	maps.Copy(all, claims)
	h.provider.SetPerson(idp.Person{Subject: subject, Login: login, Password: n.password, Claims: all})
	return n
}

// integerLogin is the nurse whose levels the provider sends as numbers, as real
// ones sometimes do.
const integerLogin = "nurse-07"

// signIn logs a nurse in to the ward application, for one audience.
func (h *hospital) signIn(ctx context.Context, n nurse, audience string) (idp.Tokens, error) {
	return h.ward.Login(ctx, n.login, n.password, audience)
}

// expiry reads when a token of our own provider expires, in Unix seconds; 0 for
// what is none.
func expiry(token string) int64 {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return 0
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return 0
	}
	var claims struct {
		Exp int64 `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return 0
	}
	return claims.Exp
}
