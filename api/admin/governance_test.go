package admin_test

import (
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

func TestFramework(t *testing.T) {
	p, ctx := newPair(t), t.Context()
	signed := p.world.Framework(p.home, p.host)
	hash := must(p.atHome.PublishFramework(ctx, signed))(t).Hash
	waiting := must(p.atHome.Frameworks(ctx))(t)
	if len(waiting.Items) != 1 || waiting.Items[0].Stage != admin.Waiting || waiting.Items[0].Hash != hash || len(waiting.Items[0].SignedBy) != 2 {
		t.Fatalf("published, the list is %+v", waiting)
	}
	if waiting.APIVersion != "entente/v1" || waiting.Kind != "FrameworkList" {
		t.Errorf("list is %s %s", waiting.APIVersion, waiting.Kind)
	}
	ok(t, p.atHome.AdoptFramework(ctx, hash))
	inForce := must(p.atHome.Frameworks(ctx))(t).Items
	if len(inForce) != 1 || inForce[0].Stage != admin.InForce || inForce[0].Since == 0 || inForce[0].Document.Name != "northern-health" {
		t.Errorf("adopted, the list is %+v", inForce)
	}
	if all := must(p.atHome.Adoptions(ctx))(t).Items; len(all) == 0 || all[0].Participant != p.home.ID || all[0].Version != 1 || all[0].Stage != node.Adopts {
		t.Errorf("who adopted is %+v", all)
	}
	if s := must(p.atHome.Status(ctx))(t); s.Framework == nil || s.Framework.Hash != hash || s.Entity != p.home.ID {
		t.Errorf("status is %+v", s)
	}

	// R1: one changed byte is another document, which nobody signed.
	signed.Bytes = append([]byte(nil), signed.Bytes...)
	signed.Bytes[len(signed.Bytes)/2]++
	_, err := p.atHost.PublishFramework(ctx, signed)
	refused(t, "a changed byte", err, trust.Invalid)
	refused(t, "an unknown hash", p.atHost.AdoptFramework(ctx, hash), trust.NotFound)
}

func TestInvitation(t *testing.T) {
	p, ctx := newPair(t), t.Context()
	inv := must(p.atHome.Invitation(ctx))(t)
	wrong := inv
	wrong.Fingerprint = must(p.atHost.Invitation(ctx))(t).Fingerprint
	_, err := p.atHost.Confirm(ctx, wrong)
	refused(t, "another's fingerprint", err, trust.Denied)
	if id := must(p.atHost.Confirm(ctx, inv))(t).Participant; id != p.home.ID {
		t.Errorf("confirmed %s, want %s", id, p.home.ID)
	}
	list := must(p.atHost.Participants(ctx))(t).Items
	if len(list) != 2 || !list[0].Self || list[1].ID != p.home.ID || list[1].Fingerprint != inv.Fingerprint || list[1].Confirmed == 0 {
		t.Errorf("participants are %+v", list)
	}
	if one := must(p.atHost.Participant(ctx, p.home.ID.String()))(t); one.ID != p.home.ID {
		t.Errorf("participant is %+v", one)
	}
	_, err = p.atHost.Participant(ctx, "https://nobody.example")
	refused(t, "an unknown participant", err, trust.NotFound)
}

func TestDeclaration(t *testing.T) {
	p, ctx := newPair(t), t.Context()
	id := must(trust.ParseIssuerID("https://idp.rxw.example"))(t)
	d := participant.Document{Kind: "Participant", ID: p.home.ID, Issuers: []participant.Issuer{{
		Issuer: id, JWKSURI: "https://idp.rxw.example/jwks", Classes: []participant.ClassRule{{Class: trust.Human}},
	}}}
	ok(t, p.atHome.Declare(ctx, d))
	if self := must(p.atHome.Participants(ctx))(t).Items[0]; len(self.Issuers) != 1 || self.Issuers[0].Issuer != id {
		t.Errorf("the own organisation is %+v", self)
	}
	refused(t, "a bundle of nobody's", p.atHome.GiveBundle(ctx, admin.Bundle{TrustDomain: must(trust.ParseIssuerID("spiffe://prod.rxw.example"))(t), Document: []byte(`{}`)}), trust.NotFound)
	d.ID = p.host.ID
	refused(t, "another's declaration", p.atHome.Declare(ctx, d), trust.Denied)
}

func TestAgreement(t *testing.T) {
	p, ward := warded(t)
	ctx := t.Context()
	current := must(p.atHost.Agreement(ctx, ward.Agreement))(t)
	if current.Stage != agreement.Active || current.Halt != "" || len(current.SignedBy) != 2 || current.Document == nil {
		t.Fatalf("agreement is %+v", current)
	}
	if framework := must(p.atHost.Agreements(ctx))(t).Items; len(framework) != 1 || framework[0].Document != nil || framework[0].Hash != current.Hash {
		t.Errorf("agreements are %+v", framework)
	}

	// A second agreement by the admin interface alone, on both sides.
	d := *current.Document
	d.Name = "second"
	rendered := must(p.atHome.RenderAgreement(ctx, admin.Draft{Document: d}))(t)
	var rev agreement.Revision
	ok(t, canonical.Decode(rendered.Bytes, &rev))
	signature := must(jose.SignBytes(p.home.Governance, agreement.Domain, rendered.Bytes))(t)
	ok(t, p.atHome.OfferAgreement(ctx, admin.Offer{Bytes: rendered.Bytes, Signature: signature}))
	await(t, p.atHost, "second", agreement.Proposed)
	signature = must(jose.SignBytes(p.host.Governance, agreement.Domain, rendered.Bytes))(t)
	ok(t, p.atHost.CountersignAgreement(ctx, "second", admin.Countersignature{Hash: rendered.Hash, Signature: signature}))
	await(t, p.atHome, "second", agreement.Agreed)
	ok(t, p.atHost.ActivateAgreement(ctx, "second"))
	ok(t, p.atHost.SuspendAgreement(ctx, "second", "drill"))
	if a := must(p.atHost.Agreement(ctx, "second"))(t); a.Stage != agreement.Suspended || len(a.SuspendedBy) != 1 || a.SuspendedBy[0] != p.host.ID || a.Halt != trust.AgreementSuspended {
		t.Errorf("suspended, it is %+v", a)
	}
	ok(t, p.atHost.EndAgreement(ctx, "second", "over"))
	if a := must(p.atHost.Agreement(ctx, "second"))(t); a.Stage != agreement.Ended || a.EndedBy != p.host.ID {
		t.Errorf("ended, it is %+v", a)
	}
	refused(t, "an ended one", p.atHost.ActivateAgreement(ctx, "second"), trust.Conflict) // R18
	_, err := p.atHost.Agreement(ctx, "third")
	refused(t, "an unknown one", err, trust.NotFound)
}

func await(t *testing.T, c *admin.Client, name string, stage agreement.Stage) {
	t.Helper()
	nodetest.Eventually(t, name+" to be "+string(stage), func() bool {
		a, err := c.Agreement(t.Context(), name)
		return err == nil && a.Stage == stage
	})
}

func TestMapping(t *testing.T) {
	p, ward := warded(t)
	ctx := t.Context()
	d := must(p.atHost.Mappings(ctx))(t).Items[0].Document
	d.Name = "another"
	ok(t, p.atHost.OfferMapping(ctx, d))
	ok(t, p.atHost.GrantMapping(ctx, "another"))
	list := must(p.atHost.Mappings(ctx))(t).Items
	if len(list) != 2 || list[0].Document.Name != "another" || list[0].Stage != mapping.Granted || !list[0].Alive || list[0].ApprovedBy == "" {
		t.Errorf("mappings are %+v", list)
	}
	ok(t, p.atHost.EndMapping(ctx, "another"))
	refused(t, "an ended one", p.atHost.EndMapping(ctx, "another"), trust.Conflict)
	refused(t, "an unknown one", p.atHost.GrantMapping(ctx, "third"), trust.NotFound)

	// R8: beyond the agreement.
	d.Name, d.From.Equals = "beyond", "S9999:G9999:R9999"
	refused(t, "beyond "+ward.Agreement, p.atHost.OfferMapping(ctx, d), trust.Invalid)
}
