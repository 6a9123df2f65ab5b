package demo

import (
	"context"
	"fmt"

	"github.com/entente-id/entente/demo/idp"
	"github.com/entente-id/entente/trust"
)

// mixUp is the fifth scenario: tokens in the wrong place, or twice.
func (s *scene) mixUp(ctx context.Context) error {
	p := s.play
	tokens, err := p.enter(ctx, p.bola, p.records["RJE"])
	if err != nil {
		return s.settle(ctx, Step{Name: "nurse signs in at RXW"}, err)
	}
	if err := s.misdirected(ctx, tokens); err != nil {
		return err
	}
	once, err := s.replayed(ctx)
	if err != nil {
		return err
	}
	held, err := s.held(ctx)
	if err != nil {
		return err
	}
	if err := s.distinct(ctx); err != nil {
		return err
	}
	if err := s.exchanged(ctx, tokens.Access); err != nil {
		return err
	}
	if err := s.stampede(ctx, held); err != nil {
		return err
	}
	if err := s.confused(ctx); err != nil {
		return err
	}
	return s.remembered(ctx, tokens, once)
}

// misdirected shows a token of RJE's ward records where it was not meant to be.
func (s *scene) misdirected(ctx context.Context, tokens idp.Tokens) error {
	p := s.play
	if err := s.expect(ctx, "token for RJE's ward records, there", trust.Permit, p.records["RJE"].presents(tokens.Access)); err != nil {
		return err
	}
	if err := s.expect(ctx, "the same token sent to RJE's letters", trust.AudienceOtherService, p.letters.presents(tokens.Access)); err != nil {
		return err
	}
	return s.expect(ctx, "the same token forwarded by RJE's service to R0A", trust.AudienceForeign, p.records["R0A"].presents(tokens.Access))
}

// replayed uses an ID token up, where the agreement takes each once, and gives
// it.
func (s *scene) replayed(ctx context.Context) (string, error) {
	p := s.play
	tokens, err := p.world.rxw.handover.Login(ctx, p.bola.login, p.bola.password, handoverAudience)
	if err != nil {
		return "", s.settle(ctx, Step{Name: "nurse signs in to the handover"}, err)
	}
	if err := s.expect(ctx, "ID token where the agreement takes each one once", trust.Permit, p.handover.presents(tokens.ID)); err != nil {
		return "", err
	}
	return tokens.ID, s.expect(ctx, "the same ID token sent twice", trust.Replayed, p.handover.presents(tokens.ID))
}

// distinct compares the reasons of the denials so far.
func (s *scene) distinct(ctx context.Context) error {
	return s.do(ctx, "another service, another trust, another time, another key: each has its own reason", "4 reasons for 4 denials", func(context.Context) (string, error) {
		return s.reasons(0), nil
	})
}

// reasons counts the denials since a step, and how many reasons they have.
func (s *scene) reasons(first int) string {
	denials, reasons := 0, map[trust.Reason]bool{}
	for _, step := range s.Steps[first:] {
		if step.Reason != "" && step.Reason != trust.Permit {
			denials++
			reasons[step.Reason] = true
		}
	}
	return fmt.Sprintf("%d reasons for %d denials", len(reasons), denials)
}

// remembered restarts RJE's node while RXW's hangs: nothing was forgotten, and
// nothing counts as fresh that was not proven since.
func (s *scene) remembered(ctx context.Context, tokens idp.Tokens, once string) error {
	p, rxw, rje := s.play, s.play.world.rxw, s.play.world.rje
	rxw.node.hold()
	defer rxw.node.resume()
	err := s.expect(ctx, "RJE's node restarts while RXW's hangs; the used ID token again", trust.Replayed, func(ctx context.Context) (outcome, error) {
		rje.stop()
		if err := rje.start(ctx); err != nil {
			return outcome{}, err
		}
		return p.handover.ask(ctx, once)
	})
	if err != nil {
		return err
	}
	if err := s.expect(ctx, "a good token, before RXW has proven anything since", trust.NeverProven, p.records["RJE"].presents(tokens.Access)); err != nil {
		return err
	}
	return s.expect(ctx, "the same token once RXW's node answers again", trust.Permit, func(ctx context.Context) (outcome, error) {
		rxw.node.resume()
		if err := rje.hear(ctx, rxw); err != nil {
			return outcome{}, err
		}
		return p.records["RJE"].ask(ctx, tokens.Access)
	})
}
