package decision

import (
	"strings"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/trust"
)

// identify is the first check: exactly one participant with a valid statement
// answers for the caller, and the request is about that caller.
func (h *hearing) identify() verdict {
	ev, o := h.ev, h.o
	if ev.Participant != h.self {
		h.until(o.StatementEnd)
	}
	switch {
	case h.s.Edge.Clock.Denies: // before anything is read that a wrong time lets look otherwise
		return fail(trust.ClockAhead)
	case o.Unsure:
		return fail(trust.ClockUnsure)
	case h.s.Edge.Recovery.Lost: // whoever was ended in what is lost would look alive
		return fail(trust.LedgerLost)
	case h.s.Edge.Recovery.Waiting > 0:
		return fail(trust.Recovering)
	case ev.Fault != nil && strings.HasPrefix(string(ev.Fault.Reason), "identify."):
		return fail(ev.Fault.Reason)
	case ev.Fault != nil && ev.Participant.IsZero():
		return unreached // refused before anybody could be read from it
	case ev.Participant.IsZero():
		return fail(trust.NoEvidence)
	case ev.Participant != h.self && o.Now >= o.StatementEnd:
		return fail(trust.StatementExpired)
	case ev.Participant != h.self && h.abroad() && ev.Fault == nil:
		return fail(trust.NotOurs)
	case ev.Fault == nil && h.r.SubjectID != "0" && h.r.SubjectID != ev.Subject,
		ev.Fault == nil && o.Subject == trust.SubjectKey{}, // or no tombstone would ever match
		ev.Fault == nil && ev.Origin != nil && o.Origin == trust.SubjectKey{}:
		return fail(trust.SubjectMismatch)
	}
	return pass
}

// authenticate is the second check: the proof is genuine, for the service that
// owns the resource, in the hands of whom it is bound to, and not used up.
func (h *hearing) authenticate() verdict {
	ev := h.ev
	if ev.Fault != nil {
		if h.d.Checks[Identify].Result == Failed {
			return unreached
		}
		return fail(ev.Fault.Reason)
	}
	if ev.Participant.IsZero() {
		return unreached
	}
	h.until(ev.ExpiresAt)
	h.until(ev.Ends)
	if ev.Origin != nil {
		h.until(ev.Origin.ExpiresAt)
	}
	if reason := h.audience(); reason != "" {
		return fail(reason)
	}
	if ev.Kind == evidence.IDJAG && (h.r.Order == nil || ev.ClientID != h.r.Order.Client) {
		return fail(trust.GrantClient)
	}
	if reason := h.possession(); reason != "" {
		return fail(reason)
	}
	if h.singleUse() && len(ev.Once) > 0 {
		if h.o.Replayed {
			return fail(trust.Replayed)
		}
		if h.o.QuotaFull {
			return fail(trust.QuotaFull)
		}
		h.d.Burn = append(h.d.Burn, ev.Once[0])
	}
	return pass
}

// possession tells a bound token in other hands than its holder's: it counts
// only beside what shows that the caller holds what it is bound to (RFC 9449,
// section 7.1; RFC 8705, section 3), whatever the tier.
func (h *hearing) possession() trust.Reason {
	if h.presentedByActor() {
		return "" // who calls is the actor, whose own proof is held to this
	}
	b, o := &h.ev.Binding, h.o
	switch {
	case b.Other:
		return trust.BindingUnsupported
	case b.Bound() && !b.Shown && !h.introspected():
		return trust.ProofMissing
	case b.Once != nil && o.ProofReplayed:
		return trust.ProofReplayed
	case b.Once != nil && o.QuotaFull:
		return trust.QuotaFull
	case b.Once != nil && o.Nonce == StaleNonce:
		return trust.NonceStale
	default:
		return ""
	}
}

// introspected reports whether a service asks about a credential of ours that
// was shown to it: it is told what that is bound to, and checks it itself (RFC
// 9449, section 6.2; RFC 8705, section 3.2).
func (h *hearing) introspected() bool {
	return h.r.Order != nil && h.r.Order.Introspected
}

