package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/breakglass"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// The second scenario: how long the glass stays broken, by when that is reviewed,
// and by whom.
const (
	glassTime  = 30 * time.Minute
	glassDue   = 72 * time.Hour
	shortDue   = 3 * time.Second // of another agreement, whose reviews are seen to be late
	guardian   = "caldicott_guardian"
	kemi       = "K. Adeyemi"
	okafor     = "P. Okafor"
	lockedWard = "w2" // of the nurses, where the record is none of
)

// emergencyPolicy lets readers read for emergencies what is none of their wards'.
const emergencyPolicy = `
@id("ward-break-glass")
permit (principal is Human in Role::"ward-reader", action == Action::"read", resource is EmergencyRecord)
when { context.purpose == "BTG" && context has break_glass };
`

// emergency is what the second scenario is played with.
type emergency struct {
	records *desk
	nurse   nurse                    // of RXW
	other   nurse                    // of R0A, whose agreement has reviews that are late soon
	people  map[string]*admin.Client // accounts at RJE that review
}

// breakGlass is the second scenario: a nurse without a relationship to the patient
// breaks the glass, which both sides see at once, and which is reviewed.
func (s *scene) breakGlass(ctx context.Context) error {
	var e emergency
	err := s.do(ctx, "RXW's nurses may break the glass at RJE: for 30 minutes, reviewed within 72 hours", "active at both ends", func(ctx context.Context) (string, error) {
		return "active at both ends", s.play.world.openEmergency(ctx, &e)
	})
	if err != nil {
		return err
	}
	if err := s.broken(ctx, &e); err != nil {
		return err
	}
	if err := s.reviewers(ctx, &e); err != nil {
		return err
	}
	if err := s.unbroken(ctx, &e); err != nil {
		return err
	}
	return s.late(ctx, &e)
}

