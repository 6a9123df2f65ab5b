package node

import (
	"context"
	"slices"

	"github.com/entente-id/entente/approval"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/trust"
)

// approvalText is the sealed part of approval.Asked, under the key of who asks.
type approvalText struct {
	Issuer    string `json:"issuer"`
	Subject   string `json:"subject"`
	Resource  string `json:"resource"`
	Point     string `json:"enforcement_point"`
	Reason    string `json:"reason,omitempty"`
	Ticket    string `json:"ticket,omitempty"`
	RequestID string `json:"request_id,omitempty"`
}

// Word is what somebody writes who answers for an approval.
type Word struct {
	Reason string `json:"reason"`
	Ticket string `json:"ticket,omitempty"`
}

func (w *Word) check() error {
	if w.Reason == "" {
		return trust.Errorf(trust.Invalid, "an approval is answered with a reason; this has none")
	}
	return nil
}

// Approval is one, with who asks for what. What was written of a person who was
// erased is left out.
type Approval struct {
	approval.Approval
	Stage     approval.Stage `json:"stage"`
	Agreement string         `json:"agreement_name"`
	Issuer    string         `json:"issuer,omitempty"`
	Caller    string         `json:"caller,omitempty"`
	Which     string         `json:"which,omitempty"` // the resource by its own name
	Reason    string         `json:"reason,omitempty"`
	Ticket    string         `json:"ticket,omitempty"`
}

// askApproval asks local people for what a decision was denied for.
func (c *change) askApproval(v *verdict, a *Ask) error {
	events, err := c.Approval.Ask(*v.decision.Need, c.now)
	if err != nil {
		return err
	}
	ev := &v.evidence
	for _, e := range events {
		text := approvalText{ev.Issuer.String(), ev.Subject, a.ResourceID, a.EnforcementPoint, a.Reason, a.Ticket, a.RequestID}
		if err := c.addSealed(e, sealed{owner: v.observed.Subject, text: text}); err != nil {
			return err
		}
	}
	return nil
}

// Approve is one operator's yes to a privileged action; with the last one that it
// takes the action is approved. A yes that is not the operator's to give is
// refused with Denied, and recorded.
func (n *Node) Approve(ctx context.Context, a Actor, id string, w Word) (Approval, error) {
	return n.answerApproval(ctx, id, w, func(c *change) ([]trust.Event, error) {
		return c.Approval.Approve(c.approvalFacts(), id, a.ID, c.now)
	})
}

// DeclineApproval is one operator's no, which is enough.
func (n *Node) DeclineApproval(ctx context.Context, a Actor, id string, w Word) (Approval, error) {
	return n.answerApproval(ctx, id, w, func(c *change) ([]trust.Event, error) {
		return c.Approval.Decline(c.approvalFacts(), id, a.ID, c.now)
	})
}

// WithdrawApproval takes back what was approved: it is denied at the next request.
func (n *Node) WithdrawApproval(ctx context.Context, a Actor, id string, w Word) (Approval, error) {
	return n.answerApproval(ctx, id, w, func(c *change) ([]trust.Event, error) {
		return c.Approval.Withdraw(c.approvalFacts(), id, a.ID, mayRevoke(a), c.now)
	})
}

func (n *Node) answerApproval(ctx context.Context, id string, w Word, answer func(*change) ([]trust.Event, error)) (Approval, error) {
	_, err := n.change(ctx, func(c *change) error {
		if err := w.check(); err != nil {
			return err
		}
		events, err := answer(c)
		if err != nil {
			return c.take(events, err)
		}
		for _, e := range events {
			if err := c.addSealed(e, sealed{text: w}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Approval{}, err
	}
	one, _ := n.State().Approval.Get(id)
	return n.approval(ctx, one)
}

// approvalFacts are what approvals rest on besides their own state.
func (c *change) approvalFacts() approval.Facts {
	return approval.Facts{
		Holds: func(by, role string) bool {
			o, ok := c.Operator.Get(by)
			return ok && o.Has(trust.Role(role))
		},
		Local:    func(by string, not trust.ParticipantID) bool { return c.Operator.IsLocal(by, c.n.self, not) },
		IsCaller: c.Operator.IsSubject,
		Same:     c.Operator.SamePerson,
		Stands: func(id string) bool {
			a, ok := c.Agreement.ByID(id)
			if !ok {
				return false
			}
			_, alive := a.Alive(c.now)
			return alive
		},
	}
}

// Approvals lists what an operator may see, in the order in which it was asked
// for: admins and auditors all, others what their roles approve.
func (n *Node) Approvals(ctx context.Context, a Actor) ([]Approval, error) {
	out := []Approval{}
	all := n.read(a) == nil
	for one := range n.State().Approval.All() {
		if !all && !slices.Contains(a.Roles, trust.Role(one.Role)) {
			continue
		}
		v, err := n.approval(ctx, one)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// approval opens what was written of an approval.
func (n *Node) approval(ctx context.Context, one approval.Approval) (Approval, error) {
	out := Approval{Approval: one, Stage: one.Stage(n.Now(), trust.Position{})}
	if a, ok := n.State().Agreement.ByID(one.Need.Agreement); ok {
		out.Agreement = a.Revision.Document.Name
	}
	r, err := n.trust.Entry(ctx, one.At.N)
	if err != nil {
		return out, err
	}
	plain, err := n.Keys.Unseal(ctx, one.Subject, r.Sealed)
	if trust.KindOf(err) == trust.NotFound {
		return out, nil // erased
	}
	if err != nil {
		return out, err
	}
	var text approvalText
	if err := canonical.Decode(plain, &text); err != nil {
		return out, err
	}
	out.Issuer, out.Caller, out.Which, out.Reason, out.Ticket = text.Issuer, text.Subject, text.Resource, text.Reason, text.Ticket
	return out, nil
}

// LinkOperator says that an operator is the person behind a subject of an issuer
// that speaks for us or a partner; of several, participant says for whom.
func (n *Node) LinkOperator(ctx context.Context, a Actor, id, issuer, subject string, of trust.ParticipantID) error {
	_, err := n.write(ctx, a, func(c *change) error {
		owner, line, err := c.voice(issuer, of)
		if err != nil {
			return err
		}
		if subject == "" {
			return trust.Errorf(trust.Invalid, "operator %s is linked to no subject; it is named by its identifier at %s", id, issuer)
		}
		who := operator.Identity{Participant: owner, Subject: n.Keys.Subject(owner.String(), line.Namespace(), subject)}
		return c.take(c.Operator.Link(id, who, a.ID))
	})
	return err
}
