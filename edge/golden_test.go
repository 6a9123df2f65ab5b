package edge_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write the golden files")

// One of each kind of event, and the state they fold to, are pinned: what was
// written once is read for ever.
func TestGolden(t *testing.T) {
	var s edge.State
	nobody, err := trust.ParseParticipantID("https://nobody.example")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[trust.Kind]bool{}
	for i, e := range []trust.Event{
		edge.Queued{To: rje(t), Lane: edge.Safety, N: 1, Kind: "revocation", Hash: "aa", Owner: trust.SubjectKey{7}},
		edge.Applied{From: rje(t), Epoch: 1, Lane: edge.Governance, N: 1, Kind: "framework", Hash: "bb", Unsupported: true},
		edge.Broken{From: rje(t), Lane: edge.Safety, Rule: "content"},
		edge.ClockAhead{Seconds: 3600},
		edge.ClockAccepted{Time: 1_779_000_000, Seconds: 3600, By: "op-1"},
		edge.ClockAgreed{},
		edge.Resumed{From: nobody, By: "o1"},
		edge.Unsupported{From: rje(t), Lane: edge.Governance, N: 2, Kind: "framework"},
		edge.LossProven{By: rje(t), Lane: edge.Safety, N: 9},
		edge.Reopened{Epoch: 2, Partners: []trust.ParticipantID{rje(t), rxw(t)}},
		edge.Restored{From: rje(t), Common: edge.Numbers{Safety: 1}, Heads: edge.Numbers{Safety: 9, Governance: 4}},
		edge.EpochTaken{From: rje(t), Epoch: 2},
		edge.EpochHeld{From: rxw(t), Epoch: 3},
		edge.EpochAccepted{From: nobody, Epoch: 3, By: "o1"},
		edge.Applied{From: rje(t), Epoch: 1, Lane: edge.Safety, N: 2, Kind: "revocation", Hash: "cc", Owner: trust.SubjectKey{7}},
		edge.Reopened{Epoch: 3, Partners: []trust.ParticipantID{nobody, rxw(t)}},
		edge.WithoutAsked{From: nobody, Epoch: 3, By: "o1", Until: 1_780_086_400},
		edge.WithoutAsked{From: rxw(t), Epoch: 3, By: "o1", Until: 1_780_086_400},
		edge.WentOnWithout{From: rxw(t), Epoch: 3, Asked: "o1", By: "o2"},
		edge.Greeted{From: rje(t), Hello: edge.Hello{Versions: []uint32{1, 2}, Kinds: []string{"revocation:1", "revocation:2"}, Algorithms: []string{"ES256", "EdDSA"}}},
		edge.GreetingRefused{From: rxw(t), Hello: edge.Hello{Versions: []uint32{2}, Kinds: []string{}, Algorithms: []string{}}, Rule: edge.RuleNoVersion},
		edge.Withheld{To: rje(t), Lane: edge.Governance, Kind: "dispute", Owner: trust.SubjectKey{7}},
	} {
		back := reflect.New(reflect.TypeOf(e))
		golden(t, fmt.Sprintf("%d-%s", i+1, e.EventKind().Name), e, back.Interface())
		if !reflect.DeepEqual(back.Elem().Interface(), e) {
			t.Errorf("%s reads back as %+v", e.EventKind(), back.Elem())
		}
		seen[e.EventKind()] = true
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: 7}, At: 1_780_000_000})
	}
	for _, e := range edge.Events() {
		if !seen[e.EventKind()] {
			t.Errorf("%s has no golden file", e.EventKind())
		}
	}
	var read edge.State
	golden(t, "state", s, &read)
	golden(t, "state", read, new(edge.State))
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
