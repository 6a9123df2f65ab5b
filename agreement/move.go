package agreement

import (
	"slices"

	"github.com/entente-id/entente/trust"
)

// Move judges what is to become of an agreement: decided here (m.From zero), or
// told by the partner. Here:
//
//   - active only from agreed, and only while framework, owners, approver,
//     revoker and a proven feed are there (R25, R40, R55), between start and end,
//     and at the host once the home has told all that it ended before (R35);
//   - suspended from agreed or active, or beside the partner's suspension;
//   - ended from any stage but ended.
//
// A partner's suspension or end takes effect at any stage but ended, and even
// before its agreement arrived. A partner's active is only noted.
func (s State) Move(f Facts, m Moved, now int64) ([]trust.Event, error) {
	a, ok := s.ByID(m.ID)
	if !ok {
		return s.moveUnknown(m)
	}
	refused := &refusal{trust.Invalid, RuleStage, "there is no move to " + string(m.To)}
	move := "move"
	switch m.To {
	case Active:
		move, refused = moveActivate, f.mayActivate(a, m.From, now)
	case Suspended:
		move, refused = moveSuspend, a.maySuspend(m.From)
	case Ended:
		move, refused = moveEnd, a.mayEnd()
	default: // the other stages are reached by signing, not by a move
	}
	if !m.From.IsZero() && m.From != a.Other(f.Self) {
		refused = denied(RuleParty, "%s is not a party to it", m.From)
	}
	if refused != nil {
		return a.attempt(move, m.From, m.By).refuse(refused)
	}
	return []trust.Event{m}, nil
}

// Resume judges the lifting of a suspension: only the party that suspended lifts
// it. What else stands against the agreement goes on standing.
func (s State) Resume(f Facts, r Resumed, now int64) ([]trust.Event, error) {
	a, ok := s.ByID(r.ID)
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "agreement %s does not exist", r.ID)
	}
	var refused *refusal
	switch {
	case !r.From.IsZero() && r.From != a.Other(f.Self):
		refused = denied(RuleParty, "%s is not a party to it", r.From)
	case a.Ended(now):
		refused = conflict(RuleStage, "what has ended is not resumed")
	case !slices.Contains(a.SuspendedBy, r.From):
		refused = denied(RuleParty, "only the party that suspended it resumes it")
	}
	if refused != nil {
		return a.attempt(moveResume, r.From, r.By).refuse(refused)
	}
	return []trust.Event{r}, nil
}

// CatchUp judges the home's word that it has told all that it ended before: of
// an agreement that is not over, and from nobody but the home. The name of an
// agreement that is not there fails with NotFound.
func (s State) CatchUp(f Facts, c CaughtUp) ([]trust.Event, error) {
	a, ok := s.ByID(c.ID)
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "agreement %s does not exist", c.ID)
	}
	speaker := c.From
	if c.From.IsZero() {
		speaker = f.Self
	}
	var refused *refusal
	switch {
	case speaker != a.Home():
		refused = denied(RuleParty, "%s is not its home", speaker)
	case a.Stage == Ended:
		refused = conflict(RuleStage, "it has ended")
	}
	if refused != nil {
		return a.attempt(moveCatchUp, c.From, "").refuse(refused)
	}
	return []trust.Event{c}, nil
}

// moveUnknown lets a stop through that overtook its agreement; it is bound to
// the partner that sent it.
func (s State) moveUnknown(m Moved) ([]trust.Event, error) {
	_, twice := s.early.Get(earlyKey(m.From, m.ID))
	stop := m.To == Suspended || m.To == Ended
	if m.From.IsZero() || !stop || twice || !identifier.MatchString(m.ID) {
		return nil, trust.Errorf(trust.NotFound, "agreement %s does not exist", m.ID)
	}
	return []trust.Event{m}, nil
}

func (f Facts) mayActivate(a *Agreement, from trust.ParticipantID, now int64) *refusal {
	if !from.IsZero() {
		if a.open() || a.Stage == Ended {
			return conflict(RuleStage, "both parties sign before either puts it in force")
		}
		return nil
	}
	d := a.Revision.Document
	switch {
	case a.Stage != Agreed:
		return conflict(RuleStage, "only an agreed agreement is put in force")
	case now < int64(d.Starts) || now >= int64(d.Ends):
		return conflict(RuleTime, "it is in force from %s to %s", d.Starts, d.Ends)
	case !f.PartnerTrusted:
		return conflict(RulePartner, "%s is not a confirmed participant here, or suspended", a.Other(f.Self))
	case !f.PartnerFresh:
		return conflict(RuleFeed, "there is no proven word from %s", a.Other(f.Self))
	case f.Self == d.Host && !a.CaughtUp:
		return conflict(RuleCatchUp, "%s has not told yet all that it ended before", d.Home)
	}
	return f.grounded(d, from, now).or(func() *refusal { return f.staffed(d) })
}

// staffed is R55: whoever may approve and revoke on this side is there.
func (f Facts) staffed(d Document) *refusal {
	if role := d.Authority.Approves.Role; f.Self == d.Host && len(f.Holders(role)) == 0 {
		return conflict(RuleApprover, "nobody here holds the role %s, which approves", role)
	}
	if !d.Authority.Revocable(f.Self, f.Holders) {
		return conflict(RuleRevoker, "nobody here holds a role that revokes")
	}
	return nil
}

func (a *Agreement) maySuspend(by trust.ParticipantID) *refusal {
	switch {
	case a.Stage == Ended:
		return conflict(RuleStage, "what has ended is not suspended")
	case slices.Contains(a.SuspendedBy, by):
		return conflict(RuleStage, "it is suspended by that party already")
	case by.IsZero() && a.open():
		return conflict(RuleStage, "what nobody agreed to is ended, not suspended")
	}
	return nil
}

func (a *Agreement) mayEnd() *refusal {
	if a.Stage == Ended {
		return conflict(RuleStage, "it ends once")
	}
	return nil
}
