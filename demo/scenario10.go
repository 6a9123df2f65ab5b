package demo

import (
	"context"
	"fmt"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

const oddQueries = 40

// suspended is the tenth scenario: RJE stops one of RXW's nurses at RJE alone, RXW
// disputes that, and RJE lets her go on as the remedy lets it.
func (s *scene) suspended(ctx context.Context) error {
	p, w := s.play, s.play.world
	ines := w.rxw.enrol("ines.moro", "500000000777")
	her := node.Stoppable{Kind: suspension.Subject, Issuer: w.rxw.issuer.String(), Subject: ines.subject}
	asks := p.records["RJE"].signsIn(w.rxw, ines)
	err := s.expect(ctx, fmt.Sprintf("RXW's Ines Moro makes %d odd queries at RJE", oddQueries), trust.Permit, func(ctx context.Context) (outcome, error) {
		tokens, err := p.enter(ctx, ines, p.records["RJE"])
		if err != nil {
			return outcome{}, err
		}
		var o outcome
		for range oddQueries {
			if o, err = p.records["RJE"].ask(ctx, tokens.Access); err != nil || o.reason != trust.Permit {
				return o, err
			}
		}
		return o, nil
	})
	if err != nil {
		return err
	}
	err = s.expect(ctx, "RJE's security officer suspends her at RJE alone; next call", trust.SubjectSuspended, func(ctx context.Context) (outcome, error) {
		why := node.Why{Reason: "40 odd queries in an hour", Incident: "INC-4711", TLP: suspension.Amber}
		if _, err := w.rje.operators[security].Suspend(ctx, node.SuspendRequest{Stoppable: her, Why: why}); err != nil {
			return outcome{}, err
		}
		return asks(ctx)
	})
	if err != nil {
		return err
	}
	if err := s.expect(ctx, "another nurse of RXW", trust.Permit, p.records["RJE"].signsIn(w.rxw, p.bola)); err != nil {
		return err
	}
	const notice = "subject, INC-4711, TLP amber, signed by RJE"
	err = s.do(ctx, "RXW has a notice with the reason", notice, func(ctx context.Context) (got string, err error) {
		return got, until(ctx, "the notice to reach RXW", func(ctx context.Context) (bool, error) {
			list, err := w.rxw.operators[auditor].Notices(ctx)
			for _, n := range list.Items {
				if n.From == w.rje.id && n.What.Subject == ines.subject && n.What.Reason != "" {
					got = fmt.Sprintf("%s, %s, TLP %s, signed by RJE", n.What.Kind, n.What.Incident, n.What.TLP)
				}
			}
			return got != "", err
		})
	})
	if err != nil {
		return err
	}
	if err := s.returned(ctx, her, asks); err != nil {
		return err
	}
	q := &quarrel{scene: s, her: her, asks: asks}
	if err := q.play(ctx); err != nil {
		return err
	}
	if err := s.resumed(ctx, her, asks); err != nil {
		return err
	}
	return q.monitored(ctx)
}

// returned shows that RXW cannot bring her back by itself.
func (s *scene) returned(ctx context.Context, her node.Stoppable, asks func(context.Context) (outcome, error)) error {
	w := s.play.world
	err := s.denied(ctx, "RXW resumes her by itself", func(ctx context.Context) error {
		_, err := w.rxw.operators[security].Resume(ctx, admin.Resuming{Stoppable: her, Reason: "she is fine"})
		return err
	}, trust.Denied)
	if err != nil {
		return err
	}
	err = s.denied(ctx, "RXW ends her engagement and opens a new one; RJE's security officer approves it", func(ctx context.Context) error {
		if _, err := w.rxw.operators[registrar].Revoke(ctx, node.RevokeRequest{
			Kind: revocation.Subject, Issuer: her.Issuer, Subject: her.Subject, Reason: "left, for a new contract",
		}); err != nil {
			return err
		}
		opened := admin.NewEngagement{Issuer: her.Issuer, Subject: her.Subject, JoinerCheck: "HR-3001"}
		if _, err := w.rxw.operators[registrar].OpenEngagement(ctx, opened); err != nil {
			return err
		}
		return w.rje.approve(ctx)
	}, trust.Conflict)
	if err != nil {
		return err
	}
	return s.expect(ctx, "she signs in afresh", trust.SubjectRevoked, asks)
}

// resumed lets two people of RJE let her go on.
func (s *scene) resumed(ctx context.Context, her node.Stoppable, asks func(context.Context) (outcome, error)) error {
	w := s.play.world
	says := func(name string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := w.rje.operators[name].Resume(ctx, admin.Resuming{Stoppable: her, Reason: "looked into: a training account"})
			return err
		}
	}
	err := s.denied(ctx, "RJE's security officer resumes her, twice", func(ctx context.Context) error {
		if err := says(security)(ctx); err != nil {
			return err
		}
		return says(security)(ctx)
	}, trust.Denied)
	if err != nil {
		return err
	}
	return s.expect(ctx, "RJE's registrar says so too; her new engagement is approved", trust.Permit, func(ctx context.Context) (outcome, error) {
		if err := says(registrar)(ctx); err != nil {
			return outcome{}, err
		}
		if err := w.rje.approve(ctx); err != nil {
			return outcome{}, err
		}
		return asks(ctx)
	})
}

// denied plays an act of an operator that must be refused, by an error of a kind.
func (s *scene) denied(ctx context.Context, name string, act func(context.Context) error, kind trust.ErrorKind) error {
	return s.do(ctx, name, "refused, "+string(kind), func(ctx context.Context) (string, error) {
		switch err := act(ctx); trust.KindOf(err) {
		case "":
			return "done", nil
		case kind:
			return "refused, " + string(kind), nil
		default:
			return "", err
		}
	})
}