// audience tells a token for nobody here from one for another service of ours. A
// token for this node itself is good for credentials alone. Where no service
// behind the enforcement point owns the resource, link says
// so; until then the audience must at least be one behind it.
func (h *hearing) audience() trust.Reason {
	if owner, ok := h.owner(); ok {
		h.service = &owner
		if h.ev.Audience == owner.Audience || h.shownHere() {
			return ""
		}
	}
	switch {
	case h.shownHere(), h.r.Order != nil && h.ev.Audience == h.self.String():
		return ""
	case h.abroad() && h.ev.Audience == h.r.Order.Client: // an ID token of the client's
		return ""
	}
	switch meant, ok := h.s.Service.Audience(h.ev.Audience); {
	case !ok:
		return trust.AudienceForeign
	case h.service != nil || meant.EnforcementPoint != h.r.EnforcementPoint:
		return trust.AudienceOtherService
	default:
		return ""
	}
}

// shownHere: an X509-SVID is for whom it was shown to, and that is the enforcement
// point that asks. It asks for no credential with it.
func (h *hearing) shownHere() bool { return h.ev.Kind == evidence.X509SVID && h.r.Order == nil }

// singleUse reports whether a live agreement takes this audience's tokens once.
// A grant is always taken once.
func (h *hearing) singleUse() bool {
	if h.ev.Kind == evidence.IDJAG {
		return true
	}
	for _, a := range h.agreements {
		if _, alive := a.Alive(h.o.Now); !alive {
			continue
		}
		for i := range a.Revision.Document.Accepts {
			if line := &a.Revision.Document.Accepts[i]; line.SingleUse && line.Audience == h.ev.Audience {
				return true
			}
		}
	}
	return false
}

// verified reports whether there is genuine evidence to look at.
func (h *hearing) verified() bool { return h.ev.verified() }

// classify is the third check: the caller's class is one of the framework's and
// the evidence is as good, as short-lived and as recent as the class needs.
// Without a framework there is nothing to hold it to, and link says so.
func (h *hearing) classify() verdict {
	if !h.verified() {
		return unreached
	}
	ev := h.ev
	if ev.Class == "" {
		return fail(trust.Unclassified)
	}
	f := h.s.Framework.Current
	if f == nil {
		return unreached
	}
	if h.class, h.classed = f.Class(ev.Class); !h.classed {
		return fail(trust.UnknownClass)
	}
	needs := h.class.Needs
	if h.canary() { // it has no assurance, and needs none where it may go
		needs = nil
	}
	if ladder, short := f.Short(ev.Assurance, needs); short {
		h.ladder = ladder
		return fail(trust.LowAssurance)
	}
	if ladder, short := f.Short(h.assurance, needs); short {
		h.ladder = ladder
		return fail(trust.Lowered)
	}
	if ev.Exception == "" && ev.ExpiresAt-ev.IssuedAt > int64(h.class.MaxTokenLifetime) { // R16; what an exception lets in, the tier bounds
		return fail(trust.TokenLifetime)
	}
	if limit := int64(h.class.MaxAuthAge); limit > 0 && ev.Class == trust.Human {
		if ev.AuthTime == 0 || h.o.Now-ev.AuthTime > limit {
			return fail(trust.AuthAge)
		}
		h.until(ev.AuthTime + limit + 1)
	}
	return pass
}

// kindName is the kind of evidence in words.
func kindName(k evidence.Kind) string {
	switch k {
	case evidence.IDToken:
		return "ID token"
	case evidence.JWTSVID:
		return "JWT-SVID"
	case evidence.X509SVID:
		return "X509-SVID"
	case evidence.APIKey:
		return "API key"
	case evidence.Basic:
		return "user-id and password"
	case evidence.IDJAG:
		return "grant (ID-JAG)"
	case evidence.Canary:
		return "canary"
	default:
		return "access token"
	}
}
