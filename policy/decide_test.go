package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/policy"
	"github.com/entente-id/entente/trust"
)

const local = `
@id("ward-read")
permit (principal is Human in Role::"ward-reader", action == Action::"read", resource is WardRecord)
when { context.purpose == "TREAT" && principal has wards && resource has ward && principal.wards.contains(resource.ward) };

@id("ward-break-glass")
permit (principal is Human in Role::"ward-reader", action == Action::"read", resource is WardRecord)
when { context.purpose == "BTG" && context has break_glass };

@id("letters-in")
permit (principal is Workload in Role::"letter-writer", action == Action::"write", resource is Letter);

@id("no-agents")
forbid (principal is Agent, action, resource is WardRecord);

@id("agents-audit")
permit (principal is Agent, action == Action::"read", resource is WardRecord);

@id("audit-needs-level")
permit (principal, action == Action::"audit", resource is WardRecord)
when { principal.assurance.authentication == "high" && principal.participant == "https://trust.rxw.example" };

@id("pages")
permit (principal, action == Action::"page", resource is WardRecord) when { resource.pages < 10 };

@id("not-for-bills")
forbid (principal, action == Action::"page", resource is WardRecord) when { context.purpose == "BILL" };

@id("office-hours")
permit (principal, action == Action::"visit", resource is WardRecord) when { context.now < datetime("2099-12-01") };

@id("broken-forbid")
forbid (principal, action == Action::"share", resource) when { principal.embargo };

@id("share")
permit (principal, action == Action::"share", resource is WardRecord);
`

type change func(*policy.Caller, *policy.Query)

func ask(t *testing.T, source string, changes ...change) policy.Outcome {
	t.Helper()
	set, err := policy.Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	caller, q := base()
	for _, c := range changes {
		c(&caller, &q)
	}
	q.Principal = policy.NewPrincipal(caller)
	return set.Decide(q)
}

func base() (policy.Caller, policy.Query) {
	participant, _ := trust.ParseParticipantID("https://trust.rxw.example")
	return policy.Caller{
			Class: trust.Human, ID: "nurse-1", Participant: participant,
			Roles:      []trust.Role{"ward-reader"},
			Assurance:  map[string]string{"authentication": "high"},
			Attributes: map[string]any{"wards": []any{"w7", "w8"}},
		}, policy.Query{
			Action:   "read",
			Resource: policy.Resource{Type: "WardRecord", ID: "42", Attributes: map[string]any{"ward": "w7"}},
			Context:  policy.Context{Purpose: "TREAT"},
		}
}

func action(a trust.Action) change { return func(_ *policy.Caller, q *policy.Query) { q.Action = a } }

