package node

import (
	"context"
	"sync"
	"time"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/seal"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// Ask is what an enforcement point sent: the request, the caller's evidence and
// an identifier of its own for its logs. Decide keeps it: its evidence and its
// properties must not change afterwards.
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
	answer := n.settle(ctx, &a)
	n.Meter.Decided(answer.Permit, answer.Reason)
	return answer
}

func (n *Node) settle(ctx context.Context, a *Ask) Answer {
	for range maxTries {
		s := n.State()
		r := n.rule(ctx, s, a)
		if r.sealed.bytes == nil {
			return Answer{Reason: trust.CannotRecord}
		}
		d := &r.decision
		at, err := n.record(ctx, s, &r)
		if trust.KindOf(err) == trust.Conflict && d.Burn != nil {
			continue // somebody used the value first; the next try sees that
		}
		if err != nil {
			n.Log.Error("a decision could not be recorded; it was denied", "error", err)
			return Answer{Reason: trust.CannotRecord}
		}
		if latest := n.State(); d.Permit && latest.Epoch != s.Epoch && !n.confirms(ctx, latest, r.verdict, a) {
			continue // trust was reduced while this was being recorded, and it matters here
		}
		return Answer{Permit: d.Permit, Reason: d.Reason, Reference: n.Keys.Reference(at), TTL: r.ttl}
	}
	return Answer{Reason: trust.Unsettled}
}

// confirms decides a recorded permit again on a later snapshot. The record
// stands if it is one still.
func (n *Node) confirms(ctx context.Context, s *state.Snapshot, v *verdict, a *Ask) bool {
	now := n.Clock.Mark()
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

// rule gives the verdict on one snapshot: a remembered permit that still holds,
// or a new one.
func (n *Node) rule(ctx context.Context, s *state.Snapshot, a *Ask) ruling {
	now := n.Clock.Mark()
	key := n.memo.key(a, s.Rules)
	if v, ok := n.memo.Get(key); ok && v.answers(a, s.Rules) {
		if o, ok := v.stillHolds(n, s, now); ok {
			r := ruling{v, o, v.decision.TTLAt(&o), v.sealed}
			if a.RequestID != v.ask.RequestID {
				r.sealed = n.sealDecision(ctx, s, v, a)
			}
			return r
		}
	}
	v, o := n.judge(ctx, s, a, now)
	if v.decision.Permit && v.decision.Burn == nil && v.sealed.bytes != nil {
		n.memo.Put(key, v)
	}
	return ruling{v, o, v.decision.TTL, v.sealed}
}

// judge verifies the evidence, gathers what is observed, asks the core and
// prepares the record.
func (n *Node) judge(ctx context.Context, s *state.Snapshot, a *Ask, now clock.Mark) (*verdict, decision.Observed) {
	found, o := n.gather(ctx, s, a, now)
	v := &verdict{rules: s.Rules, ask: *a, made: o, evidence: found, decision: decision.Decide(s, o, found, a.Request)}
	commit := decision.Commit{Resource: n.Keys.Commit("resource", string(a.ResourceType)+"\x00"+a.ResourceID)}
	if found.Hash != [32]byte{} {
		commit.Token = n.Keys.Commit("token", string(found.Hash[:]))
	}
	v.draft = decision.NewDraft(&v.decision, &o, &v.evidence, &a.Request, commit)
	v.sealed = n.sealDecision(ctx, s, v, a)
	return v, o
}

// gather is the one way from what a caller brought to what the core is asked.
func (n *Node) gather(ctx context.Context, s *state.Snapshot, a *Ask, now clock.Mark) (decision.Evidence, decision.Observed) {
	if len(a.Evidence) != 1 {
		text := "the request carries no evidence of who is calling"
		if len(a.Evidence) > 1 {
			text = "the request carries several pieces of evidence; one speaks for the caller"
		}
		return decision.Evidence{Fault: &evidence.Fault{Reason: trust.NoEvidence, Text: text}}, n.observe(&evidence.Evidence{}, trust.SubjectKey{}, now)
	}
	ev, once, fault := evidence.Verify(a.Evidence[0], s, now.Wall.Unix(), n.tokens)
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
		used, err := n.Store.Once(ctx, o.Now, once)
		o.Replayed = err != nil || used[0] != nil
	}
	return found, o
}

// observe is what the shell sees besides the evidence.
func (n *Node) observe(ev *evidence.Evidence, subject trust.SubjectKey, now clock.Mark) decision.Observed {
	o := decision.Observed{Now: now.Wall.Unix(), Subject: subject, PartnerAge: -1, StatementAge: -1}
	w := n.views.dates(ev.Participant)
	switch {
	case w.known && now.Boot < w.proven.Boot: // it was proven since this decision began
		o.PartnerAge = 0
	case w.known:
		o.PartnerAge = int64((now.Since(w.proven) + time.Second - 1) / time.Second)
	}
	if w.statementEnds != 0 {
		o.StatementAge, o.StatementEnd = o.Now-w.statementIssued, w.statementEnds
	}
	return o
}

// sealDecision renders and seals what only an authorised reader may see.
func (n *Node) sealDecision(ctx context.Context, s *state.Snapshot, v *verdict, a *Ask) sealedPart {
	space := bodies.Get().(*[]byte)
	defer bodies.Put(space)
	*space = decision.AppendSealed((*space)[:0], s, &v.evidence, &a.Request, a.RequestID)
	part, err := n.Keys.Seal(ctx, v.made.Subject, *space)
	if err != nil {
		n.Log.Error("a decision's details could not be sealed", "error", err)
		return sealedPart{}
	}
	return sealedPart{part, seal.Commitment(part)}
}

// bodies are memory for what a decision renders: the two parts of the record
// until it is down.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// record makes a decision durable, with the value it burns in the same commit.
// A value that was used before is not burned again: that it was is the record.
func (n *Node) record(ctx context.Context, s *state.Snapshot, r *ruling) (trust.Position, error) {
	space := bodies.Get().(*[]byte)
	defer bodies.Put(space)
	*space = r.draft.Append((*space)[:0], &r.observed, s.At.Position, r.ttl)
	entry := ledger.Entry{Kind: decision.EntryKind.Name, Version: decision.EntryKind.Version, Body: *space, Sealed: r.sealed.bytes, SealedHash: r.sealed.hash}
	if r.decision.Burn != nil && !r.observed.Replayed {
		return n.decisions.Append(ctx, entry, *r.decision.Burn)
	}
	return n.decisions.Append(ctx, entry)
}
