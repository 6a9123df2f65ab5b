package demo

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/entente-id/entente/demo/idp"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// silence is what the eighth scenario is played with: two services of RJE, the
// theatre on the high tier and the ward records on the standard one.
type silence struct {
	theatre       *desk
	leaves, stays idp.Tokens // of nurses of RXW, for the ward records
	strict, other idp.Tokens // of one of RXW and one of R0A, for the theatre
	leaver        nurse
}

// silentFeed is the eighth scenario: RXW's feed to RJE stops while TCP stays up.
func (s *scene) silentFeed(ctx context.Context) (err error) {
	p, w := s.play, s.play.world
	defer func() {
		w.rxw.relay.speak()
		w.rje.relay.speak()
		if e := w.rje.admin.SetClock(ctx, 0); err == nil {
			err = e
		}
	}()
	var q silence
	err = s.do(ctx, "RJE's theatre takes nurses of RXW and R0A on the high tier", "active at both ends, twice", func(ctx context.Context) (string, error) {
		return "active at both ends, twice", p.openTheatre(ctx, &q)
	})
	if err != nil {
		return err
	}
	err = s.expect(ctx, "while RXW is heard, its nurse is let into the theatre", trust.Permit, q.theatre.presents(q.strict.Access))
	if err != nil {
		return err
	}
	err = s.do(ctx, "RXW's feed falls silent; its connections stay up", "both nodes accept connections", func(ctx context.Context) (string, error) {
		w.rxw.relay.hush()
		w.rje.relay.hush()
		return "both nodes accept connections", errors.Join(w.rxw.relay.accepts(ctx), w.rje.relay.accepts(ctx))
	})
	if err != nil {
		return err
	}
	err = s.do(ctx, "RXW offboards a nurse meanwhile", "acknowledged, and held for RJE", func(ctx context.Context) (string, error) {
		return w.rxw.revokeUnheard(ctx, q.leaver, w.rje)
	})
	if err != nil {
		return err
	}
	if err := s.ages(ctx, &q); err != nil {
		return err
	}
	return s.heals(ctx, &q)
}

// openTheatre furnishes the theatre and signs everybody in.
func (p *play) openTheatre(ctx context.Context, q *silence) error {
	w := p.world
	var err error
	if q.theatre, err = w.rje.furnish(ctx, "theatre", "https://theatre."+w.rje.domain(), "TheatreList", ""); err != nil {
		return err
	}
	ends := trust.Instant(time.Now().Add(24 * time.Hour).Unix())
	for _, home := range []*hospital{w.rxw, w.r0a} {
		d := staffAgreement(lower(home)+"-theatre-at-rje", home, w.rje, ends, q.theatre)
		d.Tier = trust.High
		if err := conclude(ctx, home, w.rje, d); err != nil {
			return err
		}
	}
	q.leaver = w.rxw.enrol("chidi.eze", "910000000810")
	surgeon := w.r0a.enrol("gita.rao", "920000000811")
	for _, in := range []struct {
		home *hospital
		who  nurse
		at   *desk
		out  *idp.Tokens
	}{
		{w.rxw, q.leaver, p.records["RJE"], &q.leaves}, {w.rxw, p.bola, p.records["RJE"], &q.stays},
		{w.rxw, p.bola, q.theatre, &q.strict}, {w.r0a, surgeon, q.theatre, &q.other},
	} {
		if *in.out, err = in.home.signIn(ctx, in.who, in.at.audience); err != nil {
			return err
		}
		if err := in.at.settled(ctx, *in.out); err != nil {
			return err
		}
	}
	return nil
}

// revokeUnheard ends a nurse's engagement and sees that a partner has not
// acknowledged it.
func (h *hospital) revokeUnheard(ctx context.Context, n nurse, partner *hospital) (string, error) {
	_, err := h.operators[registrar].Revoke(ctx, node.RevokeRequest{
		Kind: revocation.Subject, Issuer: h.issuer.String(), Subject: n.subject, Reason: "left",
	})
	if err != nil {
		return "", err
	}
	status, err := h.admin.Status(ctx)
	for _, p := range status.Partners {
		if p.ID == partner.id && p.Queued[edge.Safety] == 1 {
			return "acknowledged, and held for RJE", err
		}
	}
	return "acknowledged; nothing is held", err
}

// ages asks while RXW's last proven word grows old. Each tier denies at its own
// limit; R0A is heard all the while.
func (s *scene) ages(ctx context.Context, q *silence) error {
	p, w := s.play, s.play.world
	records := p.records["RJE"]
	for _, c := range []struct {
		name  string
		older time.Duration // than the silence has lasted
		desk  *desk
		token string
		want  trust.Reason
	}{
		{"she is let in on RXW's last word, for as long as the standard tier allows", 0, records, q.leaves.Access, trust.Permit},
		{"that word is older than the high tier allows: the theatre", strictStaleness + time.Second, q.theatre, q.strict.Access, trust.Stale},
		{"the ward records, on the standard tier", strictStaleness + time.Second, records, q.stays.Access, trust.Permit},
		{"it is older than the standard tier allows too", standardStaleness + time.Second, records, q.stays.Access, trust.Stale},
		{"R0A's nurse in the theatre, all the while", standardStaleness + time.Second, q.theatre, q.other.Access, trust.Permit},
	} {
		err := s.expect(ctx, c.name, c.want, func(ctx context.Context) (outcome, error) {
			if err := w.rje.setClock(ctx, c.older, w.r0a); err != nil {
				return outcome{}, err
			}
			return c.desk.ask(ctx, c.token)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// heals lets the feed flow again: what was missed comes before the first permit.
func (s *scene) heals(ctx context.Context, q *silence) error {
	p, w := s.play, s.play.world
	err := s.expect(ctx, "the feed flows again; the first answer about her that is not stale", trust.SubjectRevoked, func(ctx context.Context) (o outcome, err error) {
		w.rxw.relay.speak()
		w.rje.relay.speak()
		err = until(ctx, "RJE to hear from RXW", func(ctx context.Context) (bool, error) {
			o, err = p.records["RJE"].ask(ctx, q.leaves.Access)
			return o.reason != trust.Stale, err
		})
		return o, err
	})
	if err != nil {
		return err
	}
	return s.expect(ctx, "her colleague in the theatre", trust.Permit, func(ctx context.Context) (outcome, error) {
		if err := w.rje.setClock(ctx, 0, w.rxw); err != nil {
			return outcome{}, err
		}
		return q.theatre.ask(ctx, q.strict.Access)
	})
}

func lower(h *hospital) string { return strings.ToLower(h.code) }
