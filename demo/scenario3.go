package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/approval"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// The third scenario: what is done in it, by whom, and who approves that.
const (
	firewallWrite trust.Action  = "firewall:write"
	maintenance   trust.Purpose = "HSYSADMIN"
	engineerRole                = "S9000:G9000:R9001"
	changeBoard                 = "change_board"
	engineer      trust.Role    = "network-engineer"
)

// firewallPolicy lets cleared engineers of one nationality write, whoever approves.
const firewallPolicy = `
@id("firewall-write")
permit (principal is Human in Role::"network-engineer", action == Action::"firewall:write", resource is Firewall)
when { context.purpose == "HSYSADMIN" && principal.nationality == "GB" };
`

// environments is what the third scenario is played with.
type environments struct {
	production, staging, training *desk
	dana                          nurse                    // the contractor, of R0A
	board                         map[string]*admin.Client // accounts at RJE that may approve
}

// contractor is what Dana Reyes signs in with; cleared says her nationality.
func (w *world) contractor(cleared bool) nurse {
	claims := map[string]any{
		"nhsid_nrbac_roles": []map[string]any{{"person_roleid": "role-dana.reyes", "role_code": engineerRole, "org_code": w.r0a.code}},
	}
	if cleared {
		claims["nationality"] = "GB"
	}
	return w.r0a.employ("dana.reyes", "920000000301", claims)
}

// localApproval is the third scenario: a contractor of R0A changes the firewalls
// of RJE's environments, each time two people of RJE approve it.
func (s *scene) localApproval(ctx context.Context) error {
	var e environments
	err := s.do(ctx, "R0A's contractors may write to firewalls of 3 environments of RJE, if 2 people of RJE approve", "active at both ends", func(ctx context.Context) (string, error) {
		return "active at both ends", s.play.world.openEnvironments(ctx, &e)
	})
	if err != nil {
		return err
	}
	if err := s.expect(ctx, "a cleared contractor asks for firewall:write in production", trust.ApprovalPending, e.writes(s.play.world, e.production)); err != nil {
		return err
	}
	if err := s.approvers(ctx, &e); err != nil {
		return err
	}
	if err := s.elevated(ctx, &e); err != nil {
		return err
	}
	return s.homeIsDown(ctx, &e)
}

// openEnvironments furnishes RJE's firewalls, concludes the agreement and gives
// those who may approve their accounts.
func (w *world) openEnvironments(ctx context.Context, e *environments) (err error) {
	ends := trust.Instant(time.Now().Add(24 * time.Hour).Unix())
	d := staffAgreement("r0a-contractors-at-rje", w.r0a, w.rje, ends)
	d.Attributes = append(d.Attributes, agreement.Attribute{Name: "nationality", Purpose: "clearance"})
	d.Authority.Approves.Role = changeBoard
	for name, at := range map[string]**desk{"production": &e.production, "staging": &e.staging, "training": &e.training} {
		*at, err = w.rje.provide(ctx, &desk{
			name: "firewall-" + name, audience: "https://" + name + "." + w.rje.domain(), resource: "Firewall",
			action: string(firewallWrite), purpose: string(maintenance),
		})
		if err != nil {
			return err
		}
		line := staffAgreement("", w.r0a, w.rje, ends, *at).Accepts[0]
		line.Roles, line.Purposes, line.Actions = []string{engineerRole}, []trust.Purpose{maintenance}, []trust.Action{firewallWrite}
		line.Approval = &agreement.Approval{Actions: line.Actions, People: 2}
		d.Accepts = append(d.Accepts, line)
	}
	if err := w.convene(ctx, e); err != nil {
		return err
	}
	if err := agreed(ctx, w.r0a, w.rje, d); err != nil {
		return err
	}
	m := mapping.Document{
		Kind: "Mapping", Name: "r0a-engineers", Agreement: d.Name, To: engineer, Expires: ends,
		From: mapping.From{Class: trust.Human, Attribute: "role_code", Equals: engineerRole},
	}
	if err := w.rje.admin.OfferMapping(ctx, m); err != nil {
		return err
	}
	if err := e.board[marsh].GrantMapping(ctx, m.Name); err != nil {
		return err
	}
	if _, err := w.rje.admin.ApplyPolicy(ctx, localPolicy+firewallPolicy); err != nil {
		return err
	}
	e.dana = w.contractor(true)
	tokens, err := w.r0a.signIn(ctx, e.dana, e.production.audience)
	if err != nil {
		return err
	}
	return until(ctx, "RJE to know R0A's keys", func(ctx context.Context) (bool, error) {
		reason, err := e.production.wouldAnswer(ctx, showing{token: tokens.Access})
		return reason == trust.ApprovalPending, err
	})
}

// Who has an account at RJE that may approve.
const (
	marsh   = "L. Marsh"
	other   = "Lee Marsh (night shift)" // her second account
	osei    = "K. Osei"
	reyes   = "D. Reyes" // the contractor's own
	manager = "R0A's line manager"
)

// convene makes the change board's accounts, each of a person at the trust that
// knows them.
func (w *world) convene(ctx context.Context, e *environments) error {
	e.board = map[string]*admin.Client{}
	for _, person := range []struct {
		name, subject string
		at            *hospital
	}{
		{marsh, "930000000301", w.rje}, {other, "930000000301", w.rje}, {osei, "930000000302", w.rje},
		{reyes, "920000000301", w.r0a}, {manager, "920000000399", w.r0a},
	} {
		added, err := w.rje.admin.AddOperator(ctx, admin.NewOperator{Name: person.name, Roles: []trust.Role{changeBoard}})
		if err != nil {
			return err
		}
		if err := w.rje.admin.LinkOperator(ctx, added.ID, admin.Identity{Issuer: person.at.issuer.String(), Subject: person.subject}); err != nil {
			return err
		}
		e.board[person.name] = admin.NewClient(w.rje.file("admin.sock"), added.Credential)
	}
	return nil
}