// openEmergency furnishes RJE's emergency records, concludes the agreements and
// gives those who review their accounts.
func (w *world) openEmergency(ctx context.Context, e *emergency) (err error) {
	e.records, err = w.rje.provide(ctx, &desk{name: "emergency-records", audience: "https://emergency." + w.rje.domain(), resource: "EmergencyRecord"})
	if err != nil {
		return err
	}
	e.people = map[string]*admin.Client{}
	for name, of := range map[string]struct {
		subject string
		at      *hospital
	}{okafor: {"930000000201", w.rje}, kemi: {"920000000201", w.rxw}} {
		added, err := w.rje.admin.AddOperator(ctx, admin.NewOperator{Name: name, Roles: []trust.Role{guardian}})
		if err != nil {
			return err
		}
		if err := w.rje.admin.LinkOperator(ctx, added.ID, admin.Identity{Issuer: of.at.issuer.String(), Subject: of.subject}); err != nil {
			return err
		}
		e.people[name] = admin.NewClient(w.rje.file("admin.sock"), added.Credential)
	}
	if _, err := w.rje.admin.ApplyPolicy(ctx, localPolicy+emergencyPolicy); err != nil {
		return err
	}
	for home, due := range map[*hospital]time.Duration{w.rxw: glassDue, w.r0a: shortDue} {
		d := staffAgreement(home.domain()+"-emergencies", home, w.rje, trust.Instant(time.Now().Add(24*time.Hour).Unix()), e.records)
		d.Accepts[0].Purposes = append(d.Accepts[0].Purposes, agreement.Emergency)
		d.Authority.Overrides = trust.RoleRef{Participant: w.rje.id, Role: guardian}
		d.BreakGlass = &agreement.BreakGlass{TTL: trust.Span(glassTime / time.Second), ReviewWithin: trust.Span(due / time.Second)}
		if err := conclude(ctx, home, w.rje, d); err != nil {
			return err
		}
	}
	wards := map[string]any{"ward_ids": []string{lockedWard}}
	e.nurse, e.other = w.rxw.employ("kemi.adeyemi", "920000000201", wards), w.r0a.employ("tom.hale", "920000000202", wards)
	for _, n := range []struct {
		home *hospital
		nurse
	}{{w.rxw, e.nurse}, {w.r0a, e.other}} {
		tokens, err := n.home.signIn(ctx, n.nurse, e.records.audience)
		if err != nil {
			return err
		}
		err = until(ctx, "RJE to know the keys of "+n.home.code, func(ctx context.Context) (bool, error) {
			reason, err := e.records.wouldAnswer(ctx, showing{token: tokens.Access})
			return reason == trust.BreakGlassAvailable, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// reads is the act of a nurse's reading, signed in afresh: for a purpose other than
// treatment, and with a reason, where these are given.
func (e *emergency) reads(home *hospital, n nurse, at *desk, purpose trust.Purpose, reason string) func(context.Context) (outcome, error) {
	return func(ctx context.Context) (outcome, error) {
		tokens, err := home.signIn(ctx, n, at.audience)
		if err != nil {
			return outcome{}, err
		}
		return at.askWith(ctx, showing{token: tokens.Access, purpose: string(purpose), reason: reason, ticket: "INC-7"})
	}
}

const arrest = "cardiac arrest"

// broken is the nurse's breaking the glass, and who gets to know it.
func (s *scene) broken(ctx context.Context, e *emergency) error {
	w := s.play.world
	for _, c := range []struct {
		name, reason string
		purpose      trust.Purpose
		want         trust.Reason
	}{
		{"a nurse of RXW treats a patient of none of her wards", "", "TREAT", trust.BreakGlassAvailable},
		{"she breaks the glass, and does not say why", "", agreement.Emergency, trust.BreakGlassReason},
		{"she breaks the glass, and says why", arrest, agreement.Emergency, trust.Permit},
		{"she reads on", arrest, agreement.Emergency, trust.Permit},
	} {
		if err := s.expect(ctx, c.name, c.want, e.reads(w.rxw, e.nurse, e.records, c.purpose, c.reason)); err != nil {
			return err
		}
	}
	err := s.do(ctx, "what is on record at RJE", "1 entry, for 30m0s, review due in 72h0m0s", func(ctx context.Context) (string, error) {
		list, err := w.rje.operators[auditor].BreakGlasses(ctx)
		if err != nil || len(list.Items) == 0 {
			return "nothing", err
		}
		one := list.Items[0]
		lasts, due := time.Duration(one.Ends-one.Since)*time.Second, time.Duration(one.Due-one.Since)*time.Second
		return fmt.Sprintf("%d entry, for %s, review due in %s", len(list.Items), lasts, due), nil
	})
	if err != nil {
		return err
	}
	return s.do(ctx, "who is alerted", "RJE's "+guardian+" and RXW's locum_desk", func(ctx context.Context) (string, error) {
		return "RJE's " + guardian + " and RXW's locum_desk", until(ctx, "both sides to be alerted", func(ctx context.Context) (bool, error) {
			host, err := w.rje.alerted(ctx, finding.BreakGlass, guardian)
			if err != nil || !host {
				return false, err
			}
			return w.rxw.alerted(ctx, finding.BreakGlass, "locum_desk")
		})
	})
}

// alerted reports whether a role of h has an open finding of a kind.
func (h *hospital) alerted(ctx context.Context, kind finding.Kind, role string) (bool, error) {
	list, err := h.admin.Findings(ctx)
	for _, f := range list.Items {
		if f.Open && f.Kind == kind && f.Owner == role {
			return true, err
		}
	}
	return false, err
}

// reviews is the act of an account's review of one.
func (e *emergency) reviews(name, id string, came breakglass.Stage) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := e.people[name].ReviewBreakGlass(ctx, id, node.Review{Came: came, Reason: "the crash team's record", Ticket: "INC-7", TLP: "amber"})
		return err
	}
}

// reviewers are those who may not review it, and the one who does.
func (s *scene) reviewers(ctx context.Context, e *emergency) error {
	if err := s.denied(ctx, "she reviews it herself, by an account that she has at RJE", e.reviews(kemi, "breakglass-1", breakglass.Justified), trust.Denied); err != nil {
		return err
	}
	err := s.denied(ctx, "RXW's administrator reviews it, at RXW", func(ctx context.Context) error {
		_, err := s.play.world.rxw.admin.ReviewBreakGlass(ctx, "breakglass-1", node.Review{Came: breakglass.Justified, Reason: "one of ours"})
		return err
	}, trust.NotFound)
	if err != nil {
		return err
	}
	return s.do(ctx, "P. Okafor of RJE reviews it", "justified, and RXW knows", func(ctx context.Context) (string, error) {
		if err := e.reviews(okafor, "breakglass-1", breakglass.Justified)(ctx); err != nil {
			return "", err
		}
		return "justified, and RXW knows", s.play.world.rxw.told(ctx, "breakglass-1", breakglass.Justified)
	})
}

// told waits until a host has said how emergency access of one of h's people
// stands.
func (h *hospital) told(ctx context.Context, id string, stage breakglass.Stage) error {
	return until(ctx, h.code+" to be told that "+id+" is "+string(stage), func(ctx context.Context) (bool, error) {
		list, err := h.operators[auditor].BreakGlasses(ctx)
		for _, b := range list.Items {
			if b.ID == id && b.Stage == stage {
				return true, err
			}
		}
		return false, err
	})
}

// unbroken is who breaks no glass.
func (s *scene) unbroken(ctx context.Context, e *emergency) error {
	w := s.play.world
	err := s.expect(ctx, "an agent that acts for her breaks the glass", trust.ActorNotCovered, func(ctx context.Context) (outcome, error) {
		errand, err := s.play.send(ctx, w.rxw, e.nurse, e.records)
		if err == nil {
			errand, err = errand.through(w.rxw.actors[agentA])
		}
		if err != nil {
			return outcome{}, err
		}
		shown, err := errand.calledBy(ctx, w.rxw.actors[agentA])
		if err != nil {
			return outcome{}, err
		}
		shown.purpose, shown.reason = string(agreement.Emergency), arrest
		return e.records.askWith(ctx, shown)
	})
	if err != nil {
		return err
	}
	return s.expect(ctx, "she breaks the glass to RJE's ward records, whose agreement has none", trust.PurposeNotCovered,
		e.reads(w.rxw, e.nurse, s.play.records["RJE"], agreement.Emergency, arrest))
}

// late lets a review be overdue, and one come to the worse.
func (s *scene) late(ctx context.Context, e *emergency) error {
	w := s.play.world
	breaks := e.reads(w.r0a, e.other, e.records, agreement.Emergency, arrest)
	if err := s.expect(ctx, "a nurse of R0A, whose agreement gives reviews "+shortDue.String()+" in place of 72 hours, breaks the glass", trust.Permit, breaks); err != nil {
		return err
	}
	err := s.do(ctx, "nobody reviews it in time", "overdue, and both sides are alerted", func(ctx context.Context) (string, error) {
		return "overdue, and both sides are alerted", until(ctx, "the review to be overdue", func(ctx context.Context) (bool, error) {
			host, err := w.rje.alerted(ctx, finding.BreakGlassOverdue, guardian)
			if err != nil || !host {
				return false, err
			}
			return w.r0a.alerted(ctx, finding.BreakGlassOverdue, "locum_desk")
		})
	})
	if err != nil {
		return err
	}
	colleague := w.r0a.employ("ivy.ross", "920000000203", map[string]any{"ward_ids": []string{lockedWard}})
	another := e.reads(w.r0a, colleague, e.records, agreement.Emergency, arrest)
	if err := s.expect(ctx, "a colleague of hers breaks the glass", trust.BreakGlassUnreviewed, another); err != nil {
		return err
	}
	if err := s.expect(ctx, "one of RXW, whose reviews are in time", trust.Permit, e.reads(w.rxw, e.nurse, e.records, agreement.Emergency, arrest)); err != nil {
		return err
	}
	err = s.expect(ctx, "P. Okafor reviews it late: it was not justified; the nurse reads on", trust.SubjectSuspended, func(ctx context.Context) (outcome, error) {
		if err := e.reviews(okafor, "breakglass-2", breakglass.Unjustified)(ctx); err != nil {
			return outcome{}, err
		}
		if err := w.r0a.told(ctx, "breakglass-2", breakglass.Unjustified); err != nil {
			return outcome{}, err
		}
		return breaks(ctx)
	})
	if err != nil {
		return err
	}
	return s.expect(ctx, "the colleague breaks the glass again", trust.Permit, another)
}
