package operator_test

import (
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/trust"
)

func hash(name string) []byte {
	sum := sha256.Sum256([]byte(name))
	return sum[:]
}

func apply(t *testing.T, s operator.State) func([]trust.Event, error) operator.State {
	return func(events []trust.Event, err error) operator.State {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			s = s.Apply(e, trust.Stamp{})
		}
		return s
	}
}

func wants(t *testing.T, what string, kind trust.ErrorKind, events []trust.Event, err error) {
	t.Helper()
	if trust.KindOf(err) != kind || len(events) > 0 {
		t.Errorf("%s: got %v, %v; want %s", what, events, err, kind)
	}
}

// staff is one admin and one auditor who manages wards.
func staff(t *testing.T) operator.State {
	t.Helper()
	s := apply(t, operator.State{})(operator.State{}.Add("o1", []trust.Role{operator.Admin}, [32]byte(hash("o1")), ""))
	return apply(t, s)(s.Add("o2", []trust.Role{"ward_managers", operator.Auditor}, [32]byte(hash("o2")), "o1"))
}

func TestOperators(t *testing.T) {
	s := staff(t)
	o, ok := s.ByCredential([32]byte(hash("o2")))
	if !ok || o.ID != "o2" || !o.Has(operator.Auditor) || o.Has(operator.Admin) {
		t.Errorf("got %+v", o)
	}
	if _, ok := s.ByCredential([32]byte(hash("o3"))); ok {
		t.Error("somebody has a stranger's credential")
	}
	if _, ok := s.ByCredential([32]byte{}); ok {
		t.Error("somebody has no credential")
	}
	var ids []string
	for o := range s.All() {
		ids = append(ids, o.ID)
	}
	if !slices.Equal(ids, []string{"o1", "o2"}) || !slices.Equal(s.Holders("ward_managers"), []string{"o2"}) || s.Holders("ward") != nil {
		t.Errorf("all are %v, ward managers %v", ids, s.Holders("ward_managers"))
	}
}

func TestRemovedOperatorIsNobody(t *testing.T) {
	s := staff(t)
	s = apply(t, s)(s.Remove("o2", "o1"))
	if _, ok := s.ByCredential([32]byte(hash("o2"))); ok || len(s.Holders("auditor")) != 0 {
		t.Error("a removed operator still counts")
	}
	if _, ok := s.ByCredential([32]byte{}); ok {
		t.Error("a removed operator is found without a credential")
	}
	if o, ok := s.Get("o2"); !ok || !o.Removed || o.Has(operator.Auditor) {
		t.Errorf("got %+v", o)
	}
	if events, err := s.Remove("o2", "o1"); events != nil || err != nil {
		t.Errorf("removing again gave %v, %v", events, err)
	}
	events, err := s.Add("o2", []trust.Role{operator.Auditor}, [32]byte(hash("new")), "o1")
	wants(t, "an identifier used again", trust.Conflict, events, err)
}

func TestOnlyAdminsChangeOperators(t *testing.T) {
	s := staff(t)
	roles, credential := []trust.Role{operator.Auditor}, [32]byte(hash("o3"))
	for _, by := range []string{"", "o2", "o9"} {
		events, err := s.Add("o3", roles, credential, by)
		wants(t, "added by "+by, trust.Denied, events, err)
		events, err = s.Remove("o2", by)
		wants(t, "removed by "+by, trust.Denied, events, err)
	}
	for what, c := range map[string]struct {
		kind       trust.ErrorKind
		id         string
		roles      []trust.Role
		credential [32]byte
	}{
		"a bad identifier":     {trust.Invalid, "l marsh", roles, credential},
		"no role":              {trust.Invalid, "o3", nil, credential},
		"a bad role":           {trust.Invalid, "o3", []trust.Role{"Ward"}, credential},
		"a role twice":         {trust.Invalid, "o3", []trust.Role{"ward", "x", "ward"}, credential},
		"no credential":        {trust.Invalid, "o3", roles, [32]byte{}},
		"another's credential": {trust.Conflict, "o3", roles, [32]byte(hash("o2"))},
		"a known identifier":   {trust.Conflict, "o1", roles, credential},
	} {
		events, err := s.Add(c.id, c.roles, c.credential, "o1")
		wants(t, what, c.kind, events, err)
	}
}

func TestLastAdminStays(t *testing.T) {
	s := staff(t)
	events, err := s.Remove("o1", "o1")
	wants(t, "the last admin", trust.Conflict, events, err)
	events, err = s.Remove("o9", "o1")
	wants(t, "a stranger", trust.NotFound, events, err)
	s = apply(t, s)(s.Add("o3", []trust.Role{operator.Admin}, [32]byte(hash("o3")), "o1"))
	s = apply(t, s)(s.Remove("o1", "o3"))
	events, err = s.Remove("o3", "o3")
	wants(t, "the last admin again", trust.Conflict, events, err)
	events, err = s.Remove("o2", "o1")
	wants(t, "by a removed admin", trust.Denied, events, err)
}
