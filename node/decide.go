package node

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/ledger"
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
	TTL       int64  // seconds
	Nonce     string // for the caller's next DPoP proof (RFC 9449, section 9); empty leaves it to the last one
}

// maxTries bounds how often a decision is made and recorded again because the
// ground moved while it was being recorded.
const maxTries = 4

// Decide answers a request after its decision is durable. It never fails to
// answer: what cannot be decided or recorded is a deny (R69).
func (n *Node) Decide(ctx context.Context, a Ask) Answer {
	now := n.Clock.Mark()
	answer, of := n.settle(ctx, &a, now)
	n.Meter.Decided(answer.Permit, answer.Reason)
	if hits := n.count(of, answer.Reason, a.EnforcementPoint, a.ResourceType, 1, now.Wall.Unix()); hits != nil {
		n.tripBy(ctx, hits, &a)
	}
	return answer
}

// settle also says of whom the decision was, for what is counted.
//
// A decision waits for its record, and so do hundreds beside it: what lies on
// their stacks meanwhile is what this path costs most. It is kept small.
func (n *Node) settle(ctx context.Context, a *Ask, now clock.Mark) (Answer, *served) {
	for try := 0; try < maxTries; try, now = try+1, n.Clock.Mark() {
		s := n.State()
		key := n.memo.key(a, s.Rules)
		if p, ok := n.memo.permits.Get(key); ok && p.answers(a, s.Rules) && !a.Session {
			var o decision.Observed
			if p.stillHolds(n, s, now, &o) {
				if answer, ok := n.again(ctx, s, p, a, &o); ok {
					return answer, &p.served
				}
				continue
			}
		}
		if answer, of, ok := n.afresh(ctx, s, a.clone(), now, key); ok {
			return answer, of
		}
	}
	return Answer{Reason: trust.Unsettled}, &served{}
}

// clone is kept; what is given again needs none.
//
//go:noinline
func (a *Ask) clone() *Ask {
	kept := *a
	return &kept
}

// again gives a remembered permit, which still holds on s, after recording that.
// It is false where trust was reduced meanwhile and that matters here.
func (n *Node) again(ctx context.Context, s *state.Snapshot, p *permit, a *Ask, o *decision.Observed) (Answer, bool) {
	ttl := p.TTLAt(o)
	body := bodies.Get().(*[]byte)
	defer bodies.Put(body)
	entry := ledger.Entry{Kind: decision.AgainKind.Name, Version: decision.AgainKind.Version, At: o.Now}
	if a.RequestID != "" {
		if entry.Sealed = n.sealID(ctx, o.Subject, a.RequestID, body); entry.Sealed == nil {
			return Answer{Reason: trust.CannotRecord}, true
		}
	}
	entry.Body = renderAgain(body, s, p, o, ttl)
	at, err := n.decisions.Append(ctx, entry)
	if err != nil {
		return n.unrecorded(err), true
	}
	if latest := n.State(); latest.Epoch != s.Epoch && !n.confirms(ctx, latest, p, a) {
		return Answer{}, false
	}
	n.permitted(s, o)
	return Answer{Permit: true, Reason: trust.Permit, Reference: n.Keys.Reference(at), TTL: ttl}, true
}

//go:noinline
func renderAgain(body *[]byte, s *state.Snapshot, p *permit, o *decision.Observed, ttl int64) []byte {
	*body = decision.AppendAgain((*body)[:0], p.of, o, s.At.Position, ttl)
	return *body
}

//go:noinline
func (n *Node) sealID(ctx context.Context, subject trust.SubjectKey, id string, space *[]byte) []byte {
	*space = decision.AppendSealedID((*space)[:0], id)
	return n.sealDetails(ctx, subject, *space)
}

// afresh decides on s and records that; a permit is remembered. It is false
// where the ground moved while it was being recorded.
func (n *Node) afresh(ctx context.Context, s *state.Snapshot, a *Ask, now clock.Mark, key uint64) (Answer, *served, bool) {
	v := n.judge(ctx, s, a, now, trust.Position{})
	if n.owes(v) {
		at, err := n.discharge(ctx, v, a)
		if trust.KindOf(err) == trust.Conflict {
			return Answer{}, nil, false // somebody used the approval first; the next try sees that
		}
		if err != nil {
			return n.unrecorded(err), &served{}, true
		}
		s = n.State()
		v = n.judge(ctx, s, a, now, at)
	}
	d := &v.decision
	at, err := n.record(ctx, s, v, a)
	if trust.KindOf(err) == trust.Conflict && len(d.Burn) > 0 {
		return Answer{}, nil, false // somebody used the value first; the next try sees that
	}
	if err != nil {
		return n.unrecorded(err), &served{}, true
	}
	if d.Permit {
		p := newPermit(v, a, at)
		if a.Session {
			n.sessions.open(n.Keys.Reference(at), p)
		}
		if latest := n.State(); latest.Epoch != s.Epoch && !n.confirms(ctx, latest, p, a) {
			n.sessions.close(a.EnforcementPoint, n.Keys.Reference(at))
			return Answer{}, nil, false
		}
		if len(d.Burn) == 0 && !a.Session && v.observed.Duty == (trust.Position{}) {
			n.memo.permits.Put(key, p)
		}
		n.permitted(s, &v.observed)
	} else {
		n.overspent(ctx, &v.observed)
	}
	of := servedBy(&v.evidence, &v.observed, d)
	return Answer{
		Permit: d.Permit, Reason: d.Reason, Reference: n.Keys.Reference(at), TTL: d.TTL, Nonce: n.nonceAfter(a.EnforcementPoint, v),
	}, &of, true
}

