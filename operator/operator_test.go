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

func org(t *testing.T, name string) trust.ParticipantID {
	t.Helper()
	p, err := trust.ParseParticipantID("https://" + name + ".example")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func rje(t *testing.T) trust.ParticipantID { return org(t, "rje") }

// R60: whoever is known by a name or a subject under two accounts is one person,
// and is local only where nothing says that the person is of the other side.
func TestWhoAnOperatorIs(t *testing.T) {
	rxw, key := org(t, "rxw"), func(n byte) trust.SubjectKey { return trust.SubjectKey{n} }
	s := staff(t)
	for _, id := range []string{"o3", "o4"} {
		s = apply(t, s)(s.Add(id, []trust.Role{"ward_managers"}, [32]byte(hash(id)), "o1"))
	}
	s = s.Apply(operator.Added{ID: "o5", Roles: []trust.Role{"x"}, Credential: hash("o5"), Person: key(50)}, trust.Stamp{})
	s = s.Apply(operator.Added{ID: "o6", Roles: []trust.Role{"x"}, Credential: hash("o6"), Person: key(50)}, trust.Stamp{})
	at := func(p trust.ParticipantID, n byte) operator.Identity {
		return operator.Identity{Participant: p, Subject: key(n)}
	}
	for id, who := range map[string]operator.Identity{"o2": at(rje(t), 2), "o3": at(rje(t), 2), "o4": at(rxw, 4), "o5": at(rje(t), 5), "o6": at(rxw, 6)} {
		s = apply(t, s)(s.Link(id, who, "o1"))
	}
	s = apply(t, s)(s.Remove("o6", "o1"))
	for pair, want := range map[[2]string]bool{{"o2", "o3"}: true, {"o2", "o4"}: false, {"o1", "o2"}: false, {"o5", "o6"}: true, {"o4", "o6"}: false} {
		if got := s.SamePerson(pair[0], pair[1]); got != want || s.SamePerson(pair[1], pair[0]) != want {
			t.Errorf("%v are one person: %t", pair, got)
		}
	}
	for id, want := range map[string][3]bool{ // is subject 6, is local, is local whoever the other side is
		"o1": {}, "o2": {false, true, true}, "o3": {false, true, true}, "o4": {}, "o5": {true, false, true}, "o6": {true, false, true},
	} {
		if got := [3]bool{s.IsSubject(id, key(6)), s.IsLocal(id, rje(t), rxw), s.IsLocal(id, rje(t), org(t, "r0a"))}; got != want {
			t.Errorf("%s: subject, local, local apart from r0a: %v, want %v", id, got, want)
		}
	}
	events, err := s.Link("o2", at(rje(t), 2), "o1")
	wants(t, "said again", trust.Conflict, events, err)
	events, err = s.Link("o2", at(rje(t), 0), "o1")
	wants(t, "nobody", trust.Invalid, events, err)
	events, err = s.Link("o2", at(trust.ParticipantID{}, 3), "o1")
	wants(t, "of nobody", trust.Invalid, events, err)
	events, err = s.Link("o6", at(rje(t), 7), "o1")
	wants(t, "who has left", trust.NotFound, events, err)
	events, err = s.Link("o9", at(rje(t), 7), "o1")
	wants(t, "who never was", trust.NotFound, events, err)
	events, err = s.Link("o2", at(rje(t), 7), "o2")
	wants(t, "by who is no admin", trust.Denied, events, err)
}
