package node_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// betweenWords does something at a moment when no partner's word is on its way to
// a node, which would be of the time before.
func betweenWords(t *testing.T, n *nodetest.Node, do func()) {
	t.Helper()
	var once sync.Once
	var did atomic.Bool
	n.World.Intercept(func(from, _ *nodetest.Node, r node.Outgoing, in node.Incoming) node.Incoming {
		if from != n || r.Path != node.HeartbeatPath {
			return in
		}
		once.Do(do) // the word before this one was taken in, and this one is lost
		did.Store(true)
		return node.Incoming{Status: http.StatusServiceUnavailable}
	})
	nodetest.Eventually(t, "a word", did.Load)
	n.World.Intercept(nil)
}

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
	betweenWords(t, host, func() { // both, so that they agree
		ward.Home.Machine.Set(2 * time.Minute)
		host.Machine.Set(2 * time.Minute)
	})
	await(t, ward, short, trust.TokenExpired) // recorded two minutes later: the proof is forgotten
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

// Reliability "clock jump": far ahead of its partners a node denies everything,
// and writes nothing down by that time; what reduces trust works. Only an
// operator's recorded act ends that.
func TestFarAheadDeniesUntilAnOperatorAccepts(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	quiet(t, ward.Home, host)
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	host.Machine.Set(10 * time.Minute)
	if got := read(t, ward, nurse(ward, "nurse-1")); got != trust.ClockUnsure && got != trust.ClockAhead {
		t.Fatalf("at once after the leap the answer is %s", got)
	}
	await(t, ward, nurse(ward, "nurse-1"), trust.ClockAhead)
	revokeAt(t, host, node.RevokeRequest{Kind: "subject", Issuer: ward.Issuer.URL, Subject: "nurse-2", Reason: "banned"})
	want(t, ward, nurse(ward, "nurse-2"), trust.ClockAhead)
	if stamp, real := host.State().At.At, time.Now().Unix(); stamp > real {
		t.Errorf("an entry is stamped %d seconds ahead", stamp-real)
	}
	host.Machine.Set(0)
	nodetest.Eventually(t, "the time to be confirmed", func() bool { return host.Clock.Mark().Sure })
	want(t, ward, nurse(ward, "nurse-1"), trust.ClockAhead)
	host.Reboot()
	await(t, ward, nurse(ward, "nurse-1"), trust.ClockAhead)
	if status := host.Status(t.Context()).Clock; status.Stage != node.ClockDenies {
		t.Errorf("after a start the clock is %+v", status)
	}
	_, err := host.AcceptClock(t.Context(), node.Actor{ID: "op-auditor", Roles: []trust.Role{"auditor"}}, "repaired")
	refused(t, "accepting without the role", err, trust.Denied)
	_, err = host.AcceptClock(t.Context(), host.Admin, "")
	refused(t, "accepting without a reason", err, trust.Invalid)
	_, err = host.AcceptClock(t.Context(), host.Admin, "repaired")
	done(t, err)
	await(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	want(t, ward, nurse(ward, "nurse-2"), trust.SubjectRevoked)
	if accepted, count := newest[edge.ClockAccepted](t, host); count != 1 || accepted.By != host.Admin.ID || accepted.Seconds != 0 {
		t.Errorf("%d acceptances are recorded, the last %+v", count, accepted)
	}
	if _, count := newest[edge.ClockAhead](t, host); count != 1 {
		t.Errorf("it is recorded %d times that the clock was ahead", count)
	}
	_, err = host.AcceptClock(t.Context(), host.Admin, "again")
	refused(t, "accepting a confirmed time", err, trust.Conflict)
}

// A leap that the partners' clocks made too is confirmed by itself.
func TestALeapThatPartnersConfirm(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	ward.Home.Machine.Set(40 * time.Second)
	nodetest.Eventually(t, "a word by the new time", func() bool { return host.Status(t.Context()).Clock.Ahead < -30 })
	ward.Home.World.Cut(host, ward.Home)
	nodetest.Eventually(t, "the last word under way", func() bool { return host.Status(t.Context()).Partners[0].Age > 1 })
	host.Machine.Set(40 * time.Second)
	want(t, ward, nurse(ward, "nurse-1"), trust.ClockUnsure)
	ward.Home.World.Heal(host, ward.Home)
	await(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	if _, count := newest[edge.ClockAhead](t, host); count != 0 {
		t.Error("it is recorded as far ahead")
	}
}

// Where the partner's clock is the wrong one, what an operator accepted holds
// until they agree again.
func TestAnAcceptedLead(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	quiet(t, home, host)
	home.Clock.Shift(-50 * time.Second) // its keys are a minute old
	await(t, ward, nurse(ward, "nurse-1"), trust.ClockAhead)
	status, err := host.AcceptClock(t.Context(), host.Admin, "theirs is wrong")
	if err != nil || status.Accepted < 45 || status.Accepted > 55 || status.Stage != node.ClockConfirmed {
		t.Fatalf("accepted: %+v, %v", status, err)
	}
	await(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	host.Reboot()
	await(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	home.Clock.Shift(0)
	nodetest.Eventually(t, "the clocks to agree", func() bool { return host.State().Edge.Clock == edge.Clock{} })
	home.Clock.Shift(-50 * time.Second)
	await(t, ward, nurse(ward, "nurse-1"), trust.ClockAhead)
}

// A ledger that was once stamped far ahead lets time stand still; that is far
// ahead too, and an operator's act covers it, also across starts.
func TestALedgerStampedFarAhead(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	quiet(t, ward.Home, host)
	host.Stop()
	host.Clock.Jump(time.Hour)
	host.Append(1, func(int) ledger.Entry { return ledger.Entry{Kind: "edge.clock_agreed", Version: 1, Body: []byte("{}")} })
	host.Clock.Jump(0)
	host.Start()
	await(t, ward, nurse(ward, "nurse-1"), trust.ClockAhead)
	_, err := host.AcceptClock(t.Context(), host.Admin, "a wrong clock of old")
	done(t, err)
	late := ward.Home.World.Token(ward.Issuer, "nurse-1", ward.Audience, nil)
	await(t, ward, late, trust.Permit)
	if host.Now() > time.Now().Unix()+1 {
		t.Errorf("it is still %d", host.Now())
	}
	host.Reboot()
	await(t, ward, late, trust.Permit)
}

// A node that was away for two hours starts with nobody to confirm its time: by
// its stamps, which stand still, what partners made since lies in the future. A
// card that arrives then is taken; where the machine's own time of day is wrong
// too, it is not refused for good.
func TestWhatWasMadeWhileANodeWasAway(t *testing.T) {
	for name, machine := range map[string]time.Duration{"by the right time": 2 * time.Hour, "two hours behind": 0} {
		t.Run(name, func(t *testing.T) {
			ward := wardOf(t, nil)
			home, host := ward.Home, ward.Host
			quiet(t, home, host)
			host.Stop()
			done(t, home.SetClock(t.Context(), home.Admin, 2*time.Hour))
			card := renew(t, home, participant.Rotation{})
			var refused atomic.Int32
			home.World.Intercept(func(from, _ *nodetest.Node, _ node.Outgoing, answered node.Incoming) node.Incoming {
				if from == home && answered.Status >= 400 {
					refused.Add(1)
				}
				return answered
			})
			home.World.Cut(host, home)
			host.Machine.Set(machine)
			host.Reboot()
			if host.Clock.Mark().Sure {
				t.Fatal("a time that nobody confirmed is relied on")
			}
			if machine == 0 {
				nodetest.Eventually(t, "the card to be turned away", func() bool { return refused.Load() > 0 })
				host.Machine.Set(2 * time.Hour)
			}
			knows(t, host, home, card)
			home.World.Heal(host, home)
			nodetest.Eventually(t, "the time to be confirmed", func() bool { return host.Clock.Mark().Sure })
		})
	}
}

// A word that a demo's node asked for by a time it was moved to proves nothing by
// an earlier one: it would look fresh until that time comes.
func TestAMovedClockForgetsWhatItHeardLater(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	age := func() int64 { return host.Status(t.Context()).Partners[0].Age }
	done(t, host.SetClock(t.Context(), host.Admin, 10*time.Minute))
	nodetest.Eventually(t, "a word by the later time", func() bool { return age() >= 0 && age() < 300 })
	ward.Home.World.Cut(host, ward.Home)
	done(t, host.SetClock(t.Context(), host.Admin, 0))
	if got := age(); got >= 0 {
		t.Errorf("moved back, and out of reach of its partner, its word is %d s old", got)
	}
	ward.Home.World.Heal(host, ward.Home)
	nodetest.Eventually(t, "a word by this time", func() bool { return age() >= 0 })
}
