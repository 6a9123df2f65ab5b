package node

import (
	"context"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// gatherChain observes every hop of a chain as the caller of an own request: of
// each link its delegator, then who acts.
func (n *Node) gatherChain(ctx context.Context, s *state.Snapshot, c *evidence.Chain, point string, o *decision.Observed, now clock.Mark) {
	if !c.Unheard.IsZero() {
		n.issuers.hurry(c.Unheard.String(), n.bootTime())
	}
	for i := range c.Links {
		link := &c.Links[i]
		o.Chain = append(o.Chain, n.observeHop(s, link.Participant, n.Keys.Subject(link.Participant.String(), link.Namespace, link.From.Subject), now))
	}
	if c.Fault != nil && !c.Presented() {
		return
	}
	a := &c.Actor
	actor := n.observeHop(s, a.Participant, n.Keys.Subject(a.Participant.String(), a.Namespace, a.Subject), now)
	n.recognise(s, a, &actor, now)
	if origin := a.Origin; origin != nil {
		actor.Origin = n.Keys.Subject(a.Participant.String(), origin.Namespace, origin.Subject)
	}
	if a.Issuer.TrustDomain() {
		actor.BundleAge = n.bundleAge(a.Issuer.String(), now)
	}
	actor.Watched = o.Watched // whoever calls, it is the same session
	actor.Replayed = n.used(ctx, &actor, c.Once)
	if proof := a.Binding.Once; proof != nil {
		actor.ProofReplayed = n.used(ctx, &actor, []trust.Once{*proof})
		actor.Nonce = n.nonceOf(point, a.Binding.Nonce, actor.Now)
	}
	o.Chain = append(o.Chain, actor)
}

// observeHop is observe, but that what we say ourselves is never old.
func (n *Node) observeHop(s *state.Snapshot, p trust.ParticipantID, subject trust.SubjectKey, now clock.Mark) decision.Observed {
	o := n.observed(p, subject, now)
	if own := s.Participant.Self(); own != nil && own.Card.ID == p {
		o.PartnerAge = 0
	}
	return o
}

// chainHolds looks again at every hop of a remembered permit's chain: the age of
// the word of whoever answers for it, and its statement.
func (p *standing) chainHolds(n *Node, s *state.Snapshot, o *decision.Observed, now clock.Mark) bool {
	for i := range p.Ground.Chain {
		made := &p.made.Chain[i]
		hop := n.observeHop(s, p.Ground.Chain[i].Participant, made.Subject, now)
		hop.Origin, hop.Session, hop.Device = made.Origin, made.Session, made.Device
		n.monitor(s, &hop)
		if hop.StatementEnd != made.StatementEnd || hop.StatementEnd != 0 && hop.StatementEnd <= hop.Now ||
			hop.PartnerAge < 0 || hop.PartnerAge > p.MaxAge {
			return false
		}
		if !p.feedsHold(n, s, &hop, made, p.Ground.Chain[i].Issuer, now) {
			return false
		}
		if made.BundleAge != 0 {
			hop.BundleAge = n.bundleAge(p.Ground.Chain[i].Issuer, now)
			if hop.BundleAge < 0 || hop.BundleAge > p.MaxBundleAge {
				return false
			}
		}
		o.Chain = append(o.Chain, hop)
	}
	return true
}
