package node_test

import (
	"testing"
	"time"

	"github.com/entente-id/entente/trust"
)

// Scenario 9, reliability "clock jump": with the wall clock set back a value that
// was used up and forgotten is not taken again, nor after a start, and what has
// expired stays so.
func TestAClockSetBackReopensNothing(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	h, token := held(ward)
	used := h.Shown(token, "GET", recordURL, nil)
	if a := answer(t, host, proven(ward, token, used)); !a.Permit {
		t.Fatalf("the first use gets %+v", a)
	}
	short := ward.Home.World.Token(ward.Issuer, "nurse-2", ward.Audience, map[string]any{"exp": time.Now().Unix() + 30})
	want(t, ward, short, trust.Permit)
	host.Machine.Set(2 * time.Minute)
	want(t, ward, short, trust.TokenExpired) // recorded two minutes later: the proof is forgotten
	still := func(when string, ahead time.Duration) {
		t.Helper()
		host.Machine.Set(ahead)
		if a := answer(t, host, proven(ward, token, used)); a.Reason != trust.ProofTime {
			t.Errorf("%s the used proof gets %+v", when, a)
		}
		if got := read(t, ward, short); got != trust.TokenExpired {
			t.Errorf("%s the expired token gets %s", when, got)
		}
		if newest := host.State().At.At; host.Now() < newest {
			t.Errorf("%s it is %d, before the newest entry of %d", when, host.Now(), newest)
		}
	}
	still("with the clock put right,", 0)
	still("with the clock a day behind,", -24*time.Hour)
	host.Reboot()
	still("after a start,", 0)
	host.Reboot()
	still("after a start with the clock an hour behind,", -time.Hour)
}
