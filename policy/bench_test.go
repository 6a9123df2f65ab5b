package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/entente-id/entente/policy"
	"github.com/entente-id/entente/trust"
)

// BenchmarkDecide asks sets of growing size. With the index the time hardly
// grows: each policy speaks of its own resource type.
func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{10, 1_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			set, err := policy.Compile(manyPolicies(n))
			if err != nil {
				b.Fatal(err)
			}
			principal := nurse()
			q := policy.Query{
				Principal: principal, Action: "read",
				Resource: policy.Resource{Type: "Record7", ID: "42", Attributes: map[string]any{"ward": "w7"}},
				Context:  policy.Context{Purpose: "TREAT"},
			}
			b.ReportAllocs()
			for b.Loop() {
				if o := set.Decide(q); !o.Permit {
					b.Fatalf("outcome %+v, want a permit", o)
				}
			}
		})
	}
}

func manyPolicies(n int) string {
	var source strings.Builder
	for i := range n {
		fmt.Fprintf(&source, `@id("p%d") permit (principal is Human in Role::"ward-reader", action == Action::"read", resource is Record%d)
when { context.purpose == "TREAT" && principal has wards && resource has ward && principal.wards.contains(resource.ward) };
`, i, i)
	}
	source.WriteString(`@id("no-agents") forbid (principal is Agent, action, resource);`)
	return source.String()
}

func nurse() *policy.Principal {
	participant, _ := trust.ParseParticipantID("https://trust.rxw.example")
	return policy.NewPrincipal(policy.Caller{
		Class: trust.Human, ID: "nurse-1", Participant: participant,
		Roles:      []trust.Role{"ward-reader"},
		Assurance:  map[string]string{"authentication": "high"},
		Attributes: map[string]any{"wards": []any{"w7", "w8"}},
	})
}
