package demo_test

import (
	"context"
	"testing"
	"time"

	"github.com/entente-id/entente/demo"
	"github.com/entente-id/entente/trust"
)

// Real processes fail between what was acknowledged and what rests on it.
func TestProcessesFail(t *testing.T) { // R34, R78
	ctx, crash := context.WithCancelCause(t.Context())
	defer crash(nil)
	w, err := demo.OpenWard(ctx, program(t), room(t), crash)
	if w != nil {
		defer w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	home, host := w.Node("RXW"), w.Node("RJE")
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
	employed := func(login, subject string) {
		t.Helper()
		do("signing in", w.Employ(ctx, login, subject))
		await(t, "the nurse's permit", func() bool { return ask() == trust.Permit })
	}

	// ended sees that the nurse, whatever token she gets, is permitted no more, and
	// in the end denied for her end.
	ended := func() {
		t.Helper()
		for last := trust.NeverProven; last != trust.SubjectRevoked; {
			do("signing in again", w.SignIn(ctx))
			if last = ask(); last != trust.NeverProven && last != trust.SubjectRevoked {
				t.Fatalf("the end was acknowledged, and after a start the answer is %s", last)
			}
		}
	}

	// kill -9 of the home between its acknowledgement and the delivery: the host is
	// down, so that it cannot have been told.
	employed("one.nurse", "930000000001")
	host.Kill()
	do("revoking", w.Revoke(ctx))
	home.Kill()
	do("starting the host", host.Start(ctx))
	if reason := ask(); reason != trust.NeverProven {
		t.Errorf("the home is down since before the host started, and the answer is %s", reason)
	}
	do("starting the home", home.Start(ctx))
	ended()

	// kill -9 of the host between its 202 and the next use.
	employed("two.nurse", "930000000002")
	do("revoking", w.Revoke(ctx))
	await(t, "the host to accept it", func() bool {
		accepted, err := w.Accepted(ctx)
		do("looking", err)
		return accepted
	})
	host.Kill()
	do("starting the host", host.Start(ctx))
	ended()

	// A partner that says nothing on connections that stay open.
	employed("three.nurse", "930000000003")
	home.Hold()
	defer home.Resume()
	if reason := ask(); reason != trust.Permit {
		t.Errorf("within the bound the answer is %s", reason)
	}
	do("moving the host's clock", host.SetClock(ctx, 61*time.Second))
	if reason := ask(); reason != trust.Stale {
		t.Errorf("past the bound the answer is %s", reason)
	}
	home.Resume()
	do("moving the host's clock back", host.SetClock(ctx, 0))
	await(t, "the home's word", func() bool { return ask() == trust.Permit })
}
