package node

import (
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/state"
)

// carried is a ground in the making.
type carried struct{ evidence.Ground }

// groundFor gives what deciding on evidence again needs, but for who acts.
func groundFor(s *state.Snapshot, ev *evidence.Evidence) carried {
	g := evidence.Ground{
		Claims: decision.Carry(s, ev), IssuedAt: ev.IssuedAt, KeyID: ev.KeyID, Thumbprint: ev.Thumbprint,
		Peer: ev.Peer, SVID: ev.Issuer.TrustDomain(), Epoch: s.Edge.Recovery.Epoch,
	}
	if origin := ev.Origin; origin != nil {
		delete(g.Claims, "auth_time")
		if ev.AuthTime != 0 { // what counts of the broker's and the origin's
			g.Claims["auth_time"] = ev.AuthTime
		}
		g.Origin = &evidence.GroundOrigin{
			Issuer: origin.Issuer.String(), Namespace: origin.Namespace, Subject: origin.Subject, IssuedAt: origin.IssuedAt, ExpiresAt: origin.ExpiresAt,
			KeyID: origin.KeyID, Thumbprint: origin.Thumbprint, Claims: decision.CarryOrigin(s, origin),
		}
	}
	return carried{g}
}

// carryChain adds who acts for the principal, and how that came about.
func (g *carried) carryChain(s *state.Snapshot, ev *evidence.Evidence, r *Exchange) {
	if ev.Chain == nil {
		return
	}
	actor := groundFor(s, &ev.Chain.Actor)
	g.Actor, g.Hash, g.Audience, g.ExpiresAt = &actor.Ground, ev.Hash, ev.Audience, ev.ExpiresAt
	for i := range ev.Chain.Links {
		g.Links = append(g.Links, string(r.Via[i].Token))
	}
}

// holder is the key that was shown, by whoever called.
func holder(ev *evidence.Evidence) string {
	if c := ev.Chain; c != nil {
		return c.Actor.Binding.Holder
	}
	return ev.Binding.Holder
}

// actors are the pairwise names of those who act for a subject, who calls first
// and behind it, as history, through whom it came to act (RFC 8693, section 4.1).
func (n *Node) actors(ev *evidence.Evidence, target string) (names []string) {
	c := ev.Chain
	if c == nil {
		return nil
	}
	a := &c.Actor
	names = append(names, n.pairwise(target, n.Keys.Subject(a.Participant.String(), a.Namespace, a.Subject)))
	for i := len(c.Links) - 1; i > 0; i-- {
		hop := &c.Links[i]
		names = append(names, n.pairwise(target, n.Keys.Subject(hop.Participant.String(), hop.Namespace, hop.From.Subject)))
	}
	return names
}

// maxLinks bounds, in bytes, the links that a credential can carry.
const maxLinks = 6 << 10

// carryable says why no credential can carry evidence on; "" if it can.
func carryable(ev *evidence.Evidence, r *Exchange) string {
	size := 0
	for i := range r.Via {
		if r.Via[i].Kind == evidence.Delegation {
			size += len(r.Via[i].Token)
		}
	}
	c := ev.Chain
	switch {
	case !r.Partner.IsZero() && (ev.Origin != nil || c != nil):
		return "evidence came through a broker or a chain; a node vouches for its own people themselves"
	case c != nil && c.Fault == nil && len(r.Via) == 0:
		return "evidence names who acts for its subject; a credential is issued to who acts by a proof of its own"
	case size > maxLinks:
		return "evidence has links of delegation that are longer than a credential carries"
	default:
		return ""
	}
}
