package denial_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// quarrel settles a dispute about nurse-5 by a remedy that names her by a claim,
// and has a plan; end lets her go on.
type quarrel struct {
	who node.Stoppable
	id  string
}

func (q *quarrel) moves(t *testing.T, n *nodetest.Node, m node.DisputeMove) {
	t.Helper()
	check(t, n.MoveDispute(t.Context(), n.Admin, q.id, m))
}

func (q *quarrel) settle(w *world, t *testing.T) {
	t.Helper()
	_, err := w.host.Suspend(t.Context(), w.host.Admin, node.SuspendRequest{Stoppable: q.who, Why: node.Why{Reason: "odd"}})
	check(t, err)
	nodetest.Eventually(t, "the notice", func() bool {
		all, err := w.home.Notices(t.Context(), w.home.Admin)
		return err == nil && slices.ContainsFunc(all, func(n node.Suspended) bool { return n.What.Subject == q.who.Subject })
	})
	q.id, err = w.home.OpenDispute(t.Context(), w.home.Admin, node.DisputeRequest{Stoppable: q.who, By: w.host.ID, Statement: "why"})
	check(t, err)
	at := func(n *nodetest.Node, what string, is func(dispute.Case) bool) (c dispute.Case) {
		nodetest.Eventually(t, what, func() bool {
			var ok bool
			c, ok = n.State().Dispute.Get(q.id)
			return ok && is(c)
		})
		return c
	}
	at(w.host, "the dispute", func(dispute.Case) bool { return true })
	q.moves(t, w.host, node.DisputeMove{Verb: dispute.Exhibit, Log: "trust", N: 0})
	at(w.home, "the evidence", func(c dispute.Case) bool { return len(c.Exhibits) == 1 })
	q.edited(w, t)
	if err := w.home.MoveDispute(t.Context(), w.home.Admin, q.id, node.DisputeMove{Verb: dispute.Answer, Statement: "no"}); trust.KindOf(err) != trust.Conflict {
		t.Errorf("the opener answers itself: %v", err)
	}
	q.moves(t, w.host, node.DisputeMove{Verb: dispute.Propose, Terms: &node.Terms{Plan: []string{"she is trained"}, Claim: "staff_number", Person: "N-5"}})
	offer := at(w.home, "the offer", func(c dispute.Case) bool { return c.Offer.Hash != "" }).Offer
	q.moves(t, w.home, node.DisputeMove{Verb: dispute.Accept, Hash: offer.Hash})
	at(w.host, "the remedy", func(c dispute.Case) bool { return c.Stage == dispute.Decided })
	if _, err := w.host.Resume(t.Context(), w.host.Admin, q.who, "fine"); trust.KindOf(err) != trust.Denied {
		t.Errorf("she goes on with the plan unmet: %v", err)
	}
}

// edited shows the host's entry with one byte changed.
func (q *quarrel) edited(w *world, t *testing.T) {
	t.Helper()
	d, err := w.home.Dispute(t.Context(), w.home.Admin, q.id)
	check(t, err)
	e := *d.Moves[len(d.Moves)-1].Exhibit
	e.Leaf = bytes.Clone(e.Leaf)
	e.Leaf[20] ^= 1
	if err := w.home.MoveDispute(t.Context(), w.home.Admin, q.id, node.DisputeMove{Verb: dispute.Exhibit, Exhibit: &e}); trust.KindOf(err) != trust.Denied {
		t.Errorf("edited evidence: %v", err)
	}
}

func (q *quarrel) end(w *world, t *testing.T) {
	t.Helper()
	q.moves(t, w.host, node.DisputeMove{Verb: dispute.Meet, Condition: 1})
	second := node.Actor{ID: must(addAdmin(t, w.host)), Roles: []trust.Role{operator.Admin}}
	for _, a := range []node.Actor{w.host.Admin, second} {
		_, err := w.host.Resume(t.Context(), a, q.who, "trained")
		check(t, err)
	}
}

// disputed is a scene of a remedy that stops a person under every identifier.
func (w *world) disputed() scene {
	q := &quarrel{who: node.Stoppable{Kind: suspension.Subject, Issuer: w.idp.URL, Subject: "nurse-5"}}
	staff := func(subject string, number any) func(*draft) {
		return func(d *draft) { d.claims["sub"], d.claims["staff_number"] = subject, number }
	}
	one := func(name string, want trust.Reason, do func(*draft)) spoil {
		return spoil{"disabled thing still works", name, do, want}
	}
	return scene{"person barred by the remedy of a dispute", q.settle, []spoil{
		one("by her identifier", trust.SubjectSuspended, staff("nurse-5", "N-5")), one("by another one", trust.PersonBarred, staff("nurse-6", "N-5")),
		one("who is not named", trust.PersonUnnamed, unchanged), one("control: another person", "", staff("nurse-9", "N-9")),
	}, q.end}
}