func TestDecide(t *testing.T) {
	tests := []struct {
		name      string
		change    change
		reason    trust.Reason
		policies  []string
		attribute string
	}{
		{"a nurse of the ward", nil, trust.Permit, []string{"ward-read"}, ""},
		{"another ward", func(_ *policy.Caller, q *policy.Query) { q.Resource.Attributes["ward"] = "w9" }, trust.PolicyDenies, nil, ""},
		{"one attribute flips it", func(c *policy.Caller, _ *policy.Query) { c.Attributes = nil }, trust.PolicyDenies, nil, ""},
		{"a null is absent", func(c *policy.Caller, _ *policy.Query) { c.Attributes["wards"] = nil }, trust.PolicyDenies, nil, ""},
		{"no role", func(c *policy.Caller, _ *policy.Query) { c.Roles = nil }, trust.PolicyDenies, nil, ""},
		{"a longer role", func(c *policy.Caller, _ *policy.Query) { c.Roles = []trust.Role{"ward-reader2"} }, trust.PolicyDenies, nil, ""},
		{"another class", func(c *policy.Caller, _ *policy.Query) { c.Class = trust.Workload }, trust.PolicyDenies, nil, ""},
		{"another purpose", func(_ *policy.Caller, q *policy.Query) { q.Context.Purpose = "BTG" }, trust.PolicyDenies, nil, ""},
		{"break-glass", func(_ *policy.Caller, q *policy.Query) { q.Context.Purpose, q.Context.BreakGlass = "BTG", true }, trust.Permit, []string{"ward-break-glass"}, ""},
		{"break-glass cannot be claimed", func(_ *policy.Caller, q *policy.Query) {
			q.Context.Purpose, q.Context.Attributes = "BTG", map[string]any{"purpose": "TREAT", "break_glass": true}
		}, trust.PolicyDenies, nil, ""},
		{"another action", action("write"), trust.PolicyDenies, nil, ""},
		{"forbid beats permit", func(c *policy.Caller, _ *policy.Query) { c.Class = trust.Agent }, trust.PolicyForbid, []string{"no-agents"}, ""},
		{"assurance and participant", action("audit"), trust.Permit, []string{"audit-needs-level"}, ""},
		{"ours hide the caller's", func(c *policy.Caller, q *policy.Query) {
			q.Action, c.Assurance = "audit", map[string]string{"authentication": "low"}
			c.Attributes["assurance"] = canonical.Object{"authentication": "high"}
		}, trust.PolicyDenies, nil, ""},
		{"no level at all", func(c *policy.Caller, q *policy.Query) { q.Action, c.Assurance = "audit", nil }, trust.PolicyError, []string{"audit-needs-level"}, "authentication"},
		{"absent attribute", action("page"), trust.PolicyError, []string{"pages"}, "pages"},
		{"wrong type", func(_ *policy.Caller, q *policy.Query) { q.Action, q.Resource.Attributes["pages"] = "page", "9" }, trust.PolicyError, []string{"pages"}, ""},
		{"no fractions", func(_ *policy.Caller, q *policy.Query) { q.Resource.Attributes["pages"] = 9.5 }, trust.PolicyError, nil, "pages"},
		{"nor inside", func(c *policy.Caller, _ *policy.Query) { c.Attributes["wards"] = []any{"w7", nil} }, trust.PolicyError, nil, "wards"},
		{"a number", func(_ *policy.Caller, q *policy.Query) { q.Action, q.Resource.Attributes["pages"] = "page", int64(9) }, trust.Permit, []string{"pages"}, ""},
		{"a forbidden purpose", func(_ *policy.Caller, q *policy.Query) {
			q.Action, q.Resource.Attributes["pages"], q.Context.Purpose = "page", int64(9), "BILL"
		}, trust.PolicyForbid, []string{"not-for-bills"}, ""},
		{"there is no time", action("visit"), trust.PolicyError, []string{"office-hours"}, "now"},
		// Cedar would leave the failed forbid out and permit.
		{"a forbid that fails denies", action("share"), trust.PolicyError, []string{"broken-forbid"}, "embargo"},
		{"unclassified", func(c *policy.Caller, _ *policy.Query) { c.Class = "" }, trust.PolicyError, nil, ""},
		{"caller is the resource", func(_ *policy.Caller, q *policy.Query) { q.Resource.Type, q.Resource.ID = "Human", "nurse-1" }, trust.PolicyError, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changes := []change{}
			if tt.change != nil {
				changes = append(changes, tt.change)
			}
			got := ask(t, local, changes...)
			if got.Reason != tt.reason || got.Permit != (tt.reason == trust.Permit) ||
				!slices.Equal(got.Policies, tt.policies) || got.Attribute != tt.attribute {
				t.Errorf("outcome %+v, want %s by %q, attribute %q", got, tt.reason, tt.policies, tt.attribute)
			}
			if (got.Err != "") != (tt.reason == trust.PolicyError) {
				t.Errorf("outcome %+v has an error text without an error, or the other way round", got)
			}
		})
	}
}

