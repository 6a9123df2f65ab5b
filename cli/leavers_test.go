package cli_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entente-id/entente/cli"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// Whoever watches is told once of each partner that has taken a list, and is not
// kept waiting for one that is away.
func TestFollowingAList(t *testing.T) {
	var ids []trust.ParticipantID
	for _, text := range []string{"https://a.example", "https://b.example", "https://away.example", "https://untold.example"} {
		id, err := trust.ParseParticipantID(text)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		status := func(context.Context) (node.Status, error) {
			asked++
			var s node.Status
			for i, id := range ids {
				queued := map[edge.Lane]uint64{edge.Governance: 7, edge.Safety: uint64(max(0, 2*i+1-asked))}
				if i == 2 {
					queued[edge.Safety] = 1
				}
				s.Partners = append(s.Partners, node.PartnerStatus{ID: id, Queued: queued})
			}
			return s, nil
		}
		var taken []trust.ParticipantID
		began := time.Now()
		cli.Follow(t.Context(), ids[:3], status, func(p trust.ParticipantID) { taken = append(taken, p) })
		if !slices.Equal(taken, ids[:2]) || asked < 3 {
			t.Errorf("told of %v after %d questions", taken, asked)
		}
		if waited := time.Since(began); waited > 11*time.Second {
			t.Errorf("waited %s for a partner that is away", waited)
		}
	})
}
