package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/entente-id/entente/demo/idp"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// overflow is the sixth scenario: a nurse of RXW lets an agent of RXW act, which
// lets one of R0A, and so on, at RJE.
func (s *scene) overflow(ctx context.Context) error {
	p, rxw, rje, r0a := s.play, s.play.world.rxw, s.play.world.rje, s.play.world.r0a
	a, b, c, sib := rxw.actors[agentA], r0a.actors[agentB], r0a.actors[agentC], rxw.actors[sibling]
	var nurse errand
	err := s.do(ctx, "RJE agrees with RXW and R0A on agents", "active at both ends", func(ctx context.Context) (string, error) {
		ends := trust.Instant(time.Now().Add(24 * time.Hour).Unix())
		for _, home := range []*hospital{rxw, r0a} {
			d := programAgreement(strings.ToLower(home.code)+"-agents-at-rje", trust.Agent, home, rje, ends, p.records["RJE"])
			if err := conclude(ctx, home, rje, d); err != nil {
				return "", err
			}
		}
		var err error
		if nurse, err = p.send(ctx, rxw, p.bola, p.records["RJE"]); err != nil {
			return "", err
		}
		return "active at both ends", nurse.settled(ctx, a, b)
	})
	if err != nil {
		return err
	}
	if err := s.deep(ctx, nurse, a, b, c); err != nil {
		return err
	}
	if err := s.crooked(ctx, nurse, a, b, c); err != nil {
		return err
	}
	return s.ended(ctx, nurse, a, b, c, sib)
}

// settled waits until the errand would be run, through these programs.
func (e errand) settled(ctx context.Context, actors ...actor) error {
	e, err := e.through(actors...)
	if err != nil {
		return err
	}
	s, err := e.calledBy(ctx, actors[len(actors)-1])
	if err != nil {
		return err
	}
	return until(ctx, "RJE to know the agents' keys", func(ctx context.Context) (bool, error) { return e.desk.wouldPermit(ctx, s) })
}

// passes is the act of passing the errand on, and of the last one's call.
func (e errand) passes(actors ...actor) func(context.Context) (outcome, error) {
	return func(ctx context.Context) (outcome, error) {
		e, err := e.through(actors...)
		if err != nil {
			return outcome{}, err
		}
		return e.run(ctx)
	}
}

// deep passes the errand on until it may go no further.
func (s *scene) deep(ctx context.Context, nurse errand, a, b, c actor) error {
	for _, step := range []struct {
		name string
		act  func(context.Context) (outcome, error)
		want trust.Reason
	}{
		{"nurse of RXW lets agent A of RXW read record 42, two deep; A reads", nurse.passes(a), trust.Permit},
		{"A lets agent B of R0A; B reads", nurse.passes(a, b), trust.Permit},
		{"B lets C as well; C reads", nurse.passes(a, b, c), trust.ChainDepth},
		{"A reads without anybody's word", a.presents(nurse.desk), trust.NoPrincipal},
	} {
		if err := s.expect(ctx, step.name, step.want, step.act); err != nil {
			return err
		}
	}
	return s.do(ctx, "RJE's record of what B read", "names the nurse, A and B", func(ctx context.Context) (string, error) {
		e, err := nurse.through(a, b)
		if err != nil {
			return "", err
		}
		shown, err := e.calledBy(ctx, b)
		if err != nil {
			return "", err
		}
		_, reference, _, err := e.desk.callWith(ctx, shown)
		if err != nil {
			return "", err
		}
		x, err := e.desk.host.operators[auditor].Explain(ctx, reference)
		if err != nil {
			return "", err
		}
		if len(x.Chain) == 2 && strings.HasSuffix(x.Who, " "+nurse.subject) && strings.HasSuffix(x.Chain[0].Who, " "+a.name) &&
			strings.HasSuffix(x.Chain[1].Who, " "+b.name) && x.Chain[1].Home == b.home.id.String() {
			return "names the nurse, A and B", nil
		}
		return fmt.Sprintf("names %s and %+v", x.Who, x.Chain), nil
	})
}

