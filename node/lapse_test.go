package node_test

import (
	"testing"
	"time"

	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// R36: that a suspension ended by itself is on record once, and not by a time that
// nobody confirms.
func TestTheEndOfASuspensionIsOnRecord(t *testing.T) {
	w := nodetest.NewWorld(t)
	n := w.New("trust.rxw.example") // alone: nobody confirms what is doubted
	issuer, err := trust.ParseIssuerID(w.NewIssuer("https://idp.rxw.example").URL)
	done(t, err)
	done(t, n.Declare(t.Context(), n.Admin, participant.Document{Kind: "Participant", ID: n.ID, Issuers: []participant.Issuer{{
		Issuer: issuer, JWKSURI: issuer.String() + "/jwks", Classes: []participant.ClassRule{{Class: trust.Human}},
	}}}))
	ends := n.Now() + 50
	_, err = n.Suspend(t.Context(), n.Admin, node.SuspendRequest{
		Stoppable: node.Stoppable{Kind: suspension.Subject, Issuer: issuer.String(), Subject: "nurse-1"}, Why: node.Why{Reason: "odd"}, Expires: trust.Instant(ends),
	})
	done(t, err)
	recorded := func(when string, want int) suspension.Lapsed {
		t.Helper()
		done(t, n.LapseSuspensions(t.Context()))
		e, count := newest[suspension.Lapsed](t, n)
		if count != want {
			t.Errorf("%s it is on record %d times, not %d: %+v", when, count, want, e)
		}
		return e
	}
	recorded("before its end", 0)
	n.Clock.Doubt()
	n.Clock.Shift(51 * time.Second)
	recorded("by a time in doubt", 0)
	n.Clock.Accept()
	if e := recorded("after its end", 1); e.Target.Participant != n.ID || e.Ended != ends {
		t.Errorf("on record is %+v", e)
	}
	n.Stop()
	n.Start()
	recorded("after a start", 1)
}