func TestNoPolicyDenies(t *testing.T) {
	var none *policy.Set
	_, q := base()
	if got := none.Decide(q); got.Permit || got.Reason != trust.NoPolicy {
		t.Errorf("no set gives %+v, want %s", got, trust.NoPolicy)
	}
	if got := ask(t, "// nothing yet"); got.Permit || got.Reason != trust.NoPolicy {
		t.Errorf("an empty set gives %+v, want %s", got, trust.NoPolicy)
	}
	set, _ := policy.Compile(local)
	if got := set.Decide(q); got.Permit || got.Reason != trust.PolicyError {
		t.Errorf("a query without a caller gives %+v, want %s", got, trust.PolicyError)
	}
}

// R33: an error is written into the ledger's leaf, which holds no identifiers
// and no values.
func TestErrorTellsNoValues(t *testing.T) {
	const secret = "zz-secret"
	for _, condition := range []string{
		"principal.absent", "resource.absent", "resource.ward < 1", `ip(resource.ward).isIpv4()`,
		`decimal(resource.ward) == decimal("1.0")`, `datetime(resource.ward) == datetime("2026-01-01")`,
		`Role::"zz-secret".absent`, `principal.hasTag(1)`, `9223372036854775807 + 1 == resource.ward`,
		`principal.getTag(resource.ward) == 1`,
	} {
		got := ask(t, "permit (principal, action, resource) when { "+condition+" };", func(c *policy.Caller, q *policy.Query) {
			c.ID = secret + "` does not have the attribute `" + secret
			q.Resource.ID, q.Resource.Attributes = secret, map[string]any{"ward": secret}
		})
		if got.Reason != trust.PolicyError || strings.Contains(got.Err+got.Attribute, secret) {
			t.Errorf("%s gives %+v, want an error without values", condition, got)
		}
	}
}

// What is remembered of one caller, resource or context is never taken for that
// of another, however alike their parts run on.
func TestAlikeCallersStayApart(t *testing.T) {
	const source = `permit (principal in Role::"ab", action, resource)
when { principal has a && principal.a == "b" && resource.w == "1" && context.purpose == "TREAT" };`
	set, err := policy.Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	right := policy.Caller{Class: trust.Human, ID: "1", Roles: []trust.Role{"ab"}, Attributes: map[string]any{"a": "b"}}
	alike := map[string]change{
		"roles": func(c *policy.Caller, _ *policy.Query) { c.Roles = []trust.Role{"a", "b"} },
		"role in a claim": func(c *policy.Caller, _ *policy.Query) {
			c.Roles, c.Attributes = nil, map[string]any{"ab": "", "a": "b"}
		},
		"level": func(c *policy.Caller, _ *policy.Query) { c.Attributes, c.Assurance = nil, map[string]string{"a": "b"} },
		"name":  func(c *policy.Caller, _ *policy.Query) { c.Attributes = map[string]any{"ab": ""} },
		"list":  func(c *policy.Caller, _ *policy.Query) { c.Attributes = map[string]any{"a": []any{"b"}} },
		"object": func(c *policy.Caller, _ *policy.Query) {
			c.Attributes = map[string]any{"a": canonical.Object{"b": nil}}
		},
		"number":  func(_ *policy.Caller, q *policy.Query) { q.Resource.Attributes = map[string]any{"w": int64(1)} },
		"boolean": func(_ *policy.Caller, q *policy.Query) { q.Resource.Attributes = map[string]any{"w": true} },
		"purpose": func(_ *policy.Caller, q *policy.Query) { q.Context.Purpose = "TREAT2" },
		"claimed purpose": func(_ *policy.Caller, q *policy.Query) {
			q.Context = policy.Context{Attributes: map[string]any{"purpose": "TREAT"}}
		},
	}
	for name, c := range alike {
		for _, changed := range []bool{false, true, false, true} {
			caller := right
			q := policy.Query{Action: "read", Context: policy.Context{Purpose: "TREAT"},
				Resource: policy.Resource{Type: "A", ID: "1", Attributes: map[string]any{"w": "1"}}}
			if changed {
				c(&caller, &q)
			}
			q.Principal = policy.NewPrincipal(caller)
			if got := set.Decide(q); got.Permit == changed {
				t.Errorf("%s, changed %t: %+v", name, changed, got)
			}
		}
	}
}
