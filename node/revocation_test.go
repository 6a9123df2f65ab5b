package node_test

import (
	"sync"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// However often a revoked subject's token is issued again, by whichever of the
// home's issuers, it is denied (R35, R73).
func TestAThousandReissues(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, nil)
	second := w.NewIssuer("https://second.rxw.example")
	ward := w.Agree(home, host, []*nodetest.Issuer{w.NewIssuer("https://idp.rxw.example"), second}, nil)
	ward.Furnish()
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	revoke(t, ward, "nurse-1")
	await(t, ward, nurse(ward, "nurse-1"), trust.SubjectRevoked)
	before := len(entries(t, host, "decisions", ""))
	var all sync.WaitGroup
	for worker := range 20 {
		all.Go(func() {
			issuer := []*nodetest.Issuer{ward.Issuer, second}[worker%2]
			for range 50 {
				token := w.Token(issuer, "nurse-1", ward.Audience, map[string]any{"auth_time": time.Now().Unix()})
				if a := host.Decide(t.Context(), ward.Ask(token)); a.Permit || a.Reason != trust.SubjectRevoked {
					t.Errorf("issued again, the answer is %s", a.Reason)
				}
			}
		})
	}
	all.Wait()
	if made := len(entries(t, host, "decisions", "")) - before; made != 1000 { // R69
		t.Errorf("1,000 calls made %d records", made)
	}
	want(t, ward, nurse(ward, "nurse-2"), trust.Permit)
}

// What a home ended before an agreement was signed is ended for the new host
// too, and a new engagement with it (R35, R73).
func TestAHostThatAgreesLaterLearnsWhatEndedBefore(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, first := founded(t, w, nil)
	issuer := w.NewIssuer("https://idp.rxw.example")
	ward := w.Agree(home, first, []*nodetest.Issuer{issuer}, nil)
	ward.Furnish()
	revoke(t, ward, "nurse-1")
	revoke(t, ward, "nurse-2")
	if _, err := home.OpenEngagement(t.Context(), home.Admin, issuer.URL, "nurse-2", "check-2"); err != nil {
		t.Fatal(err)
	}
	late := w.New("trust.late.example", nodetest.HostRoles()...)
	w.Introduce(home, late)
	late.Adopt(home.State().Framework.Current.Signed)
	later := w.Agree(home, late, []*nodetest.Issuer{issuer}, func(d *agreement.Document) { d.Name = "later" })
	later.Furnish()
	want(t, later, nurse(later, "nurse-3"), trust.Permit)
	want(t, later, nurse(later, "nurse-1"), trust.SubjectRevoked)
	waiting, err := late.Engagements(t.Context())
	if done(t, err); len(waiting) != 1 {
		t.Errorf("%d new engagements wait for the approval of the new host", len(waiting))
	}
	want(t, later, nurse(later, "nurse-2"), trust.SubjectRevoked)
}

