package node_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

const day = 24 * time.Hour

// warned gives what a node warns of, of some kind, urgent with a "!" behind.
func warned(n *nodetest.Node, kind string) (out []string) {
	for _, w := range n.Status(n.World.T.Context()).Warnings {
		if strings.HasSuffix(w.Of, kind) {
			out = append(out, w.Of+map[bool]string{true: "!"}[w.Urgent])
		}
	}
	return out
}

func stages(t *testing.T, n *nodetest.Node) map[node.KeyStage]int {
	t.Helper()
	list, err := n.ListKeys(t.Context(), n.Admin)
	done(t, err)
	all := map[node.KeyStage]int{}
	for _, k := range list {
		if k.Participant == n.ID {
			all[k.Stage]++
		}
	}
	return all
}

// Keys are warned of a month before they end, urgently in the last week and
// after, until others follow them (R72).
func TestKeysAreWarnedOf(t *testing.T) {
	n := nodetest.NewWorld(t).New("trust.rxw.example")
	keys := func(suffix string) (all []string) {
		for _, use := range participant.KeyUses() {
			all = append(all, string(use)+" key"+suffix)
		}
		return all
	}
	at := func(d time.Duration) { done(t, n.SetClock(t.Context(), n.Admin, d)) }
	see := func(when string, want []string, stage node.KeyStage) {
		t.Helper()
		if got := warned(n, " key"); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
		if got := stages(t, n); got[stage] != len(participant.KeyUses()) {
			t.Errorf("%s: the keys are %v, want %s", when, got, stage)
		}
		if soonest := n.KeysEnd(); (soonest > 30*day) != (want == nil) {
			t.Errorf("%s: the keys end in %s", when, soonest)
		}
	}
	see("new", nil, node.KeyCurrent)
	at(334 * day)
	see("31 days before", nil, node.KeyCurrent)
	at(336 * day)
	see("29 days before", keys(""), node.KeyEnding)
	at(359 * day)
	see("6 days before", keys("!"), node.KeyEnding)
	renew(t, n, participant.Rotation{Begins: trust.Instant(n.Now() + 86400), Overlap: 86400})
	if got := warned(n, " key"); got != nil {
		t.Errorf("with keys that follow: %v", got)
	}
	at(755 * day)
	if got := warned(n, " key"); len(got) != 5 || !strings.HasSuffix(got[0], "!") {
		t.Errorf("before the second end: %v", got)
	}
	at(800 * day)
	if got := warned(n, " key"); !slices.Equal(got, keys("!")) || stages(t, n)[node.KeyGone] != 10 || n.KeysEnd() > 0 {
		t.Errorf("after the end: %v, %v, %s", got, stages(t, n), n.KeysEnd())
	}
}

// A statement that was not renewed is warned of; the date outlives a restart,
// after which it is renewed at once.
func TestStatementsAreWarnedOf(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, nil)
	quiet(t, home, host)
	nodetest.Eventually(t, "the date", func() bool { return warned(home, "statement") == nil })
	before := next(home, host, "governance")
	done(t, home.SetClock(t.Context(), home.Admin, 13*time.Hour))
	if got := fmt.Sprint(warned(home, "statement")); got != "[statement]" {
		t.Errorf("11 hours before its end: %s", got)
	}
	done(t, home.SetClock(t.Context(), home.Admin, 19*time.Hour))
	if got := fmt.Sprint(warned(home, "statement")); got != "[statement!]" {
		t.Errorf("5 hours before its end: %s", got)
	}
	home.Stop()
	home.Start()
	nodetest.Eventually(t, "a fresh statement", func() bool {
		return warned(home, "statement") == nil && next(home, host, "governance") > before
	})
	before = next(home, host, "governance")
	home.Stop()
	home.Start() // it is fresh
	time.Sleep(50 * time.Millisecond)
	if got := next(home, host, "governance"); got != before {
		t.Errorf("a start sends %d statements that nobody needs", got-before)
	}
}

// Two nodes whose keys have all ended can record nothing, also after a restart.
// The governance key heals each: a draft, its signature, and they work again. To
// each other they are strangers, until people confirm them once more (R72).
func TestNodesHealWhoseKeysHaveEnded(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	await(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	for _, n := range []*nodetest.Node{home, host} {
		done(t, n.SetClock(t.Context(), n.Admin, 400*day))
	}
	late := func(subject string) []byte {
		now := host.Now()
		return home.World.Token(ward.Issuer, subject, ward.Audience, map[string]any{"iat": now, "exp": now + 600, "auth_time": now})
	}
	if got := read(t, ward, late("nurse-1")); got != trust.CannotRecord {
		t.Errorf("with keys that have ended, the answer is %s", got)
	}
	for _, n := range []*nodetest.Node{home, host} {
		n.Stop()
		n.Start()
		if got := warned(n, " key"); len(got) != 5 {
			t.Errorf("%s warns of %v", n.ID, got)
		}
		renew(t, n, participant.Rotation{})
		if got := warned(n, " key"); got != nil {
			t.Errorf("%s, healed, warns of %v", n.ID, got)
		}
		n.Stop()
		verified(t, n)
		n.Start()
	}
	home.World.Introduce(home, host)
	revokeAt(t, home, node.RevokeRequest{Kind: "subject", Issuer: ward.Issuer.URL, Subject: "leaver", Reason: "left"})
	quiet(t, home, host)
	nodetest.Eventually(t, "fresh words", func() bool { return fresh(t, home) && fresh(t, host) })
	if got := read(t, ward, late("nurse-1")); got == trust.CannotRecord {
		t.Error("a healed node records nothing")
	}
}
