package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/entente-id/entente/demo/idp"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/pep"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// locumNurse is the first scenario: a nurse of RXW works at RJE, is offboarded
// in the middle of her session, and comes back.
func (s *scene) locumNurse(ctx context.Context) error {
	if err := s.ground(ctx); err != nil {
		return err
	}
	first, err := s.permitted(ctx)
	if err != nil {
		return err
	}
	if err := s.offboarded(ctx, first); err != nil {
		return err
	}
	if err := s.reissued(ctx); err != nil {
		return err
	}
	if err := s.rehired(ctx, first); err != nil {
		return err
	}
	if err := s.oneNodeDies(ctx); err != nil {
		return err
	}
	if err := s.equalAccounts(ctx); err != nil {
		return err
	}
	return s.drills(ctx)
}

// ground sets the stage: nodes, framework, agreements.
func (s *scene) ground(ctx context.Context) error {
	p, w := s.play, s.play.world
	err := s.do(ctx, "three trusts start: node, OpenID provider, operators", "3 nodes answer", func(ctx context.Context) (string, error) {
		return "3 nodes answer", w.open(ctx)
	})
	if err != nil {
		return err
	}
	err = s.do(ctx, "the framework, signed by all three, travels from RXW", "in force at 3 nodes", func(ctx context.Context) (string, error) {
		hash, err := w.found(ctx)
		if err != nil {
			return "", err
		}
		count := 0
		for _, h := range w.hospitals() {
			status, err := h.admin.Status(ctx)
			if err != nil {
				return "", err
			}
			if status.Framework != nil && status.Framework.Hash == hash {
				count++
			}
		}
		return fmt.Sprintf("in force at %d nodes", count), nil
	})
	if err != nil {
		return err
	}
	return s.do(ctx, "agreements with RJE and R0A are proposed, countersigned and put in force", "active at both ends", func(ctx context.Context) (string, error) {
		return "active at both ends", p.agree(ctx)
	})
}

// agree furnishes the hosts and lets RXW's nurses in.
func (p *play) agree(ctx context.Context) error {
	w := p.world
	p.records = map[string]*desk{}
	var err error
	for _, h := range w.hospitals() {
		if p.records[h.code], err = h.furnish(ctx, wardRecords, "https://records."+h.domain(), "WardRecord", ""); err != nil {
			return err
		}
	}
	if p.letters, err = w.rje.furnish(ctx, letters, "https://letters."+w.rje.domain(), "Letter", ""); err != nil {
		return err
	}
	if p.handover, err = w.rje.furnish(ctx, handover, handoverAudience, "Handover", pep.IDToken); err != nil {
		return err
	}
	ends := trust.Instant(time.Now().Add(30 * 24 * time.Hour).Unix())
	if err := conclude(ctx, w.rxw, w.rje, staffAgreement("rxw-staff-at-rje", w.rxw, w.rje, ends, p.records["RJE"], p.handover)); err != nil {
		return err
	}
	if err := conclude(ctx, w.rxw, w.r0a, staffAgreement("rxw-staff-at-r0a", w.rxw, w.r0a, ends, p.records["R0A"])); err != nil {
		return err
	}
	p.amara, p.bola = w.rxw.enrol("amara.okafor", "910000000001"), w.rxw.enrol("bola.ade", "910000000002")
	for _, host := range []*hospital{w.rje, w.r0a} {
		if _, err := host.admin.ApplyPolicy(ctx, localPolicy); err != nil {
			return err
		}
		tokens, err := p.enter(ctx, p.bola, p.records[host.code])
		if err != nil {
			return err
		}
		if err := p.records[host.code].settled(ctx, tokens); err != nil {
			return err
		}
	}
	return nil
}

// settled waits until a host has read the issuer's keys and would permit.
func (d *desk) settled(ctx context.Context, tokens idp.Tokens) error {
	return until(ctx, d.host.code+" to know the issuer's keys", func(ctx context.Context) (bool, error) { return d.wouldPermit(ctx, showing{token: tokens.Access}) })
}

