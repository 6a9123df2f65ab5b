package stream_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write the golden files")

// One of each kind of event, and the state they fold to, are pinned: what was
// written once is read for ever.
func TestGolden(t *testing.T) {
	var s stream.State
	seen := map[trust.Kind]bool{}
	for i, e := range []trust.Event{
		stream.Created{ID: "s1", Client: "gateway", Delivery: stream.Delivery{Method: stream.Poll}, Events: []signal.Type{signal.SessionRevoked}},
		stream.Created{ID: "s2", Client: "gateway", Delivery: stream.Delivery{Method: stream.Push, Endpoint: push}, Events: []signal.Type{}},
		stream.Updated{ID: "s1", Delivery: stream.Delivery{Method: stream.Push, Endpoint: push}, Events: []signal.Type{signal.AccountDisabled}},
		stream.SubjectAdded{ID: "s1", Subject: trust.SubjectKey{1}},
		stream.SubjectAdded{ID: "s1", Subject: trust.SubjectKey{2}},
		stream.SubjectRemoved{ID: "s1", Subject: trust.SubjectKey{1}},
		stream.Rejected{ID: "s1", JTI: "j1", Code: "invalid_key"},
		stream.Moved{ID: "s1", To: stream.Paused, Party: stream.Transmitter, Rule: stream.Refused},
		stream.Moved{ID: "s1", To: stream.Disabled, Party: stream.Operator, By: "o1"},
		stream.Deleted{ID: "s2", By: "o1"},
	} {
		back := reflect.New(reflect.TypeOf(e))
		golden(t, fmt.Sprintf("%d-%s", i+1, e.EventKind().Name), e, back.Interface())
		if !reflect.DeepEqual(back.Elem().Interface(), e) {
			t.Errorf("%s reads back as %+v", e.EventKind(), back.Elem())
		}
		seen[e.EventKind()] = true
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: 7}, At: 1_780_000_000})
	}
	for _, e := range stream.Events() {
		if !seen[e.EventKind()] {
			t.Errorf("%s has no golden file", e.EventKind())
		}
	}
	var read stream.State
	golden(t, "state", s, &read)
	golden(t, "state", read, new(stream.State))
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
