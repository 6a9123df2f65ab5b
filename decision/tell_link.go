package decision

import (
	"fmt"
	"strings"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/trust"
)

func (h *hearing) tellLink(reason trust.Reason) string {
	switch {
	case reason == trust.CanaryAstray:
		return "a canary is good at the canary resource of its own agreement alone, in the hands of the partner that made it up"
	case reason == "":
		return h.tellAlive()
	case reason == trust.NotGranted:
		return fmt.Sprintf("credential %s was issued for less than %s on this %s for %s", h.ev.Grant.ID, h.r.Action, h.r.ResourceType, h.r.Purpose)
	case h.agreement == nil:
		return h.tellNoAgreement(reason)
	default:
		return "agreement " + h.d.AgreementName + " " + h.tellShortfall(reason)
	}
}

func (h *hearing) tellAlive() string {
	d := &h.agreement.Revision.Document
	needs := ""
	for _, ladder := range ladders {
		if need, ok := h.line.Needs[ladder]; ok {
			needs += fmt.Sprintf(" · %s %s (agreement needs %s)", ladder, h.s.Framework.Current.Name(ladder, h.assurance), need)
		}
	}
	return fmt.Sprintf("active until %s · %s%s · covers %s %s for %s", d.Ends, h.d.Tier, needs, h.r.Action, h.r.ResourceType, h.r.Purpose)
}

func (h *hearing) tellNoAgreement(reason trust.Reason) string {
	home := bare(h.ev.Participant)
	switch reason {
	case trust.ParticipantUnknown:
		return fmt.Sprintf("%s is no confirmed participant here", home)
	case trust.ParticipantSuspended:
		return fmt.Sprintf("%s is suspended; nothing of it is accepted", home)
	case trust.ForeignClient:
		return fmt.Sprintf("client %s is another participant's than the caller; a partner's client brings its own participant's people", h.r.Order.Client)
	case trust.NoFramework:
		return "no framework is in force here; nothing is granted before there are rules"
	case trust.FrameworkExpired:
		return fmt.Sprintf("framework %d expired at %s", h.d.FrameworkVersion, h.s.Framework.Current.Document.Expires)
	case trust.UnknownResource:
		if h.r.Order != nil {
			return fmt.Sprintf("%s may name no service %s with resources of type %q", h.r.Order.Client, h.r.Order.Target, h.r.ResourceType)
		}
		return fmt.Sprintf("no service behind %s owns resources of type %q", h.r.EnforcementPoint, h.r.ResourceType)
	}
	if h.ev.Participant == h.self {
		return "the caller is our own; callers of the own organisation are not Entente's business, and no agreement covers them"
	}
	return fmt.Sprintf("there is no agreement by which we accept anything from %s", home)
}

