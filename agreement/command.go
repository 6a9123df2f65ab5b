package agreement

import (
	"errors"

	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// Facts are what this package needs to know of the others.
type Facts struct {
	Self      trust.ParticipantID
	Framework *framework.InForce // nil: none
	// HomeKey and HostKey are the governance keys of the agreement's parties,
	// written ed25519:<base64url>; empty for one unknown here.
	HomeKey, HostKey string
	PartnerTrusted   bool // the other party is confirmed here and not suspended
	PartnerFresh     bool // there is a proven feed from it (R25)
	// Holders gives the identifiers of the local operators in a role.
	Holders func(role string) []string
}

// Offer judges a proposal or a counter, made here (o.From zero) or sent by a
// partner, and gives Offered with its hash filled in. The rules:
//
//   - the bytes are canonical, and signed by their proposer, who is who speaks;
//   - both parties are known, and this node is one of them;
//   - the framework in force here is alive and the one the revision names, and
//     the document has no fault under it (R40, Invalid);
//   - somebody here owns an agreement that is offered from here (R40);
//   - a first revision is number 1, answers nothing, and bears a free name;
//   - a counter comes from the party that did not make the current revision,
//     answers it while it is open, and keeps name and parties. If two cross, the
//     host's stands.
func (s State) Offer(f Facts, o Offered, now int64) ([]trust.Event, error) {
	r, err := Parse(o.Bytes)
	if err != nil {
		return nil, err
	}
	a := attempt{move: moveOffer, id: r.ID, name: r.Document.Name, from: o.From, by: o.By}
	current, known := s.ByID(r.ID)
	if known {
		a = current.attempt(moveOffer, o.From, o.By)
	}
	refused := f.mayOffer(r, o.From).
		or(func() *refusal { return s.follows(r, current, now) }).
		or(func() *refusal { return f.fits(r, o, now) })
	if refused != nil {
		return a.refuse(refused)
	}
	o.Hash = hashOf(o.Bytes)
	return []trust.Event{o}, nil
}

// mayOffer judges who speaks.
func (f Facts) mayOffer(r Revision, from trust.ParticipantID) *refusal {
	d := &r.Document
	speaker := from
	if from.IsZero() {
		speaker = f.Self
	}
	switch {
	case r.Proposer != speaker:
		return denied(RuleParty, "its proposer is %s, and it comes from %s", r.Proposer, speaker)
	case d.Home == d.Host || f.Self != d.Home && f.Self != d.Host || speaker != d.Home && speaker != d.Host:
		return denied(RuleParty, "it is between %s and %s", d.Home, d.Host)
	case !f.PartnerTrusted:
		return conflict(RulePartner, "%s is not a confirmed participant here, or suspended", d.other(f.Self))
	}
	return nil
}

// follows judges whether r is the next word in the agreement's history.
func (s State) follows(r Revision, current *Agreement, now int64) *refusal {
	if current != nil {
		return current.answeredBy(r)
	}
	if r.Revision != 1 || r.Answers != "" {
		return conflict(RuleSequence, "it is revision %d, and revision 1 is not here", r.Revision)
	}
	if stage, ok := s.early.Get(earlyKey(r.Proposer, r.ID)); ok {
		return conflict(RuleStopped, "%s said %s before it arrived", r.Proposer, stage)
	}
	if named, ok := s.ByName(r.Document.Name); ok && !named.Ended(now) {
		return conflict(RuleName, "another agreement bears that name and is %s", named.Stage)
	}
	return nil
}

func (a *Agreement) answeredBy(r Revision) *refusal {
	have := a.Revision
	crossed := r.Revision == have.Revision && r.Answers == have.Answers && r.Revision > 1
	switch {
	case !a.open():
		return conflict(RuleStage, "a counter answers a proposed or countered agreement")
	case r.Proposer == have.Proposer:
		return denied(RuleParty, "%s made the current revision, and the other party answers it", r.Proposer)
	case have.Document.differs(r.Document):
		return conflict(RuleSequence, "a counter keeps the name and the parties")
	case crossed && r.Proposer != have.Document.Host:
		return conflict(RuleCrossed, "two counters of revision %d crossed, and the host's stands", r.Revision)
	case !crossed && (r.Revision != have.Revision+1 || r.Answers != a.Hash):
		return conflict(RuleSequence, "it is revision %d and answers %.12s; revision %d is %.12s", r.Revision, r.Answers, have.Revision, a.Hash)
	}
	return nil
}

// fits judges the content and the signature.
func (f Facts) fits(r Revision, o Offered, now int64) *refusal {
	if refused := f.grounded(r.Document, o.From, now); refused != nil {
		return refused
	}
	if r.Framework != f.Framework.Hash {
		return conflict(RuleFramework, "it stands on framework %.12s; %.12s is in force here", r.Framework, f.Framework.Hash)
	}
	return f.signed(r.Document, r.Proposer, o.Bytes, o.Signature)
}

// grounded is R40: rules and owners come before any agreement. A partner's own
// owners are the partner's to know.
func (f Facts) grounded(d Document, from trust.ParticipantID, now int64) *refusal {
	if f.Framework == nil {
		return conflict(RuleFramework, "no framework is in force here")
	}
	if !f.Framework.Alive(now) {
		return conflict(RuleFramework, "the framework expired at %s", f.Framework.Document.Expires)
	}
	if faults := d.Check(f.Framework, now); len(faults) > 0 {
		return &refusal{trust.Invalid, RuleDocument, errors.Join(faults...).Error()}
	}
	if from.IsZero() {
		return f.unowned(&d)
	}
	return nil
}

func (f Facts) unowned(d *Document) *refusal {
	if owner := d.Owner(f.Self); len(f.Holders(owner)) == 0 {
		return conflict(RuleOwner, "nobody here holds the role %s, which owns it", owner)
	}
	return nil
}

// signed judges the governance signature of party over data.
func (f Facts) signed(d Document, party trust.ParticipantID, data, signature []byte) *refusal {
	text := f.HostKey
	if party == d.Home {
		text = f.HomeKey
	}
	key, err := jose.ParseGovernanceKey(text)
	if err == nil {
		err = jose.VerifyBytes(key, Domain, data, signature)
	}
	if err != nil {
		return denied(RuleSignature, "it is not signed by the governance key of %s: %s", party, err)
	}
	return nil
}

// Countersign judges the other party's yes, given here (c.From zero) or sent by
// a partner: to exactly the bytes of the current revision, which it did not
// make, and under the rules of an offer. The name of an agreement that is not
// there fails with NotFound.
func (s State) Countersign(f Facts, c Countersigned, now int64) ([]trust.Event, error) {
	a, ok := s.ByID(c.ID)
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "agreement %s does not exist", c.ID)
	}
	if refused := f.mayCountersign(a, c, now); refused != nil {
		return a.attempt(moveCountersign, c.From, c.By).refuse(refused)
	}
	return []trust.Event{c}, nil
}

func (f Facts) mayCountersign(a *Agreement, c Countersigned, now int64) *refusal {
	d := a.Revision.Document
	signer := c.From
	if c.From.IsZero() {
		signer = f.Self
	}
	switch {
	case signer != d.other(a.Revision.Proposer):
		return denied(RuleParty, "%s does not answer a revision that %s made", signer, a.Revision.Proposer)
	case !a.open():
		return conflict(RuleStage, "only a proposed or countered agreement is countersigned")
	case !f.PartnerTrusted:
		return conflict(RulePartner, "%s is not a confirmed participant here, or suspended", d.other(f.Self))
	case c.Hash != a.Hash:
		return conflict(RuleHash, "the signature is for %.12s; the current revision is %.12s", c.Hash, a.Hash)
	}
	return f.fits(a.Revision, Offered{Bytes: a.Bytes, Signature: a.Signatures[a.Revision.Proposer], From: c.From}, now).
		or(func() *refusal { return f.signed(d, signer, a.Bytes, c.Signature) })
}
