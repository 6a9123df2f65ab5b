package state_test

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write an entry of each kind that has none yet, and the hash")

const (
	kinds   = "testdata/kinds"
	hashOf  = "testdata/state.sha256"
	version = ".v"
)

// entry is an entry of a trust log, as a file keeps it.
type entry struct {
	At      int64          `json:"at"`
	Epoch   uint32         `json:"epoch"`
	N       uint64         `json:"n"`
	Kind    string         `json:"kind"`
	Version int            `json:"version"`
	Body    jsontext.Value `json:"body"`
}

func (e entry) name() string { return fmt.Sprintf("%s%s%d.json", e.Kind, version, e.Version) }

// pinned gives the entries there are, in the order of their numbers.
func pinned(t *testing.T) (all []entry) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(kinds, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var e entry
		if err := canonical.Decode(text, &e); err != nil || e.name() != filepath.Base(name) {
			t.Fatalf("%s holds %s: %v", name, e.name(), err)
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.N, b.N) })
	return all
}

// add writes an entry of each kind that has none. What was pinned once is never
// written again.
func add(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(kinds, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, e := range lived(t) {
		path := filepath.Join(kinds, e.name())
		if _, err := os.Stat(path); err == nil {
			continue
		}
		text, err := canonical.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// One entry of each kind that was ever written, and the state they fold to, are
// pinned: a binary that folds them otherwise, or cannot read one, has forgotten
// how to read its own past.
func TestOneEntryOfEachKindFoldsAsItAlwaysDid(t *testing.T) {
	if *update {
		add(t)
	}
	codec, s := state.NewCodec(), &state.Snapshot{}
	missing := map[trust.Kind]bool{}
	for _, k := range codec.Kinds() {
		missing[k] = true
	}
	for _, e := range pinned(t) {
		k := trust.Kind{Name: e.Kind, Version: e.Version}
		delete(missing, k)
		event, err := codec.Decode(k, e.Body)
		if err != nil {
			t.Fatalf("entry %d: %v", e.N, err)
		}
		if _, again, err := codec.Encode(event); err != nil || !bytes.Equal(again, e.Body) {
			t.Errorf("%s is written as %s, %v; pinned is %s", k, again, err, e.Body)
		}
		s, err = state.Fold(codec, s, e.Kind, e.Version, e.Body, trust.Stamp{Position: trust.Position{Epoch: e.Epoch, N: e.N}, At: e.At})
		if err != nil {
			t.Fatal(err)
		}
	}
	for k := range missing {
		t.Errorf("%s has no entry in %s; run this test with -update", k, kinds)
	}
	hash := hashText(t, s)
	if *update {
		if err := os.WriteFile(hashOf, []byte(hash+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(hashOf)
	if err != nil || strings.TrimSpace(string(want)) != hash {
		t.Errorf("the pinned entries fold to %s, %v; pinned is %s", hash, err, want)
	}
	saved, err := state.Save(s, []byte("checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	back, checkpoint, err := state.Load(saved)
	if err != nil || string(checkpoint) != "checkpoint" || hashText(t, back) != hash {
		t.Errorf("saved and loaded it is another state: %v", err)
	}
}

func hashText(t *testing.T, s *state.Snapshot) string {
	t.Helper()
	h, err := s.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h)
}

// What a binary does not know stops it, and it says what; what it knows but
// cannot read is its own fault.
func TestUnknownKinds(t *testing.T) {
	codec := state.NewCodec()
	for _, c := range []struct {
		kind trust.Kind
		body string
		err  trust.ErrorKind
		text string
	}{
		{trust.Kind{Name: "mapping.offered", Version: 3}, `{}`, trust.Conflict, "entry is mapping.offered/v3; this binary knows mapping.offered/v1"},
		{trust.Kind{Name: "drill.held", Version: 1}, `{}`, trust.Conflict, "entry is drill.held/v1; this binary does not know that kind"},
		{trust.Kind{Name: "edge.broken", Version: 1}, `{"from":7}`, trust.Internal, "reading edge.broken/v1: "},
		{trust.Kind{Name: "edge.broken", Version: 1}, `{"unheard":true}`, trust.Internal, "reading edge.broken/v1: "},
	} {
		s := &state.Snapshot{Rules: 7}
		after, err := state.Fold(codec, s, c.kind.Name, c.kind.Version, []byte(c.body), trust.Stamp{})
		if trust.KindOf(err) != c.err || !strings.HasPrefix(err.Error(), c.text) || after != s {
			t.Errorf("%s: %v", c.kind, err)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	saved, err := state.Save(&state.Snapshot{Rules: 7}, []byte("checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, old, with string
		err             trust.ErrorKind
	}{
		{"another fold", fmt.Sprintf(`"fold":%d`, state.FoldVersion), `"fold":1`, trust.Conflict},
		{"another state", `"rules":7`, `"rules":8`, trust.Invalid},
		{"a member more", `{"checkpoint"`, `{"a":1,"checkpoint"`, trust.Invalid},
		{"no state", string(saved[bytes.Index(saved, []byte(`"state"`)):]), `"state":null}`, trust.Invalid},
	} {
		changed := bytes.Replace(saved, []byte(c.old), []byte(c.with), 1)
		if bytes.Equal(changed, saved) {
			t.Fatalf("%s: %s has no %s", c.name, saved, c.old)
		}
		if _, _, err := state.Load(changed); trust.KindOf(err) != c.err {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
