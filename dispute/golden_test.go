package dispute_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write the golden files")

// One of each kind of event, and the state they fold to, are pinned: what was
// written once is read for ever.
func TestGolden(t *testing.T) {
	var s dispute.State
	seen := map[trust.Kind]bool{}
	remedy := dispute.Remedy{Bar: now + 9, Conditions: 2, Monitor: 60, Limit: 5, Claim: "staff_id", Person: person}
	for i, e := range []trust.Event{
		opened(dispute.Rules{Stage: 3600, Mediator: m1, Panel: panel}),
		dispute.Answered{Act: told(rje)},
		dispute.Exhibited{Act: told(rje), Of: rje, Log: "decisions", N: 3, Leaf: "x"},
		dispute.Escalated{Act: told(rje), To: dispute.Mediated, Thirds: []trust.ParticipantID{m1}, Since: now, Due: now + 3600},
		dispute.Proposed{Act: told(m1), Hash: "h", Remedy: remedy},
		dispute.Accepted{Act: told(rje), Hash: "h"},
		dispute.Ruled{Act: told(p1), Hash: "h", Remedy: remedy},
		dispute.Settled{ID: id, In: dispute.Mediated, Hash: "h", Remedy: remedy, Also: trust.SubjectKey{9}},
		dispute.Met{Act: told(rje), Condition: 1},
		dispute.Refused{Act: act(rxw), Verb: dispute.Meet, Rule: dispute.RuleStage},
		dispute.Seated{Opened: dispute.Opened{Act: dispute.Act{ID: "1123456789abcdef0123456789abcdef", From: rxw}, Opener: rxw, Respondent: rje, Target: target, Rules: dispute.Rules{Stage: 60}, Since: now}, Stage: dispute.Panel, Thirds: panel, Due: now},
		dispute.Ended{Act: dispute.Act{ID: "1123456789abcdef0123456789abcdef", From: rxw}},
	} {
		back := reflect.New(reflect.TypeOf(e))
		golden(t, fmt.Sprintf("%d-%s", i+1, e.EventKind().Name), e, back.Interface())
		if !reflect.DeepEqual(back.Elem().Interface(), e) {
			t.Errorf("%s reads back as %+v", e.EventKind(), back.Elem())
		}
		seen[e.EventKind()] = true
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: 7}, At: now})
	}
	for _, e := range dispute.Events() {
		if !seen[e.EventKind()] {
			t.Errorf("%s has no golden file", e.EventKind())
		}
	}
	var read dispute.State
	golden(t, "state", s, &read)
	golden(t, "state", read, new(dispute.State))
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
