package decision

import (
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/delegation"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

// delegate is the fourth check: on whose behalf. The subject of the decision is
// the principal; whoever acts for it gets what both may, and no more than every
// link lets be done. A class that acts for others never calls for itself (R32).
func (h *hearing) delegate() verdict {
	switch {
	case !h.verified():
		return unreached
	case h.principal != nil: // the actor, whose principal is being heard
		return pass
	case h.class.Principal == framework.Required && !h.canary():
		return fail(trust.NoPrincipal)
	case h.ev.Chain == nil && h.ev.Delegated,
		h.ev.Chain != nil && h.abroad(): // a node vouches for its own people, not for whom they let act
		return fail(trust.ChainUnsupported)
	case h.ev.Chain == nil:
		return unneeded
	}
	if reason := h.chain(); reason != "" {
		return fail(reason)
	}
	h.hearActor()
	return pass
}

// chain judges the chain beside what evidence found: how deep it is, what it is
// good for and who stands behind each hop.
func (h *hearing) chain() trust.Reason {
	c := h.ev.Chain
	switch {
	case c.Fault != nil:
		return c.Fault.Reason
	case len(h.o.Chain) != len(c.Links)+1:
		return trust.ActorProof // the shell looked at another chain
	case h.classed && h.chained() > h.class.DelegationDepth:
		return trust.ChainDepth
	case c.Actor.Audience != h.ev.Audience:
		return trust.LinkAudience
	}
	for i := range c.Links {
		link := &c.Links[i]
		h.until(link.ExpiresAt)
		if !h.standing(link.Participant, &h.o.Chain[i]) {
			h.hop = i + 1
			return trust.HopParticipant
		}
		if !h.within(link.Scope) {
			h.hop = i + 1
			return trust.OutOfScope
		}
	}
	return ""
}

// within reports whether what is asked for is in a link's scope: an order that
// names no resource asks for every one.
func (h *hearing) within(s delegation.Scope) bool {
	if h.r.Order != nil && h.r.ResourceID == "" {
		return s.CoversEvery(h.r.ResourceType, h.r.Action)
	}
	return s.Covers(h.r.ResourceType, h.r.ResourceID, h.r.Action)
}

// presentedByActor reports whether the caller is an actor with a proof of its
// own, which is the one that has to be in the hands of whom it is bound to.
func (h *hearing) presentedByActor() bool { return h.ev.Chain != nil && !h.ev.Chain.Stated }

// chained counts the hops from the principal to who acts; 0 for a caller in its
// own name. Of an actor that the principal's token names there is one: what
// happened before is history.
func (h *hearing) chained() int {
	if h.ev.Chain == nil {
		return 0
	}
	return max(1, len(h.ev.Chain.Links))
}

// standing reports whether a participant may answer for a hop: we ourselves, or
// a partner that is known, not suspended, and whose statement lives.
func (h *hearing) standing(p trust.ParticipantID, o *Observed) bool {
	if p == h.self {
		return true
	}
	partner, known := h.s.Participant.Partner(p)
	if !known || partner.Suspended || h.o.Now >= o.StatementEnd {
		return false
	}
	h.until(o.StatementEnd)
	return true
}

// hearActor decides whether the actor, by its own proof and its own rights, may
// do what is asked. Along the chain the lowest assurance counts (R13, R26).
func (h *hearing) hearActor() {
	c := h.ev.Chain
	for i := range c.Links {
		if i > 0 { // of the principal its own token says more
			h.assurance = framework.Min(h.assurance, c.Links[i].Assurance)
		}
	}
	h.hear()
	h.assurance = framework.Min(h.assurance, h.actor.assurance)
	h.d.Actor = &h.actor.d
	h.until(h.actor.d.Bound)
}

// hear decides on the actor alone. What it presented is used up with what its
// principal did, whatever becomes of the chain.
func (h *hearing) hear() {
	c := h.ev.Chain
	o, r := h.o.Chain[len(c.Links)], *h.r
	r.SubjectID = "0"
	h.actor = &hearing{principal: h, explains: h.explains}
	h.actor.open(h.s, &o, &Evidence{Evidence: c.Actor, Once: c.Once}, &r)
	if h.explains {
		h.actor.explain()
	} else {
		h.actor.decide()
	}
	h.d.Burn = append(h.d.Burn, h.actor.d.Burn...)
}

// useUp hears the actor where the principal or the chain was refused before it
// would have been.
func (h *hearing) useUp() {
	c := h.ev.Chain
	if c == nil || h.actor != nil || !h.verified() || !c.Presented() || len(h.o.Chain) != len(c.Links)+1 {
		return
	}
	h.hear()
}

// actorReasons are given where the principal passes a check and the actor, or a
// hop between them, does not.
var actorReasons = [checks]trust.Reason{
	Identify: trust.ActorProof, Authenticate: trust.ActorProof, Classify: trust.ActorClass, Delegate: trust.ActorProof,
	Link: trust.ActorNotCovered, Freshness: trust.HopStale, Revocation: trust.HopRevoked, Entitle: trust.ActorEntitled, LocalPolicy: trust.PolicyActor,
}

// both gives the verdict on the principal and everybody who acts for it. What
// the actor fails before it is heard on its rights, it fails as a delegate.
func (h *hearing) both(check int, principal verdict) verdict {
	if failed := h.actor.d.Decided; !h.actor.d.Permit && max(failed, Delegate) == check {
		if reason := actorReasons[failed]; reason != "" {
			return fail(reason)
		}
		return fail(h.actor.d.Reason)
	}
	for i := range h.ev.Chain.Links {
		h.hop = i + 1
		switch {
		case check == Freshness && h.tooOld(i):
			return fail(trust.HopStale)
		case check == Revocation && h.endedAt(i):
			return fail(trust.HopRevoked)
		}
	}
	h.hop = 0
	return principal
}

// place gives the hop at which a check failed.
func (h *hearing) place(check int, reason trust.Reason) int {
	c := h.ev.Chain
	switch {
	case c == nil || check < Delegate || h.principal != nil:
		return 0
	case c.Fault != nil && check == Delegate:
		return len(c.Links) + 1
	case reason == trust.OutOfScope:
		return h.hop
	case h.hop > 0: // counted by who delegates
		return h.hop - 1
	case h.actor != nil && !h.actor.d.Permit && max(h.actor.d.Decided, Delegate) == check && reason == actorReasons[h.actor.d.Decided]:
		return h.chained()
	default:
		return 0
	}
}

func (h *hearing) tooOld(i int) bool {
	link, o := &h.ev.Chain.Links[i], &h.o.Chain[i]
	if link.Participant == h.self {
		return false
	}
	_, broken := h.s.Edge.Broken(link.Participant)
	return broken || o.PartnerAge < 0 || o.PartnerAge > h.d.MaxAge
}

func (h *hearing) endedAt(i int) bool {
	ground := groundOfLink(&h.ev.Chain.Links[i])
	_, ended := ground.Ended(h.s, &h.o.Chain[i])
	return ended
}

// onBehalf is what local policy may read of the other side: of who acts for the
// principal, or of whom the actor acts for.
func (h *hearing) onBehalf() map[string]any {
	switch {
	case h.actor != nil:
		return map[string]any{"actor": party(&h.actor.ev.Evidence)}
	case h.principal != nil:
		return map[string]any{"acts_for": party(&h.principal.ev.Evidence)}
	default:
		return nil
	}
}

func party(ev *evidence.Evidence) canonical.Object {
	return canonical.Object{"class": string(ev.Class), "participant": ev.Participant.String()}
}