// Somebody who comes back is let in by a new engagement that the home opens and
// a person at the host approves; the old tokens stay dead, and the new
// engagement ends like the first (R73).
func TestANewEngagement(t *testing.T) {
	ward := wardOf(t, nil)
	home, host, ctx := ward.Home, ward.Host, t.Context()
	w := home.World
	old := w.Token(ward.Issuer, "nurse-1", ward.Audience, map[string]any{"iat": time.Now().Unix() - 5})
	want(t, ward, old, trust.Permit)
	revoke(t, ward, "nurse-1")
	await(t, ward, old, trust.SubjectRevoked)
	_, err := host.OpenEngagement(ctx, host.Admin, ward.Issuer.URL, "nurse-1", "check-1")
	refused(t, "an engagement opened by the host", err, trust.Denied)
	number, err := home.OpenEngagement(ctx, home.Admin, ward.Issuer.URL, "nurse-1", "check-1")
	if err != nil || number != 2 {
		t.Fatalf("engagement %d, %v", number, err)
	}
	pending := awaitEngagement(t, host)
	fresh := nurse(ward, "nurse-1")
	want(t, ward, fresh, trust.SubjectRevoked)

	refused(t, "an engagement approved by an admin alone", host.ApproveEngagement(ctx, plain(t, host), pending.Subject), trust.Denied)
	id, _, err := host.AddOperator(ctx, host.Admin, "another person", []trust.Role{approvers})
	done(t, err)
	done(t, host.ApproveEngagement(ctx, node.Actor{ID: id, Roles: []trust.Role{approvers}}, pending.Subject))
	want(t, ward, fresh, trust.Permit)
	want(t, ward, old, trust.EngagementEnded)
	if approved, _ := newest[revocation.EngagementApproved](t, host); approved.By != id || approved.Engagement != 2 {
		t.Errorf("the approval is recorded as %+v", approved)
	}
	want(t, ward, nurse(ward, "nurse-2"), trust.Permit)

	revoke(t, ward, "nurse-1")
	await(t, ward, fresh, trust.SubjectRevoked)
	if ended, ok := host.State().Revocation.Ended(pending.Subject); !ok || ended != 2 {
		t.Errorf("engagement %d has ended", ended)
	}
	refused(t, "approving what has ended", host.ApproveEngagement(ctx, host.Admin, pending.Subject), trust.NotFound)
}

func awaitEngagement(t *testing.T, n *nodetest.Node) node.Engagement {
	t.Helper()
	var all []node.Engagement
	nodetest.Eventually(t, "an engagement to await approval", func() bool {
		var err error
		all, err = n.Engagements(t.Context())
		return err == nil && len(all) == 1
	})
	return all[0]
}

// A revocation and the engagement after it that were queued while the partner
// was away arrive in their order.
func TestAnEngagementDoesNotOvertakeItsRevocation(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	quiet(t, home, host)
	home.World.Cut(home, host)
	before := home.State().Edge.Next(host.ID, edge.Safety)
	for range 3 {
		revoke(t, ward, "nurse-1")
		_, err := home.OpenEngagement(t.Context(), home.Admin, ward.Issuer.URL, "nurse-1", "check")
		done(t, err)
	}
	if queued := home.State().Edge.Next(host.ID, edge.Safety) - before; queued != 6 {
		t.Errorf("%d of 6 messages are on the lane that keeps them in order", queued)
	}
	home.World.Heal(home, host)
	quiet(t, home, host)
	if pending := awaitEngagement(t, host); pending.Engagement != 4 {
		t.Errorf("engagement %d awaits approval", pending.Engagement)
	}
	if applied, _ := newest[edge.Applied](t, host); applied.Refused {
		t.Errorf("the last message is recorded as %+v", applied)
	}
}

// The end of a key and of an issuer reach the host; other keys and issuers go on.
func TestKeysAndIssuersEnd(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, nil)
	issuers := []*nodetest.Issuer{w.NewIssuer("https://a.rxw.example"), w.NewIssuer("https://b.rxw.example"), w.NewIssuer("https://c.rxw.example")}
	ward := w.Agree(home, host, issuers, nil)
	ward.Furnish()
	token := func(i int) []byte { return w.Token(issuers[i], "nurse-1", ward.Audience, nil) }
	for i := range issuers {
		want(t, ward, token(i), trust.Permit)
	}
	waitForKeys(t, home, issuers...)
	revokeAt(t, home, node.RevokeRequest{Kind: revocation.Key, Issuer: issuers[0].URL, KeyID: issuers[0].Key.Key().KeyID(), Reason: "leaked"})
	await(t, ward, token(0), trust.KeyRevoked)
	revokeAt(t, home, node.RevokeRequest{Kind: revocation.Issuer, Issuer: issuers[1].URL, Reason: "closed"})
	await(t, ward, token(1), trust.IssuerRevoked)
	want(t, ward, token(2), trust.Permit)
	before := host.State().Edge.Next(home.ID, edge.Safety)
	revokeAt(t, host, node.RevokeRequest{Kind: revocation.Issuer, Issuer: issuers[2].URL, Reason: "ours alone"})
	want(t, ward, token(2), trust.IssuerRevoked)
	if host.State().Edge.Next(home.ID, edge.Safety) != before {
		t.Error("the host told the home what to do with its own issuer")
	}
}