// crooked sends chains that no honest hop would have passed on.
func (s *scene) crooked(ctx context.Context, nurse errand, a, b, c actor) error {
	first := len(s.Steps)
	p := s.play
	one, err := nurse.to(a, nil)
	if err != nil {
		return s.settle(ctx, Step{Name: "nurse lets A act"}, err)
	}
	fresh, err := p.send(ctx, p.world.rxw, p.bola, nurse.desk)
	if err != nil {
		return s.settle(ctx, Step{Name: "nurse signs in again"}, err)
	}
	other, err := p.send(ctx, p.world.rxw, p.amara, nurse.desk)
	if err != nil {
		return s.settle(ctx, Step{Name: "another nurse signs in"}, err)
	}
	with := func(change func(*idp.Link)) func(context.Context) (outcome, error) {
		return func(ctx context.Context) (outcome, error) {
			e, err := one.to(b, change)
			if err != nil {
				return outcome{}, err
			}
			return e.run(ctx)
		}
	}
	moved := func(chain func(whole errand) []string, actors ...actor) func(context.Context) (outcome, error) {
		return func(ctx context.Context) (outcome, error) {
			e, err := nurse.through(actors...)
			if err != nil {
				return outcome{}, err
			}
			e.chain = chain(e)
			return e.run(ctx)
		}
	}
	for _, step := range []struct {
		name string
		act  func(context.Context) (outcome, error)
		want trust.Reason
	}{
		{"A lets B read any record", with(func(l *idp.Link) { l.ID = "" }), trust.LinkScope},
		{"A lets B for a minute longer", with(func(l *idp.Link) { l.Expires = l.Expires.Add(time.Minute) }), trust.LinkExpiry},
		{"A's link behind another parent: the same nurse's next token", moved(func(e errand) []string { return append(fresh.chain, e.chain[1:]...) }, a, b), trust.LinkParent},
		{"the same behind another nurse's token", moved(func(e errand) []string { return append(other.chain, e.chain[1:]...) }, a, b), trust.LinkPrincipal},
		{"C leaves out that B stands between A and it", moved(func(e errand) []string { return append(e.chain[:2:2], e.chain[3]) }, a, b, c), trust.LinkHop},
		{"C brings a chain that ends with B", func(ctx context.Context) (outcome, error) {
			e, err := nurse.through(a, b)
			if err != nil {
				return outcome{}, err
			}
			shown, err := e.calledBy(ctx, c)
			if err != nil {
				return outcome{}, err
			}
			return e.desk.askWith(ctx, shown)
		}, trust.NotTheActor},
	} {
		if err := s.expect(ctx, step.name, step.want, step.act); err != nil {
			return err
		}
	}
	return s.do(ctx, "each of these has its own reason", "6 reasons for 6 denials", func(context.Context) (string, error) {
		return s.reasons(first), nil
	})
}

// ended revokes A at RXW: all behind it ends at RJE, whichever trust they are
// of, and nothing beside it.
func (s *scene) ended(ctx context.Context, nurse errand, a, b, c, sib actor) error {
	p, rxw := s.play, s.play.world.rxw
	behind := map[string]errand{}
	err := s.do(ctx, "A lets B and C read, the nurse lets a sibling of A; all read", "4 permits", func(ctx context.Context) (string, error) {
		permits := 0
		for name, actors := range map[string][]actor{"A": {a}, "B": {a, b}, "C": {a, c}, "S": {sib}} {
			e, err := nurse.through(actors...)
			if err != nil {
				return "", err
			}
			behind[name] = e
			o, err := e.run(ctx)
			if err != nil {
				return "", err
			}
			if o.reason == trust.Permit {
				permits++
			}
		}
		return fmt.Sprintf("%d permits", permits), nil
	})
	if err != nil {
		return err
	}
	err = s.expect(ctx, "RXW revokes A; B's next call (ms since RXW's acknowledgement)", trust.HopRevoked, func(ctx context.Context) (outcome, error) {
		_, err := rxw.operators[registrar].Revoke(ctx, node.RevokeRequest{
			Kind: revocation.Subject, Issuer: rxw.issuer.String(), Subject: a.name, Reason: "left",
		})
		if err != nil {
			return outcome{}, err
		}
		began := time.Now()
		for {
			o, err := behind["B"].run(ctx)
			if err != nil || o.reason != trust.Permit {
				o.took = time.Since(began)
				return o, err
			}
			if took := time.Since(began); took > removalTarget {
				return outcome{}, trust.Errorf(trust.Conflict, "B is permitted %s after RXW acknowledged A's end; the target is %s", took, removalTarget)
			}
		}
	})
	if err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		act  func(context.Context) (outcome, error)
		want trust.Reason
	}{
		{"C, behind A too", behind["C"].run, trust.HopRevoked},
		{"A itself", behind["A"].run, trust.HopRevoked},
		{"A's sibling", behind["S"].run, trust.Permit},
		{"the nurse herself", p.records["RJE"].presents(nurse.chain[0]), trust.Permit},
	} {
		if err := s.expect(ctx, step.name, step.want, step.act); err != nil {
			return err
		}
	}
	return nil
}
