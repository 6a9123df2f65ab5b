package node_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// quarrel is a ward whose host stopped nurse-1, and whose home disputes that.
type quarrel struct {
	*nodetest.Ward
	t  *testing.T
	id string
}

func quarrelOf(t *testing.T, change func(*agreement.Document)) *quarrel {
	t.Helper()
	q := &quarrel{Ward: wardOf(t, change), t: t}
	q.open()
	return q
}

func (q *quarrel) open() {
	q.t.Helper()
	suspend(q.t, q.Host, subjectAt(q.Ward, "nurse-1"))
	told(q.t, q.Home, 1)
	id, err := q.Home.OpenDispute(q.t.Context(), q.Home.Admin, node.DisputeRequest{Stoppable: subjectAt(q.Ward, "nurse-1"), Statement: "a training account"})
	done(q.t, err)
	q.id = id
	q.await(q.Host, "the dispute", func(d node.Dispute) bool { return d.Stage == dispute.Direct })
}

func (q *quarrel) move(n *nodetest.Node, m node.DisputeMove) {
	q.t.Helper()
	done(q.t, n.MoveDispute(q.t.Context(), n.Admin, q.id, m))
}

func (q *quarrel) refused(n *nodetest.Node, what string, m node.DisputeMove, kind trust.ErrorKind) {
	q.t.Helper()
	refused(q.t, what, n.MoveDispute(q.t.Context(), n.Admin, q.id, m), kind)
}

func (q *quarrel) at(n *nodetest.Node) node.Dispute {
	d, err := n.Dispute(q.t.Context(), n.Admin, q.id)
	if trust.KindOf(err) != trust.NotFound {
		done(q.t, err)
	}
	return d
}

func (q *quarrel) await(n *nodetest.Node, what string, is func(node.Dispute) bool) node.Dispute {
	q.t.Helper()
	var d node.Dispute
	nodetest.Eventually(q.t, what, func() bool { d = q.at(n); return is(d) })
	return d
}

func (q *quarrel) awaitStage(stage dispute.Stage, nodes ...*nodetest.Node) {
	q.t.Helper()
	for _, n := range nodes {
		q.await(n, "the stage "+string(stage)+" at "+n.ID.String(), func(d node.Dispute) bool { return d.Stage == stage })
	}
}

// neutral is a further node that both parties know.
func (q *quarrel) neutral(host string) *nodetest.Node {
	n := q.Home.World.New(host)
	n.Adopt(q.Home.State().Framework.Current.Signed)
	q.Home.World.Introduce(q.Home, n)
	q.Home.World.Introduce(q.Host, n)
	return n
}

func (q *quarrel) resumes(want trust.ErrorKind) {
	q.t.Helper()
	_, err := q.Host.Resume(q.t.Context(), q.Host.Admin, subjectAt(q.Ward, "nurse-1"), "settled")
	refused(q.t, "resuming", err, want)
}

// exhibits lets a node show an entry of its own, and gives it as the other has it.
func (q *quarrel) exhibits(n, other *nodetest.Node, log string, entry uint64) *node.Exhibit {
	q.t.Helper()
	q.move(n, node.DisputeMove{Verb: dispute.Exhibit, Log: log, N: entry})
	var shown *node.Exhibit
	q.await(other, "the evidence", func(d node.Dispute) bool {
		for _, m := range d.Moves {
			if m.Exhibit != nil && m.Exhibit.Participant == n.ID && m.Exhibit.N == entry {
				shown = m.Exhibit
			}
		}
		return shown != nil
	})
	return shown
}

