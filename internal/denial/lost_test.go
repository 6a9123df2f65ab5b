package denial_test

import (
	"testing"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// A credential that was issued before the ledger was recovered has ended with it.
func TestCredentialsOfALostLedger(t *testing.T) {
	s := &state.Snapshot{}
	for _, recovered := range []uint32{0, 2, 3} {
		s.Edge.Recovery.Epoch = recovered
		for _, issued := range []uint32{0, 2, 3} {
			g := decision.Ground{Credential: "c", Own: true, Epoch: issued}
			if reason, ended := g.Ended(s, &decision.Observed{}); ended != (issued != recovered) || ended && reason != trust.CredentialEnded {
				t.Errorf("issued in epoch %d, and the ledger recovered into %d: ended %t (%s)", issued, recovered, ended, reason)
			}
		}
		g := decision.Ground{Credential: "c"}
		if reason, ended := g.Ended(s, &decision.Observed{}); ended {
			t.Errorf("a partner's grant has ended by a recovery here: %s", reason)
		}
	}
}

// Two people go on without a partner that is waited for, and no one alone.
func TestGoingOnWithoutAPartner(t *testing.T) {
	rje := must(trust.ParseParticipantID("https://trust.rje.example"))
	var sent edge.State
	opened := sent.Apply(edge.Reopened{Epoch: 2, Partners: []trust.ParticipantID{rje}}, trust.Stamp{})
	fetched := opened.Apply(edge.Restored{From: rje}, trust.Stamp{})
	people := edge.People{Same: func(a, b string) bool { return a == b }, Serves: func(id string) bool { return id != "gone" }}
	without := func(s edge.State, by string, at int64) string {
		events, err := s.GoOnWithout(people, rje, by, at)
		if err != nil {
			return string(trust.KindOf(err))
		}
		return events[0].EventKind().Name
	}
	asked := opened.Apply(edge.WithoutAsked{From: rje, Epoch: 2, By: "a", Until: 100}, trust.Stamp{})
	left := opened.Apply(edge.WithoutAsked{From: rje, Epoch: 2, By: "gone", Until: 100}, trust.Stamp{})
	for what, c := range map[string]struct{ got, want string }{
		"one person":                 {without(opened, "a", 50), "edge.without_asked"},
		"one person twice":           {without(asked, "a", 50), string(trust.Denied)},
		"two people":                 {without(asked, "b", 50), "edge.went_on_without"},
		"two people, a day apart":    {without(asked, "b", 100), "edge.without_asked"},
		"one of them is no operator": {without(left, "b", 50), "edge.without_asked"},
		"of a partner that has said": {without(fetched, "b", 50), string(trust.Conflict)},
		"of one that need not":       {without(sent, "b", 50), string(trust.Conflict)},
	} {
		if c.got != c.want {
			t.Errorf("going on without a partner, %s: %s", what, c.got)
		}
	}
}
