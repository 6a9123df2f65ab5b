package demo

import (
	"context"
	"time"

	"github.com/entente-id/entente/trust"
)

// confused has a deputy of RXW, which may read prescriptions in its own name, act
// for a nurse, who may not: each time it gets what both may.
func (s *scene) confused(ctx context.Context) error {
	p, rxw, rje := s.play, s.play.world.rxw, s.play.world.rje
	d := rxw.actors[deputy]
	var pharmacy *desk
	err := s.expect(ctx, "a deputy of RXW with rights of its own reads a prescription at RJE", trust.Permit, func(ctx context.Context) (outcome, error) {
		var err error
		if pharmacy, err = rje.furnish(ctx, "pharmacy", "https://pharmacy."+rje.domain(), "Prescription", ""); err != nil {
			return outcome{}, err
		}
		ends := trust.Instant(time.Now().Add(24 * time.Hour).Unix())
		if err := conclude(ctx, rxw, rje, programAgreement("rxw-deputies-at-rje", trust.ServiceAccount, rxw, rje, ends, pharmacy, p.records["RJE"])); err != nil {
			return outcome{}, err
		}
		return d.presents(pharmacy)(ctx)
	})
	if err != nil {
		return err
	}
	for _, c := range []struct {
		name string
		at   *desk
		want trust.Reason
	}{
		{"it reads one for a nurse, who may not", pharmacy, trust.ResourceNotCovered},
		{"it reads RJE's ward record for her: both may", p.records["RJE"], trust.Permit},
		{"it reads R0A's for her: she may, and it may not", p.records["R0A"], trust.ActorNotCovered},
	} {
		err := s.expect(ctx, c.name, c.want, func(ctx context.Context) (outcome, error) {
			e, err := p.send(ctx, rxw, p.bola, c.at)
			if err == nil {
				e, err = e.to(d, nil)
			}
			if err != nil {
				return outcome{}, err
			}
			return e.run(ctx)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