func (n *Node) unrecorded(err error) Answer {
	n.Log.Error("a decision could not be recorded; it was denied", "error", err)
	return Answer{Reason: trust.CannotRecord}
}

// confirms decides a recorded permit again on a later snapshot. The record
// stands if it is one still.
func (n *Node) confirms(ctx context.Context, s *state.Snapshot, p *permit, a *Ask) bool {
	now := n.Clock.Mark()
	if s.Rules == p.rules {
		return p.stillHolds(n, s, now, new(decision.Observed))
	}
	return n.judgeAgain(ctx, s, a, now, p.made.Duty).decision.Permit
}

// judgeAgain judges a request whose permit is recorded: what it used up, that
// very decision did, the trust entry at duty too, and that it was watched, that
// one saw.
func (n *Node) judgeAgain(ctx context.Context, s *state.Snapshot, a *Ask, now clock.Mark, duty trust.Position) *verdict {
	v := &verdict{rules: s.Rules}
	v.evidence, v.observed = n.gather(ctx, s, a, now)
	forgive(&v.observed)
	v.observed.Watched, v.observed.Duty = a.Session, duty
	for i := range v.observed.Chain {
		v.observed.Chain[i].Watched = a.Session
	}
	n.consult(s, v, a)
	return v
}

// forgive takes back that values were used up: if a recorded decision is made
// again, it did that itself.
func forgive(o *decision.Observed) {
	o.Replayed, o.ProofReplayed, o.QuotaFull = false, false, false
	for i := range o.Chain {
		forgive(&o.Chain[i])
	}
}

// verdict is a decision and what it was made by.
type verdict struct {
	rules    uint64 // the generation of rules
	observed decision.Observed
	evidence decision.Evidence
	decision decision.Decision
}

// judge verifies the evidence, gathers what is observed and asks the core. duty
// is the trust entry that was appended for the decision, if there was to be one.
func (n *Node) judge(ctx context.Context, s *state.Snapshot, a *Ask, now clock.Mark, duty trust.Position) *verdict {
	v := &verdict{rules: s.Rules}
	v.evidence, v.observed = n.gather(ctx, s, a, now)
	v.observed.Duty = duty
	n.consult(s, v, a)
	return v
}

// consult asks the core, and again where a check needs to know the resource by the
// name that it has in this ledger.
func (n *Node) consult(s *state.Snapshot, v *verdict, a *Ask) {
	v.decision = decision.Decide(s, v.observed, v.evidence, a.Request)
	if v.decision.Unseen {
		v.observed.Resource = n.commitResource(a.ResourceType, a.ResourceID)
		v.decision = decision.Decide(s, v.observed, v.evidence, a.Request)
	}
}

// gather is the one way from what a caller brought to what the core is asked.
func (n *Node) gather(ctx context.Context, s *state.Snapshot, a *Ask, now clock.Mark) (decision.Evidence, decision.Observed) {
	if len(a.Evidence) == 0 {
		none := &evidence.Fault{Reason: trust.NoEvidence, Text: "the request carries no evidence of who is calling"}
		return decision.Evidence{Fault: none}, n.observed(trust.ParticipantID{}, trust.SubjectKey{}, now)
	}
	ev, once, fault := evidence.VerifyChain(a.Evidence, registry{s, n}, now.Wall.Unix(), n.tokens)
	if fault != nil && (fault.Reason == trust.UnknownKey || fault.Reason == trust.UnknownAuthority) {
		n.issuers.hurry(ev.Missed().String(), n.bootTime())
	}
	var subject trust.SubjectKey // of a refused proof nobody vouches for whose it is
	if fault == nil && !ev.Participant.IsZero() && ev.Subject != "" {
		subject = n.Keys.Subject(ev.Participant.String(), ev.Namespace, ev.Subject)
	}
	o := n.observed(ev.Participant, subject, now)
	if fault == nil {
		n.recognise(s, &ev, &o, now)
	}
	if origin := ev.Origin; fault == nil && origin != nil {
		o.Origin = n.Keys.Subject(ev.Participant.String(), origin.Namespace, origin.Subject)
	}
	if ev.Issuer.TrustDomain() {
		o.BundleAge = n.bundleAge(ev.Issuer.String(), now)
	}
	o.Watched = a.Session && n.sessions.watched(a.EnforcementPoint)
	found := decision.Evidence{Evidence: ev, Once: once, Fault: fault}
	if fault == nil {
		o.Replayed = n.used(ctx, &o, once)
	}
	if proof := ev.Binding.Once; fault == nil && proof != nil {
		o.ProofReplayed = n.used(ctx, &o, []trust.Once{*proof})
		o.Nonce = n.nonceOf(a.EnforcementPoint, ev.Binding.Nonce, o.Now)
	}
	if fault == nil && ev.Chain != nil {
		n.gatherChain(ctx, s, ev.Chain, a.EnforcementPoint, &o, now)
	}
	return found, o
}

