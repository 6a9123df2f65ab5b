package node_test

import (
	"slices"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/review"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// board is a host whose clerk, who owns the agreement there, reviews.
type board struct {
	*nodetest.Ward
	t      *testing.T
	clerk  node.Actor
	passed *time.Duration
}

// pass lets time pass at both nodes.
func (b board) pass(d time.Duration) {
	*b.passed += d
	b.Home.Clock.Shift(*b.passed)
	b.Host.Clock.Shift(*b.passed)
}

func (b board) open(r node.CampaignOrder) string {
	b.t.Helper()
	c, err := b.Host.OpenCampaign(b.t.Context(), b.Host.Admin, r)
	done(b.t, err)
	return c.ID
}

func (b board) answer(by node.Actor, id string, w node.CampaignWord) error {
	b.t.Helper()
	if w.Reason == "" {
		w.Reason = "asked the ward"
	}
	_, err := b.Host.AnswerCampaign(b.t.Context(), by, id, w)
	return err
}

// item is one of a page of everything that an operator sees.
func (b board) item(by node.Actor, id string, kind review.Kind, title string) node.Reviewed {
	b.t.Helper()
	page, err := b.Host.Campaign(b.t.Context(), by, id, 1, 100)
	done(b.t, err)
	i := slices.IndexFunc(page.Items, func(i node.Reviewed) bool { return i.Kind == kind && i.Title == title })
	if i < 0 || page.Counted.Read != page.Counted.Of {
		b.t.Fatalf("%s has no %s %s: %+v", id, kind, title, page)
	}
	return page.Items[i]
}

func (b board) drift(id string) []node.Drift {
	b.t.Helper()
	all, _, err := b.Host.Drift(b.t.Context(), b.Host.Admin, id)
	done(b.t, err)
	return all
}

// closed waits until a campaign is over.
func (b board) closed(id string) (c review.Campaign) {
	b.t.Helper()
	nodetest.Eventually(b.t, id+" to close", func() bool {
		c, _ = b.Host.State().Review.Get(id)
		return !c.Open()
	})
	return c
}

// R75, R55: what is granted is reviewed with its use beside it, by who owns it and
// did not ask for it. Less, or nothing, of it takes effect at once; what nobody
// answered for lapses on its date, across a restart too.
func TestAReview(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.Found(nil)
	ward, ctx := w.NewWard(home, host, func(d *agreement.Document) {
		d.ReviewEvery, d.Accepts[0].Roles = 300, append(d.Accepts[0].Roles, "R9999")
	}), t.Context()
	records := []trust.Role{"records"}
	id, _, err := host.AddOperator(ctx, host.Admin, "K. Osei", records)
	done(t, err)
	b, other := board{ward, t, node.Actor{ID: id, Roles: records}, new(time.Duration)}, second(t, host, "L. Marsh")
	for _, name := range []string{"porter", "spare"} {
		d := ward.Mapping(name)
		d.To = trust.Role(name)
		done(t, host.OfferMapping(ctx, host.Admin, d))
		done(t, host.ApproveMapping(ctx, host.Admin, name))
	}
	for range 2 { // the second time from memory
		want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	}
	same := nurse(ward, "nurse-2")
	want(t, ward, same, trust.Permit)
	want(t, ward, same, trust.Permit)

	_, err = host.OpenCampaign(ctx, b.clerk, node.CampaignOrder{For: 200})
	refused(t, "opened by who is no admin", err, trust.Denied)
	first := b.open(node.CampaignOrder{For: 200, Agreement: ward.Agreement})
	if c, _ := host.State().Review.Get(first); c.Listed != 4 || c.Left() != 4 {
		t.Fatalf("it asks about %+v", c)
	}
	if i := b.item(b.clerk, first, review.Mapping, "nurse"); i.Agreed != 1 || i.Granted != 1 || i.Used != 1 || i.Uses != 4 || i.Last == 0 || i.Gives != "ward-reader" || i.Role != "records" {
		t.Errorf("the mapping that is used: %+v", i)
	}
	if i := b.item(host.Admin, first, review.Agreement, ward.Agreement); i.Agreed != 2 || i.Granted != 1 || i.Used != 1 || i.Uses != 4 || i.Partner != home.ID {
		t.Errorf("the agreement: %+v", i)
	}
	if page, err := host.Campaign(ctx, b.clerk, first, 2, 2); err != nil || len(page.Items) != 2 || page.Next != 4 || page.Items[0].Title != "porter" {
		t.Errorf("the second page is %+v, %v", page, err)
	}
	_, err = host.Campaign(ctx, node.Actor{ID: "op-x", Roles: []trust.Role{"nobody"}}, first, 1, 100)
	refused(t, "seen by who answers for nothing", err, trust.Denied)

	if d := b.drift(first); len(d) != 1 || d[0].Kind != finding.NotGranted || d[0].Role != "R9999" || d[0].Agreement != ward.Agreement || d[0].Partner != home.ID { // R2
		t.Errorf("early on they differ in %+v", d)
	}

	keep := node.CampaignWord{Kind: review.Mapping, Name: "nurse", Said: review.Keep}
	refused(t, "answered by who asked for it", b.answer(host.Admin, first, keep), trust.Denied)
	if r, n := newest[review.Refused](t, host); n != 1 || r.Rule != review.RuleSought {
		t.Errorf("on record is %+v, %d times", r, n)
	}
	b.pass(190 * time.Second)
	done(t, b.answer(b.clerk, first, keep))
	done(t, b.answer(b.clerk, first, node.CampaignWord{Kind: review.Agreement, Name: ward.Agreement, Said: review.Keep}))
	less := ward.Mapping("porter")
	less.To = "porter"
	reduce := node.CampaignWord{Kind: review.Mapping, Name: "porter", Said: review.Reduce, Mapping: &less}
	refused(t, "reduced to itself", b.answer(b.clerk, first, reduce), trust.Invalid)
	less.Expires -= 3600
	wider := less
	wider.From.Attribute, wider.From.Equals = "", ""
	refused(t, "reduced to more", b.answer(b.clerk, first, node.CampaignWord{Kind: review.Mapping, Name: "porter", Said: review.Reduce, Mapping: &wider}), trust.Invalid)
	done(t, b.answer(b.clerk, first, reduce))
	if m, _ := host.State().Mapping.ByName("porter"); m.Stage != mapping.Proposed || m.Document.Expires != less.Expires || m.OfferedBy != b.clerk.ID {
		t.Errorf("reduced, it is %+v", m)
	}
	done(t, host.ApproveMapping(ctx, host.Admin, "porter"))
	host.Stop()
	host.Start()
	b.pass(190 * time.Second)
	if c := b.closed(first); c.Kept != 2 || c.Reduced != 1 || c.Lapsed != 1 || c.Ended != 0 {
		t.Errorf("it came to %+v", c)
	}
	if m, _ := host.State().Mapping.ByName("spare"); m.Stage != mapping.Ended || m.ClosedBy != first {
		t.Errorf("what nobody reviewed is %+v", m)
	}
	for name, stage := range map[string]review.Stage{"nurse": review.Kept, "porter": review.Reduced, "spare": review.Lapsed} {
		if i := b.item(host.Admin, first, review.Mapping, name); i.Stage != stage || (i.Reason == "asked the ward") != (stage != review.Lapsed) {
			t.Errorf("afterwards %s is shown as %+v", name, i)
		}
	}
	for _, kind := range []finding.Kind{finding.NotGranted, finding.NotUsed} {
		if f := openFindings(host, kind); len(f) != 1 || f[0].From != 1 || f[0].Partner != home.ID || f[0].Side != finding.Host || f[0].Owner != "records" {
			t.Errorf("%s: found are %+v", kind, f)
		}
	}
	if d := b.drift(first); len(d) != 2 || d[1].Kind != finding.NotUsed || d[1].Mapping != "nurse" || d[1].LastUsed == 0 || d[1].Granted == 0 {
		t.Errorf("at the close they differ in %+v", d)
	}
	done(t, host.WatchPosture(ctx, home.ID))
	if _, n := newest[incident.Lapsed](t, host); n != 0 { // R11: it was reviewed here
		t.Error("a review that was done has lapsed")
	}
	await(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	if d := b.drift(first); len(d) != 1 {
		t.Errorf("used again, they differ in %+v", d)
	}

	for _, name := range []string{"app", "old-app", "odd-app"} {
		_, means := clientKey(t, name)
		done(t, host.AddClient(ctx, host.Admin, client.Document{Kind: "Client", ID: name, Participant: home.ID, Services: []string{"ward-records"}, Means: means}))
	}
	next := b.open(node.CampaignOrder{For: 100})
	answered := func(by node.Actor, name string, said review.Said) error {
		return b.answer(by, next, node.CampaignWord{Kind: review.Client, Name: name, Said: said})
	}
	refused(t, "a client by who owns no node", answered(b.clerk, "old-app", review.Keep), trust.Denied)
	refused(t, "a client by who asked for it", answered(host.Admin, "old-app", review.Remove), trust.Denied)
	done(t, answered(other, "old-app", review.Remove))
	done(t, answered(other, "odd-app", review.Reduce))
	b.pass(101 * time.Second)
	if c := b.closed(next); c.Listed != 6 || c.Removed != 1 || c.Reduced != 1 || c.Lapsed != 4 {
		t.Errorf("it came to %+v", c)
	}
	for name, ended := range map[string]bool{"old-app": true, "odd-app": false, "app": false} {
		one, _ := host.State().Client.Get(name)
		if stopped := host.State().Suspension.ClientSuspended(name, host.Now()); one.Ended != ended || stopped == ended {
			t.Errorf("client %s has ended: %t, is suspended: %t", name, one.Ended, stopped)
		}
	}
	if m, _ := host.State().Mapping.ByName("nurse"); m.Stage != mapping.Ended {
		t.Errorf("what nobody reviewed this time is %s", m.Stage)
	}
	want(t, ward, nurse(ward, "nurse-1"), trust.AgreementSuspended)
	nodetest.Eventually(t, "the home to be told", func() bool {
		a, _ := home.State().Agreement.ByName(ward.Agreement)
		return a.Stage == agreement.Suspended
	})
	resume(t, host, other, node.Stoppable{Kind: suspension.Agreement, Agreement: ward.Agreement}, func() {})

	last := b.open(node.CampaignOrder{For: 100, Kind: review.Agreement})
	part := node.CampaignWord{Kind: review.Agreement, Name: ward.Agreement, Said: review.Reduce, Class: trust.Human}
	done(t, b.answer(b.clerk, last, part))
	if c := b.closed(last); c.Reduced != 1 {
		t.Errorf("all are answered for, and it is %+v", c)
	}
	await(t, ward, nurse(ward, "nurse-1"), trust.Reduced)
	end := b.open(node.CampaignOrder{For: 100, Kind: review.Agreement})
	done(t, b.answer(b.clerk, end, node.CampaignWord{Kind: review.Agreement, Name: ward.Agreement, Said: review.Remove}))
	if a, _ := host.State().Agreement.ByName(ward.Agreement); a.Stage != agreement.Ended {
		t.Errorf("removed, it is %s", a.Stage)
	}
	if all, err := host.Campaigns(ctx, b.clerk); err != nil || len(all) != 4 {
		t.Errorf("listed are %+v, %v", all, err)
	}
}
