// Package state is the whole trust state as one immutable value: the fold of the
// trust log. It decides how entries become state and nothing else; every rule
// lives with its noun. It refuses to know where entries are kept.
package state

import (
	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/approval"
	"github.com/entente-id/entente/breakglass"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/drill"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/erasure"
	"github.com/entente-id/entente/exception"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/identity"
	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/policy"
	"github.com/entente-id/entente/review"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// Snapshot is the state after one entry. It is never changed; Apply gives a new
// one that shares all it can with the old.
type Snapshot struct {
	At          trust.Stamp       `json:"at"`    // of the last entry applied
	Rules       uint64            `json:"rules"` // moves with every entry that changes what decisions are made by, other than revocations
	Epoch       uint64            `json:"epoch"` // moves with every entry that reduces trust
	Framework   framework.State   `json:"framework"`
	Participant participant.State `json:"participant"`
	Operator    operator.State    `json:"operator"`
	Service     service.State     `json:"service"`
	Client      client.State      `json:"client"`
	Agreement   agreement.State   `json:"agreement"`
	Mapping     mapping.State     `json:"mapping"`
	Policy      policy.State      `json:"policy"`
	Revocation  revocation.State  `json:"revocation"`
	Suspension  suspension.State  `json:"suspension"`
	Exception   exception.State   `json:"exception"`
	Signal      signal.State      `json:"signal"`
	Edge        edge.State        `json:"edge"`
	Finding     finding.State     `json:"finding"`
	Stream      stream.State      `json:"stream"`
	Drill       drill.State       `json:"drill"`
	Dispute     dispute.State     `json:"dispute"`
	Incident    incident.State    `json:"incident"`
	Approval    approval.State    `json:"approval"`
	BreakGlass  breakglass.State  `json:"breakglass"`
	Erasure     erasure.State     `json:"erasure"`
	Review      review.State      `json:"review"`
	Identity    identity.State    `json:"identity"`
}

// Apply gives the snapshot after e. It is total: an event that no noun knows
// changes only the stamp.
func (s *Snapshot) Apply(e trust.Event, at trust.Stamp) *Snapshot {
	s = s.On(at.At)
	n := *s
	n.At = at
	n.Framework = s.Framework.Apply(e, at)
	n.Participant = s.Participant.Apply(e, at)
	n.Operator = s.Operator.Apply(e, at)
	n.Service = s.Service.Apply(e, at)
	n.Client = s.Client.Apply(e, at)
	n.Agreement = s.Agreement.Apply(e, at)
	n.Mapping = s.Mapping.Apply(e, at)
	n.Policy = s.Policy.Apply(e, at)
	n.Revocation = s.Revocation.Apply(e, at)
	n.Suspension = s.Suspension.Apply(e, at)
	n.Exception = s.Exception.Apply(e, at)
	n.Signal = s.Signal.Apply(e, at)
	n.Edge = s.Edge.Apply(e, at)
	n.Finding = s.Finding.Apply(e, at)
	n.Stream = s.Stream.Apply(e, at)
	n.Drill = s.Drill.Apply(e, at)
	n.Dispute = s.Dispute.Apply(e, at)
	n.Incident = s.Incident.Apply(e, at)
	n.Approval = s.Approval.Apply(e, at)
	n.BreakGlass = s.BreakGlass.Apply(e, at)
	n.Erasure = s.Erasure.Apply(e, at)
	n.Review = s.Review.Apply(e, at)
	n.Identity = s.Identity.Apply(e, at)
	switch effectOf(e) {
	case changesRules:
		n.Rules++
	case reducesTrust:
		n.Epoch++
	case reducesRules:
		n.Rules++
		n.Epoch++
	case changesNothing:
	}
	return &n
}

// On gives the snapshot at now (Unix seconds), no entry being later than it: s
// itself, or where the date has come of a framework that was adopted, one by whose
// rules that is.
func (s *Snapshot) On(now int64) *Snapshot {
	if !s.Framework.Due(now) {
		return s
	}
	n := *s
	n.Framework = s.Framework.On(now)
	n.Rules++
	n.Epoch++
	return &n
}

type effect int

const (
	changesNothing effect = iota
	changesRules
	reducesTrust // revocation tables only; a memo checks those on every hit
	reducesRules // both
)

// effectOf tells what an entry moves. Anything not named here changes rules,
// so a new kind of entry can only make a memo miss, never serve a stale verdict.
func effectOf(e trust.Event) effect {
	switch e := e.(type) {
	case approval.Asked, approval.Said, approval.Granted, approval.Declination, approval.Spent, approval.Refused, operator.Linked:
		return changesNothing // no permit rests on a need that people have not met, nor is one kept that uses an approval up
	case breakglass.Opened, breakglass.Used, breakglass.Lapsed, breakglass.Refused, breakglass.Told:
		return changesNothing // no permit rests on what was not opened, nor is one kept that is counted
	case breakglass.Reviewed:
		if e.Came == breakglass.Justified {
			return changesNothing // it takes nothing away
		}
		return reducesRules
	case breakglass.Closed:
		return reducesRules
	case edge.Queued, edge.Applied, edge.ClockAgreed, framework.Received, framework.Refused, agreement.Refused, operator.Refused,
		operator.Trespassed,
		revocation.EngagementOpened, suspension.ResumeAsked, suspension.Lapsed, suspension.Refused, drill.Finished, drill.Breach, finding.Raised, finding.Closed,
		incident.RuleSet, incident.RuleRemoved, incident.Raised, incident.Lapsed,
		edge.Unsupported,
		revocation.Unwound, revocation.SessionStopped, revocation.LeakReported,
		stream.Created, stream.Updated, stream.Deleted, stream.Moved, stream.SubjectAdded, stream.SubjectRemoved, stream.Rejected:
		return changesNothing
	case dispute.Opened, dispute.Seated, dispute.Answered, dispute.Exhibited, dispute.Escalated, dispute.Proposed, dispute.Accepted,
		dispute.Ruled, dispute.Met, dispute.Ended, dispute.Refused:
		return changesNothing
	case erasure.HoldPlaced, erasure.HoldEnded, erasure.Asked, erasure.Refused, erasure.Erased, erasure.ListKept, erasure.Found:
		return changesNothing // no decision rests on what is sealed
	case review.Opened, review.Listed, review.Answered, review.Unanswered, review.Closed, review.Refused:
		return changesNothing // what takes effect has entries of its own
	case identity.Moved, identity.HandedOver, identity.Flagged, identity.Owned, identity.Stopped, identity.KeyLinked, identity.Offboarded,
		identity.ReturnAsked, identity.Refused:
		return changesNothing // what stops and ends an account are entries of their own
	case identity.Registered, identity.AccountLinked:
		return reducesRules // the account may wait now for somebody to activate it
	case dispute.Settled:
		return reducesRules // a remedy may stop a person under other identifiers
	case revocation.Revoked, revocation.Bulk, revocation.CredentialRevoked:
		return reducesTrust
	case signal.Received:
		switch {
		case e.Caps():
			return reducesRules
		case e.Reduces():
			return reducesTrust
		default:
			return changesNothing // a permit rests on no word that gives something back
		}
	case agreement.Moved:
		if e.To != agreement.Active {
			return reducesRules
		}
		return changesRules
	case suspension.Suspended:
		if e.Target.Kind == suspension.Subject && e.From.IsZero() {
			return reducesTrust
		}
		return reducesRules
	case edge.LossProven, edge.Reopened, edge.EpochHeld, approval.Withdrawn:
		return reducesRules
	case participant.Suspended, edge.Broken, edge.ClockAhead, mapping.Closed, service.Removed, service.EnforcementPointRemoved,
		client.Renewed, client.Ended, exception.Ended, signal.TransmitterAdded,
		policy.Applied, framework.Adopted, participant.Stated, participant.KeysSeen, participant.BundleSeen, participant.Declared:
		return reducesRules
	default:
		return changesRules
	}
}

// Speaker gives what is registered for an iss value. A national issuer speaks by
// the discriminator that the framework in force registers for it, and only while
// that does; an issuer that became a national one does not speak without. Keys
// that were seen at an address which the framework no longer registers are none.
func (s *Snapshot) Speaker(iss string) (participant.Speaker, bool) {
	speaker, ok := s.Participant.Speaker(iss)
	if !ok {
		return speaker, false
	}
	var national framework.NationalIssuer
	if s.Framework.Current != nil {
		national, _ = s.Framework.Current.Issuer(speaker.Issuer)
	}
	if national.Discriminator != speaker.Discriminator {
		return participant.Speaker{}, false
	}
	if speaker.KeysFrom != national.JWKSURI && national.JWKSURI != "" {
		speaker.Keys = jose.KeySet{}
	}
	return speaker, true
}

// Target finds the service of which a client may ask for credentials, by its
// audience: a registered client by what it is registered for, an enforcement
// point by what stands behind it.
func (s *Snapshot) Target(caller, audience string) (service.Document, bool) {
	target, ok := s.Service.Audience(audience)
	if c, registered := s.Client.Get(caller); registered {
		return target, ok && c.MayName(target.Name)
	}
	return target, ok && target.EnforcementPoint == caller
}

// Assurance maps claims onto the ladders of the framework in force.
func (s *Snapshot) Assurance(claims map[string]any) framework.Vector {
	if s.Framework.Current == nil {
		return framework.Vector{}
	}
	return s.Framework.Current.Assess(claims)
}

// Brokered gives the most that a broker may assert by its own word.
func (s *Snapshot) Brokered() framework.Vector {
	if s.Framework.Current == nil {
		return framework.Vector{}
	}
	return s.Framework.Current.Brokered()
}
