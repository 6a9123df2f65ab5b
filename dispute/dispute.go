// Package dispute holds what two participants do not agree about a suspension:
// the stages in which they try to, by when, what either put on the table, and the
// remedy that came of it. It decides who may do what in which stage, when both
// have agreed or a panel has ruled, and what a remedy still forbids. It refuses to
// know who a subject is, what was said, and how evidence is proven.
package dispute

import (
	"slices"

	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Stage is where a dispute stands.
type Stage string

const (
	Direct   Stage = "direct"   // the two parties alone
	Mediated Stage = "mediated" // with a participant that both accepted; it proposes, they decide
	Panel    Stage = "panel"    // a panel's majority decides
	Decided  Stage = "decided"  // a remedy holds
	Closed   Stage = "closed"   // what was stopped goes on
)

// Role is what a participant is in a dispute.
type Role string

const (
	Opener     Role = "opener"     // whose was stopped
	Respondent Role = "respondent" // that stopped it
	Mediator   Role = "mediator"
	Panellist  Role = "panellist"
	Nobody     Role = "nobody"
)

// Verb is what somebody does in a dispute.
type Verb string

const (
	Open     Verb = "open"
	Seat     Verb = "seat"     // a party brings it before a third participant
	Answer   Verb = "answer"   // the respondent says why
	Exhibit  Verb = "exhibit"  // a party gives evidence
	Escalate Verb = "escalate" // a party asks for the next stage
	Propose  Verb = "propose"  // a party or the mediator puts a remedy on the table
	Accept   Verb = "accept"   // a party accepts one
	Rule     Verb = "rule"     // a member of the panel votes for one
	Meet     Verb = "meet"     // the respondent says that a condition of the plan is met
	End      Verb = "end"      // a party tells a third participant that it is decided
)

// legal is who may do what in which stage. What is not here is refused.
var legal = map[Stage]map[Verb][]Role{
	Direct: {
		Answer: {Respondent}, Exhibit: {Opener, Respondent}, Escalate: {Opener, Respondent},
		Propose: {Opener, Respondent}, Accept: {Opener, Respondent},
	},
	Mediated: {
		Answer: {Respondent}, Exhibit: {Opener, Respondent}, Escalate: {Opener, Respondent},
		Propose: {Opener, Respondent, Mediator}, Accept: {Opener, Respondent}, End: {Opener, Respondent},
	},
	Panel:   {Exhibit: {Opener, Respondent}, Rule: {Panellist}, End: {Opener, Respondent}},
	Decided: {Exhibit: {Opener, Respondent}, Meet: {Respondent}},
	Closed:  {},
}

// The times of a stage, in seconds.
const (
	LeastStage   = 60
	LongestStage = 365 * 86400
	UsualStage   = 14 * 86400
	Leeway       = 120 // by which a partner's time may differ, with what its ledger is ahead by
)

const (
	maxPanel      = 9
	maxConditions = 20
	longestWatch  = 366 * 86400
)

// Rules are how the parties' agreement has its disputes settled: how long a stage
// lasts, in seconds, and who mediates and who sits on the panel. Whoever is not
// named here, both parties have to name.
type Rules struct {
	Stage    int64                 `json:"stage"`
	Mediator trust.ParticipantID   `json:"mediator,omitzero"`
	Panel    []trust.ParticipantID `json:"panel,omitempty"`
}

// Remedy is what a dispute came to. The words of a plan are not in it. All of it
// holds until the target goes on, but for the monitoring, which begins then.
type Remedy struct {
	Bar        int64            `json:"bar,omitzero"`        // nobody lets it go on before, in Unix seconds
	Conditions int              `json:"conditions,omitzero"` // of a plan; all have to be met
	Monitor    int64            `json:"monitor,omitzero"`    // for how many seconds it is watched afterwards
	Limit      int64            `json:"limit,omitzero"`      // permits an hour while it is
	Claim      string           `json:"claim,omitempty"`     // by which the opener's issuers name a person, whatever the identifier
	Person     trust.SubjectKey `json:"person,omitzero"`     // whose value that claim may not have, as this ledger knows it
}

// Check reports what is wrong with a remedy for a target at now (Unix seconds).
// It fails with Invalid.
func (r Remedy) Check(t suspension.Target, now int64) error {
	switch {
	case r.Bar != 0 && r.Bar <= now:
		return trust.Errorf(trust.Invalid, "a remedy bars until %s, which has passed", trust.Instant(r.Bar))
	case r.Conditions < 0 || r.Conditions > maxConditions:
		return trust.Errorf(trust.Invalid, "a plan has up to %d conditions; this one has %d", maxConditions, r.Conditions)
	case r.Monitor < 0 || r.Monitor > longestWatch || (r.Monitor == 0) != (r.Limit == 0) || r.Limit < 0:
		return trust.Errorf(trust.Invalid, "monitoring lasts up to a year and has a limit of permits an hour; this one lasts %d seconds, with a limit of %d", r.Monitor, r.Limit)
	case (r.Claim == "") != (r.Person == trust.SubjectKey{}):
		return trust.Errorf(trust.Invalid, "a person is named by a claim and its value; this remedy has one of the two")
	case t.Kind != suspension.Subject && (r.Claim != "" || r.Monitor != 0):
		return trust.Errorf(trust.Invalid, "a %s is no person: it is not named by a claim, and not monitored", t.Kind)
	}
	return nil
}

// Offer is a remedy on the table. Hash names the terms that its words are in.
type Offer struct {
	From   trust.ParticipantID `json:"from"`
	Hash   string              `json:"hash"`
	Remedy Remedy              `json:"remedy"`
}

// Third is what one participant asked the next stage to be.
type Third struct {
	By     trust.ParticipantID   `json:"by,omitzero"`
	To     Stage                 `json:"to,omitempty"`
	Thirds []trust.ParticipantID `json:"thirds,omitempty"`
	Since  int64                 `json:"since,omitzero"`
}

// Case is one dispute, as this ledger has it. Final is by Role of a party.
type Case struct {
	Opened
	At       trust.Position        `json:"at"`
	Entries  []trust.Position      `json:"entries"` // that made it what it is
	Stage    Stage                 `json:"stage"`
	Due      int64                 `json:"due"` // of the stage, in Unix seconds
	Answered bool                  `json:"answered,omitzero"`
	Exhibits []Exhibited           `json:"exhibits,omitempty"`
	Asked    Third                 `json:"asked,omitzero"`
	Mediator trust.ParticipantID   `json:"mediator,omitzero"`
	Panel    []trust.ParticipantID `json:"panel,omitempty"`
	Before   []trust.ParticipantID `json:"before,omitempty"` // the parties that brought it before us, a third
	Offer    Offer                 `json:"offer,omitzero"`
	Proposal Offer                 `json:"proposal,omitzero"` // the mediator's
	Final    map[Role]string       `json:"final,omitempty"`   // which proposal of the mediator a party accepted
	Votes    []Offer               `json:"votes,omitempty"`
	In       Stage                 `json:"in,omitempty"` // in which it was decided
	Settling trust.Position        `json:"settling,omitzero"`
	Remedy   Remedy                `json:"remedy,omitzero"`
	Hash     string                `json:"hash,omitempty"`
	Met      []int                 `json:"met,omitempty"`  // conditions, from 1
	Again    int64                 `json:"again,omitzero"` // when it was stopped again while it was monitored
}

// Role says what a participant is in the dispute as it stands.
func (c *Case) Role(p trust.ParticipantID) Role {
	switch {
	case p == c.Opener:
		return Opener
	case p == c.Respondent:
		return Respondent
	case c.Stage == Mediated && p == c.Mediator:
		return Mediator
	case c.Stage == Panel && slices.Contains(c.Panel, p):
		return Panellist
	default:
		return Nobody
	}
}

// Other gives the other party.
func (c *Case) Other(p trust.ParticipantID) trust.ParticipantID {
	if p == c.Opener {
		return c.Respondent
	}
	return c.Opener
}

// Third reports whether this node is no party but mediates or rules.
func (c *Case) Third() bool { return len(c.Before) > 0 }

// Thirds are those beside the parties that the dispute is before.
func (c *Case) Thirds() []trust.ParticipantID {
	if c.Stage == Panel || c.In == Panel {
		return c.Panel
	}
	if c.Mediator.IsZero() {
		return nil
	}
	return []trust.ParticipantID{c.Mediator}
}

// Lapsed reports whether nobody moved in time: a panel that did not rule, or a
// stage that nobody took further for as long again.
func (c *Case) Lapsed(now int64) bool {
	switch c.Stage {
	case Panel:
		return now >= c.Due
	case Direct, Mediated:
		return now >= c.Due+c.Rules.Stage
	case Decided, Closed:
	}
	return false
}

func key(id string) table.Key { return table.KeyOf("dispute", id) }
