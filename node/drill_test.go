package node_test

import (
	"testing"
	"time"

	"github.com/entente-id/entente/drill"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// drilled is a ward that can be drilled.
func drilled(t *testing.T) *nodetest.Ward {
	t.Helper()
	w := nodetest.NewWorld(t)
	home, host := w.Found(within(60)) // kept, however slow the machine is
	return w.NewWard(home, host, nil)
}

// R37: one drill end to end; both ledgers have the same entry.
func TestDrill(t *testing.T) {
	ward := drilled(t)
	home, host := ward.Home, ward.Host
	done, err := home.Drill(t.Context(), home.Admin, node.DrillRequest{Partner: host.ID})
	if err != nil {
		t.Fatal(err)
	}
	m := done.Measured
	if done.Verdict != drill.Kept || done.Seen == nil || m.Denied < 0 || m.Calls < 1 || m.Sent < 0 || done.Seen.Applied < 0 || done.Seen.Denied < 0 || done.Seen.Reason != trust.SubjectRevoked {
		t.Errorf("the drill came to %+v, seen as %+v", done, done.Seen)
	}
	for _, n := range []*nodetest.Node{home, host} {
		link, ok := n.State().Drill.Link(m.Agreement)
		if !ok || len(link.Samples) != 1 || link.Samples[0].ID != m.ID || link.Samples[0].Took != done.Took || link.Samples[0].Alone {
			t.Errorf("%s has recorded %+v", n.ID, link)
		}
	}
}

// Drills that nobody asks for are held too, and reported at both ends.
func TestScheduledDrills(t *testing.T) {
	w := nodetest.NewWorld(t)
	w.Configure = func(_ *nodetest.Node, c *node.Config) { c.DrillEvery = 20 * time.Millisecond }
	home, host := w.Found(within(60))
	w.NewWard(home, host, nil)
	for _, n := range []*nodetest.Node{home, host} {
		nodetest.Eventually(t, "two drills at "+n.ID.String(), func() bool {
			links, err := n.Drills(n.Admin, 0, "")
			return err == nil && len(links) == 1 && links[0].N >= 2 && links[0].Verdict == "kept" && len(links[0].Samples) >= 2
		})
	}
	if _, err := home.Drills(node.Actor{ID: "nobody"}, 0, ""); trust.KindOf(err) != trust.Denied {
		t.Errorf("whoever may not look is answered %v", err)
	}
	if _, err := home.Drill(t.Context(), node.Actor{ID: "nobody"}, node.DrillRequest{Partner: host.ID}); trust.KindOf(err) != trust.Denied {
		t.Errorf("whoever is no admin is answered %v", err)
	}
}
