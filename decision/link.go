package decision

import (
	"slices"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// link is the fifth check: the participant, the framework, the resource, the
// agreement and the tier. Nothing about where a request comes from is looked at
// (R12).
func (h *hearing) link() verdict {
	if !h.verified() {
		return unreached
	}
	if reason := h.parties(); reason != "" {
		return fail(reason)
	}
	if g := h.ev.Grant; g != nil && (!g.Covers(h.r.Action, h.r.ResourceType, h.r.ResourceID, h.r.Purpose) || g.Target != "" && g.Target != h.service.Audience) {
		return fail(trust.NotGranted)
	}
	h.workload = h.seen()
	if reason := h.agree(); reason != "" {
		return fail(reason)
	}
	if reason := h.effectiveTier(); reason != "" {
		return fail(reason)
	}
	return pass
}

func (h *hearing) parties() trust.Reason {
	if h.astray() {
		return trust.CanaryAstray
	}
	if h.ev.Participant != h.self {
		partner, known := h.s.Participant.Partner(h.ev.Participant)
		switch {
		case !known:
			return trust.ParticipantUnknown
		case partner.Suspended:
			return trust.ParticipantSuspended
		}
		h.keepsUp(partner)
	}
	if h.r.Order != nil && h.foreignTo(h.r.EnforcementPoint) {
		return trust.ForeignClient
	}
	if h.abroad() {
		partner, known := h.s.Participant.Partner(h.r.Order.Partner)
		switch {
		case !known:
			return trust.ParticipantUnknown
		case partner.Suspended || partner.SuspendsUs:
			return trust.ParticipantSuspended
		}
		h.keepsUp(partner)
	}
	f := h.s.Framework.Current
	if f == nil {
		return trust.NoFramework
	}
	h.until(int64(f.Document.Expires))
	switch {
	case !f.Alive(h.o.Now):
		return trust.FrameworkExpired
	case h.service == nil && !h.owned():
		return trust.UnknownResource
	default:
		return ""
	}
}

// keepsUp notes whether a partner has not adopted the framework in time.
func (h *hearing) keepsUp(p *participant.Partner) {
	f := h.s.Framework.Current
	if f == nil {
		return
	}
	switch by := f.AdoptBy(p.Adopted, p.Confirmed); {
	case by == 0:
	case h.o.Now < by:
		h.until(by)
	default:
		h.behind = true
	}
}

// foreignTo reports whether a client is a partner's that is not the caller's: it
// brings what its own participant answers for.
func (h *hearing) foreignTo(client string) bool {
	c, registered := h.s.Client.Get(client)
	whose := c.Document.Participant
	return registered && whose != h.self && whose != h.ev.Participant
}

// owned looks the resource's owner up where authenticate did not get that far.
func (h *hearing) owned() bool {
	owner, ok := h.owner()
	if ok {
		h.service = &owner
	}
	return ok
}

// progress orders the ways in which agreements fail by how close they came; the
// closest one is the reason given.
var progress = []trust.Reason{
	trust.AgreementEnded, trust.AgreementNotActive, trust.AgreementSuspended,
	trust.ClassNotCovered, trust.IssuerNotCovered, trust.SubjectNotCovered,
	trust.ResourceNotCovered, trust.ActionNotCovered, trust.PurposeNotCovered,
	trust.Reduced, trust.ClassSuspended, trust.ServiceSuspended,
	trust.ChainNotCovered, trust.LinkAssurance, trust.LinkAuthAge, trust.WorkloadNotSeen, trust.SingleUseKind,
}

// agree finds the first live agreement that covers the request. The lines of an
// agreement are alternatives: all that cover it are kept. Where none covers it,
// one that would but is not alive says why.
func (h *hearing) agree() trust.Reason {
	closest, nearness := trust.NoAgreement, -1
	miss := func(a *agreement.Agreement, reason trust.Reason, near int) {
		if near > nearness {
			closest, nearness = reason, near
			h.under(a)
		}
	}
	q := h.query()
	for _, a := range h.agreements {
		if reason, alive := a.Alive(h.o.Now); !alive {
			near := slices.Index(progress, reason)
			if line, _ := a.Cover(q); line != nil {
				near += len(progress)
			}
			miss(a, reason, near)
			continue
		}
		for i := range a.Revision.Document.Accepts {
			if reason := h.cover(a, i, &q); reason != "" {
				miss(a, reason, slices.Index(progress, reason))
			}
		}
		if len(h.lines) > 0 {
			h.line = h.lines[0]
			h.under(a)
			return ""
		}
	}
	return closest
}

// query is what an agreement is asked.
func (h *hearing) query() agreement.Query {
	q := agreement.Query{
		Class: h.ev.Class, Issuer: h.ev.Issuer, Subject: h.ev.Subject, Audience: h.service.Audience,
		ResourceType: h.r.ResourceType, ResourceID: h.r.ResourceID, Action: h.r.Action, Purpose: h.r.Purpose,
		EveryID: h.r.Order != nil && h.r.ResourceID == "",
	}
	if h.ev.Origin != nil {
		q.Origin = h.ev.Origin.Issuer
	}
	return q
}

func (h *hearing) under(a *agreement.Agreement) {
	h.agreement = a
	h.d.Agreement, h.d.AgreementName, h.d.Revision = a.ID, a.Revision.Document.Name, a.Revision.Revision
}

// cover asks line i of an agreement alone, so that a later line that covers the
// request too is not hidden behind an earlier one.
func (h *hearing) cover(a *agreement.Agreement, i int, q *agreement.Query) trust.Reason {
	if h.canary() {
		return h.coverCanary(a, q)
	}
	alone := *a
	alone.Revision.Document.Accepts = a.Revision.Document.Accepts[i : i+1]
	line, reason := alone.Cover(*q)
	if line == nil {
		return reason
	}
	if reason, reduced := h.reduced(a, q); reduced {
		return reason
	}
	if h.chained() > line.Depth {
		return trust.ChainNotCovered
	}
	if ladder, short := h.s.Framework.Current.Short(h.assurance, line.Needs); short {
		h.ladder = ladder
		return trust.LinkAssurance
	}
	if limit := int64(line.MaxAuthAge); limit > 0 {
		if h.ev.AuthTime == 0 || h.o.Now-h.ev.AuthTime > limit {
			return trust.LinkAuthAge
		}
		h.until(h.ev.AuthTime + limit + 1)
	}
	if !agreement.SeenAs(h.workload, line.Workload) {
		return trust.WorkloadNotSeen
	}
	if line.SingleUse && (h.ev.Kind != evidence.IDToken || h.r.Order != nil) {
		return trust.SingleUseKind
	}
	h.lines = append(h.lines, line)
	return ""
}

// reduced reports whether either party took what is asked for out of what is
// accepted.
func (h *hearing) reduced(a *agreement.Agreement, q *agreement.Query) (trust.Reason, bool) {
	if len(h.s.Suspension.Coverage) == 0 {
		return "", false
	}
	reason, until, reduced := h.s.Suspension.Reduced(suspension.Query{
		Participant: h.ev.Participant, Agreement: a.ID, Class: q.Class, Service: q.Audience, Action: q.Action,
	}, h.o.Now)
	h.until(until)
	return reason, reduced
}

// effectiveTier is, field by field, the stricter of the class's tier and the
// agreement's. What this node cannot do for a tier, it denies.
func (h *hearing) effectiveTier() trust.Reason {
	f := h.s.Framework.Current
	agreed := h.agreement.Revision.Document.Tier
	byClass, knownClass := f.Tier(h.class.Tier)
	byAgreement, knownAgreement := f.Tier(agreed)
	if !knownClass || !knownAgreement {
		return trust.UnknownTier
	}
	h.tier, h.tiered = f.Stricter(h.class, byClass, byAgreement), true
	h.d.Tier, h.d.MaxAge = stronger(h.class.Tier, agreed), int64(h.tier.MaxStaleness)
	if h.actor != nil && h.actor.tiered {
		h.d.Tier, h.d.MaxAge = stronger(h.d.Tier, h.actor.d.Tier), min(h.d.MaxAge, h.actor.d.MaxAge)
		h.d.MaxBundleAge, h.d.MaxFeedAge = h.actor.d.MaxBundleAge, h.actor.d.MaxFeedAge
	}
	if h.behind && h.d.Tier != trust.Basic { // R29
		return trust.NotAdopted
	}
	if h.ev.Exception != "" && h.ev.ExpiresAt-h.ev.IssuedAt > int64(h.tier.MaxException) { // R21
		return trust.ExceptionTooLong
	}
	switch h.tier.SenderConstraint {
	case framework.SenderConstraintNone, framework.SenderConstraintWhenOffered:
		// What a token is bound to was shown, or authenticate denies.
	case framework.SenderConstraintRequired:
		switch b := &h.ev.Binding; {
		case h.presentedByActor(): // whose own tier is asked the same
		case h.canary(): // its own node presents it, by the key of its TLS
		case h.introspected() && b.Bound():
		case !b.Shown:
			return trust.SenderConstraint
		case b.Once != nil && h.o.Nonce != FreshNonce:
			return trust.NonceMissing
		}
	default: // a word that is not known here
		return trust.SenderConstraint
	}
	if level := h.tier.Attestation; level != "" && !h.canary() {
		if _, short := f.Short(h.assurance, map[framework.Ladder]framework.Level{framework.Attestation: level}); short {
			return trust.TierAttestation
		}
	}
	return ""
}

func stronger(a, b trust.Tier) trust.Tier {
	tiers := trust.Tiers()
	if slices.Index(tiers, a) <= slices.Index(tiers, b) {
		return a
	}
	return b
}

// freshness is the sixth check: how old our view of the partner is (R78).
func (h *hearing) freshness() verdict {
	if !h.verified() || !h.tiered {
		return unreached
	}
	other := h.ev.Participant
	if h.abroad() {
		other = h.r.Order.Partner
	}
	if _, broken := h.s.Edge.Broken(other); broken {
		return fail(trust.EdgeBroken)
	}
	switch {
	case h.o.PartnerAge < 0:
		return fail(trust.NeverProven)
	case h.o.PartnerAge > int64(h.tier.MaxStaleness):
		return fail(trust.Stale)
	case h.ev.Issuer.TrustDomain() && !h.freshBundle():
		return fail(trust.BundleStale)
	case h.o.FeedAge != 0 && !h.freshFeed():
		return fail(trust.FeedSilent)
	default:
		return pass
	}
}

// freshBundle: the bundle was read again within the tier's bound.
func (h *hearing) freshBundle() bool {
	bound := int64(h.tier.BundleAge())
	if h.d.MaxBundleAge == 0 || bound < h.d.MaxBundleAge {
		h.d.MaxBundleAge = bound
	}
	return h.o.BundleAge > 0 && h.o.BundleAge <= bound
}

// freshFeed: the transmitter of the issuer proved within the bound that it is
// heard. A foreign one proves its age alone, and so is held to the basic tier.
func (h *hearing) freshFeed() bool {
	h.d.MaxFeedAge = FeedBound(h.s)
	return h.o.FeedAge > 0 && h.o.FeedAge <= h.d.MaxFeedAge
}

// FeedBound is for how many seconds the transmitter of an issuer may be silent: by
// the basic tier of the framework in force, or where it has none by the laxest
// that it has.
func FeedBound(s *state.Snapshot) (bound int64) {
	f := s.Framework.Current
	if f == nil {
		return 0
	}
	if basic, ok := f.Tier(trust.Basic); ok {
		return int64(basic.MaxStaleness)
	}
	for _, tier := range f.Document.Tiers {
		bound = max(bound, int64(tier.MaxStaleness))
	}
	return bound
}

// revocation is the seventh check.
func (h *hearing) revocation() verdict {
	if !h.verified() {
		return unreached
	}
	ground := groundOf(&h.ev.Evidence)
	if reason, ended := ground.Ended(h.s, h.o); ended {
		h.until(h.s.Suspension.SubjectUntil(h.o.Subject))
		h.until(h.s.Suspension.SubjectUntil(h.o.Origin))
		h.until(h.s.Suspension.ClientUntil(ground.Client))
		return fail(reason)
	}
	if h.s.Dispute.PersonBarred(h.o.Person) {
		return fail(trust.PersonBarred)
	}
	if h.o.Unnamed {
		return fail(trust.PersonUnnamed)
	}
	if h.abroad() && h.s.Suspension.StoppedAbroad(h.r.Order.Partner, h.self, h.o.Subject, h.o.Now) {
		return fail(trust.SubjectSuspended)
	}
	return pass
}
