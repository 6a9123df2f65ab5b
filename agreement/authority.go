package agreement

import (
	"slices"
	"strings"

	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/trust"
)

// Act is what a role may do under an agreement: a row of its authority matrix.
type Act string

const (
	Own        Act = "own"        // sign it, put it in force
	Issue      Act = "issue"      // answer for the evidence that callers present
	Validate   Act = "validate"   // verify that evidence
	Approve    Act = "approve"    // grant what the host gives
	Revoke     Act = "revoke"     // take away, and give back
	Override   Act = "override"   // answer for emergency access
	Adjudicate Act = "adjudicate" // settle what the parties do not agree about
)

// Command is what an operator asks for under an agreement, as Refused names it.
type Command string

const (
	Offer             Command = moveOffer
	Countersign       Command = moveCountersign
	Activate          Command = moveActivate
	Suspend           Command = moveSuspend
	Reduce            Command = "reduce"
	Resume            Command = moveResume
	End               Command = moveEnd
	GrantMapping      Command = "grant mapping"
	CloseMapping      Command = "close mapping"
	ApproveEngagement Command = "approve engagement"
	AnswerApproval    Command = "answer approval"
	ReviewBreakGlass  Command = "review emergency access"
)

// rights are what each act is good for. A command that stands in several rows may
// be given by any of their roles.
var rights = []struct {
	act      Act
	commands []Command
}{
	{Own, []Command{Offer, Countersign, Activate, Suspend, Reduce, Resume, End, CloseMapping}},
	{Issue, nil},
	{Validate, nil},
	{Approve, []Command{GrantMapping, CloseMapping, ApproveEngagement, AnswerApproval}},
	{Revoke, []Command{Suspend, Reduce, Resume, End, CloseMapping}},
	{Override, []Command{ReviewBreakGlass}},
	{Adjudicate, nil},
}

// reducing are the commands that take trust away: where nobody is left who holds a
// role for them, an admin may.
var reducing = []Command{Suspend, Reduce, End, CloseMapping}

// signing are the commands of an owner alone: where there is none here, the
// agreement lacks its ground, and not somebody the role (R40).
var signing = []Command{Offer, Countersign, Activate}

// Row is one act of an authority matrix: who may do it, and by which commands.
// Nobody may who is not named; an act without a role is nobody's.
type Row struct {
	Act      Act             `json:"act"`
	Roles    []trust.RoleRef `json:"roles"`
	Commands []Command       `json:"commands,omitempty"`
}

// Matrix gives who does what under the agreement, on both sides.
func (d *Document) Matrix() []Row {
	rows := make([]Row, len(rights))
	for i, right := range rights {
		rows[i] = Row{right.act, d.roles(right.act), right.commands}
	}
	return rows
}

// roles are those that do an act.
func (d *Document) roles(act Act) []trust.RoleRef {
	var roles []trust.RoleRef
	switch act {
	case Own:
		roles = []trust.RoleRef{d.Owners.Home, d.Owners.Host}
	case Issue:
		roles = []trust.RoleRef{d.Authority.Issues}
	case Validate:
		roles = []trust.RoleRef{d.Authority.Validates}
	case Approve:
		roles = []trust.RoleRef{d.Authority.Approves}
	case Revoke:
		roles = slices.Clone(d.Authority.Revokes)
	case Override:
		if d.BreakGlass != nil || !d.Authority.Overrides.IsZero() {
			roles = []trust.RoleRef{{Participant: d.Host, Role: d.Reviewer()}}
		}
	case Adjudicate:
		roles = []trust.RoleRef{d.Authority.Adjudicates}
	}
	return slices.DeleteFunc(roles, trust.RoleRef.IsZero)
}

// commanders are the roles at self that may give a command, each once.
func (d *Document) commanders(self trust.ParticipantID, command Command) (roles []string) {
	for _, right := range rights {
		if !slices.Contains(right.commands, command) {
			continue
		}
		for _, r := range d.roles(right.act) {
			if r.Participant == self && !slices.Contains(roles, r.Role) {
				roles = append(roles, r.Role)
			}
		}
	}
	return roles
}

// Permits reports whether by, an operator here, may give a command under the
// agreement.
func (d *Document) Permits(f Facts, command Command, by string) bool {
	return f.permitted(d, command, by) == nil
}

// May judges whether by, an operator here, may give a command under the agreement
// of an identifier; of one that is not here yet, under the document that is offered.
// Nil and no error is yes; no is a Refused and Denied.
func (s State) May(f Facts, id string, offered *Document, command Command, by string) ([]trust.Event, error) {
	a := attempt{move: string(command), id: id, by: by}
	d := offered
	if current, ok := s.ByID(id); ok {
		a, d = current.attempt(string(command), trust.ParticipantID{}, by), &current.Revision.Document
	}
	if d == nil {
		return nil, trust.Errorf(trust.NotFound, "agreement %s does not exist", id)
	}
	a.name = d.Name
	if refused := f.permitted(d, command, by); refused != nil {
		return a.refuse(refused)
	}
	return nil, nil
}

// permitted finds by among the holders of the roles for a command.
func (f Facts) permitted(d *Document, command Command, by string) *refusal {
	roles, staffed := d.commanders(f.Self, command), false
	for _, role := range roles {
		held := f.Holders(role)
		if slices.Contains(held, by) {
			return nil
		}
		staffed = staffed || len(held) > 0
	}
	if slices.Contains(reducing, command) && !staffed && slices.Contains(f.Holders(string(operator.Admin)), by) {
		return nil
	}
	if slices.Contains(signing, command) && !staffed {
		return f.unowned(d)
	}
	if len(roles) == 0 {
		return denied(RuleAuthority, "its authority gives this to no role at %s", f.Self)
	}
	return denied(RuleAuthority, "it takes the role %s, which operator %s does not hold", strings.Join(roles, " or "), by)
}
