package approval

import (
	"cmp"
	"iter"
	"slices"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is every approval there ever was. It is a value that never changes; in
// the zero value nothing was asked.
type State struct {
	Approvals table.Table[Approval] `json:"approvals"` // by identifier
	Latest    table.Table[string]   `json:"latest"`    // of each need, the identifier of the newest
	Waiting   []Wait                `json:"waiting"`   // those whose date had not passed at the last change
}

// Wait is one that people have not answered.
type Wait struct {
	ID      string           `json:"id"`
	Subject trust.SubjectKey `json:"subject"`
	Until   int64            `json:"until"`
}

// Apply gives the state after e. It never fails; an event of another package, or
// about an approval that is not open to it, changes nothing.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case Asked:
		s.Approvals = s.Approvals.With(key(e.ID), Approval{Asked: e, At: at.Position, Since: at.At})
		s.Latest = s.Latest.With(e.key(), e.ID)
		s.Waiting = append(slices.DeleteFunc(slices.Clone(s.Waiting), func(w Wait) bool { return w.Until <= at.At }), Wait{e.ID, e.Subject, e.Until})
	case Said:
		return s.change(e.ID, func(a *Approval) { a.Said = append(slices.Clone(a.Said), e.By) })
	case Granted:
		return s.answered(e.ID).change(e.ID, func(a *Approval) { a.Said, a.Ends = append(slices.Clone(a.Said), e.By), e.Ends })
	case Declination:
		return s.answered(e.ID).change(e.ID, func(a *Approval) { a.Closed, a.By = Declined, e.By })
	case Withdrawn:
		return s.change(e.ID, func(a *Approval) { a.Closed, a.By = Ended, e.By })
	case Spent:
		return s.change(e.ID, func(a *Approval) { a.Closed, a.Spent = Used, at.Position })
	}
	return s
}

// change changes an approval that nothing has closed.
func (s State) change(id string, f func(*Approval)) State {
	if a, ok := s.Get(id); ok && a.Closed == "" {
		f(&a)
		s.Approvals = s.Approvals.With(key(id), a)
	}
	return s
}

func (s State) answered(id string) State {
	s.Waiting = slices.DeleteFunc(slices.Clone(s.Waiting), func(w Wait) bool { return w.ID == id })
	return s
}

func key(id string) table.Key { return table.KeyOf("approval", id) }

// Get finds an approval by its identifier.
func (s State) Get(id string) (Approval, bool) { return s.Approvals.Get(key(id)) }

// For finds the newest approval of a need: whatever its role, people and time.
func (s State) For(n *Need) (Approval, bool) {
	id, ok := s.Latest.Get(n.key())
	if !ok {
		return Approval{}, false
	}
	return s.Get(id)
}

// All lists the approvals in the order in which they were asked for.
func (s State) All() iter.Seq[Approval] {
	var all []Approval
	for _, a := range s.Approvals.All() {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b Approval) int { return cmp.Or(cmp.Compare(a.Since, b.Since), a.At.Compare(b.At)) })
	return slices.Values(all)
}
