//go:build network

package demo_test

import (
	"context"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/demo"
	"github.com/entente-id/entente/trust"
)

// The kernel drops what goes between two nodes, on connections that are open:
// all of it, or only what the home sends by itself, so that its word still comes
// through. The network is the test's own; see the Makefile.
func TestTheNetworkFails(t *testing.T) { // R34, R78
	ctx, crash := context.WithCancelCause(t.Context())
	defer crash(nil)
	w, err := demo.OpenWard(ctx, program(t), room(t), crash)
	if w != nil {
		defer w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	do := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	ask := func() trust.Reason {
		t.Helper()
		reason, err := w.Ask(ctx)
		do("asking", err)
		return reason
	}
	home, host := w.Node("RXW"), w.Node("RJE")
	for i, dropped := range [][]string{{home.Endpoint(), host.Endpoint()}, {host.Endpoint()}} {
		do("signing in", w.Employ(ctx, "nurse."+string(rune('a'+i)), "94000000000"+string(rune('1'+i))))
		await(t, "the nurse's permit", func() bool { return ask() == trust.Permit })
		drop(t, dropped...)
		do("revoking", w.Revoke(ctx))
		if reason := ask(); reason != trust.Permit {
			t.Errorf("within the bound, and with nobody told, the answer is %s", reason)
		}
		do("moving the host's clock", host.SetClock(ctx, time.Duration(i+1)*61*time.Second))
		await(t, "a stale view", func() bool { return ask() == trust.Stale })
		for until := time.Now().Add(3 * time.Second); time.Now().Before(until); { // heartbeats are a second apart
			if reason := ask(); reason != trust.Stale {
				t.Fatalf("past the bound the answer is %s", reason)
			}
		}
		nft(t, "delete table inet entente")
		for last := trust.Stale; last != trust.SubjectRevoked; {
			if last = ask(); last != trust.Stale && last != trust.SubjectRevoked {
				t.Fatalf("healing, the answer is %s", last)
			}
		}
		await(t, "all to be accepted", func() bool {
			accepted, err := w.Accepted(ctx)
			do("looking", err)
			return accepted
		})
	}
}

// drop lets the kernel drop what goes to and from the ports of some addresses.
func drop(t *testing.T, addresses ...string) {
	t.Helper()
	var ports []string
	for _, a := range addresses {
		_, port, err := net.SplitHostPort(a)
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, port)
	}
	set := "{ " + strings.Join(ports, ", ") + " }"
	nft(t, "add table inet entente; add chain inet entente in { type filter hook input priority 0; }; "+
		"add rule inet entente in tcp dport "+set+" drop; add rule inet entente in tcp sport "+set+" drop")
}

func nft(t *testing.T, rules string) {
	t.Helper()
	if said, err := exec.Command("nft", rules).CombinedOutput(); err != nil {
		t.Fatalf("nft: %v: %s", err, said)
	}
}
