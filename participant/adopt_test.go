package participant_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

func TestAdopt(t *testing.T) {
	inv := invitation(t, "rje")
	s := participant.State{}.Apply(participant.Born{Card: signedCard(t, "rxw")}, trust.Stamp{At: now})
	s = s.Apply(participant.Confirmed{Card: inv.Card, By: by}, trust.Stamp{At: now})
	hash := strings.Repeat("0a", 32)
	s = s.Apply(participant.Adopted{Participant: id(t, "nobody"), Framework: hash, Version: 9}, trust.Stamp{At: now})
	for _, step := range []struct {
		what    string
		who     string
		hash    string
		version int
		kind    trust.ErrorKind
		news    bool
	}{
		{"a stranger's word", "r0a", hash, 1, trust.NotFound, false},
		{"our own", "rxw", hash, 1, trust.NotFound, false},
		{"no version", "rje", hash, 0, trust.Invalid, false},
		{"no hash", "rje", "0a", 1, trust.Invalid, false},
		{"the second", "rje", hash, 2, "", true},
		{"the second again", "rje", hash, 2, "", false},
		{"back to the first", "rje", hash, 1, "", false},
		{"the third", "rje", hash, 3, "", true},
	} {
		events, err := s.Adopt(id(t, step.who), step.hash, step.version)
		want := []trust.Event{participant.Adopted{Participant: id(t, step.who), Framework: step.hash, Version: step.version}}
		if !step.news {
			want = nil
		}
		if trust.KindOf(err) != step.kind || !slices.Equal(events, want) {
			t.Errorf("%s: got %v, %v", step.what, events, err)
		}
		for _, e := range events {
			s = s.Apply(e, trust.Stamp{At: now})
		}
	}
	if p, _ := s.Partner(id(t, "rje")); p.Adopted != 3 || p.AdoptedHash != hash {
		t.Errorf("it has adopted version %d, %s", p.Adopted, p.AdoptedHash)
	}
}
