package node_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// stage waits until an edge of a recovering node has come so far.
func stage(t *testing.T, n *nodetest.Node, with *nodetest.Node, want edge.Stage) {
	t.Helper()
	nodetest.Eventually(t, "the edge to be "+string(want), func() bool { return n.State().Edge.Stage(with.ID) == want })
}

// acceptEpoch lets a recovered node speak at its partner, and waits until it knows.
func acceptEpoch(t *testing.T, at, recovered *nodetest.Node) {
	t.Helper()
	nodetest.Eventually(t, "the epoch to be held", func() bool { return at.State().Edge.Held(recovered.ID) != 0 })
	_, err := at.AcceptEpoch(t.Context(), at.Admin, recovered.ID, at.State().Edge.Held(recovered.ID), "spoke with them")
	done(t, err)
	stage(t, recovered, at, edge.Accepted)
}

// Scenario 7, R77: a home that lost the end of its ledger, and with it a
// revocation, has it again before it decides anything.
func TestARecoveryNeverUnRevokes(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	atHome, atHost := second(t, home, "Kofi"), second(t, host, "Lin")
	quiet(t, home, host)
	backup := home.Backup()
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	revoke(t, ward, "nurse-1")
	suspend(t, home, subjectAt(ward, "nurse-2"))
	quiet(t, home, host)
	lost := home.State().Edge.Next(host.ID, edge.Safety) - 1

	home.Stop()
	opened := home.Recover(backup)
	if opened.Epoch != 2 || opened.Position.Epoch != 2 || len(opened.Partners) != 1 {
		t.Errorf("reopened %+v", opened)
	}
	home.Start()
	stage(t, home, host, edge.Fetched)
	nodetest.Eventually(t, "the host to hold the epoch", func() bool { return host.State().Edge.Held(home.ID) == 2 })
	for _, subject := range []string{"nurse-1", "nurse-2"} {
		key := home.Config.Keys.Subject(home.ID.String(), evidence.DefaultNamespace, subject)
		_, ended := home.State().Revocation.Ended(key)
		if stopped := home.State().Suspension.SubjectSuspended(key, home.Now()); !ended && !stopped {
			t.Errorf("%s is neither revoked nor suspended at the home", subject)
		}
	}
	report, err := home.Recovery(t.Context(), home.Admin)
	done(t, err)
	if len(report.Edges) != 1 || len(report.Edges[0].Lost) == 0 || report.Edges[0].Lost[0].To != lost || report.Edges[0].Lost[0].Again != 2 {
		t.Errorf("reported %+v", report)
	}
	want(t, ward, nurse(ward, "nurse-3"), trust.EdgeBroken)
	// Neither side resumes before the other one's operator has accepted.
	for _, side := range []struct{ at, with *nodetest.Node }{{home, host}, {host, home}} {
		_, err := side.at.Resume(t.Context(), side.at.Admin, node.Stoppable{Kind: suspension.Edge, Participant: side.with.ID}, "go on")
		refused(t, "resuming before the epoch is accepted", err, trust.Conflict)
	}
	acceptEpoch(t, host, home)
	resume(t, home, atHome, node.Stoppable{Kind: suspension.Edge, Participant: host.ID}, func() {})
	want(t, ward, nurse(ward, "nurse-3"), trust.EdgeBroken)
	resume(t, host, atHost, node.Stoppable{Kind: suspension.Edge, Participant: home.ID}, func() {})
	await(t, ward, nurse(ward, "nurse-3"), trust.Permit)
	want(t, ward, nurse(ward, "nurse-1"), trust.SubjectRevoked)
	want(t, ward, nurse(ward, "nurse-2"), trust.SubjectSuspended)
	// The numbers go on behind what the host proved.
	revoke(t, ward, "nurse-3")
	quiet(t, home, host)
	await(t, ward, nurse(ward, "nurse-3"), trust.SubjectRevoked)
	home.Stop()
	home.Start()
	quiet(t, home, host)
	if _, broken := host.State().Edge.Broken(home.ID); broken {
		t.Error("the edge is broken again after a restart")
	}
}

