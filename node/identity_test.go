package node_test

import (
	"testing"
	"time"

	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/identity"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// R6, R73: what nobody owns is not activated, and what nobody has activated gets no
// grant; offboarding ends every account at the host as a revocation does, and a
// return takes two people here and one there.
func TestTheLifeOfAnIdentity(t *testing.T) {
	ward := vouching(t)
	home, host, ctx := ward.Home, ward.Host, t.Context()
	i, err := home.RegisterIdentity(ctx, home.Admin, node.IdentityRequest{Class: trust.ServiceAccount, Name: "lab feed", Issuer: ward.Issuer.URL, Subject: "lab-feed"})
	done(t, err)
	idle := func(why string) {
		t.Helper()
		if made := home.Exchange(ctx, abroad(ward, "lab-feed")); made.Token != "" {
			t.Errorf("%s, it gets a grant", why)
		}
		if d := entries(t, home, "decisions", ""); len(d) == 0 {
			t.Errorf("%s, no refusal is on record", why)
		}
	}
	idle("registered")
	_, err = home.ActivateIdentity(ctx, home.Admin, i.ID())
	refused(t, "activating what nobody owns", err, trust.Conflict)
	if e, n := newest[identity.Refused](t, home); n != 1 || e.Rule != identity.RuleOwner {
		t.Errorf("%d refusals, the last %+v", n, e)
	}
	_, err = home.HandOverIdentity(ctx, home.Admin, i.ID(), "operator:"+home.Admin.ID, "first owner")
	done(t, err)
	_, err = home.ActivateIdentity(ctx, home.Admin, i.ID())
	refused(t, "activating what is for nothing", err, trust.Conflict)
	_, err = home.MoveIdentity(ctx, home.Admin, i.ID(), node.IdentityMove{Purpose: "results to wards"})
	done(t, err)
	i, err = home.ActivateIdentity(ctx, home.Admin, i.ID())
	if done(t, err); i.Stage != identity.Active || i.Text != (node.IdentityText{Name: "lab feed", Purpose: "results to wards"}) {
		t.Errorf("activated, it is %+v", i)
	}
	granted(t, ward, "lab-feed")
	_, err = home.LinkIdentity(ctx, home.Admin, i.ID(), node.IdentityLink{Issuer: ward.Issuer.URL, Subject: "lab-feed-2"})
	done(t, err)
	first, second2 := nurse(ward, "lab-feed"), nurse(ward, "lab-feed-2")
	want(t, ward, first, trust.Permit)
	want(t, ward, second2, trust.Permit)

	gone, err := home.OffboardIdentity(ctx, home.Admin, i.ID(), node.Why{Reason: "the lab closed"})
	if done(t, err); len(gone.Partners) != 1 {
		t.Errorf("partners told: %v", gone.Partners)
	}
	if _, n := newest[revocation.Revoked](t, home); n != 2 {
		t.Errorf("%d of two accounts are revoked", n)
	}
	await(t, ward, first, trust.SubjectRevoked)
	await(t, ward, second2, trust.SubjectRevoked)
	_, err = home.OpenEngagement(ctx, home.Admin, ward.Issuer.URL, "lab-feed", "check-1")
	refused(t, "coming back by the word of one", err, trust.Conflict)
	asked, err := home.ReturnIdentity(ctx, home.Admin, i.ID(), "HR-1")
	if done(t, err); asked.Until == 0 {
		t.Errorf("the return came to %+v", asked)
	}
	_, err = home.ReturnIdentity(ctx, home.Admin, i.ID(), "HR-1")
	refused(t, "coming back by one person twice", err, trust.Denied)
	back, err := home.ReturnIdentity(ctx, second(t, home, "another person"), i.ID(), "HR-1")
	if done(t, err); back.Engagement != 2 {
		t.Errorf("the return came to %+v", back)
	}
	idle("returned")
	i, err = home.ActivateIdentity(ctx, home.Admin, i.ID())
	if done(t, err); i.Stage != identity.Active || len(i.Accounts) != 2 {
		t.Errorf("activated again, it is %+v", i)
	}
	var waiting []node.Engagement
	nodetest.Eventually(t, "the new engagements at the host", func() bool {
		waiting, err = host.Engagements(ctx)
		return err == nil && len(waiting) == 2
	})
	want(t, ward, nurse(ward, "lab-feed"), trust.SubjectRevoked)
	for _, e := range waiting {
		done(t, host.ApproveEngagement(ctx, host.Admin, e.Subject))
	}
	want(t, ward, nurse(ward, "lab-feed"), trust.Permit)
	granted(t, ward, "lab-feed")
}

// R6, R47: an identity whose owner leaves is flagged and found, and stopped on its
// date unless it was handed over; what a date stopped goes on by the word of two,
// once it is owned.
func TestAnOwnerLeaves(t *testing.T) {
	w := nodetest.NewWorld(t)
	n, ctx := w.New("trust.rxw.example"), t.Context() // alone: nobody confirms what is doubted
	issuer, err := trust.ParseIssuerID(w.NewIssuer("https://idp.rxw.example").URL)
	done(t, err)
	done(t, n.Declare(ctx, n.Admin, participant.Document{Kind: "Participant", ID: n.ID, Issuers: []participant.Issuer{{
		Issuer: issuer, JWKSURI: issuer.String() + "/jwks", Classes: []participant.ClassRule{{Class: trust.Human}},
	}}}))
	osei := second(t, n, "K. Osei")
	other := second(t, n, "L. Marsh")
	register := func(subject string, until trust.Instant) string {
		t.Helper()
		i, err := n.RegisterIdentity(ctx, n.Admin, node.IdentityRequest{
			Class: trust.Workload, Name: subject, Issuer: issuer.String(), Subject: subject, Owner: "operator:" + osei.ID, Purpose: "feeds", Until: until,
		})
		done(t, err)
		_, err = n.ActivateIdentity(ctx, n.Admin, i.ID())
		done(t, err)
		return i.ID()
	}
	kept, left := register("kept", 0), register("left", 0)
	ends := register("ends", trust.Instant(n.Now()+50))
	is := func(when, id string, stage identity.Stage) {
		t.Helper()
		done(t, n.DateIdentities(ctx))
		i, err := n.Node.Identity(ctx, n.Admin, id)
		if done(t, err); i.Stage != stage {
			t.Errorf("%s, %s is %s", when, i.Text.Name, i.Stage)
		}
	}
	found := func() (open int) {
		for f := range n.State().Finding.All() {
			if f.Open() && f.Kind == finding.Unowned && f.Owner == string(operator.Admin) {
				open++
			}
		}
		return open
	}
	is("at first", left, identity.Active)
	_, err = n.MoveIdentity(ctx, n.Admin, ends, node.IdentityMove{Purpose: "another"})
	done(t, err)
	n.Clock.Shift(51 * time.Second)
	is("after its end", ends, identity.Suspended)
	_, err = n.MoveIdentity(ctx, n.Admin, ends, node.IdentityMove{Endless: true})
	done(t, err)
	_, err = n.HandOverIdentity(ctx, n.Admin, ends, "role:admin", "K. Osei leaves")
	done(t, err)
	done(t, n.RemoveOperator(ctx, n.Admin, osei.ID))
	is("its owner gone", left, identity.Active)
	if e, count := newest[identity.Flagged](t, n); count != 2 || e.Due < n.Now()+identity.Grace-5 || found() != 2 {
		t.Errorf("%d are flagged, the last %+v; %d findings", count, e, found())
	}
	_, err = n.HandOverIdentity(ctx, n.Admin, kept, "operator:"+other.ID, "K. Osei has left")
	if done(t, err); found() != 1 {
		t.Errorf("one handed over, %d findings are open", found())
	}
	n.Clock.Shift((identity.Grace + 60) * time.Second)
	n.Clock.Accept()
	is("on its date", left, identity.Suspended)
	is("handed over", kept, identity.Active)
	if e, _ := newest[suspension.Suspended](t, n); e.By != suspension.ByRule(identity.RuleOwner) {
		t.Errorf("it was stopped by %q", e.By)
	}
	what := node.Stoppable{Kind: suspension.Subject, Issuer: issuer.String(), Subject: "left"}
	_, err = n.Resume(ctx, n.Admin, what, "it is needed")
	refused(t, "going on while nobody owns it", err, trust.Denied)
	_, err = n.HandOverIdentity(ctx, n.Admin, left, "role:admin", "K. Osei has left")
	if done(t, err); found() != 0 {
		t.Errorf("both handed over, %d findings are open", found())
	}
	for _, a := range []node.Actor{n.Admin, other} {
		_, err = n.Resume(ctx, a, what, "it is needed")
		done(t, err)
	}
	is("owned again, and resumed", left, identity.Active)
}
