package identity_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/identity"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write the golden files")

// One of each kind of event, and the state they fold to, are pinned: what was
// written once is read for ever.
func TestGolden(t *testing.T) {
	var s identity.State
	seen := map[trust.Kind]bool{}
	for i, e := range []trust.Event{
		identity.Registered{N: 1, Class: trust.Workload, Account: feed, Owner: ward, Purpose: true, Until: now + 86400, By: "op-1"},
		identity.Registered{N: 2, Class: trust.Human, Account: nurse, By: "op-1"},
		identity.Refused{N: 2, Verb: "return", Rule: identity.RuleStage, By: "op-1"},
		identity.Activated{N: 1, By: "op-1"},
		identity.AccountLinked{N: 1, Account: other, By: "op-1"},
		identity.KeyLinked{N: 1, Key: old, By: "op-1"},
		identity.KeyLinked{N: 1, Key: fresh, Replaces: old, By: "op-1"},
		identity.Flagged{N: 1, Due: now + 3600},
		identity.Stopped{N: 1, Rule: identity.RuleOwner},
		identity.Owned{N: 1},
		identity.HandedOver{N: 1, Owner: osei, By: "op-2"},
		identity.Moved{N: 1, Purpose: true, By: "op-2"},
		identity.Offboarded{N: 2, By: "op-2"},
		identity.ReturnAsked{N: 2, By: "op-1", Until: now + 86400},
		identity.Offboarded{N: 1, By: "op-2"},
		identity.ReturnAsked{N: 1, By: "op-1", Until: now + 86400},
		identity.Returned{N: 1, Engagement: 2, Asked: "op-1", By: "op-2"},
	} {
		back := reflect.New(reflect.TypeOf(e))
		golden(t, fmt.Sprintf("%d-%s", i+1, e.EventKind().Name), e, back.Interface())
		if !reflect.DeepEqual(back.Elem().Interface(), e) {
			t.Errorf("%s reads back as %+v", e.EventKind(), back.Elem())
		}
		seen[e.EventKind()] = true
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: uint64(i)}, At: now})
	}
	for _, e := range identity.Events() {
		if !seen[e.EventKind()] {
			t.Errorf("%s has no golden file", e.EventKind())
		}
	}
	var read identity.State
	golden(t, "state", s, &read)
	golden(t, "state", read, new(identity.State))
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