// tellShortfall says why the agreement that came closest does not carry the
// request.
func (h *hearing) tellShortfall(reason trust.Reason) string {
	d, ev, r := &h.agreement.Revision.Document, h.ev, h.r
	switch reason {
	case trust.AgreementEnded:
		if h.o.Now >= int64(d.Ends) {
			return fmt.Sprintf("ended at %s", d.Ends)
		}
		return "was ended"
	case trust.AgreementSuspended:
		return "is suspended"
	case trust.AgreementNotActive:
		if h.o.Now < int64(d.Starts) {
			return fmt.Sprintf("is %s and starts at %s", h.agreement.Stage, d.Starts)
		}
		return fmt.Sprintf("is %s; only an active one counts", h.agreement.Stage)
	case trust.ClassNotCovered:
		return fmt.Sprintf("accepts no callers of class %s", ev.Class)
	case trust.IssuerNotCovered:
		if ev.Origin != nil {
			return fmt.Sprintf("does not accept broker %s with origin %s for class %s", ev.Issuer, ev.Origin.Issuer, ev.Class)
		}
		return fmt.Sprintf("does not accept issuer %s for class %s", ev.Issuer, ev.Class)
	case trust.SubjectNotCovered:
		return "names the subjects it accepts, and the caller is none of them"
	case trust.Reduced:
		return fmt.Sprintf("was reduced: for now it does not cover %s by a %s at %s", r.Action, ev.Class, h.service.Audience)
	case trust.ClassSuspended:
		return fmt.Sprintf("counts for now for no callers of class %s; the class is suspended here", ev.Class)
	case trust.ServiceSuspended:
		return fmt.Sprintf("counts for now for nothing at %s, which is suspended here", h.service.Audience)
	case trust.ResourceNotCovered:
		return fmt.Sprintf("does not cover this %s at %s", r.ResourceType, h.service.Audience)
	case trust.ActionNotCovered:
		return fmt.Sprintf("does not cover the action %q on %s", r.Action, r.ResourceType)
	case trust.PurposeNotCovered:
		return fmt.Sprintf("does not cover the purpose %q", r.Purpose)
	case trust.LinkAssurance:
		return fmt.Sprintf("needs more on the ladder %s than %s", h.ladder, h.s.Framework.Current.Name(h.ladder, h.assurance))
	case trust.LinkAuthAge:
		if ev.AuthTime == 0 {
			return "limits how long ago a person signed in, and the token does not say when"
		}
		return fmt.Sprintf("takes no sign-in of %s ago", span(h.o.Now-ev.AuthTime))
	case trust.WorkloadNotSeen:
		return "takes only callers that the enforcement point sees running as and on what the agreement names, and it stated nothing of that kind"
	case trust.ChainNotCovered:
		return fmt.Sprintf("lets others act for %s through %d links at most; the chain has %d", ev.Class, h.deepest(), h.chained())
	case trust.SingleUseKind:
		return "takes each proof once; only ID tokens can be used up"
	case trust.NotAdopted:
		f := h.s.Framework.Current
		return fmt.Sprintf("is on tier %s, and its other party has not adopted framework %d within %s, as that says: it is held to tier %s", h.d.Tier, f.Version, f.Document.Governance.AdoptWithin, trust.Basic)
	case trust.UnknownTier:
		return fmt.Sprintf("is of tier %q and the class of tier %q; framework %d does not define both", d.Tier, h.class.Tier, h.d.FrameworkVersion)
	case trust.SenderConstraint:
		return fmt.Sprintf("is of tier %s, which takes only tokens bound to what their sender shows (cnf)", h.d.Tier)
	case trust.ExceptionTooLong:
		return fmt.Sprintf("is of tier %s, which allows exceptions of %s at most; %s lives %s", h.d.Tier, span(int64(h.tier.MaxException)), ev.Exception, span(ev.ExpiresAt-ev.IssuedAt))
	case trust.NonceMissing:
		return fmt.Sprintf("is of tier %s, which takes only DPoP proofs with a nonce of this node", h.d.Tier)
	default:
		return fmt.Sprintf("is of tier %s, which needs attestation %s", h.d.Tier, h.tier.Attestation)
	}
}

func (h *hearing) tellEntitle(reason trust.Reason) string {
	switch reason {
	case trust.NoMapping:
		return "no granted mapping turns what the caller is at home into a role here"
	case trust.RoleNotCovered:
		return fmt.Sprintf("the caller's role is none that agreement %s accepts for this request", h.d.AgreementName)
	case trust.WorkloadConflict:
		return "the caller's token says otherwise of what it runs as or on than the enforcement point sees"
	case trust.ApprovalPending:
		return h.tellPending()
	case trust.ApprovalDeclined:
		return fmt.Sprintf("action %s was declined: %s", h.r.Action, h.d.Approval)
	case trust.ApprovalDirect:
		return fmt.Sprintf("action %s needs an approval, which is of one person, who asks in their own name and for no credential", h.r.Action)
	}
	if text := h.tellBreakGlass(reason); text != "" {
		return text
	}
	if h.canary() {
		return "a canary has no role; the node itself answers for the canary resource"
	}
	var grants []string
	for _, m := range h.granted() {
		if d := &m.Document; lets(h.line, m) {
			from := d.From.Equals
			if from == "" {
				from = "every " + string(d.From.Class)
			}
			grants = append(grants, fmt.Sprintf("%s → %s (granted by %s, until %s)", from, d.To, m.ApprovedBy, d.Expires))
		}
	}
	return strings.Join(grants, "; ")
}

func (h *hearing) tellPolicy(reason trust.Reason) string {
	if h.canary() {
		return "not asked; there is nothing behind the canary resource"
	}
	if h.r.Order != nil && !h.wholeResource() {
		return "asked whenever the credential is used"
	}
	ids := strings.Join(h.outcome.Policies, ", ")
	switch reason {
	case "":
		return "permit " + ids + "; no forbid"
	case trust.NoPolicy:
		return "there is no local policy; nothing is permitted without one"
	case trust.PolicyForbid:
		return "forbid " + ids
	case trust.PolicyError:
		if ids == "" {
			return h.outcome.Err
		}
		return "policy " + ids + " failed: " + h.outcome.Err
	case trust.BreakGlassAvailable:
		return fmt.Sprintf("no local policy permits it; in an emergency it does for the purpose %s, with a reason", agreement.Emergency)
	default:
		return "no local policy permits it"
	}
}