func waitForKeys(t *testing.T, n *nodetest.Node, issuers ...*nodetest.Issuer) {
	t.Helper()
	for _, i := range issuers {
		nodetest.Eventually(t, "the keys of "+i.URL, func() bool {
			s, ok := n.State().Participant.Speaker(i.URL)
			return ok && len(s.Keys.Keys()) > 0
		})
	}
}

// Of another participant's people and issuers, a partner ends nothing.
func TestAPartnerEndsOnlyItsOwn(t *testing.T) {
	ward := wardOf(t, nil)
	w, home, host := ward.Home.World, ward.Home, ward.Host
	third := w.New("trust.rcb.example")
	w.Introduce(third, host)
	heardOf(t, host, third)
	quiet(t, third, host)
	for kind, content := range map[string]map[string]any{
		"revocation": {"kind": "issuer", "issuer": ward.Issuer.URL},
		"suspension": {"participant": home.ID},
		"engagement": {"namespace": "default", "subject": "nurse-1", "engagement": 2, "since": time.Now().Unix()},
	} {
		number := next(third, host, edge.Safety)
		done(t, host.ReceiveMessage(t.Context(), third.ID, forge(t, third, host, edge.Safety, number, kind, content)))
		if applied, _ := newest[edge.Applied](t, host); applied.N != number || kind != "revocation" && !applied.Refused {
			t.Errorf("a foreign %s is recorded as %+v", kind, applied)
		}
		want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	}
	// The same identifier at the third participant is another person.
	done(t, host.ReceiveMessage(t.Context(), third.ID, forge(t, third, host, edge.Safety, next(third, host, edge.Safety), "revocation",
		map[string]any{"kind": "subject", "namespace": "default", "subject": "nurse-1", "engagement": 1})))
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
}

// Each decision is made on what was acknowledged before it was asked for: no
// permit after a local revocation returned.
func TestNoPermitAfterTheAcknowledgement(t *testing.T) {
	ward := wardOf(t, nil)
	for _, subject := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		token := nurse(ward, subject)
		want(t, ward, token, trust.Permit)
		want(t, ward, token, trust.Permit) // remembered
		stop, stopped := make(chan struct{}), make(chan int, 4)
		acknowledged := make(chan struct{})
		for range cap(stopped) {
			go func() {
				late := 0
				for {
					select {
					case <-stop:
						stopped <- late
						return
					default:
					}
					isLate := false
					select {
					case <-acknowledged:
						isLate = true
					default:
					}
					if ward.Host.Decide(t.Context(), ward.Ask(token)).Permit && isLate {
						late++
					}
				}
			}()
		}
		revokeAt(t, ward.Host, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: subject, Reason: "here"})
		close(acknowledged)
		for range 20 {
			want(t, ward, token, trust.SubjectRevoked)
		}
		close(stop)
		for range cap(stopped) {
			if late := <-stopped; late > 0 {
				t.Fatalf("%d permits after the acknowledgement", late)
			}
		}
	}
}

// Hosts whose agreement has ended are not told who leaves.
func TestWhoIsTold(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	done(t, home.EndAgreement(t.Context(), home.Admin, ward.Agreement, "over"))
	nodetest.Eventually(t, "the end to arrive", func() bool {
		a, _ := host.State().Agreement.ByName(ward.Agreement)
		return a.Stage == agreement.Ended
	})
	before := home.State().Edge.Next(host.ID, edge.Safety)
	r, err := home.Revoke(t.Context(), home.Admin, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: "nurse-1", Reason: "left"})
	if err != nil || len(r.Partners) != 0 || home.State().Edge.Next(host.ID, edge.Safety) != before {
		t.Errorf("%v were told, %v", r.Partners, err)
	}
}
