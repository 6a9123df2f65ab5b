package node_test

import (
	"testing"
	"time"

	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/trust"
)

// R49: who asks the admin interface and is no operator is an entry, at once and then
// once a minute; a partner that does is a finding until somebody closes it.
func TestTrespassersAreRecorded(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, nil)
	on := func(what string, from trust.ParticipantID, entries int, count uint64, findings int) {
		t.Helper()
		host.Trespass(t.Context(), from)
		e, n := newest[operator.Trespassed](t, host)
		open := 0
		for f := range host.State().Finding.All() {
			if f.Kind == finding.Trespass && f.Partner == home.ID && f.Side == finding.Host {
				open++
			}
		}
		if n != entries || e.Count != count || open != findings {
			t.Errorf("%s: %d entries, the last %+v, %d findings", what, n, e, open)
		}
	}
	on("a partner", home.ID, 1, 1, 1)
	on("again within the minute", home.ID, 1, 1, 1)
	on("a stranger", trust.ParticipantID{}, 2, 1, 1)
	host.Clock.Shift(61 * time.Second)
	on("the partner after a minute", home.ID, 3, 2, 1)
	for f := range host.State().Finding.All() {
		done(t, host.CloseFinding(t.Context(), host.Admin, f.ID, "they were shown the door"))
	}
	host.Clock.Shift(122 * time.Second)
	on("the partner once more", home.ID, 4, 1, 2)
}
