package participant_test

import (
	"testing"

	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// Keys that follow each other without a gap carry each other on.
func TestUntil(t *testing.T) {
	for _, c := range []struct {
		name    string
		windows [][2]int64
		now     int64
		want    int64
	}{
		{"none", nil, 10, 0},
		{"one", [][2]int64{{0, 100}}, 10, 100},
		{"its last second", [][2]int64{{0, 100}}, 99, 100},
		{"ended", [][2]int64{{0, 100}}, 100, 100},
		{"two ended", [][2]int64{{0, 100}, {50, 90}}, 200, 100},
		{"not begun", [][2]int64{{50, 100}}, 10, 0},
		{"ended, and the next not begun", [][2]int64{{0, 20}, {50, 100}}, 30, 20},
		{"the next overlaps", [][2]int64{{50, 300}, {0, 100}}, 10, 300},
		{"the next follows at once", [][2]int64{{0, 100}, {100, 300}}, 10, 300},
		{"a gap of a second", [][2]int64{{0, 100}, {101, 300}}, 10, 100},
		{"three in a row", [][2]int64{{200, 400}, {90, 210}, {0, 100}}, 10, 400},
	} {
		var card participant.Card
		for _, w := range c.windows {
			card.Keys = append(card.Keys, participant.KeyRecord{Use: participant.LogKey, Window: trust.Window{NotBefore: w[0], NotAfter: w[1]}},
				participant.KeyRecord{Use: participant.TLSKey, Window: trust.Window{NotBefore: 0, NotAfter: 1000}})
		}
		if got := card.Until(participant.LogKey, c.now); got != c.want {
			t.Errorf("%s: until %d, want %d", c.name, got, c.want)
		}
	}
}
