package node_test

import (
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// second is another admin of a node, with the roles of the first.
func second(t *testing.T, n *nodetest.Node, name string) node.Actor {
	t.Helper()
	id, _, err := n.AddOperator(t.Context(), n.Admin, name, n.Admin.Roles)
	done(t, err)
	return node.Actor{ID: id, Roles: n.Admin.Roles}
}

func suspend(t *testing.T, n *nodetest.Node, what node.Stoppable) node.Suspension {
	t.Helper()
	made, err := n.Suspend(t.Context(), n.Admin, node.SuspendRequest{
		Stoppable: what, Why: node.Why{Reason: "odd queries", Incident: "INC-4711", TLP: suspension.Amber},
	})
	done(t, err)
	return made
}

// resume lets two people say so; after the first word alone nothing has changed.
func resume(t *testing.T, n *nodetest.Node, other node.Actor, what node.Stoppable, still func()) {
	t.Helper()
	asked, err := n.Resume(t.Context(), n.Admin, what, "looked into")
	if done(t, err); asked.Until == 0 || asked.Asked != n.Admin.ID {
		t.Fatalf("the first word gave %+v", asked)
	}
	still()
	_, err = n.Resume(t.Context(), n.Admin, what, "looked into")
	refused(t, "the same person again", err, trust.Denied)
	made, err := n.Resume(t.Context(), other, what, "looked into too")
	if done(t, err); made.Until != 0 || made.Asked != n.Admin.ID {
		t.Fatalf("the second word gave %+v", made)
	}
}

func subjectAt(ward *nodetest.Ward, subject string) node.Stoppable {
	return node.Stoppable{Kind: suspension.Subject, Issuer: ward.Issuer.URL, Subject: subject}
}

// told waits until a node has as many notices, and gives them.
func told(t *testing.T, n *nodetest.Node, count int) (all []node.Suspended) {
	t.Helper()
	nodetest.Eventually(t, "the notices", func() bool {
		var err error
		all, err = n.Notices(t.Context(), n.Admin)
		return err == nil && len(all) == count
	})
	return all
}

// The host bans one of the home's people at the host alone: the others are
// untouched, an open session ends, the home has a signed notice with the reason
// and can undo nothing; two people at the host can (R36, R46).
func TestABanAtTheHostAlone(t *testing.T) {
	ward := vouching(t)
	home, host, ctx := ward.Home, ward.Host, t.Context()
	other := second(t, host, "L. Marsh")
	grant := exchange(t, ward, redemption(granted(t, ward, "nurse-1")))
	stream := watch(t, host, "pep", "")
	session := open(t, ward, nurse(ward, "nurse-1"))
	want(t, ward, []byte(grant.Token), trust.Permit)

	made := suspend(t, host, subjectAt(ward, "nurse-1"))
	if len(made.Partners) != 1 || made.Partners[0] != home.ID {
		t.Errorf("told are %v", made.Partners)
	}
	if end := stream.end(t, session.Reference); end.Reason != trust.SubjectSuspended {
		t.Errorf("the session ends for %s", end.Reason)
	}
	want(t, ward, nurse(ward, "nurse-1"), trust.SubjectSuspended)
	want(t, ward, nurse(ward, "nurse-2"), trust.Permit)
	// By the name that grants give her, which the home answers with.
	await(t, ward, []byte(grant.Token), trust.SubjectSuspended)

	notice := told(t, home, 1)[0]
	if notice.From != host.ID || notice.What.Subject != "nurse-1" || notice.What.Reason != "odd queries" || notice.What.Incident != "INC-4711" || notice.What.TLP != suspension.Amber {
		t.Errorf("the notice says %+v", notice)
	}
	if _, n := newest[revocation.Revoked](t, home); n != 0 {
		t.Error("a ban is told as a revocation")
	}
	if issued := home.Exchange(ctx, abroad(ward, "nurse-1")); issued.Token != "" || issued.Reason != trust.SubjectSuspended {
		t.Errorf("asked for a grant to where she is stopped, the home answers %+v", issued)
	}
	_, err := home.Resume(ctx, home.Admin, subjectAt(ward, "nurse-1"), "she is fine")
	refused(t, "resumed by the home", err, trust.Denied)
	if e, n := newest[suspension.Refused](t, home); n != 1 || e.Rule != suspension.RuleParty {
		t.Errorf("recorded is %+v", e)
	}

	// Returned by the home in a new engagement, she is stopped still.
	revoke(t, ward, "nurse-1")
	await(t, ward, nurse(ward, "nurse-1"), trust.SubjectRevoked)
	_, err = home.OpenEngagement(ctx, home.Admin, ward.Issuer.URL, "nurse-1", "check-1")
	done(t, err)
	refused(t, "a new engagement of a banned subject", host.ApproveEngagement(ctx, host.Admin, awaitEngagement(t, host).Subject), trust.Conflict)

	all, err := host.Suspensions(ctx, host.Admin)
	if done(t, err); len(all) != 1 || all[0].What.Subject != "nurse-1" || all[0].By != host.Admin.ID {
		t.Errorf("suspended are %+v", all)
	}
	resume(t, host, other, subjectAt(ward, "nurse-1"), func() { want(t, ward, nurse(ward, "nurse-1"), trust.SubjectRevoked) })
	done(t, host.ApproveEngagement(ctx, other, awaitEngagement(t, host).Subject))
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	told(t, home, 0)
}

// A ban with an end ends by itself, also over a start.
func TestABanEndsByItself(t *testing.T) {
	ward := wardOf(t, nil)
	_, err := ward.Host.Suspend(t.Context(), ward.Host.Admin, node.SuspendRequest{Stoppable: subjectAt(ward, "nurse-1"), Why: node.Why{Reason: "odd"}, For: 50})
	done(t, err)
	want(t, ward, nurse(ward, "nurse-1"), trust.SubjectSuspended)
	ward.Host.Stop()
	ward.Host.Start()
	againLive(t, ward)
	want(t, ward, nurse(ward, "nurse-1"), trust.SubjectSuspended)
	ward.Host.Clock.Shift(51 * time.Second)
	ward.Home.Clock.Shift(51 * time.Second)
	await(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	nodetest.Eventually(t, "its end to be on record", func() bool { _, n := newest[suspension.Lapsed](t, ward.Host); return n == 1 })
	if notice := told(t, ward.Home, 0); len(notice) != 0 {
		t.Errorf("the notice of it stands: %+v", notice)
	}
}

// againLive waits until somebody is permitted again after a start.
func againLive(t *testing.T, ward *nodetest.Ward) {
	t.Helper()
	await(t, ward, nurse(ward, "nurse-9"), trust.Permit)
}

// The home suspends one of its own for a time: every host stops too, also one
// that agrees later.
func TestTheHomeSuspendsItsOwn(t *testing.T) {
	ward := wardOf(t, nil)
	home := ward.Home
	other := second(t, home, "L. Marsh")
	suspend(t, home, subjectAt(ward, "nurse-1"))
	await(t, ward, nurse(ward, "nurse-1"), trust.SubjectSuspended)
	late := home.World.New("trust.late.example", nodetest.HostRoles()...)
	home.World.Introduce(home, late)
	late.Adopt(home.State().Framework.Current.Signed)
	later := home.World.Agree(home, late, []*nodetest.Issuer{ward.Issuer}, func(d *agreement.Document) { d.Name = "later" })
	later.Furnish()
	want(t, later, nurse(later, "nurse-1"), trust.SubjectSuspended)
	_, err := ward.Host.Resume(t.Context(), ward.Host.Admin, subjectAt(ward, "nurse-1"), "x")
	refused(t, "resumed by the host", err, trust.Denied)
	resume(t, home, other, subjectAt(ward, "nurse-1"), func() { want(t, ward, nurse(ward, "nurse-1"), trust.SubjectSuspended) })
	await(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	await(t, later, nurse(later, "nurse-1"), trust.Permit)
}

// Whoever suspends resumes, by two people, whatever the other side says.
func TestResumingAnAgreement(t *testing.T) {
	ward := wardOf(t, nil)
	home, host, ctx := ward.Home, ward.Host, t.Context()
	atHost, atHome := second(t, host, "L. Marsh"), second(t, home, "A. Khan")
	what := node.Stoppable{Kind: suspension.Agreement, Agreement: ward.Agreement}
	suspend(t, host, what)
	want(t, ward, nurse(ward, "nurse-1"), trust.AgreementSuspended)
	if notice := told(t, home, 1)[0]; notice.Name != ward.Agreement || notice.What.Reason != "odd queries" {
		t.Errorf("the notice says %+v", notice)
	}
	_, err := home.Resume(ctx, home.Admin, what, "we are fine")
	refused(t, "resumed by the side that is suspended", err, trust.Denied)
	_, err = home.Suspend(ctx, home.Admin, node.SuspendRequest{Stoppable: what, Why: node.Why{Reason: "us too"}})
	done(t, err)
	quiet(t, home, host)
	resume(t, host, atHost, what, func() {})
	want(t, ward, nurse(ward, "nurse-1"), trust.AgreementSuspended)
	resume(t, home, atHome, what, func() { want(t, ward, nurse(ward, "nurse-1"), trust.AgreementSuspended) })
	await(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	_, err = host.Resume(ctx, host.Admin, what, "again")
	refused(t, "resuming what is in force", err, trust.Conflict)
}

func TestResumingAParticipantAndAnEdge(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	other := second(t, host, "L. Marsh")
	partner := node.Stoppable{Kind: suspension.Participant, Participant: home.ID}
	suspend(t, host, partner)
	want(t, ward, nurse(ward, "nurse-1"), trust.ParticipantSuspended)
	told(t, home, 1)
	_, err := home.Resume(t.Context(), home.Admin, node.Stoppable{Kind: suspension.Participant, Participant: host.ID}, "we are fine")
	refused(t, "resumed by the side that is suspended", err, trust.Denied)
	resume(t, host, other, partner, func() { want(t, ward, nurse(ward, "nurse-1"), trust.ParticipantSuspended) })
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	nodetest.Eventually(t, "the partner to know", func() bool {
		p, _ := home.State().Participant.Partner(host.ID)
		return !p.SuspendsUs
	})
	told(t, home, 0)

	host.Bulk(1, func(int) trust.Event { return edge.Broken{From: home.ID, Lane: edge.Safety, Rule: "contradiction"} })
	want(t, ward, nurse(ward, "nurse-1"), trust.EdgeBroken)
	resume(t, host, other, node.Stoppable{Kind: suspension.Edge, Participant: home.ID}, func() { want(t, ward, nurse(ward, "nurse-1"), trust.EdgeBroken) })
	againLive(t, ward)
}

// One person with two accounts is one person, and an operator without the role
// is none.
func TestOnePersonWithTwoAccounts(t *testing.T) {
	ward := wardOf(t, nil)
	host, ctx := ward.Host, t.Context()
	first, again := second(t, host, "Lee Marsh"), second(t, host, " lee  MARSH ")
	what := subjectAt(ward, "nurse-1")
	suspend(t, host, what)
	_, err := host.Resume(ctx, first, what, "fine")
	done(t, err)
	_, err = host.Resume(ctx, again, what, "fine")
	refused(t, "by another account", err, trust.Denied)
	_, err = host.Resume(ctx, node.Actor{ID: "op-x", Roles: []trust.Role{operator.Auditor}}, what, "fine")
	refused(t, "by an auditor", err, trust.Denied)
	done(t, host.RemoveOperator(ctx, host.Admin, first.ID))
	asked, err := host.Resume(ctx, again, what, "fine")
	if done(t, err); asked.Until == 0 {
		t.Error("the word of somebody who is no operator any more counted")
	}
	want(t, ward, nurse(ward, "nurse-1"), trust.SubjectSuspended)
}

// Either side takes part of an agreement away, at once and by one person; both
// honour it, and only that side's two people give it back (R38).
func TestReducing(t *testing.T) {
	for _, side := range []string{"home", "host"} {
		ward := wardOf(t, nil)
		by, partner := ward.Home, ward.Host
		if side == "host" {
			by, partner = partner, by
		}
		other := second(t, by, "L. Marsh")
		what := node.Stoppable{Kind: suspension.Coverage, Agreement: ward.Agreement, Class: trust.Human, Action: "read"}
		_, err := by.Suspend(t.Context(), by.Admin, node.SuspendRequest{
			Stoppable: node.Stoppable{Kind: suspension.Coverage, Agreement: ward.Agreement, Action: "no such"}, Why: node.Why{Reason: "x"},
		})
		refused(t, "what the agreement does not cover", err, trust.NotFound)
		suspend(t, by, what)
		await(t, ward, nurse(ward, "nurse-1"), trust.Reduced)
		if notice := told(t, partner, 1)[0]; notice.Name != ward.Agreement || notice.What.Action != "read" {
			t.Errorf("%s: the notice says %+v", side, notice)
		}
		_, err = partner.Resume(t.Context(), partner.Admin, what, "fine")
		refused(t, "given back by the other side", err, trust.Denied)
		resume(t, by, other, what, func() { want(t, ward, nurse(ward, "nurse-1"), trust.Reduced) })
		await(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	}
}

// A class and a service are stopped at this node for everybody, and a client at
// the token endpoint with all that was issued to it.
func TestClassServiceAndClient(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	other := second(t, host, "L. Marsh")
	for what, reason := range map[node.Stoppable]trust.Reason{
		{Kind: suspension.Coverage, Class: trust.Human}:                                trust.ClassSuspended,
		{Kind: suspension.Coverage, Service: "ward-records"}:                           trust.ServiceSuspended,
		{Kind: suspension.Coverage, Service: ward.Audience, Participant: ward.Home.ID}: trust.ServiceSuspended,
	} {
		suspend(t, host, what)
		want(t, ward, nurse(ward, "nurse-1"), reason)
		resume(t, host, other, what, func() { want(t, ward, nurse(ward, "nurse-1"), reason) })
		want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	}
	signer := keyed(t, ward)
	letIn(t, host, assertion(t, ward, signer, "a"), true)
	r := order(ward, nurse(ward, "n-1"))
	r.Client = "ward-app"
	issued := exchange(t, ward, r)
	app := node.Stoppable{Kind: suspension.Client, Client: "ward-app"}
	suspend(t, host, app)
	letIn(t, host, assertion(t, ward, signer, "b"), false)
	want(t, ward, []byte(issued.Token), trust.ClientSuspended)
	if active(t, ward, "pep", issued.Token) {
		t.Error("active while its client is suspended")
	}
	resume(t, host, other, app, func() { letIn(t, host, assertion(t, ward, signer, "c"), false) })
	letIn(t, host, assertion(t, ward, signer, "d"), true)
	want(t, ward, []byte(issued.Token), trust.Permit)
}

// Taking trust away needs nobody else: neither the partner nor an issuer.
func TestReducingWithTheRestOfTheWorldDown(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	home.World.Cut(home, host)
	home.World.Cut(host, home)
	home.World.Publish(ward.Issuer.URL+"/jwks", []byte("down"))
	suspend(t, host, subjectAt(ward, "nurse-1"))
	want(t, ward, nurse(ward, "nurse-1"), trust.SubjectSuspended)
	suspend(t, host, node.Stoppable{Kind: suspension.Coverage, Agreement: ward.Agreement, Action: "read"})
	want(t, ward, nurse(ward, "nurse-2"), trust.Reduced)
	suspend(t, host, node.Stoppable{Kind: suspension.Agreement, Agreement: ward.Agreement})
	want(t, ward, nurse(ward, "nurse-2"), trust.AgreementSuspended)
	home.World.Heal(home, host)
	home.World.Heal(host, home)
	told(t, home, 3)
}

// What a partner says it suspended or resumed that is not its own changes nothing.
func TestSuspensionsThatAreNotAPartnersOwn(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	refused(t, "an edge suspended", func() error {
		_, err := host.Suspend(t.Context(), host.Admin, node.SuspendRequest{Stoppable: node.Stoppable{Kind: suspension.Edge, Participant: home.ID}, Why: node.Why{Reason: "x"}})
		return err
	}(), trust.Invalid)
	for what, r := range map[string]node.SuspendRequest{
		"no reason":      {Stoppable: subjectAt(ward, "nurse-1")},
		"no such TLP":    {Stoppable: subjectAt(ward, "nurse-1"), Why: node.Why{Reason: "x", TLP: "blue"}},
		"an ended one":   {Stoppable: subjectAt(ward, "nurse-1"), Why: node.Why{Reason: "x"}, Expires: 1},
		"an agreement's": {Stoppable: node.Stoppable{Kind: suspension.Agreement, Agreement: ward.Agreement}, Why: node.Why{Reason: "x"}, For: 60},
		"nobody":         {Stoppable: subjectAt(ward, ""), Why: node.Why{Reason: "x"}},
	} {
		_, err := host.Suspend(t.Context(), host.Admin, r)
		refused(t, what, err, trust.Invalid)
	}
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
}
