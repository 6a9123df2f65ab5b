package review_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/review"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write the golden files")

// One of each kind of event, and the state they fold to, are pinned: what was
// written once is read for ever.
func TestGolden(t *testing.T) {
	var s review.State
	seen := map[trust.Kind]bool{}
	rxw, _ := trust.ParseParticipantID("https://trust.rxw.example")
	for i, e := range []trust.Event{
		review.Opened{ID: one, N: 1, Scope: review.Scope{Kind: review.Mapping, Partner: rxw, Agreement: "a1"}, Due: due, By: "op-1"},
		review.Listed{ID: one, Items: []review.Item{nurse}},
		review.Unanswered{ID: one, Item: nurse},
		review.Closed{ID: one},
		review.Opened{ID: "review-2", N: 2, Due: due, By: "op-1"},
		review.Listed{ID: "review-2", Items: listed},
		review.Answered{ID: "review-2", Item: staff, Said: review.Keep, By: "op-2"},
		review.Refused{ID: "review-2", Item: nurse, By: "op-1", Rule: review.RuleSought},
	} {
		back := reflect.New(reflect.TypeOf(e))
		golden(t, fmt.Sprintf("%d-%s", i+1, e.EventKind().Name), e, back.Interface())
		if !reflect.DeepEqual(back.Elem().Interface(), e) {
			t.Errorf("%s reads back as %+v", e.EventKind(), back.Elem())
		}
		seen[e.EventKind()] = true
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: 7}, At: now})
	}
	for _, e := range review.Events() {
		if !seen[e.EventKind()] {
			t.Errorf("%s has no golden file", e.EventKind())
		}
	}
	var read review.State
	golden(t, "state", s, &read)
	golden(t, "state", read, new(review.State))
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
