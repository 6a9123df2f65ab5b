package decision

import (
	"fmt"

	"github.com/entente-id/entente/approval"
	"github.com/entente-id/entente/trust"
)

// approved reports whether local people have approved what the line does not let
// be done otherwise. An approval is of one person, under their own name, and of
// one resource of one service: it is neither handed on nor put into a credential.
func (h *hearing) approved() verdict {
	if h.r.Order != nil || h.ev.Chain != nil || h.principal != nil {
		return fail(trust.ApprovalDirect)
	}
	if h.o.Resource == (trust.SubjectKey{}) {
		h.d.Unseen = true
		return fail(trust.ApprovalPending)
	}
	need := approval.Need{
		Agreement: h.agreement.ID, Participant: h.ev.Participant, Subject: h.o.Subject,
		Service: h.service.Audience, Action: h.r.Action, ResourceType: h.r.ResourceType, Resource: h.o.Resource,
		Role:   h.agreement.Revision.Document.Authority.Approves.Role,
		People: h.line.Approval.People, TTL: h.line.Approval.Lasts(), Once: h.line.Approval.Once,
	}
	a, asked := h.s.Approval.For(&need)
	stage := approval.Expired
	if asked {
		stage = a.Stage(h.o.Now, h.o.Duty)
	}
	switch stage {
	case approval.Approved:
		if len(a.Said) < h.line.Approval.People { // agreed on since
			return fail(trust.ApprovalPending)
		}
		h.d.Approval, h.spends = a.ID, a.Once
		h.until(a.Ends)
		if a.Once && h.o.Duty == (trust.Position{}) {
			h.d.Duty = SpendApproval
		}
		return pass
	case approval.Pending:
		h.d.Approval = a.ID
		h.until(a.Until)
		return fail(trust.ApprovalPending)
	case approval.Declined:
		h.d.Approval = a.ID
		h.until(a.Until)
		return fail(trust.ApprovalDeclined)
	default:
		h.need(need)
		return fail(trust.ApprovalPending)
	}
}

// need lets people be asked, but for what local policy denies all the same.
func (h *hearing) need(n approval.Need) {
	if h.localPolicy() == pass {
		h.d.Duty, h.d.Need = AskApproval, &n
	}
	h.d.Policies = nil
}

func (h *hearing) tellPending() string {
	text := fmt.Sprintf("action %s needs the approval of %d people here", h.r.Action, h.line.Approval.People)
	if h.d.Approval != "" {
		return text + ", who were asked: " + h.d.Approval
	}
	return text + "; none is live"
}