// permitted lets the nurse in, and gives her session.
func (s *scene) permitted(ctx context.Context) (idp.Tokens, error) {
	p := s.play
	tokens, err := p.enter(ctx, p.amara, p.records["RJE"])
	if err != nil {
		return tokens, s.settle(ctx, Step{Name: "nurse signs in at RXW"}, err)
	}
	err = s.expect(ctx, "nurse "+nurseRole+" of RXW at AAL3 reads ward record 42 at RJE", trust.Permit, p.records["RJE"].presents(tokens.Access))
	if err != nil {
		return tokens, err
	}
	return tokens, s.oneStory(ctx, tokens.Access)
}

// offboarded ends the nurse's engagement while her session goes on.
func (s *scene) offboarded(ctx context.Context, session idp.Tokens) error {
	p, w := s.play, s.play.world
	stream, err := p.records["RJE"].watchPatient(ctx, session.Access)
	if err != nil {
		return s.settle(ctx, Step{Name: "she watches her patient's vital signs at RJE"}, err)
	}
	err = s.expect(ctx, "RXW offboards her mid-session; next call (ms since RXW's acknowledgement)", trust.SubjectRevoked, func(ctx context.Context) (outcome, error) {
		return p.remove(ctx, p.amara, session.Access)
	})
	if err != nil {
		return err
	}
	err = s.expect(ctx, "refresh gives her a new real token, for the provider was not told", trust.SubjectRevoked, func(ctx context.Context) (outcome, error) {
		fresh, err := w.rxw.ward.Refresh(ctx, session.Refresh)
		if err != nil {
			return outcome{}, err
		}
		if fresh.Access == session.Access {
			return outcome{}, trust.Errorf(trust.Conflict, "refresh gave the same token again")
		}
		return p.records["RJE"].ask(ctx, fresh.Access)
	})
	if err != nil {
		return err
	}
	took, err := stream.cut(ctx, p.removed)
	cut := Step{Name: "her open stream of vital signs at RJE (ms since RXW's acknowledgement)", Expected: "cut", Got: "cut", MS: milliseconds(took)}
	if err := s.settle(ctx, cut, err); err != nil {
		return err
	}
	const others = 20
	return s.do(ctx, fmt.Sprintf("%d more nurses are offboarded, one by one", others), "all denied within "+removalTarget.String(), func(ctx context.Context) (string, error) {
		return "all denied within " + removalTarget.String(), p.removeMany(ctx, others)
	})
}

// removeMany offboards nurses in the middle of their sessions.
func (p *play) removeMany(ctx context.Context, count int) error {
	for i := range count {
		n := p.world.rxw.enrol(fmt.Sprintf("nurse-%02d", i+1), fmt.Sprintf("9100000001%02d", i+1))
		tokens, err := p.enter(ctx, n, p.records["RJE"])
		if err != nil {
			return err
		}
		permit, _, _, err := p.records["RJE"].call(ctx, tokens.Access)
		if err == nil && !permit {
			err = trust.Errorf(trust.Conflict, "%s is denied before anything happened", n.login)
		}
		if err != nil {
			return err
		}
		if _, err := p.remove(ctx, n, tokens.Access); err != nil {
			return err
		}
	}
	return nil
}

// remove revokes a nurse at RXW and calls RJE on her token until it denies,
// which has to be within the removal target and for good. The time it took is
// from the acknowledgement to the first denial.
func (p *play) remove(ctx context.Context, n nurse, token string) (outcome, error) {
	rxw, rje := p.world.rxw, p.records["RJE"]
	_, err := rxw.operators[registrar].Revoke(ctx, node.RevokeRequest{
		Kind: revocation.Subject, Issuer: rxw.issuer.String(), Subject: n.subject, Reason: "left",
	})
	if err != nil {
		return outcome{}, err
	}
	acknowledged := time.Now()
	for permit := true; permit; {
		if permit, _, _, err = rje.call(ctx, token); err != nil {
			return outcome{}, err
		}
		if took := time.Since(acknowledged); took > removalTarget {
			return outcome{}, trust.Errorf(trust.Conflict, "%s is permitted %s after RXW acknowledged her end; the target is %s", n.login, took, removalTarget)
		}
	}
	took := time.Since(acknowledged)
	if len(p.removals) == 0 {
		p.removed = acknowledged
	}
	p.removals = append(p.removals, took)
	again, err := rje.ask(ctx, token)
	again.took = took
	return again, err
}