// A ledger that was put back and not recovered is refused by its partner, and,
// once that shows what it had been told, denies by itself; a recovery heals it.
func TestALossIsNoticed(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	quiet(t, home, host)
	backup := home.Backup()
	revoke(t, ward, "nurse-1")
	quiet(t, home, host)

	home.Stop()
	home.PutBack(backup)
	home.Start()
	await(t, ward, nurse(ward, "nurse-2"), trust.EdgeBroken)
	nodetest.Eventually(t, "the home to deny", func() bool { return home.State().Edge.Recovery.Lost })
	if got := home.Decide(t.Context(), ward.Ask(nurse(ward, "nurse-2"))); got.Reason != trust.LedgerLost {
		t.Errorf("the home answers %s", got.Reason)
	}
	revoke(t, ward, "nurse-3") // under a number that the partner has seen
	home.Stop()
	again := home.Backup()
	home.Recover(again)
	home.Start()
	stage(t, home, host, edge.Fetched)
	for _, subject := range []string{"nurse-1", "nurse-3"} {
		key := home.Config.Keys.Subject(home.ID.String(), evidence.DefaultNamespace, subject)
		if _, ended := home.State().Revocation.Ended(key); !ended {
			t.Errorf("%s is not revoked at the home", subject)
		}
	}
	acceptEpoch(t, host, home)
	quiet(t, home, host)
	want(t, ward, nurse(ward, "nurse-2"), trust.EdgeBroken)
	for _, subject := range []string{"nurse-1", "nurse-3"} {
		key := host.Config.Keys.Subject(home.ID.String(), evidence.DefaultNamespace, subject)
		if _, ended := host.State().Revocation.Ended(key); !ended {
			t.Errorf("%s is not revoked at the host", subject)
		}
	}
}

// A host that lost the end of its ledger is given again what it had been told,
// decides nothing on the partner before that, and takes no decision for another; nor
// does the home take a receipt for one of those that were lost.
func TestAHostRecovers(t *testing.T) {
	ward := accounted(t)
	home, host := ward.Home, ward.Host
	atHome, atHost := second(t, home, "Kofi"), second(t, host, "Lin")
	kept := answer(t, host, ward.Ask(nurse(ward, "nurse-3"))).Reference
	quiet(t, home, host)
	backup := host.Backup()
	lost := answer(t, host, ward.Ask(nurse(ward, "nurse-3"))).Reference
	awaitCounters(t, ward, 2)
	revoke(t, ward, "nurse-1")
	revokeAt(t, home, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: "nurse-2", Reason: "left"})
	quiet(t, home, host)

	host.Stop()
	host.Recover(backup)
	// The epoch may be accepted before anything is fetched back, and still is.
	home.World.Intercept(func(_, _ *nodetest.Node, r node.Outgoing, in node.Incoming) node.Incoming {
		if r.Path == node.ReceivedPath {
			in.Status = 503
		}
		return in
	})
	host.Start()
	nodetest.Eventually(t, "the epoch to be held", func() bool { return home.State().Edge.Held(host.ID) == 2 })
	_, err := home.AcceptEpoch(t.Context(), home.Admin, host.ID, 2, "spoke with them")
	done(t, err)
	_, err = home.Resume(t.Context(), home.Admin, node.Stoppable{Kind: suspension.Edge, Participant: host.ID}, "go on")
	refused(t, "resuming before anything is said in the epoch", err, trust.Conflict)
	if now := host.State().Edge.Stage(home.ID); now != edge.Opened {
		t.Errorf("the edge is %s, and nothing can be fetched back", now)
	}
	home.World.Intercept(nil)
	stage(t, host, home, edge.Accepted)
	if got := read(t, ward, nurse(ward, "nurse-1")); got == trust.Permit {
		t.Error("the host decides before its edge is resumed")
	}
	quiet(t, home, host)
	resume(t, home, atHome, node.Stoppable{Kind: suspension.Edge, Participant: host.ID}, func() {})
	resume(t, host, atHost, node.Stoppable{Kind: suspension.Edge, Participant: home.ID}, func() {})
	await(t, ward, nurse(ward, "nurse-3"), trust.Permit)
	want(t, ward, nurse(ward, "nurse-1"), trust.SubjectRevoked)
	want(t, ward, nurse(ward, "nurse-2"), trust.SubjectRevoked)
	// A reference that was given before the loss is that of no later decision.
	_, err = host.Explain(t.Context(), host.Admin, lost)
	refused(t, "explaining a decision that was lost", err, trust.NotFound)
	after := answer(t, host, ward.Ask(nurse(ward, "nurse-3"))).Reference
	explained, err := host.Explain(t.Context(), host.Admin, after)
	if done(t, err); explained.Position.Epoch != 2 || after == lost {
		t.Errorf("decided at %s in the new epoch", explained.Position)
	}
	seriesOf(t, ward, map[string]receipt.Place{kept: {N: 1}, lost: {N: 2}}, after)
}

