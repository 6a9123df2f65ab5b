package erasure_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/erasure"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write the golden files")

// One of each kind of event, and the state they fold to, are pinned: what was
// written once is read for ever.
func TestGolden(t *testing.T) {
	var s erasure.State
	seen := map[trust.Kind]bool{}
	for i, e := range []trust.Event{
		erasure.HoldPlaced{N: 1, Participant: rxw, Subject: nurse, By: "op-1"},
		erasure.HoldPlaced{N: 2, Participant: rxw, Subject: nurse, Until: now + 60, By: "op-1"},
		erasure.Refused{Subject: nurse, Rule: erasure.RuleHold, By: "op-2"},
		erasure.HoldEnded{N: 1, By: "op-2"},
		erasure.Asked{Participant: rxw, Subject: clerk, By: "op-1", Until: now + 86400},
		erasure.Asked{Participant: rxw, Subject: nurse, By: "op-1", Until: now + 86400},
		erasure.ListKept{List: list, Key: trust.SubjectKey{8}},
		erasure.Erased{Participant: rxw, Subject: nurse, Also: []trust.SubjectKey{alias}, Lists: []trust.SubjectKey{list}, Asked: "op-1", By: "op-2"},
		erasure.Found{Keys: []erasure.Count{{Key: trust.SubjectKey{9}, Times: 2}}},
	} {
		back := reflect.New(reflect.TypeOf(e))
		golden(t, fmt.Sprintf("%d-%s", i+1, e.EventKind().Name), e, back.Interface())
		if !reflect.DeepEqual(back.Elem().Interface(), e) {
			t.Errorf("%s reads back as %+v", e.EventKind(), back.Elem())
		}
		seen[e.EventKind()] = true
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: uint64(i)}, At: now})
	}
	for _, e := range erasure.Events() {
		if !seen[e.EventKind()] {
			t.Errorf("%s has no golden file", e.EventKind())
		}
	}
	s = s.Apply(revocation.EngagementOpened{Participant: rxw, Subject: trust.SubjectKey{7}, Alias: alias, Engagement: 2}, trust.Stamp{})
	var read erasure.State
	golden(t, "state", s, &read)
	golden(t, "state", read, new(erasure.State))
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
