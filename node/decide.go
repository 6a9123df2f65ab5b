package node

import (
	"context"
	"time"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// Ask is what an enforcement point sent: the request, the caller's evidence and
// an identifier of its own for its logs.
type Ask struct {
	decision.Request
	RequestID string
	Evidence  []evidence.Proof
}

// Answer is what it gets back. Reference is quoted across the border in place
// of the reason, which is for our own enforcement points alone.
type Answer struct {
	Permit    bool
	Reason    trust.Reason
	Reference string
	TTL       int64 // seconds
}

// maxTries bounds how often a decision is made and recorded again because the
// ground moved while it was being recorded.
const maxTries = 4

// Decide answers a request after its decision is durable. It never fails to
// answer: what cannot be decided or recorded is a deny (R69).
func (n *Node) Decide(ctx context.Context, a Ask) Answer {
	answer := n.settle(ctx, a)
	n.Meter.Decided(answer.Permit, answer.Reason)
	return answer
}

func (n *Node) settle(ctx context.Context, a Ask) Answer {
	for range maxTries {
		s := n.State()
		v, o := n.decideOn(ctx, s, a)
		d := &v.decision
		d.Trust = s.At.Position
		if v.sealed == nil {
			return Answer{Reason: trust.CannotRecord}
		}
		at, err := n.record(ctx, v, &o, &a)
		if trust.KindOf(err) == trust.Conflict && d.Burn != nil {
			continue // somebody used the value first; the next try sees that
		}
		if err != nil {
			n.Log.Error("a decision could not be recorded; it was denied", "error", err)
			return Answer{Reason: trust.CannotRecord}
		}
		if latest := n.State(); d.Permit && latest.Epoch != s.Epoch && !n.confirms(ctx, latest, v, a) {
			continue // trust was reduced while this was being recorded, and it matters here
		}
		return Answer{Permit: d.Permit, Reason: d.Reason, Reference: n.Keys.Reference(at), TTL: d.TTL}
	}
	return Answer{Reason: trust.Unsettled}
}

// confirms decides a recorded permit again on a later snapshot. The record
// stands if it is one still.
func (n *Node) confirms(ctx context.Context, s *state.Snapshot, v *verdict, a Ask) bool {
	now := n.Now()
	if s.Rules == v.rules {
		_, holds := v.stillHolds(n, s, now)
		return holds
	}
	found, o := n.gather(ctx, s, a, now)
	if v.decision.Burn != nil {
		o.Replayed = false // this very decision used it
	}
	return decision.Decide(s, o, found, a.Request).Permit
}

// decideOn gives the verdict on one snapshot: a remembered permit that still
// holds, or a new one.
func (n *Node) decideOn(ctx context.Context, s *state.Snapshot, a Ask) (*verdict, decision.Observed) {
	now := n.Now()
	key, memorable := memoKey(a, s.Rules)
	if memorable {
		if known, ok := n.memo.Get(key); ok {
			if o, ok := known.stillHolds(n, s, now); ok {
				again := *known
				if a.RequestID != "" {
					again.sealed = n.sealDecision(ctx, s, &again, &a)
				}
				return &again, o
			}
		}
	}
	v, o := n.judge(ctx, s, a, now)
	v.sealed = n.sealDecision(ctx, s, v, &a)
	if memorable && v.decision.Permit && v.decision.Burn == nil && v.sealed != nil {
		n.memo.Put(key, v)
		again := *v
		return &again, o
	}
	return v, o
}

// judge verifies the evidence, gathers what is observed and asks the core.
func (n *Node) judge(ctx context.Context, s *state.Snapshot, a Ask, now int64) (*verdict, decision.Observed) {
	found, o := n.gather(ctx, s, a, now)
	v := &verdict{made: now, rules: s.Rules, evidence: found, subject: o.Subject, decision: decision.Decide(s, o, found, a.Request)}
	v.commit.Resource = n.Keys.Commit("resource", string(a.ResourceType)+"\x00"+a.ResourceID)
	if found.Hash != [32]byte{} {
		v.commit.Token = n.Keys.Commit("token", string(found.Hash[:]))
	}
	return v, o
}

// gather is the one way from what a caller brought to what the core is asked.
func (n *Node) gather(ctx context.Context, s *state.Snapshot, a Ask, now int64) (decision.Evidence, decision.Observed) {
	if len(a.Evidence) != 1 {
		text := "the request carries no evidence of who is calling"
		if len(a.Evidence) > 1 {
			text = "the request carries several pieces of evidence; one speaks for the caller"
		}
		return decision.Evidence{Fault: &evidence.Fault{Reason: trust.NoEvidence, Text: text}}, n.observe(&evidence.Evidence{}, trust.SubjectKey{}, now)
	}
	ev, once, fault := evidence.Verify(a.Evidence[0], s, now, n.tokens)
	if fault != nil && fault.Reason == trust.UnknownKey {
		n.issuers.hurry(ev.Issuer.String(), n.bootTime())
	}
	var subject trust.SubjectKey // of a refused proof nobody vouches for whose it is
	if fault == nil && !ev.Participant.IsZero() && ev.Subject != "" {
		subject = n.Keys.Subject(ev.Participant.String(), ev.Namespace, ev.Subject)
	}
	o := n.observe(&ev, subject, now)
	found := decision.Evidence{Evidence: ev, Once: once, Fault: fault}
	if fault == nil && len(once) > 0 {
		used, err := n.Store.Once(ctx, now, once)
		o.Replayed = err != nil || used[0] != nil
	}
	return found, o
}

// observe is what the shell sees besides the evidence.
func (n *Node) observe(ev *evidence.Evidence, subject trust.SubjectKey, now int64) decision.Observed {
	o := decision.Observed{Now: now, Subject: subject, PartnerAge: -1, StatementAge: -1}
	if age, ok := n.views.age(ev.Participant, n.Clock); ok {
		o.PartnerAge = int64((age + time.Second - 1) / time.Second)
	}
	if issued, ends := n.views.statement(ev.Participant); ends != 0 {
		o.StatementAge, o.StatementEnd = now-issued, ends
	}
	return o
}

// sealDecision renders and seals what only an authorised reader may see. Nil
// means that it could not be sealed, and so the decision not be recorded.
func (n *Node) sealDecision(ctx context.Context, s *state.Snapshot, v *verdict, a *Ask) []byte {
	var space [1024]byte
	text := decision.AppendSealed(space[:0], s, &v.evidence, &a.Request, a.RequestID)
	part, err := n.Keys.Seal(ctx, v.subject, text)
	if err != nil {
		n.Log.Error("a decision's details could not be sealed", "error", err)
		return nil
	}
	return part
}

// record makes a decision durable, with the value it burns in the same commit.
// A value that was used before is not burned again: that it was is the record.
func (n *Node) record(ctx context.Context, v *verdict, o *decision.Observed, a *Ask) (trust.Position, error) {
	body := decision.AppendLeaf(make([]byte, 0, 1024), &v.decision, o, &v.evidence, &a.Request, v.commit)
	entry := ledger.Entry{Kind: decision.EntryKind.Name, Version: decision.EntryKind.Version, Body: body, Sealed: v.sealed}
	if v.decision.Burn != nil && !o.Replayed {
		return n.decisions.Append(ctx, entry, *v.decision.Burn)
	}
	return n.decisions.Append(ctx, entry)
}
