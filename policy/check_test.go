package policy_test

import (
	"strings"
	"testing"

	"github.com/entente-id/entente/policy"
	"github.com/entente-id/entente/trust"
)

var schema = policy.Schema{
	PrincipalAttributes: []string{"wards"},
	ResourceAttributes:  map[trust.ResourceType][]string{"WardRecord": {"ward"}, "Letter": {"kind"}},
	WorkloadAttributes:  []string{"device"},
}

func TestCheck(t *testing.T) {
	const open = "permit (principal, action, resource) when { %s };"
	when := func(condition string) string { return strings.Replace(open, "%s", condition, 1) }
	tests := []struct {
		source string
		want   []string // parts of the error; none means accepted
	}{
		{"", nil},
		{when("principal.wards.contains(resource.ward)"), nil},
		{when(`principal.assurance.authentication == "high" && principal.participant == "https://a.example"`), nil},
		{when(`context.purpose == "TREAT" && context has break_glass`), nil},
		// The memo of decisions knows no instant at which a policy would turn.
		{when(`context.now > datetime("2026-01-01")`), []string{"context.now"}},
		{when(`context has now`), []string{"context.now"}},
		{when(`resource has kind && resource.kind == "discharge"`), nil},
		{when("principal has wards.deep.deeper"), nil},
		{when("principal.ward == 1"), []string{"policy0", "line 1", "principal.ward,"}},
		{when("principal has ward"), []string{"principal.ward,"}},
		{when("if true then false else [resource.colour].contains(1)"), []string{"resource.colour"}},
		{when(`context.ip == "::1"`), []string{"context.ip"}},
		{when(`context has workload && context.workload has device && context.workload.device == "managed"`), nil},
		{when(`context.workload has image`), []string{"context.workload.image"}},
		{when(`context.workload.image == "x"`), []string{"context.workload.image"}},
		{when(`action.x == 1`), []string{"action.x"}},
		{when(`{a: principal}.a.x == 1`), []string{"computed"}},
		{when(`(if true then principal else principal).x == 1`), []string{"computed"}},
		{when(`Human::"a".x == 1`), []string{"computed"}},
		{when(`principal.hasTag("x")`), []string{"tag"}},
		{when(`principal.getTag("x") == 1`), []string{"tag"}},
		{when("principal is Humam"), []string{"Humam"}},
		{when(`principal is Humam in Role::"a"`), []string{"Humam"}},
		{`permit (principal, action, resource is WardRecord) when { resource.kind == "a" };`, []string{"resource.kind"}},
		{`permit (principal, action, resource == WardRecord::"1") unless { resource.kind == "a" };`, []string{"resource.kind"}},
		{`permit (principal, action, resource is Unknown) when { resource.ward == "a" };`, []string{"resource.ward"}},
		{`forbid (principal is Agents, action, resource);`, []string{"Agents"}},
		{`forbid (principal == Agents::"a", action, resource);`, []string{"Agents"}},
		{`forbid (principal in Group::"a", action, resource);`, []string{`Group::"a"`}},
		{`forbid (principal is Agent in Group::"a", action, resource);`, []string{`Group::"a"`}},
		{`permit (principal, action == Act::"read", resource);`, []string{`Act::"read"`}},
		{`permit (principal, action in [Action::"read", Act::"read"], resource);`, []string{`Act::"read"`}},
		{`permit (principal, action in Act::"read", resource);`, []string{`Act::"read"`}},
		{`@id("a") permit (principal, action, resource) when { principal.p }; @id("b") forbid (principal, action, resource) when { resource.q };`,
			[]string{"policy a", "principal.p,", "policy b", "resource.q,"}},
		{`@id("a") permit (principal, action, resource); @id("a") permit (principal, action, resource);`, []string{`"a"`}},
		{`@id("policy1") permit (principal, action, resource); permit (principal, action, resource);`, []string{`"policy1"`}},
		{`@id("") permit (principal, action, resource);`, []string{"not empty"}},
		{"permit (principal, action);", []string{"not Cedar"}},
		{strings.Repeat(" ", 4<<20+1), []string{"bytes"}},
	}
	for _, tt := range tests {
		err := policy.Check(tt.source, schema)
		if len(tt.want) == 0 {
			if err != nil {
				t.Errorf("%.80s is refused: %s", tt.source, err)
			}
			continue
		}
		if trust.KindOf(err) != trust.Invalid {
			t.Errorf("%.80s gives %v, want invalid", tt.source, err)
			continue
		}
		for _, part := range tt.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%.80s gives %q, which does not name %q", tt.source, err, part)
			}
		}
	}
}

// The parser recurses: one policy is bounded, however its separators are hidden.
func TestDeepPolicyIsRefused(t *testing.T) {
	for _, hide := range []string{"", "/*;*/", "//;\n", `";" == `, `"\";" == `} {
		deep := "permit (principal, action, resource) when { " + strings.Repeat("("+hide, 70_000)
		if err := policy.Check(deep, schema); err == nil || !strings.Contains(err.Error(), "one policy has") {
			t.Errorf("a nest of 70,000 behind %q gives %v, want a refusal before it is parsed", hide, err)
		}
		shallow := strings.Repeat("permit (principal, action, resource) when { ("+hide+"true) };", 1_600)
		if err := policy.Check(shallow, schema); err != nil && strings.Contains(err.Error(), "one policy has") {
			t.Errorf("1,600 small policies with %q give %v", hide, err)
		}
	}
}

// What Check accepts compiles, and what compiles answers without a panic.
func FuzzCompile(f *testing.F) {
	f.Add(local)
	f.Add(`permit (principal, action, resource) when { principal has a.b.c };`)
	f.Add(strings.Repeat("(", 100))
	f.Fuzz(func(t *testing.T, source string) {
		set, err := policy.Compile(source)
		if err != nil {
			if policy.Check(source, schema) == nil {
				t.Fatal("Check accepts what does not compile")
			}
			return
		}
		caller, q := base()
		q.Principal = policy.NewPrincipal(caller)
		if o := set.Decide(q); o.Permit != (o.Reason == trust.Permit) {
			t.Fatalf("outcome %+v contradicts itself", o)
		}
	})
}
