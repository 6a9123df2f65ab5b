package node_test

import (
	"testing"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/trust"
)

// Uses of a permit without asking are on record, by the one enforcement point that
// had it for a session (R69).
func TestReused(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	watch(t, host, "pep", "")
	_, err := host.AddEnforcementPoint(t.Context(), host.Admin, "another")
	done(t, err)
	token := nurse(ward, "nurse-1")
	one := open(t, ward, token)
	plain := answer(t, host, ward.Ask(nurse(ward, "nurse-2")))
	denied := answer(t, host, ward.Ask([]byte("x.y.z")))
	now := host.Node.Now()
	done(t, host.Reused(t.Context(), "pep", one.Reference, []int64{now, now, now + 1}))
	recorded := entries(t, host, "decisions", decision.ReusedKind.String())
	if len(recorded) != 1 {
		t.Fatalf("recorded as %+v", recorded)
	}
	for _, c := range []struct {
		name, point, reference string
		uses                   []int64
		want                   trust.ErrorKind
	}{
		{"another enforcement point", "another", one.Reference, []int64{now}, trust.NotFound},
		{"a permit for one call", "pep", plain.Reference, []int64{now}, trust.NotFound},
		{"a denial", "pep", denied.Reference, []int64{now}, trust.NotFound},
		{"no reference", "pep", "x", []int64{now}, trust.NotFound},
		{"no use", "pep", one.Reference, nil, trust.Invalid},
		{"too many", "pep", one.Reference, make([]int64, decision.MaxUses+1), trust.Invalid},
		{"in no order", "pep", one.Reference, []int64{now + 1, now}, trust.Invalid},
		{"before the permit", "pep", one.Reference, []int64{now - 120, now}, trust.Invalid},
		{"to come", "pep", one.Reference, []int64{now, now + 120}, trust.Invalid},
	} {
		refused(t, c.name, host.Reused(t.Context(), c.point, c.reference, c.uses), c.want)
	}
	if n := count(t, host, decision.ReusedKind); n != 1 {
		t.Errorf("%d reports are on record", n)
	}
	found, err := host.Accepted(t.Context(), host.Admin, ward.Issuer.URL, ward.Issuer.Key.Key().KeyID(), 0)
	if done(t, err); found.Permits != 1+1+3 || len(found.Subjects) != 2 || found.Subjects[0].Permits+found.Subjects[1].Permits != found.Permits {
		t.Errorf("the key had been accepted for %+v", found)
	}
	for _, s := range found.Subjects {
		if e, err := host.Explain(t.Context(), host.Admin, s.Reference); err != nil || !e.Permit {
			t.Errorf("%s is explained as %+v, %v", s.Reference, e, err)
		}
	}
}
