package node

import (
	"context"
	"slices"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// Exchange is what a client asks: a credential of ours for what a caller's proof
// says (RFC 8693). It must not change afterwards.
type Exchange struct {
	Client    string            // authenticated
	Subject   evidence.Proof    // with what the client showed for a credential to be bound to
	Via       []evidence.Proof  // of who acts for the subject: links of delegation, then its own; none: the subject calls itself
	Target    string            // the audience of the one service it is for
	Access    []evidence.Access // all that is asked for
	Scope     string            // as it was written, for the token; Access has it too
	RequestID string
	// Partner asks, in place of a credential of ours, for a grant (evidence.IDJAG)
	// for this one's authorization server; Target is then the audience of its
	// service.
	Partner trust.ParticipantID
	// Redeems says that the subject's proof is a partner's grant. Then Target and
	// Access may be left out: they are those of the grant.
	Redeems bool

	again bool // nothing will be issued: a credential is looked at again
}

// Issued is what it gets back: a token, or why not.
type Issued struct {
	Token     string
	ID        string            // of the credential
	TTL       int64             // seconds
	Access    []evidence.Access // what it is good for
	Bound     bool              // to the key of the DPoP proof that was shown
	Refusal   Refusal
	Reason    trust.Reason // for our own eyes
	Reference string
	Nonce     string // for the client's next DPoP proof; empty leaves it to the last one
}

// Refusal is what a client may know of the reason why it got nothing.
type Refusal string

const (
	BadTarget   Refusal = "target"      // no service that this client may name; whatever the token
	BadAccess   Refusal = "access"      // the token is good, and this is more than it is good for
	BadToken    Refusal = "token"       // anything else about it
	BadProof    Refusal = "proof"       // the DPoP proof that the client made for this request
	WantsNonce  Refusal = "nonce"       // the proof lacks a nonce of ours, which is given
	Unavailable Refusal = "unavailable" // nothing was decided that could be recorded
)

// Exchange decides whether a credential may be issued, records that durably and
// only then gives it. It never fails to answer.
func (n *Node) Exchange(ctx context.Context, r Exchange) Issued {
	now := n.Clock.Mark()
	issued, of := n.settleExchange(ctx, &r, now)
	n.Meter.Decided(issued.Reason == trust.Permit, issued.Reason)
	if hits := n.count(&of, issued.Reason, r.Client, "", 1, now.Wall.Unix()); hits != nil {
		n.trip(ctx, hits, n.calledBy(ctx, &Ask{Evidence: r.proofs(), Request: decision.Request{EnforcementPoint: r.Client}}))
	}
	return issued
}

func (n *Node) settleExchange(ctx context.Context, r *Exchange, now clock.Mark) (Issued, served) {
	for try := 0; try < maxTries; try, now = try+1, n.Clock.Mark() {
		s := n.State()
		key := n.memo.grantKey(r, s.Rules)
		if g, ok := n.memo.grants.Get(key); ok && g.answers(r, s.Rules) {
			var o decision.Observed
			if g.stillHolds(n, s, now, &o) {
				if issued, ok := n.issueAgain(ctx, s, g, r, &o); ok {
					return issued, g.served
				}
				continue
			}
		}
		if issued, of, ok := n.issueAfresh(ctx, s, r, now, key); ok {
			return issued, of
		}
	}
	return Issued{Reason: trust.Unsettled, Refusal: Unavailable}, served{}
}

// issueAfresh decides an order on s, records that and issues what was permitted;
// a grant is remembered. It is false where the ground moved meanwhile.
func (n *Node) issueAfresh(ctx context.Context, s *state.Snapshot, r *Exchange, now clock.Mark, key uint64) (Issued, served, bool) {
	j := n.gatherExchange(ctx, s, r, now)
	j.decide(s, r)
	d := &j.decision
	of := servedBy(&j.evidence, &j.observed, d)
	of.service = r.Target
	var g *grant
	var m minted
	var err error
	if d.Permit {
		g = n.newGrant(s, &j, r)
		if r.Partner.IsZero() {
			m, err = n.mint(s, g, &j.observed)
		} else {
			m, err = n.vouch(s, &j, r)
		}
		if err != nil {
			return n.unissued(err), served{}, true
		}
	}
	at, err := n.recordExchange(ctx, s, &j, r, &m.Issue)
	if trust.KindOf(err) == trust.Conflict && len(d.Burn) > 0 {
		return Issued{}, served{}, false // somebody used the value first; the next try sees that
	}
	if err != nil {
		return n.unissued(err), served{}, true
	}
	reference := n.Keys.Reference(at)
	if !d.Permit {
		return n.refused(s, &j, r, reference), of, true
	}
	g.of, g.served = at, of
	if r.Partner.IsZero() {
		n.statuses.remember(&m.Issue, g.footing)
	}
	if latest := n.State(); latest.Epoch != s.Epoch && !n.grantHolds(ctx, latest, g, r) {
		return Issued{}, served{}, false
	}
	if len(d.Burn) == 0 && r.Partner.IsZero() {
		n.memo.grants.Put(key, g)
	}
	return m.issued(reference), of, true
}

// refused is the answer to an order that was refused.
func (n *Node) refused(s *state.Snapshot, j *judged, r *Exchange, reference string) Issued {
	issued := Issued{Reason: j.decision.Reason, Reference: reference}
	switch reason := j.callers(); reason {
	case trust.NonceMissing, trust.NonceStale:
		issued.Refusal, issued.Nonce = WantsNonce, n.nonce(r.Client, j.observed.Now)
	case trust.ProofBroken, trust.ProofKey, trust.ProofToken, trust.ProofRequest, trust.ProofTime, trust.ProofReplayed:
		issued.Refusal = BadProof
	default:
		issued.Refusal = n.refusal(s, j, r)
	}
	return issued
}

// callers is why whoever called was refused: the actor, if there is one.
func (j *judged) callers() trust.Reason {
	if actor := j.decision.Actor; actor != nil && !actor.Permit {
		return actor.Reason
	}
	return j.decision.Reason
}

// judged is an order that was decided.
type judged struct {
	evidence decision.Evidence
	observed decision.Observed
	request  decision.Request // the last that the order came down to
	decision decision.Decision
}

// gatherExchange verifies the proof, once for all that is asked.
func (n *Node) gatherExchange(ctx context.Context, s *state.Snapshot, r *Exchange, now clock.Mark) (j judged) {
	if !r.carries() {
		j.evidence.Fault = &evidence.Fault{Reason: trust.EvidenceKind, Text: "evidence is of a kind that no credential is issued on"}
		j.observed = n.observed(trust.ParticipantID{}, trust.SubjectKey{}, now)
		return j
	}
	j.evidence, j.observed = n.gather(ctx, s, &Ask{Evidence: r.proofs(), Request: decision.Request{EnforcementPoint: r.Client}}, now)
	if ev := &j.evidence; ev.Fault == nil && !r.again {
		if why := carryable(&ev.Evidence, r); why != "" {
			ev.Fault = &evidence.Fault{Reason: trust.EvidenceKind, Text: why}
		}
	}
	if g := j.evidence.Grant; r.Redeems && g != nil {
		r.fill(g)
	}
	if !r.Partner.IsZero() {
		n.abroad(&j, r)
	}
	return j
}

// proofs are the subject's proof and those of who acts for it.
func (r *Exchange) proofs() []evidence.Proof {
	return append([]evidence.Proof{r.Subject}, r.Via...)
}

// fill takes from a grant what the request leaves out.
func (r *Exchange) fill(g *evidence.Grant) {
	if r.Target == "" {
		r.Target = g.Target
	}
	if len(r.Access) == 0 {
		r.Access = g.Access
	}
}

// carries reports whether the proofs are of kinds that a credential can carry on.
func (r *Exchange) carries() bool {
	if r.Redeems {
		return r.Subject.Kind == evidence.IDJAG && len(r.Via) == 0
	}
	n := len(r.Via)
	return slices.Contains(exchangeable, r.Subject.Kind) && (n == 0 || slices.Contains(exchangeable, r.Via[n-1].Kind))
}

// exchangeable are the kinds of evidence that a credential can carry on.
var exchangeable = []evidence.Kind{evidence.AccessToken, evidence.IDToken, evidence.JWTSVID}

// decide decides each access that is asked for. The first that is refused
// decides; of the bounds the narrowest count.
func (j *judged) decide(s *state.Snapshot, r *Exchange) {
	order := &decision.Order{Client: r.Client, Target: r.Target, Access: r.Access, Partner: r.Partner, Introspected: r.again}
	if len(r.Access) == 0 { // there is no grant to take it from
		j.request = decision.Request{EnforcementPoint: r.Client, SubjectID: "0", Order: order}
		j.decision = decision.Decide(s, j.observed, j.evidence, j.request)
		return
	}
	var bounds *decision.Bounds
	for _, j.request = range requests(order) {
		j.decision = decision.Decide(s, j.observed, j.evidence, j.request)
		if !j.decision.Permit {
			return
		}
		if bounds != nil {
			j.decision.Narrow(bounds)
		}
		bounds, order.Agreement = &j.decision.Bounds, j.decision.Agreement
	}
	j.decision.TTL = j.decision.LifeAt(&j.observed)
}

// requests gives the decisions that an order comes down to.
func requests(o *decision.Order) (all []decision.Request) {
	for i := range o.Access {
		a := &o.Access[i]
		ids := a.IDs
		if len(ids) == 0 {
			ids = []string{""}
		}
		for _, action := range a.Actions {
			for _, id := range ids {
				all = append(all, decision.Request{
					EnforcementPoint: o.Client, SubjectID: "0", Action: action, ResourceType: a.Type, ResourceID: id, Purpose: a.Purpose, Order: o,
				})
			}
		}
	}
	return all
}

// recordExchange makes an order's decision durable, with the values it burns in
// the same commit.
func (n *Node) recordExchange(ctx context.Context, s *state.Snapshot, j *judged, r *Exchange, i *decision.Issue) (trust.Position, error) {
	plain := decision.AppendSealed(nil, s, &j.evidence, &j.request, r.RequestID)
	if !j.decision.Permit {
		plain = fill(plain)
	}
	entry := n.exchangeEntry(j, i)
	if entry.Sealed = n.sealDetails(ctx, j.observed.Subject, plain); entry.Sealed == nil {
		return trust.Position{}, trust.Errorf(trust.Unavailable, "the details of an exchange could not be sealed")
	}
	return n.decisions.Append(ctx, entry, j.decision.Burn...)
}

func (n *Node) exchangeEntry(j *judged, i *decision.Issue) ledger.Entry {
	commit := decision.Commit{Resource: n.commitResource(j.request.ResourceType, j.request.ResourceID)}
	if j.evidence.Hash != [32]byte{} {
		commit.Token = n.Keys.Commit("token", string(j.evidence.Hash[:]))
	}
	leaf := decision.AppendLeaf(nil, &j.decision, &j.observed, &j.evidence, &j.request, commit)
	if !j.decision.Permit {
		return ledger.Entry{
			Kind: decision.RefusedKind.Name, Version: decision.RefusedKind.Version,
			Body: decision.AppendRefused(nil, j.request.Order, leaf),
		}
	}
	return ledger.Entry{
		Kind: decision.IssuedKind.Name, Version: decision.IssuedKind.Version,
		Body: decision.AppendIssued(nil, i, j.request.Order, n.commitResource, leaf),
	}
}

func (n *Node) commitResource(t trust.ResourceType, id string) [16]byte {
	return n.Keys.Commit("resource", string(t)+"\x00"+id)
}

// confirmsExchange decides a recorded order again on a later snapshot.
func (n *Node) confirmsExchange(ctx context.Context, s *state.Snapshot, r *Exchange) bool {
	j := n.gatherExchange(ctx, s, r, n.Clock.Mark())
	forgive(&j.observed)
	j.decide(s, r)
	return j.decision.Permit
}

// refusal says what a client may know. Whether its target exists does not depend
// on the token, and more than the token is good for is told apart only where
// nothing of the token itself has ended.
func (n *Node) refusal(s *state.Snapshot, j *judged, r *Exchange) Refusal {
	if r.Redeems && (j.evidence.Fault != nil || r.Target == "") {
		return BadToken // nobody else said what it is for
	}
	if !r.Partner.IsZero() {
		return refusalAbroad(j)
	}
	target, ok := s.Target(r.Client, r.Target)
	for i := range r.Access {
		_, owns := target.Resources[r.Access[i].Type]
		ok = ok && owns
	}
	if !ok {
		return BadTarget
	}
	switch j.decision.Reason {
	case trust.ResourceNotCovered, trust.ActionNotCovered, trust.PurposeNotCovered, trust.NotGranted,
		trust.NoMapping, trust.RoleNotCovered, trust.ApprovalPending, trust.TooMuchAccess,
		trust.ApprovalDirect,
		trust.BreakGlassDirect, trust.BreakGlassNotAgreed,
		trust.NoPolicy, trust.PolicyDenies, trust.PolicyForbid, trust.PolicyError:
	default:
		return BadToken
	}
	ground := j.evidence.Ground()
	if _, ended := ground.Ended(s, &j.observed); ended {
		return BadToken
	}
	return BadAccess
}
