package node

import (
	"context"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/trust"
)

// Explanation is a decision laid open: every check in order with what it looked
// at, and the versions it rests on. The checks behind the one that decided were
// evaluated again against the state of that moment.
type Explanation struct {
	Reference    string             `json:"reference,omitzero"` // empty for a hypothetical request
	Position     *trust.Position    `json:"position,omitzero"`
	At           trust.Instant      `json:"at"`
	Permit       bool               `json:"permit"`
	Reason       trust.Reason       `json:"reason,omitempty"`
	Decided      string             `json:"decided"` // the check that decided
	Checks       []ExplainedCheck   `json:"checks"`
	Who          string             `json:"who,omitzero"`       // the caller's issuer and subject
	Origin       string             `json:"origin,omitzero"`    // whose word the issuer, a broker, restated
	Subject      trust.SubjectKey   `json:"subject,omitzero"`   // what the ledger knows the caller by
	Class        trust.Class        `json:"class,omitzero"`     // its identity class
	Exception    string             `json:"exception,omitzero"` // the name of the one that waived a check
	Chain        []ExplainedHop     `json:"chain,omitzero"`     // who acts for the caller, in the order of delegation, as far as it was verified; the last one called
	Home         string             `json:"home,omitzero"`      // the participant that answers for it
	Action       trust.Action       `json:"action"`             // what was asked
	ResourceType trust.ResourceType `json:"resource_type"`      // of what
	Resource     string             `json:"resource"`           // which one
	Purpose      trust.Purpose      `json:"purpose,omitzero"`   // what for
	Service      string             `json:"enforcement_point"`  // who asked
	RequestID    string             `json:"request_id,omitzero"`
	Counters     []Counter          `json:"counters,omitempty"` // where a partner decided: what it told us, of which the rest is the first
	Framework    int                `json:"framework,omitzero"` // its version
	Agreement    string             `json:"agreement,omitzero"` // its name
	Revision     int                `json:"revision,omitzero"`
	Tier         trust.Tier         `json:"tier,omitzero"`
	Policy       string             `json:"policy,omitzero"`   // its hash
	Policies     []string           `json:"policies,omitzero"` // those that determined local policy's answer
	Trust        trust.Position     `json:"trust"`             // the trust entry it was decided on
	TTL          int64              `json:"ttl,omitzero"`      // seconds
	Erased       bool               `json:"erased,omitzero"`   // the person was erased; only the leaf is left
}

// ExplainedCheck is one line of an explanation.
type ExplainedCheck struct {
	Name   string          `json:"name"`
	Result decision.Result `json:"result"`
	Reason trust.Reason    `json:"reason,omitzero"`
	Text   string          `json:"text,omitzero"`
}

// decisionAt gives an entry of the decision log. It fails with NotFound for one that
// is not there, or was lost and has another in its place, of a later epoch.
func (n *Node) decisionAt(ctx context.Context, at trust.Position) (ledger.Record, error) {
	record, err := n.decisions.Entry(ctx, at.N)
	if err == nil && record.Position != at {
		return record, trust.Errorf(trust.NotFound, "decision %s was lost; what stands in its place is %s", at, record.Position)
	}
	return record, err
}

// Explain lays a recorded decision open, by its reference. Of one that a partner
// made about a subject of ours, by the partner's reference or by the txn, it gives
// the counter-record. An unknown reference is NotFound.
func (n *Node) Explain(ctx context.Context, a Actor, reference string) (Explanation, error) {
	if err := n.read(a); err != nil {
		return Explanation{}, err
	}
	at, ok := n.Keys.ParseReference(reference)
	if !ok {
		return n.explainCounter(ctx, a, reference)
	}
	record, err := n.decisionAt(ctx, at)
	if err != nil {
		return Explanation{}, err
	}
	leaf, details, erased, err := n.recorded(ctx, record)
	if err != nil {
		return Explanation{}, err
	}
	o, ev, r := decision.Replay(leaf, details)
	s, err := n.stateAfter(ctx, leaf.Trust, o.Now)
	if err != nil {
		return Explanation{}, err
	}
	again := decision.Explain(s, o, ev, r)
	e := explanation(again, o, ev, r)
	e.Reference, e.Position = reference, &record.Position
	e.RequestID, e.Erased = details.RequestID, erased
	// What was recorded stands, whatever evaluating it again says.
	e.Permit, e.Reason = leaf.Permit(), leaf.Reason
	for i, recorded := range leaf.Results() {
		if recorded.Result != decision.NotReached {
			e.Checks[i].Result, e.Checks[i].Reason = recorded.Result, recorded.Reason
			e.Decided = recorded.Name
		}
	}
	return e, nil
}

