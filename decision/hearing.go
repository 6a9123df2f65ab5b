package decision

import (
	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/policy"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// Decide answers r. The checks run in their order and the first that fails
// decides; those behind it are not reached. It is deterministic and leaves the
// texts to Explain.
func Decide(s *state.Snapshot, o Observed, ev Evidence, r Request) Decision {
	var h hearing
	h.open(s, &o, &ev, &r)
	h.decide()
	h.useUp()
	return h.d
}

func (h *hearing) decide() {
	for i := range h.d.Checks {
		if h.record(i, h.judge(i)); h.decided {
			return
		}
	}
}

// Explain makes the same decision and goes on behind the check that decided:
// what can still be evaluated is. Every line has its text.
func Explain(s *state.Snapshot, o Observed, ev Evidence, r Request) Decision {
	h := hearing{explains: true}
	h.open(s, &o, &ev, &r)
	h.explain()
	return h.d
}

func (h *hearing) explain() {
	for i := range h.d.Checks {
		v := h.judge(i)
		h.record(i, v)
		h.d.Checks[i].Text = h.tell(i, v)
	}
}

// hearing is one request before the checks: what was asked, and what each check
// found for those behind it.
type hearing struct {
	s  *state.Snapshot
	o  *Observed
	ev *Evidence
	r  *Request
	d  Decision

	explains bool
	decided  bool
	self     trust.ParticipantID
	service  *service.Document // that owns the resource; nil when nobody does

	class   framework.ClassRule
	classed bool

	agreements []*agreement.Agreement // between the participant and us
	agreement  *agreement.Agreement   // the one that covers the request, or came closest
	lines      []*agreement.Accept    // of it, all that cover the request
	line       *agreement.Accept      // the one that counts
	tier       framework.TierRule
	tiered     bool
	ladder     framework.Ladder // on which the assurance is short
	assurance  framework.Vector // that counts: along a chain the lowest, ladder by ladder

	actor     *hearing // of who acts for the caller; nil without a chain
	principal *hearing // of whom the caller acts for; nil for a principal
	hop       int      // of the chain, at which a check failed; counted from 1

	glass      bool           // emergency access stands, or would
	spends     bool           // the permit uses an approval up, or is counted
	behind     bool           // a party to the link has not adopted the framework in time
	attributes map[string]any // released by the agreement
	context    map[string]any // released too, about what the caller runs as and on; nil: nothing
	workload   map[string]any // seen of that by the enforcement point, as it may state it; nil: nothing
	outcome    policy.Outcome
}

// forever is the bound of a decision that read no time: the end of the year
// 9999.
const forever = 253402300799

func (h *hearing) open(s *state.Snapshot, o *Observed, ev *Evidence, r *Request) {
	h.s, h.o, h.ev, h.r, h.self, h.assurance = s, o, ev, r, self(s), ev.Assurance
	if s.Signal.Marked() {
		ground := groundOf(&ev.Evidence)
		b := ground.bearer(o)
		h.assurance = s.Signal.Cap(&b, h.assurance)
	}
	h.agreements = h.between()
	h.d = Decision{Reason: trust.NoEvidence, Policy: s.Policy.Hash, Trust: s.At.Position, Bounds: Bounds{Bound: forever}}
	for _, a := range h.agreements {
		h.until(int64(a.Revision.Document.Starts))
		h.until(int64(a.Revision.Document.Ends))
	}
	if ev.Fault != nil || ev.Chain != nil && ev.Chain.Fault != nil {
		h.d.Bound = o.Now // the times it was read from did not stand up
	}
	if once := ev.Binding.Once; once != nil && ev.verified() && !o.ProofReplayed && !o.QuotaFull {
		h.d.Burn = []trust.Once{*once} // whatever is decided
	}
	if f := s.Framework.Current; f != nil {
		h.d.FrameworkVersion = f.Version
	}
	if next := s.Framework.Next; next != nil {
		h.until(next.Since) // when other rules hold
	}
	for i := range h.d.Checks {
		h.d.Checks[i] = Check{Name: Names[i], Result: NotReached}
	}
}

// between gives the agreements that may carry the request. A credential of our
// own counts under the one it was issued under, and dies with it.
func (h *hearing) between() []*agreement.Agreement {
	host := h.self
	if h.abroad() {
		host = h.r.Order.Partner
	}
	all := h.s.Agreement.Between(h.ev.Participant, host)
	if h.canary() {
		return only(all, h.r.ResourceID)
	}
	if g := h.ev.Grant; g != nil && g.Agreement != "" {
		all = only(all, g.Agreement)
	}
	if o := h.r.Order; o != nil && o.Agreement != "" {
		all = only(all, o.Agreement)
	}
	return all
}

func only(all []*agreement.Agreement, id string) []*agreement.Agreement {
	for i := range all {
		if all[i].ID == id {
			return all[i : i+1]
		}
	}
	return nil
}

// owner finds the service that owns what is asked for.
func (h *hearing) owner() (service.Document, bool) {
	if h.canary() {
		return h.canaryService(), true
	}
	if h.r.Order == nil {
		return h.s.Service.For(h.r.EnforcementPoint, h.r.ResourceType)
	}
	if h.abroad() { // the partner knows its services; the agreement says what is at this one
		return service.Document{Audience: h.r.Order.Target}, true
	}
	target, ok := h.s.Target(h.r.EnforcementPoint, h.r.Order.Target)
	_, owns := target.Resources[h.r.ResourceType]
	return target, ok && owns
}

// abroad reports whether a grant for a partner's authorization server is asked
// for: whether one of our own people may go there, not what he may do here.
func (h *hearing) abroad() bool { return h.r.Order != nil && !h.r.Order.Partner.IsZero() }

// self is this node's participant; zero before it is born.
func self(s *state.Snapshot) trust.ParticipantID {
	if own := s.Participant.Self(); own != nil {
		return own.Card.ID
	}
	return trust.ParticipantID{}
}

// verdict is how a check came out.
type verdict struct {
	result Result
	reason trust.Reason
}

var (
	pass      = verdict{result: Passed}
	unneeded  = verdict{result: NotNeeded}
	unreached = verdict{result: NotReached}
)

func fail(reason trust.Reason) verdict { return verdict{Failed, reason} }

func (h *hearing) judge(check int) verdict {
	v := h.ask(check)
	if h.actor != nil && v.result == Passed {
		return h.both(check, v)
	}
	return v
}

func (h *hearing) ask(check int) verdict {
	switch check {
	case Identify:
		return h.identify()
	case Authenticate:
		return h.authenticate()
	case Classify:
		return h.classify()
	case Delegate:
		return h.delegate()
	case Link:
		return h.link()
	case Freshness:
		return h.freshness()
	case Revocation:
		return h.revocation()
	case Entitle:
		return h.entitle()
	case LocalPolicy:
		return h.localPolicy()
	default:
		return h.obligations()
	}
}

// record writes a verdict down. Only the last check's pass is a permit, and it
// passes only when no other one failed or was left out.
func (h *hearing) record(check int, v verdict) {
	h.d.Checks[check].Result, h.d.Checks[check].Reason = v.result, v.reason
	switch {
	case v.result == Failed && !h.decided:
		h.decided, h.d.Decided, h.d.Reason, h.d.Hop = true, check, v.reason, h.place(check, v.reason)
	case v.result == Passed && check == Obligations:
		h.decided, h.d.Decided, h.d.Reason, h.d.Permit = true, check, trust.Permit, true
	}
}

// until notes an instant at which what was just read turns.
func (h *hearing) until(at int64) {
	if at > h.o.Now && at < h.d.Bound {
		h.d.Bound = at
	}
}
