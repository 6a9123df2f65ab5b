package operator_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write the golden files")

// One of each kind of event, and the state they fold to, are pinned: what was
// written once is read for ever.
func TestGolden(t *testing.T) {
	var s operator.State
	seen := map[trust.Kind]bool{}
	for i, e := range []trust.Event{
		operator.Added{ID: "o1", Roles: []trust.Role{operator.Admin}, Credential: hash("o1")},
		operator.Added{ID: "o2", Roles: []trust.Role{operator.Auditor, "ward_managers"}, Credential: hash("o2"), By: "o1"},
		operator.Removed{ID: "o2", By: "o1"},
		operator.Refused{ID: "o2"},
		operator.Linked{ID: "o1", Identity: operator.Identity{Participant: rje(t), Subject: trust.SubjectKey{7}}, By: "o1"},
		operator.Trespassed{Count: 3},
	} {
		back := reflect.New(reflect.TypeOf(e))
		golden(t, fmt.Sprintf("%d-%s", i+1, e.EventKind().Name), e, back.Interface())
		if !reflect.DeepEqual(back.Elem().Interface(), e) {
			t.Errorf("%s reads back as %+v", e.EventKind(), back.Elem())
		}
		seen[e.EventKind()] = true
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: 7}, At: 1_780_000_000})
	}
	for _, e := range operator.Events() {
		if !seen[e.EventKind()] {
			t.Errorf("%s has no golden file", e.EventKind())
		}
	}
	var read operator.State
	golden(t, "state", s, &read)
	golden(t, "state", read, new(operator.State))
}

// golden compares the canonical form of v with testdata, and reads it into back.
func golden(t *testing.T, name string, v, back any) {
	t.Helper()
	got, err := canonical.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(got) != string(want) {
		t.Errorf("%s is %s, %v; pinned is %s", name, got, err, want)
	}
	if err := canonical.Decode(want, back); err != nil {
		t.Errorf("%s does not read back: %v", name, err)
	}
}