// R57: two parties settle it between them. A bar and a plan hold against two people
// of the host's own side, and only their separate word lets her go on.
func TestADisputeIsSettledDirectly(t *testing.T) {
	q := quarrelOf(t, nil)
	home, host, ctx := q.Home, q.Host, t.Context()
	other := second(t, host, "L. Marsh")
	q.refused(home, "the opener answers itself", node.DisputeMove{Verb: dispute.Answer, Statement: "no"}, trust.Conflict)
	q.move(host, node.DisputeMove{Verb: dispute.Answer, Statement: "40 odd queries"})
	d := q.await(home, "the answer", func(d node.Dispute) bool {
		return len(d.Moves) == 2 && d.Moves[1].Statement == "40 odd queries" && d.Moves[1].From == host.ID
	})
	if d.Role != dispute.Opener || d.About == nil || d.About.Subject != "nurse-1" || d.Moves[0].Statement != "a training account" {
		t.Errorf("at the opener it is %+v", d)
	}
	_, err := home.OpenDispute(ctx, home.Admin, node.DisputeRequest{Stoppable: subjectAt(q.Ward, "nurse-1"), Statement: "again"})
	refused(t, "a second dispute about the same", err, trust.Conflict)
	_, err = home.OpenDispute(ctx, home.Admin, node.DisputeRequest{Stoppable: subjectAt(q.Ward, "nurse-2"), By: host.ID, Statement: "why"})
	refused(t, "a dispute about what goes on", err, trust.Conflict)

	// The home offers a day; the host counters with a plan, and the home accepts.
	q.move(home, node.DisputeMove{Verb: dispute.Propose, Terms: &node.Terms{Bar: trust.Instant(host.Now() + 60)}})
	q.refused(home, "the other party's turn", node.DisputeMove{Verb: dispute.Propose, Terms: &node.Terms{Note: "or nothing"}}, trust.Conflict)
	first := q.await(host, "the first offer", func(d node.Dispute) bool { return d.Offer != "" }).Offer
	q.move(host, node.DisputeMove{Verb: dispute.Propose, Terms: &node.Terms{Bar: trust.Instant(host.Now() + 60), Plan: []string{"she is trained"}}})
	counter := q.await(home, "the counter", func(d node.Dispute) bool { return d.OfferBy == host.ID }).Offer
	q.refused(host, "an offer that was countered", node.DisputeMove{Verb: dispute.Accept, Hash: first}, trust.NotFound)
	q.refused(host, "its own offer", node.DisputeMove{Verb: dispute.Accept, Hash: counter}, trust.NotFound)
	q.resumesBefore(other)
	q.move(home, node.DisputeMove{Verb: dispute.Accept, Hash: counter})
	q.awaitStage(dispute.Decided, home, host)
	if d := q.at(host); d.Decided == nil || d.Decided.In != dispute.Direct || d.Decided.Conditions != 1 || d.Holds == "" {
		t.Errorf("decided it is %+v", d)
	}

	q.resumes(trust.Denied)
	if e, _ := newest[suspension.Refused](t, host); e.Rule != suspension.RuleRemedy {
		t.Errorf("recorded is %+v", e)
	}
	q.refused(home, "the home says that the plan is met", node.DisputeMove{Verb: dispute.Meet, Condition: 1}, trust.Conflict)
	q.refused(host, "a condition there is not", node.DisputeMove{Verb: dispute.Meet, Condition: 2}, trust.NotFound)
	host.Clock.Shift(61 * time.Second)
	home.Clock.Shift(61 * time.Second)
	q.resumes(trust.Denied) // the plan is unmet
	q.move(host, node.DisputeMove{Verb: dispute.Meet, Condition: 1, Statement: "certificate seen"})
	q.await(home, "the plan to be met", func(d node.Dispute) bool { return d.Decided != nil && len(d.Decided.Met) == 1 })
	resume(t, host, other, subjectAt(q.Ward, "nurse-1"), func() { await(t, q.Ward, nurse(q.Ward, "nurse-1"), trust.SubjectSuspended) })
	await(t, q.Ward, nurse(q.Ward, "nurse-1"), trust.Permit)
	q.awaitStage(dispute.Closed, home, host)
}

// resumesBefore: the first word that she goes on, said before there was a remedy,
// does not count against it.
func (q *quarrel) resumesBefore(other node.Actor) {
	q.t.Helper()
	_, err := q.Host.Resume(q.t.Context(), other, subjectAt(q.Ward, "nurse-1"), "before")
	done(q.t, err)
}

// A suspension that would end by itself lasts until its remedy lets it go.
func TestARemedyOutlastsTheSuspension(t *testing.T) {
	ward := wardOf(t, nil)
	q := &quarrel{Ward: ward, t: t}
	_, err := q.Host.Suspend(t.Context(), q.Host.Admin, node.SuspendRequest{Stoppable: subjectAt(ward, "nurse-1"), Why: node.Why{Reason: "odd"}, For: 50})
	done(t, err)
	q.open()
	q.move(q.Host, node.DisputeMove{Verb: dispute.Propose, Terms: &node.Terms{Bar: trust.Instant(q.Host.Now() + 3600)}})
	offer := q.await(q.Home, "the offer", func(d node.Dispute) bool { return d.Offer != "" }).Offer
	q.move(q.Home, node.DisputeMove{Verb: dispute.Accept, Hash: offer})
	q.awaitStage(dispute.Decided, q.Host)
	q.Host.Clock.Shift(55 * time.Second)
	q.Home.Clock.Shift(55 * time.Second)
	await(t, ward, nurse(ward, "nurse-2"), trust.Permit)
	want(t, ward, nurse(ward, "nurse-1"), trust.SubjectSuspended)
}