// writes is the act of the contractor's writing in an environment, signed in
// afresh.
func (e *environments) writes(w *world, at *desk) func(context.Context) (outcome, error) {
	return func(ctx context.Context) (outcome, error) {
		tokens, err := w.r0a.signIn(ctx, e.dana, at.audience)
		if err != nil {
			return outcome{}, err
		}
		return at.askWith(ctx, showing{token: tokens.Access, reason: "open the port of the new analyser", ticket: "CHG-2201"})
	}
}

// says is the act of an account's yes to the newest approval.
func (e *environments) says(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := e.board[name].Approve(ctx, "approval-1", node.Word{Reason: "in the plan of this week", Ticket: "CHG-2201"})
		return err
	}
}

// approvers are those who may not approve, and the two who do.
func (s *scene) approvers(ctx context.Context, e *environments) error {
	w := s.play.world
	for _, c := range []struct {
		name string
		act  func(context.Context) error
		kind trust.ErrorKind
	}{
		{"she approves it herself, by an account that she has at RJE", e.says(reyes), trust.Denied},
		{"R0A's administrator approves it, at R0A", func(ctx context.Context) error {
			_, err := w.r0a.admin.Approve(ctx, "approval-1", node.Word{Reason: "one of ours"})
			return err
		}, trust.NotFound},
		{"her line manager at R0A approves it, by an account that he has at RJE", e.says(manager), trust.Denied},
	} {
		if err := s.denied(ctx, c.name, c.act, c.kind); err != nil {
			return err
		}
	}
	err := s.denied(ctx, "L. Marsh of RJE approves it, and again by her second account", func(ctx context.Context) error {
		if err := e.says(marsh)(ctx); err != nil {
			return err
		}
		return e.says(other)(ctx)
	}, trust.Denied)
	if err != nil {
		return err
	}
	if err := s.expect(ctx, "she asks again", trust.ApprovalPending, e.writes(w, e.production)); err != nil {
		return err
	}
	return s.do(ctx, "K. Osei of RJE approves it too", "approved by 2 people, for 15m0s", func(ctx context.Context) (string, error) {
		before := time.Now()
		one, err := e.board[osei].Approve(ctx, "approval-1", node.Word{Reason: "agreed", Ticket: "CHG-2201"})
		if err != nil || one.Stage != approval.Approved {
			return string(one.Stage), err
		}
		lasts := time.Unix(int64(one.Ends), 0).Sub(before).Round(time.Minute)
		return fmt.Sprintf("approved by %d people, for %s", len(one.Said), lasts), nil
	})
}

// elevated is what she may do now, and what not.
func (s *scene) elevated(ctx context.Context, e *environments) error {
	w := s.play.world
	if err := s.expect(ctx, "she writes in production", trust.Permit, e.writes(w, e.production)); err != nil {
		return err
	}
	if err := s.expect(ctx, "she asks for the same in staging", trust.ApprovalPending, e.writes(w, e.staging)); err != nil {
		return err
	}
	return s.expect(ctx, "she signs in without her nationality, and writes in production", trust.PolicyError, func(ctx context.Context) (outcome, error) {
		e.dana = w.contractor(false)
		o, err := e.writes(w, e.production)(ctx)
		e.dana = w.contractor(true)
		return o, err
	})
}

// homeIsDown lets R0A's node go: RJE decides and records by itself.
func (s *scene) homeIsDown(ctx context.Context, e *environments) error {
	w := s.play.world
	recorded := func(ctx context.Context) (uint64, error) {
		status, err := w.rje.admin.Status(ctx)
		for _, l := range status.Logs {
			if l.Log == store.DecisionLog {
				return l.Size, err
			}
		}
		return 0, err
	}
	var before uint64
	err := s.expect(ctx, "R0A's node goes down; she writes in production", trust.Permit, func(ctx context.Context) (o outcome, err error) {
		w.r0a.stop()
		if before, err = recorded(ctx); err != nil {
			return o, err
		}
		return e.writes(w, e.production)(ctx)
	})
	if err != nil {
		return err
	}
	if err := s.expect(ctx, "she asks for the same in training", trust.ApprovalPending, e.writes(w, e.training)); err != nil {
		return err
	}
	err = s.do(ctx, "RJE's log is complete", "2 calls, 2 records", func(ctx context.Context) (string, error) {
		after, err := recorded(ctx)
		return fmt.Sprintf("2 calls, %d records", after-before), err
	})
	if err != nil {
		return err
	}
	return s.expect(ctx, "R0A's node is back; K. Osei takes the approval back", trust.ApprovalPending, func(ctx context.Context) (outcome, error) {
		if err := w.r0a.start(ctx); err != nil {
			return outcome{}, err
		}
		for _, pair := range [][2]*hospital{{w.rje, w.r0a}, {w.r0a, w.rje}, {w.r0a, w.rxw}, {w.rxw, w.r0a}} {
			if err := pair[0].hear(ctx, pair[1]); err != nil {
				return outcome{}, err
			}
		}
		if _, err := e.board[osei].WithdrawApproval(ctx, "approval-1", node.Word{Reason: "done", Ticket: "CHG-2201"}); err != nil {
			return outcome{}, err
		}
		return e.writes(w, e.production)(ctx)
	})
}
