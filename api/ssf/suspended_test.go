package ssf_test

import (
	"testing"
	"time"

	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// R36: receivers hear that an own person is suspended, and that they go on: who
// hears of everybody, and who named that one. Whose engagement ended meanwhile is
// enabled by a new one alone, and who is suspended still by none. A suspension that
// ended by itself is told when that is on record, once, and not before a longer
// one has ended; a start changes nothing of that.
func TestSuspensionsAreTold(t *testing.T) {
	d := open(t, nil)
	ctx := t.Context()
	d.register("gateway", all)
	d.register("narrow", &client.Signals{})
	const wanted = `{"events_requested":["` + revoked + `","` + off + `","` + on + `"]}`
	id, narrow := d.stream("gateway", wanted), d.stream("narrow", wanted)
	if code, _ := d.as("narrow", "POST", "/ssf/v1/subjects/add", `{"stream_id":"`+narrow+`","subject":{"format":"iss_sub","iss":"`+idp+`","sub":"nurse-1"}}`); code != 200 {
		t.Fatal(code)
	}
	other, _, err := d.AddOperator(ctx, d.Admin, "L. Marsh", []trust.Role{operator.Admin})
	d.no(err)
	who := func(subject string) node.Stoppable {
		return node.Stoppable{Kind: suspension.Subject, Issuer: idp, Subject: subject}
	}
	suspend := func(subject string, expires trust.Instant) {
		t.Helper()
		_, err := d.Suspend(ctx, d.Admin, node.SuspendRequest{Stoppable: who(subject), Why: node.Why{Reason: "odd queries"}, Expires: expires})
		d.no(err)
	}
	resume := func(subject string) {
		t.Helper()
		for _, a := range []node.Actor{d.Admin, {ID: other, Roles: []trust.Role{operator.Admin}}} {
			_, err := d.Resume(ctx, a, who(subject), "looked into")
			d.no(err)
		}
	}
	hears := func(receiver, stream string, want ...string) {
		t.Helper()
		got := d.poll(receiver, stream, now)
		for _, kind := range want {
			if got[kind].jti == "" {
				t.Errorf("%s does not hear %s", receiver, kind)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s hears %v", receiver, got)
		}
		d.poll(receiver, stream, acks(got))
	}
	over := func(at trust.Instant) {
		t.Helper()
		d.Clock.Shift(time.Duration(int64(at)-time.Now().Unix()+1) * time.Second)
		clear(d.tokens) // which have ended too
		nodetest.Eventually(t, "the end to be on record", func() bool { return len(d.State().Suspension.Over(int64(at), 1)) == 0 })
	}
	const one, two, three = " nurse-1", " nurse-2", " nurse-3"
	end := trust.Instant(d.Now() + 3600)
	suspend("nurse-1", 0)
	suspend("nurse-2", end)
	hears("gateway", id, off+one, revoked+one, off+two, revoked+two)
	hears("narrow", narrow, off+one, revoked+one)
	resume("nurse-1")
	hears("gateway", id, on+one)
	hears("narrow", narrow, on+one)

	for _, subject := range []string{"nurse-1", "nurse-3"} {
		suspend(subject, 0)
		hears("gateway", id, off+" "+subject, revoked+" "+subject)
		d.revoke(subject)
		hears("gateway", id, off+" "+subject, revoked+" "+subject)
	}
	resume("nurse-1") // but she has left
	hears("gateway", id)
	_, err = d.OpenEngagement(ctx, d.Admin, idp, "nurse-3", "check-1")
	d.no(err)
	hears("gateway", id) // but she is suspended
	resume("nurse-3")
	hears("gateway", id, on+three)

	later := end + 3600
	suspend("nurse-2", later)
	hears("gateway", id, off+two, revoked+two)
	over(end)
	hears("gateway", id) // but she is stopped for longer
	d.Stop()
	d.Start()
	over(later)
	hears("gateway", id, on+two)
	if code, _ := d.as("narrow", "POST", "/ssf/v1/subjects/remove", `{"stream_id":"`+narrow+`","subject":{"format":"iss_sub","iss":"`+idp+`","sub":"nurse-1"}}`); code != 204 {
		t.Fatal(code)
	}
	hears("narrow", narrow) // what was owed of her, neither
}
