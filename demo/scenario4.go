package demo

import (
	"context"
	"strings"
	"time"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// session is how long ago a nurse may have signed in where RJE keeps letters;
// elsewhere the class's twelve hours hold.
const session = 10 * time.Second

// brokerUpgrade is the fourth scenario: a broker says more than the origin did,
// an issuer asserts what is another's, and each host keeps its own sessions.
func (s *scene) brokerUpgrade(ctx context.Context) error {
	p, rxw, rje := s.play, s.play.world.rxw, s.play.world.rje
	var b *hub
	chidi := rxw.enrol("chidi.eze", "910000000041")
	err := s.do(ctx, "RXW states a broker, and agrees on it with RJE", "active at both ends", func(ctx context.Context) (_ string, err error) {
		if b, err = rxw.openHub(ctx); err != nil {
			return "", err
		}
		declared := rxw.declaration()
		declared.Issuers = append(declared.Issuers, b.line())
		if err := rxw.admin.Declare(ctx, declared); err != nil {
			return "", err
		}
		d := staffAgreement("rxw-brokered-at-rje", rxw, rje, trust.Instant(time.Now().Add(24*time.Hour).Unix()), p.letters)
		d.Accepts[0].Issuers = append(d.Accepts[0].Issuers, b.issuer)
		d.Accepts[0].MaxAuthAge = trust.Span(session / time.Second)
		if err := conclude(ctx, rxw, rje, d); err != nil {
			return "", err
		}
		return "active at both ends", until(ctx, "RJE to know the broker's keys", func(ctx context.Context) (bool, error) {
			token, err := b.restate(ctx, chidi, p.letters.audience, false)
			if err != nil {
				return false, err
			}
			return p.letters.wouldPermit(ctx, showing{token: token})
		})
	})
	if err != nil {
		return err
	}
	if err := s.upgraded(ctx, b, chidi); err != nil {
		return err
	}
	if err := s.stolen(ctx); err != nil {
		return err
	}
	if err := s.sessions(ctx); err != nil {
		return err
	}
	return s.expect(ctx, "RXW offboards the nurse it knows; the broker goes on restating her", trust.SubjectRevoked, func(ctx context.Context) (outcome, error) {
		_, err := rxw.operators[registrar].Revoke(ctx, node.RevokeRequest{
			Kind: revocation.Subject, Issuer: rxw.issuer.String(), Subject: chidi.subject, Reason: "left",
		})
		if err != nil {
			return outcome{}, err
		}
		token, err := b.restate(ctx, chidi, p.letters.audience, false)
		if err != nil {
			return outcome{}, err
		}
		err = until(ctx, "RJE to learn of her end", func(ctx context.Context) (bool, error) {
			permit, err := p.letters.wouldPermit(ctx, showing{token: token})
			return !permit, err
		})
		if err != nil {
			return outcome{}, err
		}
		return p.letters.ask(ctx, token)
	})
}

// upgraded has the broker say AAL3 of everybody.
func (s *scene) upgraded(ctx context.Context, b *hub, chidi nurse) error {
	p, rxw := s.play, s.play.world.rxw
	password := rxw.employ("dayo.obi", "910000000042", map[string]any{"id_assurance_level": "3", "authentication_assurance_level": "1"})
	for _, c := range []struct {
		name   string
		who    nurse
		silent bool
		want   trust.Reason
	}{
		{"nurse at AAL3, restated by the broker with her provider's own word", chidi, false, trust.Permit},
		{"nurse with a password, restated by the broker as AAL3: the lower counts", password, false, trust.LowAssurance},
		{"the same, and the broker leaves her provider's word out", password, true, trust.LowAssurance},
	} {
		err := s.expect(ctx, c.name, c.want, func(ctx context.Context) (outcome, error) {
			token, err := b.restate(ctx, c.who, p.letters.audience, c.silent)
			if err != nil {
				return outcome{}, err
			}
			return p.letters.ask(ctx, token)
		})
		if err != nil {
			return err
		}
	}
	return s.do(ctx, "RJE's record of a restated sign-in", "names broker and origin", func(ctx context.Context) (string, error) {
		token, err := b.restate(ctx, chidi, p.letters.audience, false)
		if err != nil {
			return "", err
		}
		_, reference, _, err := p.letters.call(ctx, token)
		if err != nil {
			return "", err
		}
		e, err := p.letters.host.operators[auditor].Explain(ctx, reference)
		if err == nil && e.Origin == rxw.issuer.String() && strings.HasPrefix(e.Who, b.issuer.String()+" ") {
			return "names broker and origin", nil
		}
		return "names " + e.Who + " and " + e.Origin, err
	})
}

// stolen has RXW's provider assert what is RJE's.
func (s *scene) stolen(ctx context.Context) error {
	p, rxw := s.play, s.play.world.rxw
	for _, c := range []struct {
		name   string
		claims map[string]any
		want   trust.Reason
	}{
		{"RXW's provider asserts an address of its own domain", map[string]any{"email": "efe@" + rxw.domain()}, trust.Permit},
		{"it asserts an address of RJE's domain", map[string]any{"email": "efe@" + s.play.world.rje.domain()}, trust.ForeignNamespace},
		{"it asserts RJE's organisation code", map[string]any{"org_code": "RJE"}, trust.ForeignNamespace},
	} {
		n := rxw.employ("efe.ojo", "910000000043", c.claims)
		if err := s.expect(ctx, c.name, c.want, p.records["RJE"].signsIn(rxw, n)); err != nil {
			return err
		}
	}
	return nil
}

// sessions shows one sign-in to hosts that keep sessions of different length.
func (s *scene) sessions(ctx context.Context) error {
	p, rxw := s.play, s.play.world.rxw
	n := rxw.enrol("funmi.ayo", "910000000044")
	began := time.Now()
	near, err := rxw.signIn(ctx, n, p.letters.audience)
	if err != nil {
		return s.settle(ctx, Step{Name: "nurse signs in at RXW"}, err)
	}
	far, err := rxw.signIn(ctx, n, p.records["R0A"].audience)
	if err != nil {
		return s.settle(ctx, Step{Name: "nurse signs in at RXW"}, err)
	}
	if err := s.expect(ctx, "a fresh sign-in, at RJE's letters, which keep sessions of "+session.String(), trust.Permit, p.letters.presents(near.Access)); err != nil {
		return err
	}
	err = s.expect(ctx, "the same sign-in there once that has passed, with a token good for much longer", trust.LinkAuthAge, func(ctx context.Context) (outcome, error) {
		select {
		case <-ctx.Done():
			return outcome{}, context.Cause(ctx)
		case <-time.After(time.Until(began.Add(session + 3*time.Second))):
		}
		return p.letters.ask(ctx, near.Access)
	})
	if err != nil {
		return err
	}
	return s.expect(ctx, "the same moment at R0A, where the class's twelve hours hold", trust.Permit, p.records["R0A"].presents(far.Access))
}
