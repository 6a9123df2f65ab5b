package agreement

import (
	"fmt"

	"github.com/entente-id/entente/trust"
)

// The moves that may be asked for, as Refused names them.
const (
	moveOffer       = "offer"
	moveCountersign = "countersign"
	moveActivate    = "activate"
	moveSuspend     = "suspend"
	moveResume      = "resume"
	moveEnd         = "end"
	moveCatchUp     = "catch up"
)

// The rules a move may be refused by, as Refused names them.
const (
	RuleStage     = "stage"     // the stage does not allow the move
	RuleParty     = "party"     // not this party's to do
	RuleAuthority = "authority" // not this operator's to do, by the agreement's own matrix
	RulePartner   = "partner"   // the other party is not confirmed here, or suspended
	RuleFramework = "framework" // none in force, expired, or another than the revision names
	RuleDocument  = "document"  // the document is at fault
	RuleName      = "name"      // another agreement bears the name
	RuleSequence  = "sequence"  // not the next revision, or not an answer to the current one
	RuleCrossed   = "crossed"   // two counters crossed, and the host's stands
	RuleHash      = "hash"      // other bytes than the current revision's
	RuleSignature = "signature" // not signed by the party's governance key
	RuleStopped   = "stopped"   // the other party stopped it before it arrived
	RuleOwner     = "owner"     // nobody here holds the owner's role
	RuleApprover  = "approver"  // nobody here holds the approver's role
	RuleRevoker   = "revoker"   // nobody here holds a revoker's role
	RuleFeed      = "feed"      // no proven word from the other party
	RuleCatchUp   = "catch_up"  // the home has not told yet all that it ended before
	RuleTime      = "time"      // before the start or after the end
)

// attempt is a move somebody asks for.
type attempt struct {
	move  string
	id    string
	name  string
	stage Stage
	from  trust.ParticipantID
	by    string
}

// refusal is why an attempt fails.
type refusal struct {
	kind trust.ErrorKind
	rule string
	text string
}

func conflict(rule, format string, args ...any) *refusal {
	return &refusal{trust.Conflict, rule, fmt.Sprintf(format, args...)}
}

func denied(rule, format string, args ...any) *refusal {
	return &refusal{trust.Denied, rule, fmt.Sprintf(format, args...)}
}

// refuse gives the event that records a refusal, and the error.
func (a attempt) refuse(r *refusal) ([]trust.Event, error) {
	stage := string(a.stage)
	if stage == "" {
		stage = "new"
	}
	return []trust.Event{Refused{ID: a.id, Stage: a.stage, Move: a.move, Rule: r.rule, From: a.from, By: a.by}},
		trust.Errorf(r.kind, "agreement %s is %s; %s is refused by the rule %s: %s", a.name, stage, a.move, r.rule, r.text)
}

func (a *Agreement) attempt(move string, from trust.ParticipantID, by string) attempt {
	return attempt{move, a.ID, a.Revision.Document.Name, a.Stage, from, by}
}

// or asks the next rule when r found nothing.
func (r *refusal) or(next func() *refusal) *refusal {
	if r != nil {
		return r
	}
	return next()
}
