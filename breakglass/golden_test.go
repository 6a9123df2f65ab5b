package breakglass_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/entente-id/entente/breakglass"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write the golden files")

// One of each kind of event, and the state they fold to, are pinned: what was
// written once is read for ever.
func TestGolden(t *testing.T) {
	var s breakglass.State
	seen := map[trust.Kind]bool{}
	other := need()
	other.Resource, other.Uses = trust.SubjectKey{8}, 2
	told := breakglass.Told{
		From: id("rje"), Agreement: "a", Subject: trust.SubjectKey{1}, ID: one, N: 1, Stage: breakglass.Open, Ends: now + 1800, Due: now + 3*86400,
	}
	for i, e := range []trust.Event{
		breakglass.Opened{Need: need(), ID: one, N: 1, Ends: now + 1800, Due: now + 3*86400},
		breakglass.Opened{Need: other, ID: "breakglass-2", N: 2, Ends: now + 1800, Due: now + 3*86400},
		breakglass.Used{ID: "breakglass-2"},
		breakglass.Closed{ID: one, By: "a"},
		breakglass.Refused{ID: one, By: "c", Rule: breakglass.RuleCaller},
		breakglass.Reviewed{ID: one, By: "a", Came: breakglass.Unjustified},
		breakglass.Lapsed{ID: "breakglass-2"},
		told,
	} {
		back := reflect.New(reflect.TypeOf(e))
		golden(t, fmt.Sprintf("%02d-%s", i+1, e.EventKind().Name), e, back.Interface())
		if !reflect.DeepEqual(back.Elem().Interface(), e) {
			t.Errorf("%s reads back as %+v", e.EventKind(), back.Elem())
		}
		seen[e.EventKind()] = true
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: 7}, At: now})
	}
	for _, e := range breakglass.Events() {
		if !seen[e.EventKind()] {
			t.Errorf("%s has no golden file", e.EventKind())
		}
	}
	var read breakglass.State
	golden(t, "state", s, &read)
	golden(t, "state", read, new(breakglass.State))
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
