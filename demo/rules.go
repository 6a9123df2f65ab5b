package demo

import (
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

// localPolicy is what each host lets its own roles do.
const localPolicy = `@id("ward-read")
permit (principal is Human in Role::"ward-reader", action == Action::"read", resource)
when { context.purpose == "TREAT" && principal has ward_ids && resource has ward && principal.ward_ids.contains(resource.ward) };

@id("agent-read")
permit (principal is Agent in Role::"ward-agent", action == Action::"read", resource)
when { context.purpose == "TREAT" && context has acts_for && context.acts_for.class == "human" };

@id("service-read")
permit (principal is ServiceAccount in Role::"ward-service", action == Action::"read", resource)
when { context.purpose == "TREAT" };
`

// rules is the shared framework, founded by all three.
func (w *world) rules() framework.Document {
	human := framework.ClassRule{
		Needs:            map[framework.Ladder]framework.Level{framework.Identity: "medium", framework.Authentication: "substantial"},
		MaxTokenLifetime: 15 * 60, MaxAuthAge: 12 * 3600, DelegationDepth: 2, Tier: trust.Standard, ReviewEvery: 90 * 86400,
	}
	service := human
	service.MaxAuthAge, service.DelegationDepth = 0, 0
	agent := service
	agent.Principal = framework.Required
	d := framework.Document{
		Kind: "Framework", Name: "northern-health", Version: 1,
		Summary:    "Staff of partner trusts work in shared patient systems.",
		Expires:    trust.Instant(time.Now().Add(90 * 24 * time.Hour).Unix()),
		Governance: framework.Governance{Authority: w.rxw.id, Threshold: 2},
		Assurance: framework.Assurance{
			Identity:       []framework.Level{"none", "low", "medium", "high"},
			Authentication: []framework.Level{"none", "low", "substantial", "high"},
			Mapping: []framework.LevelRule{
				{Claim: "id_assurance_level", Equals: "3", Gives: map[framework.Ladder]framework.Level{framework.Identity: "high"}},
				{Claim: "authentication_assurance_level", Equals: "3", Gives: map[framework.Ladder]framework.Level{framework.Authentication: "high"}},
			},
		},
		Tiers: map[trust.Tier]framework.TierRule{
			trust.High: {
				MaxStaleness: trust.Span(strictStaleness / time.Second), RemovalTarget: trust.Span(removalTarget / time.Second), MaxCredentialTTL: 5 * 60,
				SenderConstraint: framework.SenderConstraintWhenOffered,
			},
			trust.Standard: {
				MaxStaleness: trust.Span(standardStaleness / time.Second), RemovalTarget: trust.Span(removalTarget / time.Second), MaxCredentialTTL: 15 * 60,
				SenderConstraint: framework.SenderConstraintWhenOffered,
			},
		},
		Classes: map[trust.Class]framework.ClassRule{trust.Human: human, trust.ServiceAccount: service, trust.Agent: agent},
	}
	for _, h := range w.hospitals() {
		d.Governance.Signers = append(d.Governance.Signers, framework.Signer{Participant: h.id, Key: h.governance.Key().GovernanceText()})
	}
	return d
}

// How old a partner's proven word may be on the high tier; and on the standard
// one.
const (
	strictStaleness   = 15 * time.Second
	standardStaleness = time.Minute
)

// removalTarget is within how long after a revocation every host denies.
const removalTarget = 5 * time.Second

// staffAgreement lets nurses of home into services of host, themselves and by
// agents of theirs.
func staffAgreement(name string, home, host *hospital, ends trust.Instant, desks ...*desk) agreement.Document {
	d := agreementOf(name, home, host, ends)
	d.Attributes = []agreement.Attribute{
		{Name: "role_code", From: "nhsid_nrbac_roles[person_roleid=$selected_roleid].role_code", Purpose: "role mapping"},
		{Name: "ward_ids", Purpose: "ward check in local policy"},
	}
	for _, desk := range desks {
		d.Accepts = append(d.Accepts, agreement.Accept{
			Class: trust.Human, Issuers: []trust.IssuerID{home.issuer}, Audience: desk.audience, Roles: []string{nurseRole},
			Needs:    map[framework.Ladder]framework.Level{framework.Authentication: "high"},
			Purposes: []trust.Purpose{"TREAT"}, Actions: []trust.Action{"read"},
			Resources: []agreement.ResourceScope{{Type: desk.resource}}, SingleUse: desk.evidence != "", Depth: 2,
		})
	}
	return d
}

// programAgreement lets programs of a class into services of host.
func programAgreement(name string, class trust.Class, home, host *hospital, ends trust.Instant, desks ...*desk) agreement.Document {
	d := agreementOf(name, home, host, ends)
	for _, desk := range desks {
		d.Accepts = append(d.Accepts, agreement.Accept{
			Class: class, Issuers: []trust.IssuerID{home.issuer}, Audience: desk.audience,
			Purposes: []trust.Purpose{"TREAT"}, Actions: []trust.Action{"read"}, Resources: []agreement.ResourceScope{{Type: desk.resource}},
		})
	}
	return d
}

// agreementOf is what all agreements between two trusts have in common.
func agreementOf(name string, home, host *hospital, ends trust.Instant) agreement.Document {
	role := func(h *hospital, role string) trust.RoleRef { return trust.RoleRef{Participant: h.id, Role: role} }
	return agreement.Document{
		Kind: "Agreement", Name: name, Home: home.id, Host: host.id, Tier: trust.Standard, Ends: ends, ReviewEvery: 90 * 86400,
		Privacy: agreement.Privacy{Population: "clinical staff", Notice: "https://" + home.domain() + "/staff-privacy", AuthorisedParty: "data protection officer"},
		Authority: agreement.Authority{
			Issues: role(home, "registration_authority"), Validates: role(host, "node"), Approves: role(host, "ward_managers"),
			Revokes: []trust.RoleRef{role(home, "registration_authority"), role(host, "security")},
		},
		Owners: agreement.Owners{Home: role(home, "locum_desk"), Host: role(host, "records")},
	}
}
