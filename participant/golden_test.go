package participant_test

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write the golden files")

// One of each kind of event, and the state they fold to, are pinned: what was
// written once is read for ever.
func TestGolden(t *testing.T) {
	inv := invitation(t, "rje")
	print, err := participant.Fingerprint(inv)
	if err != nil {
		t.Fatal(err)
	}
	renewed := card(t, "rxw")
	renewed.Issued = now
	var s participant.State
	seen := map[trust.Kind]bool{}
	for _, e := range []trust.Event{
		participant.Born{Card: signedCard(t, "rxw")},
		participant.Renewed{Card: signed(t, renewed, governance(t, "rxw"))},
		participant.Confirmed{Card: inv.Card, Framework: inv.Framework, Fingerprint: print, By: by},
		participant.Declared{Issuers: []participant.Issuer{own(t, "rxw")}, By: by},
		participant.Stated{Participant: id(t, "rje"), Issuers: []participant.Issuer{national(t, "RJE"), own(t, "rje")}, Expires: now + 10},
		participant.KeysSeen{Issuer: own(t, "rje").Issuer, Keys: jwks(t, "rje")},
		participant.BundleSeen{Participant: id(t, "rje"), Issuer: domain(t, "rje").Issuer, Bundle: bundleOf(t, 1, "rje")},
		participant.Suspended{Participant: id(t, "rje"), By: by},
		participant.Resumed{Participant: id(t, "nobody"), By: by},
		participant.Adopted{Participant: id(t, "rje"), Framework: inv.Framework, Version: 2},
	} {
		back := reflect.New(reflect.TypeOf(e))
		golden(t, e.EventKind().Name, e, back.Interface())
		if !reflect.DeepEqual(back.Elem().Interface(), e) {
			t.Errorf("%s reads back as %+v", e.EventKind(), back.Elem())
		}
		seen[e.EventKind()] = true
		s = s.Apply(e, trust.Stamp{At: now})
	}
	for _, e := range participant.Events() {
		if !seen[e.EventKind()] {
			t.Errorf("%s has no golden file", e.EventKind())
		}
	}
	var read participant.State
	golden(t, "state", s, &read)
	golden(t, "state", read, new(participant.State))
	if p, ok := read.Partner(id(t, "rje")); !ok || !p.Suspended || p.Card.ID != id(t, "rje") || read.Self().Card.Issued != now {
		t.Errorf("the state that was read is %+v", p)
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
