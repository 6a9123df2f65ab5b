package decision_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

var commit = decision.Commit{Resource: [16]byte{1, 2, 3}, Token: [16]byte{4, 5, 6}}

// checkRecorded: the leaf is canonical, reads back, and holds nothing of the
// person; with the sealed part the same decision is made again.
func checkRecorded(t *testing.T, sc *scene, s *state.Snapshot, ev decision.Evidence, d decision.Decision) {
	t.Helper()
	body := decision.AppendLeaf(nil, &d, &sc.observed, &ev, &sc.request, commit)
	leaf, err := decision.ParseLeaf(body)
	if err != nil {
		t.Fatalf("leaf %s: %v", body, err)
	}
	object := must(canonical.ParseObject(body))
	for _, again := range []any{leaf, object} {
		if data := must(canonical.Marshal(again)); !bytes.Equal(data, body) {
			t.Errorf("leaf is not canonical:\n%s\n%s", body, data)
		}
	}
	for _, secret := range []string{"910000000001", "Amara", "\"w7\"", "\"42\"", "\"555\"", "\"9f2c\"", nurse} { // R33
		if strings.Contains(string(body), secret) {
			t.Errorf("leaf holds %s: %s", secret, body)
		}
	}
	results := leaf.Results()
	for i, c := range d.Checks {
		if results[i] != c {
			t.Errorf("leaf says %+v, decided was %+v", results[i], c)
		}
	}
	if leaf.Permit() != d.Permit || leaf.Reason != d.Reason || leaf.Trust != d.Trust || leaf.TTL != d.TTL || leaf.Agreement != d.Agreement {
		t.Errorf("leaf is %+v of %+v", leaf, d)
	}
	sealed, err := decision.ParseSealed(decision.AppendSealed(nil, s, &ev, &sc.request, "req-1"))
	if err != nil || sealed.RequestID != "req-1" {
		t.Fatal(sealed, err)
	}
	if _, kept := sealed.Claims["name"]; kept {
		t.Error("the sealed part keeps a claim that nobody reads")
	}
	o, replayed, r := decision.Replay(leaf, sealed)
	again := decision.Decide(s, o, replayed, r)
	if len(again.Burn) == len(d.Burn) { // keys are not kept
		again.Burn = d.Burn
	}
	if !reflect.DeepEqual(again, d) {
		t.Errorf("made again it is\n%+v, was\n%+v", again, d)
	}
}

func TestLeafLeavesOutWhatIsNoWord(t *testing.T) {
	sc := newScene()
	sc.request.Action, sc.request.Purpose, sc.request.ResourceType = "read Amara's record", "for amara@rxw.example", trust.ResourceType(strings.Repeat("x", 200))
	s := sc.snapshot()
	ev := sc.verify(s)
	d := decision.Decide(s, sc.observed, ev, sc.request)
	body := decision.AppendLeaf(nil, &d, &sc.observed, &ev, &sc.request, commit)
	leaf := must(decision.ParseLeaf(body))
	if leaf.Action != "" || leaf.Purpose != "" || leaf.ResourceType != "" {
		t.Errorf("leaf is %s", body)
	}
	sealed := must(decision.ParseSealed(decision.AppendSealed(nil, s, &ev, &sc.request, "")))
	if sealed.Action != sc.request.Action || sealed.Purpose != sc.request.Purpose || sealed.ResourceType != sc.request.ResourceType {
		t.Errorf("sealed part is %+v", sealed)
	}
}

func TestSealedKeepsValues(t *testing.T) {
	sc := newScene()
	sc.request.Properties = object{"ward": "w\u2028\"7", "n": int64(-7), "f": 2.5, "g": 1e21, "whole": 3.0, "t": true, "z": nil, "l": []any{"a", canonical.Object{"b": "c"}}, "e": []any{}, "o": canonical.Object{}}
	s := sc.snapshot()
	ev := sc.verify(s)
	sealed := must(decision.ParseSealed(decision.AppendSealed(nil, s, &ev, &sc.request, "")))
	if !reflect.DeepEqual(map[string]any(sealed.Properties), sc.request.Properties) {
		t.Errorf("properties are %v", sealed.Properties)
	}
}

func TestParseLeafRefuses(t *testing.T) {
	for _, body := range []string{
		``, `{}`, `[]`, `{"checks":"px"}`, `{"checks":"ppppppppppp"}`, `{"checks":"p","checks":"p"}`, `{"checks":"p","name":"x"}`, `{"checks":7}`,
	} {
		if l, err := decision.ParseLeaf([]byte(body)); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s is read as %+v (%v)", body, l, err)
		}
	}
}

func FuzzParseLeaf(f *testing.F) {
	sc := newScene()
	s := sc.snapshot()
	ev := sc.verify(s)
	d := decision.Decide(s, sc.observed, ev, sc.request)
	f.Add(decision.AppendLeaf(nil, &d, &sc.observed, &ev, &sc.request, commit), decision.AppendSealed(nil, s, &ev, &sc.request, "req-1"))
	f.Fuzz(func(t *testing.T, body, plaintext []byte) {
		l, err := decision.ParseLeaf(body)
		sealed, bad := decision.ParseSealed(plaintext)
		if err != nil || bad != nil {
			return
		}
		l.Results()
		o, ev, r := decision.Replay(l, sealed)
		if again := decision.Decide(s, o, ev, r); again.Permit && again.Reason != trust.Permit {
			t.Errorf("a permit for %s", again.Reason)
		}
	})
}
