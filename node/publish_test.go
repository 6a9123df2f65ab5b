package node_test

import (
	"testing"
	"time"

	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// A planned rotation of the token key publishes ahead, and what has ended is not
// published.
func TestPublishedKeys(t *testing.T) {
	host := wardOf(t, nil).Host
	published := func() (kids []string) {
		set, err := host.TokenKeys()
		done(t, err)
		for _, k := range set.Keys() {
			kids = append(kids, k.KeyID())
		}
		return kids
	}
	first := host.Config.Keys.Signer(participant.TokenKey).Key().KeyID()
	if kids := published(); len(kids) != 1 || kids[0] != first {
		t.Fatalf("published %v, signs with %s", kids, first)
	}
	renew(t, host, participant.Rotation{Uses: []participant.KeyUse{participant.TokenKey}, Begins: trust.Instant(host.Now() + 3600), Overlap: 300, Life: 86400})
	if kids := published(); len(kids) != 2 {
		t.Errorf("announced, published %v", kids)
	}
	done(t, host.SetClock(t.Context(), host.Admin, 2*time.Hour))
	if kids := published(); len(kids) != 1 || kids[0] == first || kids[0] != host.Config.Keys.Signer(participant.TokenKey).Key().KeyID() {
		t.Errorf("after the rotation published %v", kids)
	}
	if !host.Serves("https://records.trust.rje.example") || host.Serves("https://records.trust.rje.example/") || host.Serves("") {
		t.Error("serves others than its own services")
	}
}
