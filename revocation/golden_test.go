package revocation_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write the golden files")

// One of each kind of event, and the state they fold to, are pinned: what was
// written once is read for ever.
func TestGolden(t *testing.T) {
	var s revocation.State
	seen := map[trust.Kind]bool{}
	for i, e := range []trust.Event{
		revocation.Revoked{Target: key(t, "https://rxw.example"), From: rxw(t)},
		revocation.Revoked{Target: issuer(t), By: "o1"},
		revocation.Revoked{Target: subject(t, 1, 3), From: rxw(t)},
		revocation.EngagementOpened{Participant: rxw(t), Subject: trust.SubjectKey{1}, Engagement: 4, Since: 1_780_000_000, From: rxw(t)},
		revocation.EngagementApproved{Subject: trust.SubjectKey{1}, Engagement: 4, By: "o1"},
		revocation.EngagementOpened{Participant: rxw(t), Subject: trust.SubjectKey{2}, Engagement: 2, Since: 1_780_000_000, By: "o1"},
		revocation.CredentialRevoked{Credential: "Zm9vYmFy", By: "app"},
		revocation.CredentialRevoked{Credential: "YmFyZm9v", By: "app", Expires: 1_780_000_900},
		revocation.Bulk{
			Participant: rje(t), Subjects: 2, Marks: revocation.Pack([]revocation.Mark{{trust.SubjectKey{8}, 1}, {trust.SubjectKey{9}, 2}}),
			List: trust.SubjectKey{7}, By: "o1",
		},
		unwound(t),
		revocation.SessionStopped{Permit: trust.Position{Epoch: 1, N: 7}, By: "o1"},
		revocation.LeakReported{Credential: "Zm9vYmFy", Home: rxw(t), Subject: trust.SubjectKey{1}, Agreements: []string{"a1"}, Hosts: []trust.ParticipantID{rje(t)}, Permits: 2, Partial: true, By: "o1"},
	} {
		back := reflect.New(reflect.TypeOf(e))
		golden(t, fmt.Sprintf("%d-%s", i+1, e.EventKind().Name), e, back.Interface())
		if !reflect.DeepEqual(back.Elem().Interface(), e) {
			t.Errorf("%s reads back as %+v", e.EventKind(), back.Elem())
		}
		seen[e.EventKind()] = true
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: 7}, At: 1_780_000_000})
	}
	for _, e := range revocation.Events() {
		if !seen[e.EventKind()] {
			t.Errorf("%s has no golden file", e.EventKind())
		}
	}
	var read revocation.State
	golden(t, "state", s, &read)
	golden(t, "state", read, new(revocation.State))
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