// seriesOf sees that the home has a receipt of each reference under its number, that
// those of the new epoch are numbered anew without a gap, after among them, and that
// both sides know that receipt 2 of the first epoch is lost, and of nothing else.
func seriesOf(t *testing.T, ward *nodetest.Ward, first map[string]receipt.Place, after string) {
	t.Helper()
	home, host := ward.Home, ward.Host
	for range 2 {
		nodetest.Eventually(t, "the receipt of "+after, func() bool {
			of, err := home.CountersOf(t.Context(), home.Admin, after)
			return err == nil && of[0].Series == 2
		})
		var last receipt.Place
		for _, c := range counters(t, ward) {
			at := receipt.Place{Series: c.Series, N: c.N}
			if want, known := first[c.Reference]; known && at != want {
				t.Errorf("the receipt of %s is %s, not %s", c.Reference, at, want)
			}
			if at.Series > last.Series {
				last = receipt.Place{Series: at.Series}
			}
			if last.N++; at != last {
				t.Fatalf("receipt %s stands where %s should", at, last)
			}
		}
		home.Stop()
		home.Start()
		after = answer(t, host, ward.Ask(nurse(ward, "nurse-3"))).Reference
	}
	one := receipt.Range{Kind: receipt.MissingAtHost, From: 2, To: 2}
	for n, partner := range map[*nodetest.Node]*nodetest.Node{home: host, host: home} {
		all, err := n.Reconcile(t.Context(), n.Admin, partner.ID, 1)
		if done(t, err); len(all) != 2 || !slices.Equal(all[0].Differences, []receipt.Range{one}) || all[1].Series != 2 || all[1].To == 0 || len(all[1].Differences) != 0 {
			t.Errorf("%s compares to %+v", n.ID, all)
		}
	}
	onBothSides(t, ward, finding.MissingAtHost, 2, 2)
	var log node.Permits
	for _, e := range entries(t, home, "decisions", "") {
		if name, _, _ := strings.Cut(e.Kind, "/"); strings.HasPrefix(name, "receipt.") {
			done(t, log.Check(ledger.Record{Position: e.Position, Kind: name, Version: 1, Body: e.Body}))
		}
	}
}

// A partner's word in a higher epoch suspends the edge, once; one in the epoch
// before it is on record then.
func TestAWordInAHigherEpochIsHeld(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	quiet(t, home, host)
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	home.World.Intercept(func(from, to *nodetest.Node, r node.Outgoing, in node.Incoming) node.Incoming {
		if from == host && r.Path == node.HeartbeatPath {
			in.Body = rewritten(t, to, in.Body, func(word map[string]any) { word["epoch"] = 2 })
		}
		return in
	})
	await(t, ward, nurse(ward, "nurse-1"), trust.EdgeBroken)
	home.World.Intercept(nil)
	if held, count := newest[edge.EpochHeld](t, host); held.From != home.ID || held.Epoch != 2 || count != 1 {
		t.Errorf("%d epochs are held, the last %+v", count, held)
	}
	nodetest.Eventually(t, "the word in the old epoch to be on record", func() bool {
		rule, _ := host.State().Edge.Broken(home.ID)
		return rule == edge.RulePastEpoch
	})
}