// Evidence of both ledgers is proven, whoever shows it; one changed byte is not.
func TestEvidenceIsProven(t *testing.T) {
	q := quarrelOf(t, nil)
	home, host := q.Home, q.Host
	want(t, q.Ward, nurse(q.Ward, "nurse-2"), trust.Permit)
	want(t, q.Ward, nurse(q.Ward, "nurse-1"), trust.SubjectSuspended)
	shown := q.exhibits(host, home, "decisions", 0)
	q.exhibits(home, host, "trust", 3)
	if q.at(home).Moves[1].Kind != "dispute.exhibited" {
		t.Errorf("the moves are %+v", q.at(home).Moves)
	}
	spoil := map[string]func(*node.Exhibit){
		"an edited leaf":       func(e *node.Exhibit) { e.Leaf[len(e.Leaf)-2] ^= 1 },
		"another place":        func(e *node.Exhibit) { e.N++ },
		"another log":          func(e *node.Exhibit) { e.Log = "trust" },
		"another ledger":       func(e *node.Exhibit) { e.Participant = home.ID },
		"an edited checkpoint": func(e *node.Exhibit) { e.Checkpoint[len(e.Checkpoint)-8] ^= 1 },
		"a size that was not signed": func(e *node.Exhibit) {
			e.Checkpoint = bytes.Replace(e.Checkpoint, []byte("epoch 1"), []byte("epoch 2"), 1)
		},
		"a proof of something else": func(e *node.Exhibit) { e.Proof = append(e.Proof, make([]byte, 32)) },
		"a proof that is none":      func(e *node.Exhibit) { e.Proof = [][]byte{{1}} },
		"no checkpoint":             func(e *node.Exhibit) { e.Checkpoint = nil },
		"somebody's who is no party": func(e *node.Exhibit) {
			e.Participant = nodetest.Must(trust.ParseParticipantID("https://trust.r0a.example"))(t)
		},
	}
	for what, change := range spoil {
		e := *shown
		e.Leaf, e.Checkpoint = bytes.Clone(shown.Leaf), bytes.Clone(shown.Checkpoint)
		change(&e)
		q.refused(home, what, node.DisputeMove{Verb: dispute.Exhibit, Exhibit: &e}, trust.Denied)
		if r, _ := newest[dispute.Refused](t, home); r.Rule != dispute.RuleEvidence || r.Verb != dispute.Exhibit {
			t.Errorf("%s: recorded is %+v", what, r)
		}
	}
	// A node that does not ask itself first is refused by the other one.
	forged := *shown
	forged.Leaf = bytes.Clone(shown.Leaf)
	forged.Leaf[20] ^= 1
	quiet(t, home, host)
	before := len(entries(t, host, "trust", "dispute.exhibited/v1"))
	content := map[string]any{"verb": "exhibit", "id": q.id, "exhibit": forged}
	jws := forge(t, home, host, edge.Governance, next(home, host, edge.Governance), "dispute", content)
	done(t, host.ReceiveMessage(t.Context(), home.ID, jws))
	if r, n := newest[dispute.Refused](t, host); n != 1 || r.From != home.ID || r.Rule != dispute.RuleEvidence {
		t.Errorf("recorded is %+v", r)
	}
	if got := len(entries(t, host, "trust", "dispute.exhibited/v1")); got != before {
		t.Errorf("%d exhibits, had %d", got, before)
	}
}

