package framework_test

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write the golden files")

// One of each kind of event, and the state they fold to, are pinned: what was
// written once is read for ever.
func TestGolden(t *testing.T) {
	signed := sign(t, document(t), "rxw", "rje", "r0a")
	hash := framework.Hash(signed.Bytes)
	second := sign(t, next(adopted(t, framework.State{}, document(t), "rxw", "rje", "r0a"), nil), "rxw", "rje")
	var s framework.State
	seen := map[trust.Kind]bool{}
	for _, e := range []trust.Event{
		framework.Refused{Hash: hash, Version: 1, Rule: string(framework.Threshold), From: participant(t, "rje")},
		framework.Adopted{Signed: signed, Hash: hash, Version: 1, By: by},
		framework.Received{Signed: second, Hash: framework.Hash(second.Bytes), Version: 2, From: participant(t, "rje")},
	} {
		back := reflect.New(reflect.TypeOf(e))
		golden(t, e.EventKind().Name, e, back.Interface())
		if !reflect.DeepEqual(back.Elem().Interface(), e) {
			t.Errorf("%s reads back as %+v", e.EventKind(), back.Elem())
		}
		seen[e.EventKind()] = true
		s = s.Apply(e, trust.Stamp{At: now})
	}
	for _, e := range framework.Events() {
		if !seen[e.EventKind()] {
			t.Errorf("%s has no golden file", e.EventKind())
		}
	}
	var read framework.State
	golden(t, "state", s, &read)
	golden(t, "state", read, new(framework.State))
	if got := read.Current.Assess(map[string]any{"aal": "3"}); got != (framework.Vector{0, 3}) {
		t.Errorf("the state that was read assesses %v", got)
	}
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
