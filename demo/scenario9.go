package demo

import (
	"context"
	"errors"
	"time"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

const (
	// letterTime is how long the agreement about letters lasts. It is less than
	// the tier's staleness, so that a clock may jump to its end and R0A's word
	// still be fresh.
	letterTime = 45 * time.Second
	remaining  = 10 * time.Minute // that a token is good for when its agreement ends
)

// clocks is the ninth scenario: an agreement ends on its second, and clocks that
// differ.
func (s *scene) clocks(ctx context.Context) (err error) {
	p, w := s.play, s.play.world
	defer func() {
		// The ledger's time is put right however the scenario came out.
		if e := w.rje.admin.SetClock(ctx, 0); err == nil {
			err = e
		}
	}()
	end := time.Now().Add(letterTime).Truncate(time.Second)
	err = s.do(ctx, "an agreement lets R0A's nurses read RJE's letters for "+letterTime.String(), "active at both ends", func(ctx context.Context) (string, error) {
		err := conclude(ctx, w.r0a, w.rje, staffAgreement("r0a-letters-at-rje", w.r0a, w.rje, trust.Instant(end.Unix()), p.letters))
		return "active at both ends", err
	})
	if err != nil {
		return err
	}
	if err := s.ends(ctx, end); err != nil {
		return err
	}
	if err := s.skew(ctx); err != nil {
		return err
	}
	err = s.expect(ctx, "RJE's clock is put right", trust.Permit, func(ctx context.Context) (outcome, error) {
		for _, partner := range []*hospital{w.r0a, w.rxw} {
			if err := w.rje.setClock(ctx, 0, partner); err != nil {
				return outcome{}, err
			}
		}
		return p.records["RJE"].signsIn(w.rxw, p.bola)(ctx)
	})
	if err != nil {
		return err
	}
	return s.leaps(ctx)
}

// ends asks one second before the end, on it, and with the machine's clock set
// back behind it, with the same token.
func (s *scene) ends(ctx context.Context, end time.Time) error {
	p, w := s.play, s.play.world
	tokens, err := w.r0a.signIn(ctx, w.r0a.enrol("femi.cole", "920000000001"), p.letters.audience)
	if err == nil {
		err = p.letters.settled(ctx, tokens)
	}
	if err == nil {
		err = w.rje.hear(ctx, w.r0a)
	}
	if err != nil {
		return s.settle(ctx, Step{Name: "R0A's nurse signs in"}, err)
	}
	at := func(moment time.Time) func(context.Context) (outcome, error) {
		return func(ctx context.Context) (outcome, error) { return p.letters.askAt(ctx, moment, tokens.Access) }
	}
	if err := s.expect(ctx, "RJE's clock stands one second before the end", trust.Permit, at(end.Add(-time.Second))); err != nil {
		return err
	}
	name := "RJE's clock stands on the end; the same token, good for " + remaining.String() + " and more"
	err = s.expect(ctx, name, trust.AgreementEnded, func(ctx context.Context) (outcome, error) {
		if left := time.Unix(expiry(tokens.Access), 0).Sub(end); left < remaining {
			return outcome{}, trust.Errorf(trust.Conflict, "the token is good for %s beyond the end of the agreement", left)
		}
		return at(end)(ctx)
	})
	if err != nil {
		return err
	}
	return s.expect(ctx, "RJE's machine is set back by an hour; the same token", trust.AgreementEnded, func(ctx context.Context) (outcome, error) {
		if err := w.rje.admin.SetMachineClock(ctx, -time.Hour); err != nil {
			return outcome{}, err
		}
		o, err := p.letters.ask(ctx, tokens.Access)
		return o, errors.Join(err, w.rje.admin.SetMachineClock(ctx, 0))
	})
}

// leaps lets RJE's machine leap far ahead of its partners, and come back.
func (s *scene) leaps(ctx context.Context) error {
	p, w := s.play, s.play.world
	for _, c := range []struct {
		name  string
		ahead time.Duration
	}{
		{"RJE's machine leaps ten minutes ahead of both partners", 10 * time.Minute},
		{"it is put right, and nobody has looked into it", 0},
	} {
		err := s.expect(ctx, c.name, trust.ClockAhead, func(ctx context.Context) (outcome, error) {
			if err := w.rje.admin.SetMachineClock(ctx, c.ahead); err != nil {
				return outcome{}, err
			}
			err := until(ctx, "RJE to compare its clock", func(ctx context.Context) (bool, error) {
				status, err := w.rje.admin.Status(ctx)
				return status.Clock.Stage == node.ClockDenies && (c.ahead == 0) == (status.Clock.Ahead <= edge.FarAhead), err
			})
			if err != nil {
				return outcome{}, err
			}
			return p.records["RJE"].signsIn(w.rxw, p.bola)(ctx)
		})
		if err != nil {
			return err
		}
	}
	return s.expect(ctx, "RJE's operator accepts the time, on record", trust.Permit, func(ctx context.Context) (outcome, error) {
		if _, err := w.rje.admin.AcceptClock(ctx, "time server repaired"); err != nil {
			return outcome{}, err
		}
		if err := w.rje.hear(ctx, w.rxw); err != nil {
			return outcome{}, err
		}
		return p.records["RJE"].signsIn(w.rxw, p.bola)(ctx)
	})
}

// askAt asks within one second of the node's own clock. Where this machine is
// too slow to hit it, it sets the clock and asks again.
func (d *desk) askAt(ctx context.Context, moment time.Time, token string) (o outcome, err error) {
	const tries = 20
	for range tries {
		began := time.Now().Truncate(time.Second)
		if time.Since(began) > 300*time.Millisecond {
			began = began.Add(time.Second)
			time.Sleep(time.Until(began))
		}
		if err := d.host.admin.SetClock(ctx, moment.Sub(began)); err != nil {
			return outcome{}, err
		}
		if o, err = d.ask(ctx, token); err != nil || time.Since(began) < time.Second {
			return o, err
		}
	}
	return outcome{}, trust.Errorf(trust.Unavailable, "no answer of %s came within one second, in %d tries", d.name, tries)
}

// skew lets RJE's clock go slow, so that RXW's tokens come from its future.
func (s *scene) skew(ctx context.Context) error {
	for _, c := range []struct {
		name   string
		behind time.Duration
		want   trust.Reason
	}{
		{"RJE's clock is 20 s behind: a fresh token is from the future, within the leeway", 20 * time.Second, trust.Permit},
		{"RJE's clock is 90 s behind: beyond it", 90 * time.Second, trust.TokenNotYetValid},
	} {
		err := s.expect(ctx, c.name, c.want, func(ctx context.Context) (outcome, error) {
			p, w := s.play, s.play.world
			if err := w.rje.setClock(ctx, -c.behind, w.rxw); err != nil {
				return outcome{}, err
			}
			return p.records["RJE"].signsIn(w.rxw, p.bola)(ctx)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// setClock moves the node's time of day by whole seconds from the machine's and
// waits until it has a partner's word that is fresh by it.
func (h *hospital) setClock(ctx context.Context, offset time.Duration, partner *hospital) error {
	if err := h.admin.SetClock(ctx, offset); err != nil {
		return err
	}
	return h.hear(ctx, partner)
}