func (n *Node) explainCounter(ctx context.Context, a Actor, id string) (Explanation, error) {
	all, err := n.CountersOf(ctx, a, id)
	if trust.KindOf(err) == trust.NotFound {
		err = trust.Errorf(trust.NotFound, "reference %.40q is of no decision here, nor of one that a partner told of", id)
	}
	if err != nil {
		return Explanation{}, err
	}
	c := all[0]
	return Explanation{
		Reference: c.Reference, At: c.At, Permit: c.Permit, Class: c.Class, Home: n.self.String(), Action: c.Action, ResourceType: c.Type,
		RequestID: c.Txn, Erased: c.Erased, Counters: all,
	}, nil
}

// recorded reads a decision's entry whole: one that repeats another has from
// that what it does not say itself. True when the person was erased.
func (n *Node) recorded(ctx context.Context, r ledger.Record) (decision.Leaf, decision.Sealed, bool, error) {
	kind := trust.Kind{Name: r.Kind, Version: r.Version}
	if kind == decision.ReusedKind {
		own, err := decision.ParseReused(r.Body)
		if err != nil {
			return decision.Leaf{}, decision.Sealed{}, false, err
		}
		first, err := n.decisions.Entry(ctx, own.Of.N)
		if err != nil {
			return decision.Leaf{}, decision.Sealed{}, false, err
		}
		return n.recorded(ctx, first)
	}
	repeated, again := decision.Repeats(kind)
	if !again {
		leaf, err := decision.ParseEntry(kind, r.Body)
		if err != nil {
			return leaf, decision.Sealed{}, false, err
		}
		details, erased, err := n.unsealDecision(ctx, leaf, r)
		return leaf, details, erased, err
	}
	own, err := decision.ParseAgain(kind, r.Body)
	if err != nil {
		return decision.Leaf{}, decision.Sealed{}, false, err
	}
	first, err := n.decisions.Entry(ctx, own.Of.N)
	if err == nil && first.Kind != repeated.Name {
		err = trust.Errorf(trust.Internal, "entry %s at %s repeats the one at %s, which is no %s", kind, r.Position, own.Of, repeated)
	}
	if err != nil {
		return decision.Leaf{}, decision.Sealed{}, false, err
	}
	leaf, details, erased, err := n.recorded(ctx, first)
	if err != nil {
		return leaf, details, erased, err
	}
	request, ownErased, err := n.unsealDecision(ctx, leaf, r)
	if err != nil {
		return leaf, details, erased, err
	}
	details.RequestID = request.RequestID
	leaf, err = own.Leaf(leaf)
	return leaf, details, erased || ownErased, err
}

// unsealDecision opens the sealed part of a decision's entry, which may be
// empty; true when the person was erased.
func (n *Node) unsealDecision(ctx context.Context, leaf decision.Leaf, r ledger.Record) (decision.Sealed, bool, error) {
	var owner trust.SubjectKey
	if leaf.Subject != nil {
		owner = *leaf.Subject
	}
	if len(r.Sealed) == 0 {
		return decision.Sealed{}, false, nil
	}
	text, err := n.Keys.Unseal(ctx, owner, r.Sealed)
	if trust.KindOf(err) == trust.NotFound {
		return decision.Sealed{}, true, nil
	}
	if err != nil {
		return decision.Sealed{}, false, err
	}
	details, err := decision.ParseSealed(text)
	return details, false, err
}

// ExplainHypothetical decides a request as of now and lays it open. Nothing is
// recorded, used up or granted.
func (n *Node) ExplainHypothetical(ctx context.Context, a Actor, ask Ask) (Explanation, error) {
	if err := n.read(a); err != nil {
		return Explanation{}, err
	}
	s := n.State()
	found, o := n.gather(ctx, s, &ask, n.Clock.Mark())
	o.Resource = n.commitResource(ask.ResourceType, ask.ResourceID)
	e := explanation(decision.Explain(s, o, found, ask.Request), o, found, ask.Request)
	e.RequestID = ask.RequestID
	return e, nil
}

func explanation(d decision.Decision, o decision.Observed, ev decision.Evidence, r decision.Request) Explanation {
	e := Explanation{
		At: trust.Instant(o.Now), Permit: d.Permit, Reason: d.Reason, Decided: decision.Names[d.Decided],
		Subject: o.Subject, Class: ev.Class, Home: ev.Participant.String(), Exception: ev.Exception,
		Action: r.Action, ResourceType: r.ResourceType, Resource: r.ResourceID, Purpose: r.Purpose, Service: r.EnforcementPoint,
		Framework: d.FrameworkVersion, Agreement: d.AgreementName, Revision: d.Revision, Tier: d.Tier,
		Policy: d.Policy, Policies: d.Policies, Trust: d.Trust, TTL: d.TTL,
	}
	if ev.Subject != "" {
		e.Who = ev.Issuer.String() + " " + ev.Subject
	}
	if ev.Origin != nil {
		e.Origin = ev.Origin.Issuer.String()
	}
	if ev.Chain != nil {
		e.Chain = explainedHops(ev.Chain, o.Chain, d.Hop)
	}
	for _, c := range d.Checks {
		e.Checks = append(e.Checks, ExplainedCheck{c.Name, c.Result, c.Reason, c.Text})
	}
	return e
}
