package admin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/internal/spectest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

func TestPolicy(t *testing.T) {
	p, ctx := newPair(t), t.Context()
	if before := must(p.atHost.Policy(ctx))(t); before.Hash != "" || before.Source != "" {
		t.Errorf("before the first there is %+v", before)
	}
	const source = `@id("none") forbid (principal, action, resource);`
	applied := must(p.atHost.ApplyPolicy(ctx, source))(t)
	if now := must(p.atHost.Policy(ctx))(t); now.Source != source || now.Hash != applied.Hash {
		t.Errorf("applied, it is %+v", now)
	}
	_, err := p.atHost.ApplyPolicy(ctx, "permit (")
	refused(t, "what does not compile", err, trust.Invalid)
}

func TestService(t *testing.T) {
	p, ctx := newPair(t), t.Context()
	added := must(p.atHost.AddEnforcementPoint(ctx, "nginx-1"))(t)
	if !strings.HasPrefix(added.Credential, "ent_pep_") || added.Name != "nginx-1" {
		t.Errorf("added %+v", added)
	}
	d := service.Document{
		Kind: "Service", Name: "ward-records", Audience: "https://records.rje.example", EnforcementPoint: "nginx-1",
		Resources: map[trust.ResourceType][]string{"WardRecord": {"ward"}},
	}
	ok(t, p.atHost.RegisterService(ctx, d))
	if list := must(p.atHost.Services(ctx))(t).Items; len(list) != 1 || list[0].Audience != d.Audience {
		t.Errorf("services are %+v", list)
	}
	if list := must(p.atHost.EnforcementPoints(ctx))(t).Items; len(list) != 1 || list[0].Services[0] != "ward-records" {
		t.Errorf("enforcement points are %+v", list)
	}
	ok(t, p.atHost.RemoveService(ctx, "ward-records"))
	ok(t, p.atHost.RemoveEnforcementPoint(ctx, "nginx-1"))
	if s, e := must(p.atHost.Services(ctx))(t), must(p.atHost.EnforcementPoints(ctx))(t); len(s.Items)+len(e.Items) != 0 {
		t.Errorf("removed, there are %+v and %+v", s, e)
	}
	refused(t, "an unknown service", p.atHost.RemoveService(ctx, "none"), trust.NotFound)
}

func TestOperator(t *testing.T) {
	p, ctx := newPair(t), t.Context()
	added := must(p.atHost.AddOperator(ctx, admin.NewOperator{Name: "a.khan", Roles: []trust.Role{operator.Auditor}}))(t)
	auditor := admin.NewClient(listen(t, spectest.Watch(t, admin.New(p.host))), added.Credential)
	defer auditor.Close()
	list := must(auditor.Operators(ctx))(t).Items
	self := 0
	for _, o := range list {
		if o.Self {
			self++
			if o.ID != added.ID {
				t.Errorf("%s is told to be %s", added.ID, o.ID)
			}
		}
	}
	if self != 1 || len(list) != 3 {
		t.Errorf("operators are %+v", list)
	}
	_, err := auditor.ApplyPolicy(ctx, "")
	refused(t, "an auditor's change", err, trust.Denied)
	ok(t, p.atHost.RemoveOperator(ctx, added.ID))
	_, err = auditor.Operators(ctx)
	refused(t, "a removed operator", err, "unauthenticated")
}

// A decision is explained, the subject revoked at home, and let back in.
func TestDecisionAndRevocation(t *testing.T) {
	p, ward := warded(t)
	ctx := t.Context()
	token := p.world.Token(ward.Issuer, "nurse-1", ward.Audience, nil)
	answer := p.host.Decide(ctx, ward.Ask(token))
	e := must(p.atHost.Explain(ctx, answer.Reference))(t)
	if !e.Permit || e.Reference != answer.Reference || len(e.Checks) != 10 || e.Subject == (trust.SubjectKey{}) {
		t.Fatalf("explained as %+v", e)
	}
	_, err := p.atHost.Explain(ctx, "nothing")
	refused(t, "an unknown reference", err, trust.NotFound)

	size := logSize(t, p.atHost, "decisions")
	request := must(json.Marshal(map[string]any{
		"subject":  map[string]any{"type": "evidence", "id": "0"},
		"action":   map[string]any{"name": "read"},
		"resource": map[string]any{"type": "WardRecord", "id": "42", "properties": map[string]any{"ward": "w7"}},
		"context": map[string]any{"purpose": "TREAT", "evidence": []any{
			map[string]any{"type": "urn:ietf:params:oauth:token-type:access_token", "value": string(token)},
		}},
	}))(t)
	what := admin.Hypothetical{EnforcementPoint: "pep", Request: request}
	if e := must(p.atHost.ExplainHypothetical(ctx, what))(t); !e.Permit || e.Position != nil {
		t.Errorf("hypothetically it is %+v", e)
	}
	if after := logSize(t, p.atHost, "decisions"); after != size {
		t.Errorf("a hypothetical request made %d entries", after-size)
	}
	what.Request = []byte(`{"subject":{}}`)
	_, err = p.atHost.ExplainHypothetical(ctx, what)
	refused(t, "no request", err, trust.Invalid)

	done := must(p.atHome.Revoke(ctx, node.RevokeRequest{
		Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: "nurse-1", Reason: "left",
	}))(t)
	if len(done.Partners) != 1 || done.Partners[0] != p.host.ID {
		t.Errorf("revoked: %+v", done)
	}
	nodetest.Eventually(t, "the host to deny", func() bool {
		return p.host.Decide(ctx, ward.Ask(token)).Reason == trust.SubjectRevoked
	})
	opened := must(p.atHome.OpenEngagement(ctx, admin.NewEngagement{Issuer: ward.Issuer.URL, Subject: "nurse-1", JoinerCheck: "HR-1"}))(t)
	if opened.Engagement != 2 {
		t.Errorf("opened engagement %d, want 2", opened.Engagement)
	}
	nodetest.Eventually(t, "the engagement to arrive", func() bool { return len(must(p.atHost.Engagements(ctx))(t).Items) == 1 })
	key := must(must(p.atHost.Engagements(ctx))(t).Items[0].Subject.MarshalText())(t)
	ok(t, p.atHost.ApproveEngagement(ctx, string(key)))
	refused(t, "no key", p.atHost.ApproveEngagement(ctx, "x"), trust.Invalid)
	_, err = p.atHome.Revoke(ctx, node.RevokeRequest{Kind: revocation.Issuer, Issuer: "https://nobody.example", Reason: "x"})
	refused(t, "an unknown issuer", err, trust.NotFound)
}

