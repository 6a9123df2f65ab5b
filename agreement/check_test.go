package agreement_test

import (
	"strings"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

func TestCheck(t *testing.T) {
	if faults := document().Check(rules, now); len(faults) > 0 {
		t.Fatalf("the example has faults: %v", faults)
	}
	tests := []struct {
		path   string
		change func(*agreement.Document)
	}{
		{"kind", func(d *agreement.Document) { d.Kind = "agreement" }},
		{"name", func(d *agreement.Document) { d.Name = "A b" }},
		{"home", func(d *agreement.Document) { d.Home = zero }},
		{"host", func(d *agreement.Document) { d.Host = zero }},
		{"host", func(d *agreement.Document) { d.Host = home }},
		{"tier", func(d *agreement.Document) { d.Tier = "strong" }},
		{"tier", func(d *agreement.Document) { d.Tier = trust.High }}, // not in the framework
		{"ends", func(d *agreement.Document) { d.Ends = now }},
		{"starts", func(d *agreement.Document) { d.Starts = ends }},
		{"review_every", func(d *agreement.Document) { d.ReviewEvery = 0 }},
		{"accepts", func(d *agreement.Document) { d.Accepts = nil }},
		{"accepts[2]", func(d *agreement.Document) { d.Accepts = append(d.Accepts, d.Accepts[0]) }},
		{"accepts[0].class", func(d *agreement.Document) { d.Accepts[0].Class = "person" }},
		{"accepts[0].class", func(d *agreement.Document) { d.Accepts[0].Class = trust.ServiceAccount }}, // not in the framework
		{"accepts[0].issuers", func(d *agreement.Document) { d.Accepts[0].Issuers = nil }},
		{"accepts[0].issuers", func(d *agreement.Document) { d.Accepts[0].Issuers = append(d.Accepts[0].Issuers, trust.IssuerID{}) }},
		{"accepts[1].subjects", func(d *agreement.Document) { d.Accepts[1].Subjects = nil }},
		{"accepts[1].subjects", func(d *agreement.Document) { d.Accepts[1].Subjects = []string{""} }},
		{"accepts[1].subjects", func(d *agreement.Document) { d.Accepts[1].Subjects = []string{"*"} }},
		{"accepts[0].audience", func(d *agreement.Document) { d.Accepts[0].Audience = "" }},
		{"accepts[0].audience", func(d *agreement.Document) { d.Accepts[0].Audience = "https://*.rje.example" }},
		{"accepts[0].roles", func(d *agreement.Document) { d.Accepts[0].Roles = []string{"S8000:*"} }},
		{"accepts[0].purposes", func(d *agreement.Document) { d.Accepts[0].Purposes, d.BreakGlass = nil, nil }},
		{"accepts[1].purposes", func(d *agreement.Document) { d.Accepts[1].Purposes = []trust.Purpose{"*"} }},
		{"accepts[0].actions", func(d *agreement.Document) { d.Accepts[0].Actions = nil }},
		{"accepts[0].actions", func(d *agreement.Document) { d.Accepts[0].Actions = []trust.Action{""} }},
		{"accepts[0].resources", func(d *agreement.Document) { d.Accepts[0].Resources = nil }},
		{"accepts[0].resources[0].type", func(d *agreement.Document) { d.Accepts[0].Resources = []agreement.ResourceScope{{Type: "*"}} }},
		{"accepts[1].resources[0].ids", func(d *agreement.Document) {
			d.Accepts[1].Resources = []agreement.ResourceScope{{Type: "Letter", IDs: []string{"4*"}}}
		}},
		{"accepts[0].needs.authentication", func(d *agreement.Document) {
			d.Accepts[0].Needs = map[framework.Ladder]framework.Level{framework.Authentication: "higher"}
		}},
		{"accepts[0].needs.height", func(d *agreement.Document) {
			d.Accepts[0].Needs = map[framework.Ladder]framework.Level{"height": "high"}
		}},
		{"accepts[0].delegation_depth", func(d *agreement.Document) { d.Accepts[0].Depth = 2 }},
		{"accepts[0].delegation_depth", func(d *agreement.Document) { d.Accepts[0].Depth = -1 }},
		{"accepts[0].max_ttl", func(d *agreement.Document) { d.Accepts[0].MaxTTL = -1 }},
		{"accepts[1].approval.actions", func(d *agreement.Document) { d.Accepts[1].Approval = &agreement.Approval{People: 1} }},
		{"accepts[1].approval.actions", func(d *agreement.Document) {
			d.Accepts[1].Approval = &agreement.Approval{Actions: []trust.Action{"read"}, People: 1}
		}},
		{"accepts[1].approval.people", func(d *agreement.Document) {
			d.Accepts[1].Approval = &agreement.Approval{Actions: []trust.Action{"write"}}
		}},
		{"accepts[1].approval.ttl", func(d *agreement.Document) {
			d.Accepts[1].Approval = &agreement.Approval{Actions: []trust.Action{"write"}, People: 2, TTL: -1}
		}},
		{"accepts[1].approval.ttl", func(d *agreement.Document) {
			d.Accepts[1].Approval = &agreement.Approval{Actions: []trust.Action{"write"}, People: 2, TTL: 86401}
		}},
		{"attributes[0].name", func(d *agreement.Document) { d.Attributes[0].Name = "" }},
		{"attributes[0].name", func(d *agreement.Document) { d.Attributes[0].Name = "*" }},
		{"attributes[0].purpose", func(d *agreement.Document) { d.Attributes[0].Purpose = "" }},
		{"attributes[1].name", func(d *agreement.Document) { d.Attributes[1].Name = d.Attributes[0].Name }},
		{"privacy.population", func(d *agreement.Document) { d.Privacy.Population = "" }},
		{"privacy.notice", func(d *agreement.Document) { d.Privacy.Notice = "" }},
		{"privacy.authorised_party", func(d *agreement.Document) { d.Privacy.AuthorisedParty = "" }},
		{"authority.issues", func(d *agreement.Document) { d.Authority.Issues = role(host, "ra") }},
		{"authority.issues", func(d *agreement.Document) { d.Authority.Issues = trust.RoleRef{} }},
		{"authority.validates", func(d *agreement.Document) { d.Authority.Validates = role(home, "node") }},
		{"authority.approves", func(d *agreement.Document) { d.Authority.Approves = role(home, "managers") }}, // R55
		{"authority.overrides", func(d *agreement.Document) { d.Authority.Overrides = role(home, "guardian") }},
		{"authority.revokes", func(d *agreement.Document) { d.Authority.Revokes = d.Authority.Revokes[:1] }}, // R55
		{"authority.revokes", func(d *agreement.Document) { d.Authority.Revokes = d.Authority.Revokes[1:] }},
		{"authority.revokes[2]", func(d *agreement.Document) {
			d.Authority.Revokes = append(d.Authority.Revokes, role(third, "security"))
		}},
		{"owners.home", func(d *agreement.Document) { d.Owners.Home = role(host, "records") }},
		{"owners.host", func(d *agreement.Document) { d.Owners.Host = trust.RoleRef{} }},
		{"break_glass", func(d *agreement.Document) { d.Accepts[0].Purposes = []trust.Purpose{"TREAT"} }},
		{"break_glass.ttl", func(d *agreement.Document) { d.BreakGlass = &agreement.BreakGlass{ReviewWithin: 1} }},
		{"break_glass.review_within", func(d *agreement.Document) { d.BreakGlass = &agreement.BreakGlass{TTL: 1} }},
		{"break_glass.ttl", func(d *agreement.Document) { d.BreakGlass.TTL = 86401 }},
		{"break_glass.review_within", func(d *agreement.Document) { d.BreakGlass.ReviewWithin = 30*86400 + 1 }},
		{"break_glass.uses", func(d *agreement.Document) { d.BreakGlass.Uses = -1 }},
		{"accepts[0].purposes", func(d *agreement.Document) { d.BreakGlass = nil }},
		{"accepts[1].purposes", func(d *agreement.Document) {
			d.Accepts[1].Purposes, d.Accepts[1].Approval = []trust.Purpose{"BTG"}, nil
		}},
		{"accepts[0].purposes", func(d *agreement.Document) { d.Accepts[0].Approval = d.Accepts[1].Approval }},
	}
	for _, tt := range tests {
		d := document()
		tt.change(&d)
		faults := d.Check(rules, now)
		found := false
		for _, fault := range faults {
			if trust.KindOf(fault) != trust.Invalid {
				t.Errorf("fault %v is not invalid", fault)
			}
			found = found || strings.HasPrefix(fault.Error(), tt.path+": ")
		}
		if !found {
			t.Errorf("faults %v, want one at %s", faults, tt.path)
		}
	}
}

func TestCheckAllowsWhatIsOptional(t *testing.T) {
	d := document()
	d.Starts, d.BreakGlass, d.Attributes = 0, nil, nil
	d.Accepts[0].Purposes = []trust.Purpose{"TREAT"}
	d.Authority.Overrides, d.Authority.Adjudicates = trust.RoleRef{}, trust.RoleRef{}
	d.Accepts[1].Subjects, d.Accepts[1].Issuers = nil, d.Accepts[0].Issuers
	d.Accepts[0].Roles, d.Accepts[0].Needs, d.Accepts[1].Approval = nil, nil, nil
	if faults := d.Check(rules, now); len(faults) > 0 {
		t.Errorf("faults %v, want none", faults)
	}
}

func TestCheckNamesEveryFaultAtOnce(t *testing.T) {
	if faults := (agreement.Document{}).Check(rules, now); len(faults) < 15 {
		t.Errorf("an empty document has %d faults: %v", len(faults), faults)
	}
}