// reissued shows that no new token revives an ended engagement.
func (s *scene) reissued(ctx context.Context) error {
	p, rxw := s.play, s.play.world.rxw
	err := s.expect(ctx, "RXW issues the same subject again: new account, fresh login", trust.SubjectRevoked, func(ctx context.Context) (outcome, error) {
		if err := rxw.provider.DisablePerson(p.amara.login); err != nil {
			return outcome{}, err
		}
		p.amara = rxw.enrol(p.amara.login, p.amara.subject)
		return p.records["RJE"].signsIn(rxw, p.amara)(ctx)
	})
	if err != nil {
		return err
	}
	return s.expect(ctx, "RXW gives her number to somebody else", trust.SubjectRevoked, func(ctx context.Context) (outcome, error) {
		other := rxw.enrol("tom.hale", p.amara.subject)
		o, err := p.records["RJE"].signsIn(rxw, other)(ctx)
		if err != nil {
			return o, err
		}
		return o, rxw.provider.DisablePerson(other.login)
	})
}

// rehired brings the nurse back in a new engagement that RJE approves. Old is
// her session of the engagement that ended.
func (s *scene) rehired(ctx context.Context, old idp.Tokens) error {
	p, w := s.play, s.play.world
	err := s.expect(ctx, "RXW rehires her after a joiner check and opens an engagement; RJE has not approved it", trust.SubjectRevoked, func(ctx context.Context) (outcome, error) {
		time.Sleep(time.Second) // engagements begin on a whole second, and her old tokens shall be older
		if _, err := w.rxw.operators[registrar].OpenEngagement(ctx, newEngagement(w.rxw, p.amara)); err != nil {
			return outcome{}, err
		}
		return p.records["RJE"].signsIn(w.rxw, p.amara)(ctx)
	})
	if err != nil {
		return err
	}
	err = s.expect(ctx, "RJE's security officer approves it; she signs in afresh", trust.Permit, func(ctx context.Context) (outcome, error) {
		if err := w.rje.approve(ctx); err != nil {
			return outcome{}, err
		}
		return p.records["RJE"].signsIn(w.rxw, p.amara)(ctx)
	})
	if err != nil {
		return err
	}
	return s.expect(ctx, "her token from the engagement that ended", trust.EngagementEnded, p.records["RJE"].presents(old.Access))
}

// approve accepts the one engagement that a partner has opened.
func (h *hospital) approve(ctx context.Context) error {
	var key string
	err := until(ctx, "the new engagement to reach "+h.code, func(ctx context.Context) (bool, error) {
		list, err := h.operators[auditor].Engagements(ctx)
		if err != nil || len(list.Items) != 1 {
			return false, err
		}
		text, err := list.Items[0].Subject.MarshalText()
		key = string(text)
		return err == nil, err
	})
	if err != nil {
		return err
	}
	return h.operators[wardManager].ApproveEngagement(ctx, key)
}

// oneNodeDies kills R0A's node: RXW and RJE do not notice (R44).
func (s *scene) oneNodeDies(ctx context.Context) error {
	p, w := s.play, s.play.world
	err := s.expect(ctx, "R0A's node is killed (kill -9); RXW's nurse goes on at RJE", trust.Permit, func(ctx context.Context) (outcome, error) {
		w.r0a.node.kill()
		return p.records["RJE"].signsIn(w.rxw, p.amara)(ctx)
	})
	if err != nil {
		return err
	}
	return s.expect(ctx, "R0A starts again and serves RXW's nurse once it has heard from RXW", trust.Permit, func(ctx context.Context) (outcome, error) {
		if err := w.r0a.start(ctx); err != nil {
			return outcome{}, err
		}
		if err := w.r0a.hear(ctx, w.rxw); err != nil {
			return outcome{}, err
		}
		return p.records["R0A"].signsIn(w.rxw, p.bola)(ctx)
	})
}
