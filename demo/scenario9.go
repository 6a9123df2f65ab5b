package demo

import (
	"context"
	"time"

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
	s.missing("RJE's own clock jumps back behind the agreement's end", "nothing opens again", "clock rules: signals")
	return s.expect(ctx, "RJE's clock is put right", trust.Permit, func(ctx context.Context) (outcome, error) {
		for _, partner := range []*hospital{w.r0a, w.rxw} {
			if err := w.rje.setClock(ctx, 0, partner); err != nil {
				return outcome{}, err
			}
		}
		return p.records["RJE"].signsIn(w.rxw, p.bola)(ctx)
	})
}

// ends asks one second before the end and on it, with the same token.
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
	return s.expect(ctx, name, trust.AgreementEnded, func(ctx context.Context) (outcome, error) {
		if left := time.Unix(expiry(tokens.Access), 0).Sub(end); left < remaining {
			return outcome{}, trust.Errorf(trust.Conflict, "the token is good for %s beyond the end of the agreement", left)
		}
		return at(end)(ctx)
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
