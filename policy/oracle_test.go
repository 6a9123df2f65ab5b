package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"pgregory.net/rapid"

	"github.com/entente-id/entente/policy"
	"github.com/entente-id/entente/trust"
)

// oracle asks Cedar itself: the whole set, plain entities, no index.
func oracle(t rapid.TB, source string, c policy.Caller, q policy.Query) (trust.Reason, []string) {
	set, err := cedar.NewPolicySetFromBytes("policy", []byte(source))
	if err != nil {
		t.Fatalf("%s\n%s", err, source)
	}
	class := map[trust.Class]types.EntityType{trust.Human: "Human", trust.Agent: "Agent", trust.Workload: "Workload", trust.ServiceAccount: "ServiceAccount"}
	principal := types.NewEntityUID(class[c.Class], types.String(c.ID))
	resource := types.NewEntityUID(types.EntityType(q.Resource.Type), types.String(q.Resource.ID))
	var roles []types.EntityUID
	for _, r := range c.Roles {
		roles = append(roles, types.NewEntityUID("Role", types.String(r)))
	}
	level := types.RecordMap{}
	for ladder, name := range c.Assurance {
		level[types.String(ladder)] = types.String(name)
	}
	of := func(m map[string]any) types.RecordMap {
		r := types.RecordMap{}
		for k, v := range m {
			r[types.String(k)] = types.String(v.(string))
		}
		return r
	}
	attributes := of(c.Attributes)
	attributes["participant"], attributes["assurance"] = types.String(c.Participant.String()), types.NewRecord(level)
	entities := types.EntityMap{
		principal: {UID: principal, Parents: types.NewEntityUIDSet(roles...), Attributes: types.NewRecord(attributes)},
		resource:  {UID: resource, Attributes: types.NewRecord(of(q.Resource.Attributes))},
	}
	decision, d := cedar.Authorize(set, entities, cedar.Request{
		Principal: principal, Action: types.NewEntityUID("Action", types.String(q.Action)), Resource: resource,
		Context: types.NewRecord(types.RecordMap{"purpose": types.String(q.Context.Purpose)}),
	})
	var ids []string
	for _, e := range d.Errors {
		ids = append(ids, string(e.PolicyID))
	}
	if ids != nil {
		return trust.PolicyError, ids
	}
	for _, r := range d.Reasons {
		ids = append(ids, string(r.PolicyID))
	}
	switch {
	case decision == cedar.Allow:
		return trust.Permit, ids
	case ids != nil:
		return trust.PolicyForbid, ids
	default:
		return trust.PolicyDenies, nil
	}
}

// The index visits a part of the policies and finds what Cedar finds in all of
// them: the same decision, by the same policies, with the same errors.
func TestIndexAgreesWithFullScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := strings.Join(rapid.SliceOfN(rapid.Custom(drawPolicy), 1, 25).Draw(t, "policies"), "\n")
		set, err := policy.Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			compare(t, set, source)
		}
	})
}

func compare(t *rapid.T, set *policy.Set, source string) {
	caller := policy.Caller{
		Class: rapid.SampledFrom(trust.Classes()).Draw(t, "class"), ID: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "id"),
		Roles:      rapid.SliceOfNDistinct(rapid.SampledFrom([]trust.Role{"a", "b"}), 0, 2, rapid.ID).Draw(t, "roles"),
		Attributes: drawAttributes(t), Assurance: map[string]string{"identity": "low"},
	}
	q := policy.Query{
		Principal: policy.NewPrincipal(caller),
		Action:    rapid.SampledFrom([]trust.Action{"read", "write", ""}).Draw(t, "action"),
		Resource: policy.Resource{Type: rapid.SampledFrom([]trust.ResourceType{"A", "B", "A::B", "Role", "Action"}).Draw(t, "type"),
			ID: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "resource"), Attributes: drawAttributes(t)},
		Context: policy.Context{Purpose: rapid.SampledFrom([]trust.Purpose{"TREAT", "BTG"}).Draw(t, "purpose")},
	}
	got := set.Decide(q)
	reason, ids := oracle(t, source, caller, q)
	slices.Sort(ids)
	slices.Sort(got.Policies)
	if got.Reason != reason || !slices.Equal(got.Policies, ids) {
		t.Fatalf("outcome %+v, Cedar says %s by %q\n%s", got, reason, ids, source)
	}
}

func drawAttributes(t *rapid.T) map[string]any {
	m := map[string]any{}
	for _, name := range []string{"x", "y"} {
		if rapid.Bool().Draw(t, "has "+name) {
			m[name] = rapid.SampledFrom([]string{"1", "2"}).Draw(t, name)
		}
	}
	return m
}

func drawPolicy(t *rapid.T) string {
	draw := func(label string, options ...string) string { return rapid.SampledFrom(options).Draw(t, label) }
	return fmt.Sprintf("%s (%s, %s, %s) %s { %s };",
		draw("effect", "permit", "permit", "forbid"),
		draw("principal", "principal", "principal is Human", `principal in Role::"a"`, `principal is Agent in Role::"b"`, `principal == Human::"a"`),
		draw("action", "action", `action == Action::"read"`, `action == Action::"write"`, `action in [Action::"read", Action::"write"]`, `action in Action::"read"`, `action == Other::"read"`),
		draw("resource", "resource", "resource is A", "resource is A::B", `resource is B in Role::"a"`, `resource == A::"a"`, `resource in B::"b"`, `resource == Role::"a"`),
		draw("when", "when", "unless"),
		draw("condition", "true", "false", `context.purpose == "TREAT"`, `principal.x == "1"`, `resource has y && resource.y == "1"`, `resource.x < 1`,
			`context has break_glass`, `principal has x && principal.x == resource.x`, `principal.assurance.identity == "low"`),
	)
}