func logSize(t *testing.T, c *admin.Client, log string) uint64 {
	t.Helper()
	for _, l := range must(c.Status(t.Context()))(t).Logs {
		if l.Log == log {
			return l.Size
		}
	}
	t.Fatalf("status has no log %s", log)
	return 0
}

func TestSuspendParticipant(t *testing.T) {
	p, ward := warded(t)
	ctx := t.Context()
	must(p.atHost.Suspend(ctx, node.SuspendRequest{
		Stoppable: node.Stoppable{Kind: suspension.Participant, Participant: p.home.ID}, Why: node.Why{Reason: "breach"},
	}))(t)
	if one := must(p.atHost.Participant(ctx, p.home.ID.String()))(t); !one.Suspended {
		t.Errorf("suspended, it is %+v", one)
	}
	token := p.world.Token(ward.Issuer, "nurse-1", ward.Audience, nil)
	if answer := p.host.Decide(ctx, ward.Ask(token)); answer.Permit || answer.Reason != trust.ParticipantSuspended {
		t.Errorf("a suspended partner's nurse is answered %+v", answer)
	}
}

func TestLedger(t *testing.T) {
	p, ctx := newPair(t), t.Context()
	for log, entries := range map[string]int{"trust": 2, "decisions": 0} {
		first := must(p.atHost.Entries(ctx, log, 0, 1))(t)
		if len(first.Items) != min(1, entries) || (first.Next == "1") != (entries > 1) {
			t.Errorf("%s: the first page is %+v", log, first)
		}
		c := must(p.atHost.Checkpoint(ctx, log))(t)
		if (entries > 0) != strings.HasPrefix(c.Note, "trust.rje.example/"+log+"\n") {
			t.Errorf("%s: checkpoint is %q", log, c.Note)
		}
	}
	if all := must(p.atHost.Entries(ctx, "trust", 0, 0))(t).Items; all[0].Kind != "participant.born/v1" || len(all) < 2 {
		t.Errorf("entries are %+v", all)
	}
	_, err := p.atHost.Entries(ctx, "third", 0, 0)
	refused(t, "an unknown log", err, trust.NotFound)
	_, err = p.atHost.Checkpoint(ctx, "third")
	refused(t, "an unknown log's checkpoint", err, trust.NotFound)

	now := trust.Instant(p.host.Now())
	past := must(p.atHost.StateAt(ctx, now))(t)
	if len(past.Participants) != 1 || !past.Participants[0].Self || past.Framework != nil {
		t.Errorf("the state now is %+v", past)
	}
	if before, err := p.atHost.StateAt(ctx, now-3600); trust.KindOf(err) != trust.NotFound {
		t.Errorf("the state before the first entry is %+v", before)
	}
}

func TestClock(t *testing.T) {
	p, ctx := newPair(t), t.Context()
	before := must(p.atHost.Status(ctx))(t).Time
	ok(t, p.atHost.SetClock(ctx, time.Hour))
	if after := must(p.atHost.Status(ctx))(t).Time; after < before+3600 {
		t.Errorf("an hour later it is %s, after %s", after, before)
	}
}

// A list of leavers is the other form of a revocation, for a program that may do
// nothing else (R76).
func TestRevokeMany(t *testing.T) {
	p, ctx := newPair(t), t.Context()
	added := must(p.atHost.AddOperator(ctx, admin.NewOperator{Name: "hr-feed", Roles: []trust.Role{operator.Revoker}}))(t)
	feed := admin.NewClient(listen(t, spectest.Watch(t, admin.New(p.host))), added.Credential)
	defer feed.Close()
	_, err := feed.RevokeMany(ctx, admin.RevokeMany{Leavers: []node.Leaver{{Issuer: "https://nobody.example", Subject: "a"}}, Reason: "left"})
	refused(t, "an unknown issuer", err, trust.NotFound)
	_, err = feed.RevokeMany(ctx, admin.RevokeMany{Leavers: []node.Leaver{}, Reason: "left"})
	refused(t, "nobody", err, trust.Invalid)
	_, err = feed.ApplyPolicy(ctx, "")
	refused(t, "a policy of somebody who may revoke only", err, trust.Denied)
}
