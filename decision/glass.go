package decision

import (
	"fmt"
	"slices"
	"strings"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/breakglass"
	"github.com/entente-id/entente/trust"
)

// breakGlass reports whether emergency access stands for what is asked for. It
// overrides no check: all others are made as for any request, and what it gives is
// one attribute of the context, which local policy may permit by. Where none
// stands the request opens one: the decision is a deny until that is on record.
func (h *hearing) breakGlass() verdict {
	rule := h.agreement.Revision.Document.BreakGlass
	switch waits := h.line.Approval; {
	case rule == nil, waits != nil && slices.Contains(waits.Actions, h.r.Action):
		return fail(trust.BreakGlassNotAgreed)
	case h.ev.Class != trust.Human || h.r.Order != nil || h.ev.Chain != nil || h.principal != nil:
		return fail(trust.BreakGlassDirect)
	case strings.TrimSpace(h.r.Reason) == "":
		return fail(trust.BreakGlassReason)
	case h.o.Resource == trust.SubjectKey{}:
		h.d.Unseen = true
		return fail(trust.BreakGlassUnrecorded)
	}
	need := breakglass.Need{
		Agreement: h.agreement.ID, Participant: h.ev.Participant, Subject: h.o.Subject,
		Service: h.service.Audience, Action: h.r.Action, ResourceType: h.r.ResourceType, Resource: h.o.Resource,
		Role: h.agreement.Revision.Document.Reviewer(), TTL: int64(rule.TTL), Uses: rule.Uses, ReviewWithin: int64(rule.ReviewWithin),
	}
	if o, ok := h.s.BreakGlass.For(&need); ok && h.o.Now < o.Ends {
		return h.broken(&o)
	}
	return h.opens(need)
}

// broken judges emergency access that is open to this already. What the trust log
// counted for this decision is counted.
func (h *hearing) broken(o *breakglass.Opening) verdict {
	h.d.BreakGlass = o.ID
	h.until(o.Ends)
	counted := h.o.Duty != (trust.Position{})
	switch {
	case !o.Live(h.o.Now):
		return fail(trust.BreakGlassEnded)
	case o.Spent() && !counted:
		return fail(trust.BreakGlassUsedUp)
	}
	h.glass, h.spends = true, o.Uses > 0
	if h.spends && !counted {
		h.d.Duty = UseBreakGlass
	}
	return pass
}

// opens lets somebody break the glass, but not for what local policy denies all
// the same, nor while an earlier one is not reviewed.
func (h *hearing) opens(n breakglass.Need) verdict {
	if id, overdue := h.overdueReview(n.Agreement); overdue {
		h.d.BreakGlass = id
		return fail(trust.BreakGlassUnreviewed)
	}
	if h.s.BreakGlass.Full(n.Subject) {
		return fail(trust.BreakGlassTooMany)
	}
	h.glass = true
	if v := h.localPolicy(); v.result == Failed { // which then decides
		return pass
	}
	h.d.Policies = nil
	if h.o.Duty == (trust.Position{}) { // what was opened for this decision and has ended is not opened again
		h.d.Duty, h.d.Glass = OpenBreakGlass, &n
	}
	return fail(trust.BreakGlassUnrecorded)
}

// overdueReview gives the emergency access under an agreement whose review is
// late; one that is not late yet turns the decision when it will be.
func (h *hearing) overdueReview(agreement string) (id string, overdue bool) {
	id, due, waits := h.s.BreakGlass.NextReview(agreement)
	if waits {
		h.until(due)
	}
	return id, waits && h.o.Now >= due
}

// couldBreakGlass reports whether local policy, which denies, would permit the
// same in an emergency.
func (h *hearing) couldBreakGlass() bool {
	if h.agreement == nil || h.agreement.Revision.Document.BreakGlass == nil || h.r.Purpose == agreement.Emergency || h.ev.Class != trust.Human ||
		h.r.Order != nil || h.ev.Chain != nil || h.principal != nil {
		return false
	}
	if _, overdue := h.overdueReview(h.agreement.ID); overdue {
		return false
	}
	request, other := *h.r, *h
	request.Purpose = agreement.Emergency
	other.r, other.lines, other.glass = &request, nil, true
	q := other.query()
	for i := range h.agreement.Revision.Document.Accepts {
		_ = other.cover(h.agreement, i, &q)
	}
	granted := other.granted()
	for _, line := range other.lines {
		if other.d.Roles = rolesUnder(line, granted); len(other.d.Roles) > 0 {
			return other.localPolicy() == pass
		}
	}
	return false
}

// tellBreakGlass says what was looked at where emergency access was asked for;
// empty where it was not.
func (h *hearing) tellBreakGlass(reason trust.Reason) string {
	switch reason {
	case trust.BreakGlassNotAgreed:
		return fmt.Sprintf("agreement %s lets nobody break the glass for %s on this %s", h.d.AgreementName, h.r.Action, h.r.ResourceType)
	case trust.BreakGlassDirect:
		return "only a person breaks the glass, in their own name and for no credential"
	case trust.BreakGlassReason:
		return "whoever breaks the glass says why, and nobody did"
	case trust.BreakGlassUnreviewed:
		return fmt.Sprintf("review of %s is overdue; nobody breaks the glass under agreement %s before it is done", h.d.BreakGlass, h.d.AgreementName)
	case trust.BreakGlassTooMany:
		return fmt.Sprintf("as much emergency access waits for its review as may: %d of a person, %d in all", breakglass.MaxOfSubject, breakglass.MaxWaiting)
	case trust.BreakGlassEnded:
		return fmt.Sprintf("emergency access %s was ended by a person here", h.d.BreakGlass)
	case trust.BreakGlassUsedUp:
		return fmt.Sprintf("emergency access %s was good for fewer decisions", h.d.BreakGlass)
	case trust.BreakGlassUnrecorded:
		return "the request would break the glass, and nothing of that is on record"
	case "":
		if h.d.BreakGlass != "" {
			return fmt.Sprintf("emergency access %s, which %s reviews", h.d.BreakGlass, h.agreement.Revision.Document.Reviewer())
		}
	}
	return ""
}
