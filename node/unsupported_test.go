package node_test

import (
	"testing"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// bring signs and brings a message of a kind that only a later version knows.
func bring(t *testing.T, from, to *nodetest.Node, lane edge.Lane, content any) {
	t.Helper()
	done(t, to.ReceiveMessage(t.Context(), from.ID, forge(t, from, to, lane, next(from, to, lane), "later", content)))
}

// apart cuts two nodes from each other once all has arrived, so that what a test
// signs in their name stands against no heartbeat.
func apart(t *testing.T, home, host *nodetest.Node) {
	t.Helper()
	quiet(t, home, host)
	home.World.Cut(home, host)
	home.World.Cut(host, home)
}

// A safety message of a kind that is not understood suspends what it names of its
// sender's, and nothing else; two people let it go on. The sender is answered.
func TestAnUnknownSafetyKindSuspendsWhatItNames(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	other := second(t, host, "L. Marsh")
	apart(t, home, host)
	a, _ := host.State().Agreement.ByName(ward.Agreement)
	answers := host.State().Edge.Next(home.ID, edge.Governance)
	names := func(w map[string]any) map[string]any {
		return map[string]any{"names": w, "since": 7, "weight": []any{"new"}}
	}
	nobody := map[string]any{"kind": "subject", "participant": home.ID, "namespace": "default", "subject": "nurse-1"}

	bring(t, home, host, edge.Safety, names(nobody))
	want(t, ward, nurse(ward, "nurse-1"), trust.SubjectSuspended)
	want(t, ward, nurse(ward, "nurse-2"), trust.Permit)
	resume(t, host, other, subjectAt(ward, "nurse-1"), func() { want(t, ward, nurse(ward, "nurse-1"), trust.SubjectSuspended) })
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)

	bring(t, home, host, edge.Safety, names(map[string]any{"kind": "coverage", "agreement": a.ID, "class": "human"}))
	want(t, ward, nurse(ward, "nurse-1"), trust.Reduced)
	resume(t, host, other, node.Stoppable{Kind: suspension.Coverage, Agreement: ward.Agreement, Class: trust.Human}, func() {})
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)

	bring(t, home, host, edge.Safety, names(map[string]any{"kind": "agreement", "agreement": a.ID}))
	want(t, ward, nurse(ward, "nurse-1"), trust.AgreementSuspended)
	if _, broken := host.State().Edge.Broken(home.ID); broken {
		t.Error("what names something of its sender's breaks the edge")
	}
	bring(t, home, host, edge.Safety, names(map[string]any{"kind": "participant", "participant": home.ID}))
	want(t, ward, nurse(ward, "nurse-1"), trust.ParticipantSuspended)
	if _, broken := host.State().Edge.Broken(home.ID); broken {
		t.Error("who names itself breaks the edge")
	}
	if got := host.State().Edge.Next(home.ID, edge.Governance) - answers; got != 4 {
		t.Errorf("%d of 4 are answered", got)
	}
}

// What names nothing of its sender's breaks the edge, as what names nothing does.
func TestAnUnknownSafetyKindThatNamesAnothers(t *testing.T) {
	for what, content := range map[string]func(home, host *nodetest.Node) any{
		"nothing": func(_, _ *nodetest.Node) any { return map[string]any{"since": 7} },
		"the host": func(_, host *nodetest.Node) any {
			return map[string]any{"names": map[string]any{"kind": "participant", "participant": host.ID}}
		},
		"a client": func(_, _ *nodetest.Node) any {
			return map[string]any{"names": map[string]any{"kind": "client", "client": "ward-app"}}
		},
		"no agreement": func(_, _ *nodetest.Node) any {
			return map[string]any{"names": map[string]any{"kind": "agreement", "agreement": "none"}}
		},
		"nobody at home": func(home, _ *nodetest.Node) any {
			return map[string]any{"names": map[string]any{"kind": "subject", "participant": home.ID}}
		},
		"something shapeless": func(_, _ *nodetest.Node) any { return map[string]any{"names": "all"} },
	} {
		t.Run(what, func(t *testing.T) {
			home, host := founded(t, nodetest.NewWorld(t), nil)
			apart(t, home, host)
			bring(t, home, host, edge.Safety, content(home, host))
			if rule, _ := host.State().Edge.Broken(home.ID); rule != "unknown_safety_kind" {
				t.Errorf("the edge is broken by %q", rule)
			}
		})
	}
}

// A governance message that is not understood is recorded and answered; the sender
// records which of its messages that was, and what was never sent is no answer.
func TestAnUnknownKindIsAnswered(t *testing.T) {
	home, host := founded(t, nodetest.NewWorld(t), nil)
	apart(t, home, host)
	before := host.State().Edge.Next(home.ID, edge.Governance)
	bring(t, home, host, edge.Governance, map[string]any{"x": 1})
	if got := host.State().Edge.Next(home.ID, edge.Governance); got != before+1 {
		t.Errorf("%d messages answer it", got-before)
	}
	if _, broken := host.State().Edge.Broken(home.ID); broken {
		t.Error("a governance message breaks the edge")
	}
	sent := home.State().Edge.Next(host.ID, edge.Governance) - 1
	answer := func(content map[string]any) {
		t.Helper()
		done(t, home.ReceiveMessage(t.Context(), host.ID, forge(t, host, home, edge.Governance, next(host, home, edge.Governance), "unsupported", content)))
	}
	answer(map[string]any{"lane": "governance", "n": sent})
	if e, count := newest[edge.Unsupported](t, home); count != 1 || e.From != host.ID || e.N != sent || e.Kind == "" {
		t.Errorf("recorded is %+v", e)
	}
	answer(map[string]any{"lane": "governance", "n": sent + 100})
	if _, count := newest[edge.Unsupported](t, home); count != 1 {
		t.Error("what was never sent is recorded as not understood")
	}
	if e, _ := newest[edge.Applied](t, home); !e.Refused {
		t.Errorf("an answer to nothing is taken: %+v", e)
	}
}
