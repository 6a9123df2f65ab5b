package decision

import (
	"fmt"
	"strings"

	"github.com/entente-id/entente/trust"
)

// tellParty puts into words what somebody else than the principal fails: the
// actor, whose own check says why, or a hop between the two. What both pass is
// told of both.
func (h *hearing) tellParty(check int, v verdict) (string, bool) {
	if h.actor == nil || check < Delegate {
		return "", false
	}
	a := &h.actor.d
	failed := &a.Checks[a.Decided]
	switch {
	case v.result == Failed && v.reason == actorReasons[a.Decided] && !a.Permit && max(a.Decided, Delegate) == check:
		return fmt.Sprintf("the actor %s: %s (%s)", h.who(len(h.ev.Chain.Links)+1), failed.Text, failed.Reason), true
	case v.result == Failed && v.reason == trust.HopStale:
		return fmt.Sprintf("hop %d, %s: its last proven word is %s old, or its edge is broken (limit %s)",
			h.hop, h.who(h.hop), span(h.o.Chain[h.hop-1].PartnerAge), span(h.d.MaxAge)), true
	case v.result == Failed && v.reason == trust.HopRevoked:
		return fmt.Sprintf("hop %d, %s: who let act there has ended, or the key or issuer that signed for it; all behind it ended with it", h.hop, h.who(h.hop)), true
	case v.result == Passed && check > Delegate && check < Obligations:
		return h.tellOwn(check, v) + "; actor: " + a.Checks[check].Text, true
	default:
		return "", false
	}
}

// who names the delegator of a link, counted from 1, or behind the last the
// actor: by class where it is known, and by issuer and participant.
func (h *hearing) who(n int) string {
	c := h.ev.Chain
	if n > len(c.Links) {
		return fmt.Sprintf("%s of %s (%s)", c.Actor.Class, bare(c.Actor.Participant), bare(c.Actor.Issuer))
	}
	link := &c.Links[n-1]
	return fmt.Sprintf("%s (%s)", bare(link.Participant), bare(link.From.Issuer))
}

func (h *hearing) tellDelegate(reason trust.Reason) string {
	c := h.ev.Chain
	switch {
	case reason == trust.NoPrincipal:
		return fmt.Sprintf("class %s acts for a principal; the token names none", h.ev.Class)
	case c == nil && reason != "":
		return "token acts for somebody else (act), and nothing says who that is"
	case c == nil:
		return "no chain"
	case c.Fault != nil:
		return c.Fault.Text + h.tellPath()
	}
	switch reason {
	case "":
		return h.tellChain()
	case trust.ChainDepth:
		return fmt.Sprintf("chain has %d links; of class %s at most %d may follow%s", h.chained(), h.ev.Class, h.class.DelegationDepth, h.tellPath())
	case trust.HopParticipant:
		return fmt.Sprintf("hop %d, %s: the participant is unknown or suspended here, or its statement has run out%s", h.hop, h.who(h.hop), h.tellPath())
	case trust.OutOfScope:
		return fmt.Sprintf("link %d does not let %s be done on this %s%s", h.hop, h.r.Action, h.r.ResourceType, h.tellPath())
	case trust.ChainUnsupported:
		return "a credential is asked for, and it would not say who acts" + h.tellPath()
	case trust.LinkAudience:
		return "the actor's proof is for another audience than the principal's" + h.tellPath()
	default:
		return "chain and actor do not belong together"
	}
}

// tellChain tells a chain that holds.
func (h *hearing) tellChain() string {
	c := h.ev.Chain
	by := fmt.Sprintf("%d of at most %d links", len(c.Links), h.class.DelegationDepth)
	switch {
	case c.Stated:
		by = "stated by the principal's issuer (act)"
	case len(c.Links) == 0:
		by = "let by the principal's token (may_act)"
	}
	text := by + h.tellPath()
	if n := len(c.Links); n > 0 {
		text += fmt.Sprintf(" · %s left, %d more could follow", span(c.Links[n-1].ExpiresAt-h.o.Now), c.Links[n-1].Depth)
	}
	return text + " · lowest on the path: " + h.levelsOf(h.assurance)
}

// tellPath lists who stands in a chain, from the principal to the actor, as far
// as it was verified.
func (h *hearing) tellPath() string {
	c := h.ev.Chain
	names := []string{fmt.Sprintf("%s of %s", h.ev.Class, bare(h.ev.Participant))}
	for n := 2; n <= len(c.Links); n++ {
		names = append(names, h.who(n))
	}
	if !c.Actor.Participant.IsZero() {
		names = append(names, h.who(len(c.Links)+1))
	}
	return " · " + strings.Join(names, " → ")
}

// deepest is how deep the agreement lets chains of the caller's class be.
func (h *hearing) deepest() (depth int) {
	for i := range h.agreement.Revision.Document.Accepts {
		if line := &h.agreement.Revision.Document.Accepts[i]; line.Class == h.ev.Class {
			depth = max(depth, line.Depth)
		}
	}
	return depth
}
