package exception_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/exception"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write the golden files")

// One of each kind of event, and the state they fold to, are pinned: what was
// written once is read for ever.
func TestGolden(t *testing.T) {
	var s exception.State
	seen := map[trust.Kind]bool{}
	for i, e := range []trust.Event{
		exception.Granted{
			Name: "lab-feed-2026", Waives: exception.SharedSecret, Secret: exception.APIKey, Participant: rxw, Issuer: idp,
			Account: "lab-feed", Service: "ward-records", Owner: "op-1", Expires: 1_780_086_400, Hash: hash[:], By: "op-1",
		},
		exception.Granted{
			Name: "letters-2026", Waives: exception.SharedSecret, Secret: exception.Basic, Participant: rxw, Issuer: idp,
			Account: "letters", Service: "letters", Owner: "op-1", Expires: 1_780_086_400, Hash: []byte("0123456789abcdef"), By: "op-2",
		},
		exception.Ended{Name: "letters-2026", By: "op-1"},
	} {
		back := reflect.New(reflect.TypeOf(e))
		golden(t, fmt.Sprintf("%d-%s", i+1, e.EventKind().Name), e, back.Interface())
		if !reflect.DeepEqual(back.Elem().Interface(), e) {
			t.Errorf("%s reads back as %+v", e.EventKind(), back.Elem())
		}
		seen[e.EventKind()] = true
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: 7}, At: 1_780_000_000})
	}
	for _, e := range exception.Events() {
		if !seen[e.EventKind()] {
			t.Errorf("%s has no golden file", e.EventKind())
		}
	}
	var read exception.State
	golden(t, "state", s, &read)
	golden(t, "state", read, new(exception.State))
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