// What was issued before the ledger was recovered has ended: whether it had been
// given back, no partner was told.
func TestCredentialsOfBeforeARecovery(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	atHome, atHost := second(t, home, "Kofi"), second(t, host, "Lin")
	before := exchange(t, ward, order(ward, nurse(ward, "n-1")))
	quiet(t, home, host)
	backup := host.Backup()
	lost := exchange(t, ward, order(ward, nurse(ward, "n-1")))
	want(t, ward, []byte(before.Token), trust.Permit)
	done(t, host.GiveBack(t.Context(), "pep", []byte(before.Token)))

	host.Stop()
	host.Recover(backup)
	host.Start()
	stage(t, host, home, edge.Fetched)
	acceptEpoch(t, home, host)
	quiet(t, home, host)
	resume(t, home, atHome, node.Stoppable{Kind: suspension.Edge, Participant: host.ID}, func() {})
	resume(t, host, atHost, node.Stoppable{Kind: suspension.Edge, Participant: home.ID}, func() {})
	await(t, ward, nurse(ward, "n-1"), trust.Permit)
	for name, token := range map[string]string{"given back in what is lost": before.Token, "issued in what is lost": lost.Token} {
		want(t, ward, []byte(token), trust.CredentialEnded)
		if active(t, ward, "pep", token) {
			t.Errorf("%s: active", name)
		}
		refusedExchange(t, ward, order(ward, []byte(token)), node.BadToken, trust.CredentialEnded)
	}
	after := exchange(t, ward, order(ward, nurse(ward, "n-1")))
	want(t, ward, []byte(after.Token), trust.Permit)
	host.Stop()
	host.Start()
	await(t, ward, []byte(after.Token), trust.Permit)
	want(t, ward, []byte(before.Token), trust.CredentialEnded)
}

// A partner that never answers is gone on without by two people, and is suspended;
// what it holds is fetched when it speaks after all.
func TestARecoveryGoesOnWithoutAPartner(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	third := host.World.New("trust.rcb.example")
	host.World.Introduce(third, host)
	atHost := second(t, host, "Lin")
	quiet(t, home, host)
	quiet(t, third, host)
	backup := host.Backup()
	_, err := host.Suspend(t.Context(), host.Admin, node.SuspendRequest{
		Stoppable: node.Stoppable{Kind: suspension.Participant, Participant: third.ID}, Why: node.Why{Reason: "odd", TLP: suspension.Amber},
	})
	done(t, err)
	quiet(t, third, host)
	third.Stop()
	host.World.Cut(host, third)

	host.Stop()
	host.Recover(backup)
	host.Start()
	stage(t, host, home, edge.Fetched)
	want(t, ward, nurse(ward, "n-1"), trust.Recovering)
	without := func(a node.Actor, reason string) error {
		_, err := host.GoOnWithout(t.Context(), a, third.ID, reason)
		return err
	}
	refused(t, "without a reason", without(host.Admin, ""), trust.Invalid)
	refused(t, "by an auditor", without(node.Actor{ID: "auditor"}, "closed"), trust.Denied)
	_, err = host.GoOnWithout(t.Context(), host.Admin, host.ID, "closed")
	refused(t, "of nobody", err, trust.NotFound)
	_, err = host.GoOnWithout(t.Context(), host.Admin, home.ID, "closed")
	refused(t, "of one who has said", err, trust.Conflict)
	done(t, without(host.Admin, "closed since May"))
	refused(t, "twice by one person", without(host.Admin, "closed since May"), trust.Denied)
	want(t, ward, nurse(ward, "n-1"), trust.Recovering)
	report, err := host.Recovery(t.Context(), host.Admin)
	done(t, err)
	if i := slices.IndexFunc(report.Edges, func(e node.RecoveredEdge) bool { return e.Partner == third.ID }); i < 0 || report.Edges[i].Asked != host.Admin.ID || report.Edges[i].Until == 0 {
		t.Errorf("reported %+v", report)
	}
	done(t, without(atHost, "closed since May"))
	if p, _ := host.State().Participant.Partner(third.ID); !p.Suspended || host.State().Edge.Recovery.Waiting != 0 {
		t.Errorf("suspended %t, waiting for %d", p.Suspended, host.State().Edge.Recovery.Waiting)
	}
	acceptEpoch(t, home, host)
	await(t, ward, nurse(ward, "n-1"), trust.EdgeBroken) // the home's own edge is to be resumed as ever
	_, err = host.Resume(t.Context(), host.Admin, node.Stoppable{Kind: suspension.Edge, Participant: third.ID}, "go on")
	refused(t, "resuming its edge", err, trust.Conflict)

	host.Stop()
	host.Start()
	if host.State().Edge.Stage(third.ID) != edge.Forgone {
		t.Errorf("after a start the stage is %q", host.State().Edge.Stage(third.ID))
	}
	third.Start()
	host.World.Heal(host, third)
	stage(t, host, third, edge.Fetched)
	if waiting := host.State().Edge.Recovery.Waiting; waiting != 0 {
		t.Errorf("once it spoke %d are waited for", waiting)
	}
	acceptEpoch(t, third, host)
}
