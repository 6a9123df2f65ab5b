package approval_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/entente-id/entente/approval"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write the golden files")

// One of each kind of event, and the state they fold to, are pinned: what was
// written once is read for ever.
func TestGolden(t *testing.T) {
	var s approval.State
	seen := map[trust.Kind]bool{}
	other := need()
	other.Resource, other.Once = trust.SubjectKey{8}, true
	third := need()
	third.Resource = trust.SubjectKey{7}
	for i, e := range []trust.Event{
		approval.Asked{Need: need(), ID: one, Until: now + approval.AskedFor},
		approval.Asked{Need: other, ID: "approval-2", Until: now + approval.AskedFor},
		approval.Asked{Need: third, ID: "approval-3", Until: now + approval.AskedFor},
		approval.Said{ID: one, By: "a1"},
		approval.Refused{ID: one, By: "a2", Rule: approval.RulePerson},
		approval.Granted{ID: one, By: "b1", Ends: now + 900},
		approval.Granted{ID: "approval-2", By: "b1", Ends: now + 900},
		approval.Spent{ID: "approval-2"},
		approval.Withdrawn{ID: one, By: "a1"},
		approval.Declination{ID: "approval-3", By: "a1"},
	} {
		back := reflect.New(reflect.TypeOf(e))
		golden(t, fmt.Sprintf("%02d-%s", i+1, e.EventKind().Name), e, back.Interface())
		if !reflect.DeepEqual(back.Elem().Interface(), e) {
			t.Errorf("%s reads back as %+v", e.EventKind(), back.Elem())
		}
		seen[e.EventKind()] = true
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: 7}, At: now})
	}
	for _, e := range approval.Events() {
		if !seen[e.EventKind()] {
			t.Errorf("%s has no golden file", e.EventKind())
		}
	}
	var read approval.State
	golden(t, "state", s, &read)
	golden(t, "state", read, new(approval.State))
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