// A mediator that both name proposes once, and both accept; a panel's majority
// rules whatever the parties say.
func TestMediationAndAPanel(t *testing.T) {
	q := quarrelOf(t, nil)
	home, host := q.Home, q.Host
	var panel []*nodetest.Node
	var ids []trust.ParticipantID
	for _, name := range []string{"trust.p1.example", "trust.p2.example", "trust.p3.example"} {
		n := q.neutral(name)
		panel, ids = append(panel, n), append(ids, n.ID)
	}
	mediator := panel[0]
	want(t, q.Ward, nurse(q.Ward, "nurse-2"), trust.Permit)
	q.exhibits(host, home, "decisions", 0)
	q.refused(home, "the panel before the mediator", node.DisputeMove{Verb: dispute.Escalate, To: dispute.Panel, Thirds: ids}, trust.Conflict)
	q.refused(home, "a party as mediator", node.DisputeMove{Verb: dispute.Escalate, To: dispute.Mediated, Thirds: []trust.ParticipantID{host.ID}}, trust.Invalid)
	mediated := node.DisputeMove{Verb: dispute.Escalate, To: dispute.Mediated, Thirds: ids[:1]}
	q.move(home, mediated)
	q.await(host, "the opener's wish", func(d node.Dispute) bool { return d.Asked != nil && d.Stage == dispute.Direct })
	q.move(host, mediated)
	q.awaitStage(dispute.Mediated, home, host, mediator)
	q.await(mediator, "the evidence at the mediator", func(d node.Dispute) bool {
		return slices.ContainsFunc(d.Moves, func(m node.DisputeEntry) bool { return m.Exhibit != nil }) // before or behind the other party's word
	})
	q.await(mediator, "both parties before the mediator", func(d node.Dispute) bool { return d.Role == dispute.Mediator && len(d.Moves) >= 3 })
	q.refused(mediator, "the mediator accepts", node.DisputeMove{Verb: dispute.Accept, Hash: "x"}, trust.Conflict)
	q.move(mediator, node.DisputeMove{Verb: dispute.Propose, Terms: &node.Terms{Note: "let her go on"}})
	q.refused(mediator, "a second proposal", node.DisputeMove{Verb: dispute.Propose, Terms: &node.Terms{Note: "or not"}}, trust.Conflict)
	proposed := q.await(home, "the proposal", func(d node.Dispute) bool { return d.Proposal != "" }).Proposal
	q.move(home, node.DisputeMove{Verb: dispute.Accept, Hash: proposed})
	q.refused(home, "an offer after the last word", node.DisputeMove{Verb: dispute.Propose, Terms: &node.Terms{Note: "or a bar"}}, trust.Conflict)
	if q.at(home).Stage != dispute.Mediated {
		t.Error("one party alone settled it")
	}

	// The host does not accept; both take it to the panel.
	rules := node.DisputeMove{Verb: dispute.Escalate, To: dispute.Panel, Thirds: ids}
	q.refused(host, "two on a panel", node.DisputeMove{Verb: dispute.Escalate, To: dispute.Panel, Thirds: ids[:2]}, trust.Invalid)
	q.move(host, rules)
	q.await(home, "the respondent's wish", func(d node.Dispute) bool { return d.Asked != nil })
	q.move(home, rules)
	q.awaitStage(dispute.Panel, append(panel, home, host)...)
	q.refused(host, "accepting before a panel", node.DisputeMove{Verb: dispute.Accept, Hash: proposed}, trust.Conflict)
	q.refused(host, "a party rules", node.DisputeMove{Verb: dispute.Rule, Terms: &node.Terms{}}, trust.Conflict)
	for _, n := range panel {
		q.await(n, "both parties before "+n.ID.String(), func(d node.Dispute) bool {
			by := map[trust.ParticipantID]bool{}
			for _, m := range d.Moves {
				if m.Kind == "dispute.seated" && m.To == dispute.Panel {
					by[m.From] = true
				}
			}
			return len(by) == 2
		})
	}
	q.move(panel[1], node.DisputeMove{Verb: dispute.Rule, Terms: &node.Terms{Bar: trust.Instant(host.Now() + 3600)}})
	q.refused(panel[1], "a second vote", node.DisputeMove{Verb: dispute.Rule, Terms: &node.Terms{Note: "no"}}, trust.Conflict)
	q.await(host, "one vote", func(d node.Dispute) bool { return d.Votes == 1 && d.Stage == dispute.Panel })
	q.move(mediator, node.DisputeMove{Verb: dispute.Rule, Hash: proposed}) // its own word of before
	q.await(host, "two votes", func(d node.Dispute) bool { return d.Votes == 2 && d.Stage == dispute.Panel })
	q.move(panel[2], node.DisputeMove{Verb: dispute.Rule, Hash: proposed})
	q.awaitStage(dispute.Decided, home, host)
	for _, n := range []*nodetest.Node{home, host} {
		if d := q.at(n).Decided; d.In != dispute.Panel || d.Hash != proposed || d.Bar != 0 {
			t.Errorf("at %s it is decided as %+v", n.ID, d)
		}
	}
	q.awaitStage(dispute.Closed, panel...)
	q.resumes("")
}

// R57: where the agreement names a panel, a respondent that does nothing stops
// nothing: the stage runs out, and either party goes on alone.
func TestAStageRunsOut(t *testing.T) {
	third := nodetest.Must(trust.ParseParticipantID("https://trust.p1.example"))(t)
	q := quarrelOf(t, func(d *agreement.Document) {
		d.Disputes = &agreement.Disputes{Stage: 60, Panel: []trust.ParticipantID{third}}
	})
	n := q.neutral("trust.p1.example")
	alone := node.DisputeMove{Verb: dispute.Escalate, To: dispute.Panel}
	q.move(q.Home, alone)
	q.await(q.Host, "the wish", func(d node.Dispute) bool { return d.Asked != nil })
	q.move(q.Home, alone)
	if q.at(q.Home).Stage != dispute.Direct {
		t.Fatal("one party alone ended the stage before its time")
	}
	for _, node := range []*nodetest.Node{q.Host, q.Home, n} {
		node.Clock.Shift(61 * time.Second)
	}
	q.move(q.Home, alone)
	q.awaitStage(dispute.Panel, q.Home, q.Host, n)
	q.await(n, "both parties", func(d node.Dispute) bool { return len(d.Moves) == 2 })
	q.move(n, node.DisputeMove{Verb: dispute.Rule, Terms: &node.Terms{Plan: []string{"she is trained"}}})
	q.awaitStage(dispute.Decided, q.Home, q.Host)
	q.resumes(trust.Denied)
}
