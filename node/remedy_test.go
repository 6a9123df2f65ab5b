package node_test

import (
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// settle lets the host propose terms, and the home accept them.
func (q *quarrel) settle(terms node.Terms) {
	q.t.Helper()
	q.move(q.Host, node.DisputeMove{Verb: dispute.Propose, Terms: &terms})
	offer := q.await(q.Home, "the offer", func(d node.Dispute) bool { return d.Offer != "" }).Offer
	q.move(q.Home, node.DisputeMove{Verb: dispute.Accept, Hash: offer})
	q.awaitStage(dispute.Decided, q.Home, q.Host)
}

// staff is a token of the ward's issuer that names a person.
func (q *quarrel) staff(subject string, number any) []byte {
	return q.Home.World.Token(q.Issuer, subject, q.Audience, map[string]any{"staff_number": number})
}

// A person whom a remedy stops is stopped under every identifier that the home may
// give, until she goes on; others are let in as before, by the claim that names them.
func TestAPersonUnderANewIdentifier(t *testing.T) {
	q := quarrelOf(t, nil)
	other := second(t, q.Host, "L. Marsh")
	before := q.staff("nurse-7", "N-1") // lets her in before there is a remedy
	want(t, q.Ward, before, trust.Permit)
	q.settle(node.Terms{Plan: []string{"she is trained"}, Claim: "staff_number", Person: "N-1"})
	want(t, q.Ward, before, trust.PersonBarred)
	want(t, q.Ward, q.staff("nurse-8", "N-1"), trust.PersonBarred)
	want(t, q.Ward, q.staff("nurse-2", "N-2"), trust.Permit)
	want(t, q.Ward, nurse(q.Ward, "nurse-2"), trust.PersonUnnamed)
	want(t, q.Ward, q.staff("nurse-2", 1), trust.PersonUnnamed)
	want(t, q.Ward, q.staff("nurse-2", ""), trust.PersonUnnamed)
	want(t, q.Ward, q.staff("nurse-1", "N-9"), trust.SubjectSuspended) // the identifier is stopped whoever it names
	all := entries(t, q.Host, "decisions", "decision.made/v1")
	barred := 0
	for _, e := range all {
		leaf, err := decision.ParseLeaf(e.Body)
		if done(t, err); leaf.Reason == trust.PersonBarred && leaf.Observed.Person != nil {
			barred++
		}
	}
	if barred != 2 {
		t.Errorf("%d decisions have on record whom the evidence named, want 2", barred)
	}
	q.move(q.Host, node.DisputeMove{Verb: dispute.Meet, Condition: 1})
	resume(t, q.Host, other, subjectAt(q.Ward, "nurse-1"), func() {})
	await(t, q.Ward, q.staff("nurse-8", "N-1"), trust.Permit)
	want(t, q.Ward, nurse(q.Ward, "nurse-2"), trust.Permit)
}

// Who goes on is monitored: every decision is marked and asked for, and one permit
// more than the remedy lets suspends again, by rule; the home has a notice.
func TestMonitoringSuspendsAgain(t *testing.T) {
	q := quarrelOf(t, nil)
	other := second(t, q.Host, "L. Marsh")
	q.settle(node.Terms{Monitor: 3600, Limit: 3})
	resume(t, q.Host, other, subjectAt(q.Ward, "nurse-1"), func() {})
	told(t, q.Home, 0)
	token := nurse(q.Ward, "nurse-1")
	for range 3 { // the same token, which is remembered, counts each time
		if a := answer(t, q.Host, q.Ask(token)); a.Reason != trust.Permit || a.TTL != 0 {
			t.Fatalf("monitored, she has %s for %d seconds", a.Reason, a.TTL)
		}
	}
	if a := answer(t, q.Host, q.Ask(nurse(q.Ward, "nurse-2"))); a.Reason != trust.Permit || a.TTL == 0 {
		t.Errorf("another nurse has %s for %d seconds", a.Reason, a.TTL)
	}
	if d := q.at(q.Host).Decided; d.Watched == 0 {
		t.Errorf("it is not shown that she is monitored: %+v", d)
	}
	want(t, q.Ward, token, trust.MonitoringSpent)
	want(t, q.Ward, token, trust.SubjectSuspended)
	notice := told(t, q.Home, 1)[0]
	if notice.What.Subject != "nurse-1" || notice.What.Reason == "" || notice.From != q.Host.ID {
		t.Errorf("the notice says %+v", notice)
	}
	if e, _ := newest[suspension.Suspended](t, q.Host); e.By != suspension.ByRule("monitoring") {
		t.Errorf("she is suspended by %q", e.By)
	}
	nodetest.Eventually(t, "the record that she was stopped again", func() bool { return q.at(q.Host).Decided.StoppedAgain != 0 })
	marked := 0
	for _, kind := range []string{"decision.made/v1", "decision.repeated/v1"} {
		for _, e := range entries(t, q.Host, "decisions", kind) {
			var leaf struct {
				Observed decision.Seen `json:"observed"`
			}
			if loose(t, e.Body, &leaf); leaf.Observed.Monitored {
				marked++
			}
		}
	}
	if marked != 4 {
		t.Errorf("%d decisions are marked as monitored, want 4", marked)
	}
	resume(t, q.Host, other, subjectAt(q.Ward, "nurse-1"), func() {})
	await(t, q.Ward, token, trust.Permit)
}

// loose reads some members of an entry.
func loose(t *testing.T, body []byte, into any) {
	t.Helper()
	done(t, canonical.DecodeLoose(body, into))
}
