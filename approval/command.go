package approval

import (
	"slices"
	"strconv"

	"github.com/entente-id/entente/trust"
)

// Facts is what other rooms know of people. Holds reports whether an operator
// holds a local role now; Local whether one is a person of this organisation, and
// none of the given participant; IsCaller whether a subject is that person, under
// any account; Same whether two operators are one person. Stands reports whether
// an agreement is in force.
type Facts struct {
	Holds    func(by, role string) bool
	Local    func(by string, not trust.ParticipantID) bool
	IsCaller func(by string, subject trust.SubjectKey) bool
	Same     func(a, b string) bool
	Stands   func(agreement string) bool
}

// The rules by which a yes is refused, as Refused names them.
const (
	RuleRole   = "role"   // the operator does not hold the role that approves
	RuleCaller = "caller" // the operator is who asks
	RuleLocal  = "local"  // the operator is no person of this organisation, or nobody knows
	RulePerson = "person" // the same person twice
)

// Ask asks people for what a decision needs. What is pending, approved or was
// declined lately is not asked again, nor is more than a subject may ask at a
// time: then there is no event. now is Unix seconds. It fails with Invalid.
func (s State) Ask(n Need, now int64) ([]trust.Event, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	if id, ok := s.Latest.Get(n.key()); ok {
		a, _ := s.Get(id)
		switch a.Stage(now, trust.Position{}) {
		case Pending, Approved, Declined:
			return nil, nil
		case Ended, Used, Expired:
		}
	}
	all, own := 0, 0
	for _, w := range s.Waiting {
		if now < w.Until {
			all++
			if w.Subject == n.Subject {
				own++
			}
		}
	}
	if all >= MaxPending || own >= MaxOfSubject {
		return nil, nil
	}
	id := "approval-" + strconv.Itoa(s.Approvals.Len()+1)
	return []trust.Event{Asked{Need: n, ID: id, Until: now + AskedFor}}, nil
}

// Approve is one person's yes; with the last one the action is approved. It fails
// with Invalid, NotFound, Conflict, or with Denied, which is recorded.
func (s State) Approve(f Facts, id, by string, now int64) ([]trust.Event, error) {
	a, err := s.at(id, by, Pending, now)
	if err != nil {
		return nil, err
	}
	if !f.Stands(a.Agreement) {
		return nil, trust.Errorf(trust.Conflict, "approval %s is under agreement %s, which is not in force", id, a.Agreement)
	}
	refuse := func(rule, why string) ([]trust.Event, error) {
		return []trust.Event{Refused{ID: id, By: by, Rule: rule}}, trust.Errorf(trust.Denied, "approval %s is not operator %s's to give: %s", id, by, why)
	}
	switch said := a.counted(f); {
	case !f.Holds(by, a.Role):
		return refuse(RuleRole, "it takes the role "+a.Role)
	case f.IsCaller(by, a.Subject):
		return refuse(RuleCaller, "whoever asks does not approve, under any account")
	case !f.Local(by, a.Participant):
		return refuse(RuleLocal, "only a known person of this organisation approves (`entente operator link`)")
	case slices.ContainsFunc(said, func(other string) bool { return f.Same(by, other) }):
		return refuse(RulePerson, "the same person said yes already; it takes "+strconv.Itoa(a.People)+" people")
	case len(said)+1 >= a.People:
		return []trust.Event{Granted{ID: id, By: by, Ends: now + a.TTL}}, nil
	default:
		return []trust.Event{Said{ID: id, By: by}}, nil
	}
}

// counted gives those who said yes and may still: somebody who has left, lost the
// role, or turned out to be who asks counts no longer.
func (a *Approval) counted(f Facts) []string {
	return slices.DeleteFunc(slices.Clone(a.Said), func(by string) bool {
		return !f.Holds(by, a.Role) || f.IsCaller(by, a.Subject) || !f.Local(by, a.Participant)
	})
}

// Decline is one person's no. It fails as Approve does.
func (s State) Decline(f Facts, id, by string, now int64) ([]trust.Event, error) {
	a, err := s.at(id, by, Pending, now)
	if err != nil {
		return nil, err
	}
	if !f.Holds(by, a.Role) {
		return []trust.Event{Refused{ID: id, By: by, Rule: RuleRole}},
			trust.Errorf(trust.Denied, "approval %s is answered by the role %s; operator %s does not hold it", id, a.Role, by)
	}
	return []trust.Event{Declination{ID: id, By: by}}, nil
}

// Withdraw takes back what was approved, by one person: who holds the role, or
// may reduce trust at large. It fails as Approve does.
func (s State) Withdraw(f Facts, id, by string, reduces bool, now int64) ([]trust.Event, error) {
	a, err := s.at(id, by, Approved, now)
	if err != nil {
		return nil, err
	}
	if !reduces && !f.Holds(by, a.Role) {
		return []trust.Event{Refused{ID: id, By: by, Rule: RuleRole}},
			trust.Errorf(trust.Denied, "approval %s is taken back by the role %s, an admin or a revoker; operator %s is none", id, a.Role, by)
	}
	return []trust.Event{Withdrawn{ID: id, By: by}}, nil
}

// Spend uses up an approval that is good for one decision. It fails with NotFound
// or Conflict.
func (s State) Spend(id string, now int64) ([]trust.Event, error) {
	a, err := s.at(id, "the decision", Approved, now)
	if err != nil {
		return nil, err
	}
	if !a.Once {
		return nil, nil
	}
	return []trust.Event{Spent{ID: id}}, nil
}

// at finds an approval that is at a stage.
func (s State) at(id, by string, stage Stage, now int64) (Approval, error) {
	if by == "" {
		return Approval{}, trust.Errorf(trust.Invalid, "approval %s is answered by nobody; an operator must be named", id)
	}
	a, ok := s.Get(id)
	if !ok {
		return a, trust.Errorf(trust.NotFound, "approval %q is not known here; it is asked for where the resource is", id)
	}
	if is := a.Stage(now, trust.Position{}); is != stage {
		return a, trust.Errorf(trust.Conflict, "approval %s is %s; only one that is %s can be answered like that", id, is, stage)
	}
	return a, nil
}
