package denial_test

import (
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/approval"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

const ownIssuer = "https://idp.rje.example"

// approvals is a ward whose records are changed with the approval of two people
// of the host.
type approvals struct {
	*nodetest.Ward
	t *testing.T
}

func newApprovals(t *testing.T) approvals {
	t.Helper()
	w := nodetest.NewWorld(t)
	home, host := w.Found(nil)
	ward := w.NewWard(home, host, func(d *agreement.Document) {
		line := &d.Accepts[0]
		line.Actions = append(line.Actions, "write")
		line.Approval = &agreement.Approval{Actions: []trust.Action{"write"}, People: 2, TTL: 60}
	})
	_, err := host.ApplyPolicy(t.Context(), host.Admin, nodetest.WardPolicy+
		`@id("write") permit (principal is Human in Role::"ward-reader", action == Action::"write", resource is WardRecord);`)
	check(t, err)
	check(t, host.Declare(t.Context(), host.Admin, participant.Document{Kind: "Participant", ID: host.ID, Issuers: []participant.Issuer{
		{Issuer: must(trust.ParseIssuerID(ownIssuer)), JWKSURI: ownIssuer + "/jwks", Classes: []participant.ClassRule{{Class: trust.Human}}},
	}}))
	return approvals{ward, t}
}

// write asks to change a record.
func (a approvals) write(subject, record string) trust.Reason {
	a.t.Helper()
	ask := a.Ask(a.Home.World.Token(a.Issuer, subject, a.Audience, nil))
	ask.Action, ask.ResourceID = "write", record
	answer := a.Host.Decide(a.t.Context(), ask)
	if answer.Permit != (answer.Reason == trust.Permit) {
		a.t.Fatalf("permit %t for %s", answer.Permit, answer.Reason)
	}
	return answer.Reason
}

// person makes an operator with a role, who is a subject of an issuer.
func (a approvals) person(name string, role trust.Role, issuer, subject string) node.Actor {
	a.t.Helper()
	ctx, roles := a.t.Context(), []trust.Role{role}
	id, _, err := a.Host.AddOperator(ctx, a.Host.Admin, name, roles)
	check(a.t, err)
	if issuer != "" {
		check(a.t, a.Host.LinkOperator(ctx, a.Host.Admin, id, issuer, subject, trust.ParticipantID{}))
	}
	return node.Actor{ID: id, Roles: roles}
}

// Whoever may not approve does not, and what was approved is good for nothing
// else, for nobody else and no longer.
func TestApprovals(t *testing.T) {
	a := newApprovals(t)
	const role = "ward_managers"
	marsh, osei := a.person("L. Marsh", role, ownIssuer, "l.marsh"), a.person("K. Osei", role, ownIssuer, "k.osei")
	yes := func(who node.Actor) trust.ErrorKind {
		_, err := a.Host.Approve(t.Context(), who, "approval-1", node.Word{Reason: "agreed"})
		return trust.KindOf(err)
	}
	want := func(what string, got, want trust.Reason) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	want("asked", a.write("n-1", "42"), trust.ApprovalPending)
	if got := yes(marsh); got != "" {
		t.Fatalf("the first yes is %s", got)
	}
	for what, who := range map[string]node.Actor{
		"the same person":       marsh,
		"her second account":    a.person("Lee", role, ownIssuer, "l.marsh"),
		"an account of hers":    a.person("l.  marsh", role, ownIssuer, "another"),
		"who asks":              a.person("N. One", role, a.Issuer.URL, "n-1"),
		"who asks, by a second": a.person("N. ONE", role, ownIssuer, "n.one"),
		"of the home":           a.person("H. Line", role, a.Issuer.URL, "manager"),
		"nobody knows who":      a.person("N. N.", role, "", ""),
		"another role":          a.person("S. Ecure", "security", ownIssuer, "s.ecure"),
		"nobody":                {},
	} {
		if got := yes(who); got != trust.Denied && got != trust.Invalid {
			t.Errorf("%s approves: %q", what, got)
		}
		if strings.HasPrefix(what, "who asks") {
			_, err := a.Host.Approve(t.Context(), who, "approval-1", node.Word{Reason: "mine"})
			if err == nil || !strings.Contains(err.Error(), "whoever asks") {
				t.Errorf("%s is told: %v", what, err)
			}
		}
	}
	want("by one", a.write("n-1", "42"), trust.ApprovalPending)
	if got := yes(osei); got != "" {
		t.Fatalf("the second yes is %s", got)
	}
	want("by two", a.write("n-1", "42"), trust.Permit)
	want("another record", a.write("n-1", "43"), trust.ApprovalPending)
	want("another subject", a.write("n-2", "42"), trust.ApprovalPending)
	issued := a.Host.Exchange(t.Context(), node.Exchange{
		Client: "pep", Subject: evidence.Proof{Kind: evidence.AccessToken, Token: a.Home.World.Token(a.Issuer, "n-1", a.Audience, nil)}, Target: a.Audience,
		Access: []evidence.Access{{Type: "WardRecord", Actions: []trust.Action{"write"}, IDs: []string{"42"}, Purpose: "TREAT"}},
	})
	want("a credential", issued.Reason, trust.ApprovalDirect)
	a.Host.Clock.Shift(61 * time.Second)
	if got := a.write("n-1", "42"); got == trust.Permit {
		t.Error("it outlives its minute")
	}
	if one, _ := a.Host.State().Approval.Get("approval-1"); one.Stage(a.Host.Now(), trust.Position{}) != approval.Expired {
		t.Errorf("after its end it is %+v", one)
	}
}
