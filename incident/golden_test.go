package incident_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write the golden files")

// One of each kind of event, and the state they fold to, are pinned: what was
// written once is read for ever.
func TestGolden(t *testing.T) {
	var s incident.State
	seen := map[trust.Kind]bool{}
	for i, e := range []trust.Event{
		incident.RuleSet{Rule: odd(), By: "op-1"},
		incident.RuleSet{Rule: incident.Rule{
			Name: "too-slow", When: incident.Breach, Count: 2, Within: 3600, Do: incident.Reduce, What: incident.Class, Participant: rxw, TLP: suspension.Amber,
		}, By: "op-1"},
		incident.RuleRemoved{Name: "busy-person", By: "op-1"},
		incident.Raised{N: 1, Figure: figure(40), Rule: odd(), Target: suspension.Target{Kind: suspension.Subject, Participant: rxw, Subject: trust.SubjectKey{7}}},
		incident.Raised{N: 2, Figure: incident.Figure{Participant: rxw, Agreement: "a1", Class: trust.Human, Count: 1}, Rule: incident.Standing()[0]},
		incident.Lapsed{Of: incident.Review, Participant: rxw, Agreement: "a1", Ended: now},
	} {
		back := reflect.New(reflect.TypeOf(e))
		golden(t, fmt.Sprintf("%d-%s", i+1, e.EventKind().Name), e, back.Interface())
		if !reflect.DeepEqual(back.Elem().Interface(), e) {
			t.Errorf("%s reads back as %+v", e.EventKind(), back.Elem())
		}
		seen[e.EventKind()] = true
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: 7}, At: now})
	}
	for _, e := range incident.Events() {
		if !seen[e.EventKind()] {
			t.Errorf("%s has no golden file", e.EventKind())
		}
	}
	var read incident.State
	golden(t, "state", s, &read)
	golden(t, "state", read, new(incident.State))
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