// used reports whether one of the values was used before; that an edge can use
// no more up it notes apart. Where it cannot be known they were.
func (n *Node) used(ctx context.Context, o *decision.Observed, values []trust.Once) (used bool) {
	if len(values) == 0 {
		return false
	}
	verdicts, err := n.Store.Once(ctx, o.Now, values)
	for _, v := range verdicts {
		full := trust.KindOf(v) == trust.Unavailable
		o.QuotaFull = o.QuotaFull || full
		used = used || v != nil && !full
	}
	return used || err != nil
}

// bundleAge is how many seconds ago a trust domain's bundle was last read, 1 at
// least; -1 if it was not since the start.
func (n *Node) bundleAge(domain string, now clock.Mark) int64 {
	seen, known := n.issuers.lastSeen(domain)
	switch {
	case !known:
		return -1
	case now.Boot < seen.Boot: // it was read since this decision began
		return 1
	default:
		return max(int64((now.Since(seen)+time.Second-1)/time.Second), 1)
	}
}

// observed is what the shell sees besides the evidence.
func (n *Node) observed(participant trust.ParticipantID, subject trust.SubjectKey, now clock.Mark) (o decision.Observed) {
	n.observe(&o, participant, subject, now)
	return o
}

// observe writes it into one that is zero.
func (n *Node) observe(o *decision.Observed, participant trust.ParticipantID, subject trust.SubjectKey, now clock.Mark) {
	o.Now, o.Subject, o.PartnerAge, o.StatementAge, o.Unsure = now.Wall.Unix(), subject, -1, -1, now.Doubted
	w := n.views.dates(participant)
	switch {
	case w.known && now.Boot < w.proven.Boot: // it was proven since this decision began
		o.PartnerAge = 0
	case w.known:
		o.PartnerAge = int64((now.Since(w.proven) + time.Second - 1) / time.Second)
	}
	if w.statementEnds != 0 {
		o.StatementAge, o.StatementEnd = o.Now-w.statementIssued, w.statementEnds
	}
}

// record makes a decision durable, with the values it burns in the same commit. It fails with Unavailable where the details cannot be sealed.
func (n *Node) record(ctx context.Context, s *state.Snapshot, v *verdict, a *Ask) (trust.Position, error) {
	body := bodies.Get().(*[]byte)
	defer bodies.Put(body)
	*body = decision.AppendSealed((*body)[:0], s, &v.evidence, &a.Request, a.RequestID)
	if !v.decision.Permit {
		*body = fill(*body)
	}
	entry := ledger.Entry{Kind: decision.EntryKind.Name, Version: decision.EntryKind.Version}
	if entry.Sealed = n.sealDetails(ctx, v.observed.Subject, *body); entry.Sealed == nil {
		return trust.Position{}, trust.Errorf(trust.Unavailable, "the details of a decision could not be sealed")
	}
	commit := decision.Commit{Resource: n.commitResource(a.ResourceType, a.ResourceID)}
	if found := &v.evidence; found.Hash != [32]byte{} {
		commit.Token = n.Keys.Commit("token", string(found.Hash[:]))
	}
	*body = decision.AppendLeaf((*body)[:0], &v.decision, &v.observed, &v.evidence, &a.Request, commit)
	entry.Body = *body
	return n.decisions.Append(ctx, entry, v.decision.Burn...)
}

// fill adds blanks to the details of a denial until they fill whole kibibytes. More
// is known of somebody who is identified and refused than of a stranger, and how
// long that takes to be written is how long the denial takes.
func fill(details []byte) []byte {
	const block = 1 << 10
	blanks := -len(details) & (block - 1)
	details = slices.Grow(details, blanks)
	for range blanks {
		details = append(details, ' ')
	}
	return details
}

// sealDetails seals what only an authorised reader may see of a decision about a
// subject; nil if that cannot be done.
func (n *Node) sealDetails(ctx context.Context, subject trust.SubjectKey, text []byte) []byte {
	part, err := n.Keys.Seal(ctx, subject, text)
	if err != nil {
		n.Log.Error("a decision's details could not be sealed", "error", err)
		return nil
	}
	return part
}

// bodies are memory for what a decision renders, until its record is down.
var bodies = sync.Pool{New: func() any { return new([]byte) }}
