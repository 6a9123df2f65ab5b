package operator

import (
	"iter"
	"slices"
	"strings"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is everybody who is or was an operator. It is a value that never
// changes; the zero value knows nobody.
type State struct {
	Operators table.Table[Operator] `json:"operators"`
}

// Apply gives the state after e. It never fails; an event of another package
// changes nothing.
func (s State) Apply(e trust.Event, _ trust.Stamp) State {
	switch e := e.(type) {
	case Added:
		o := Operator{ID: e.ID, Roles: slices.Clone(e.Roles), Person: e.Person}
		copy(o.Credential[:], e.Credential)
		s.Operators = s.Operators.With(key(e.ID), o)
	case Removed:
		if o, ok := s.Get(e.ID); ok {
			s.Operators = s.Operators.With(key(e.ID), Operator{ID: o.ID, Roles: o.Roles, Removed: true, Person: o.Person, Identities: o.Identities})
		}
	case Linked:
		if o, ok := s.Get(e.ID); ok {
			o.Identities = append(slices.Clone(o.Identities), e.Identity)
			s.Operators = s.Operators.With(key(e.ID), o)
		}
	}
	return s
}

func key(id string) table.Key { return table.KeyOf("operator", id) }

// Get finds an operator by identifier, also one that was removed.
func (s State) Get(id string) (Operator, bool) { return s.Operators.Get(key(id)) }

// ByCredential finds the operator whose token has this SHA-256. A removed one
// has no credential. There are few operators, so all are looked at.
func (s State) ByCredential(hash [32]byte) (Operator, bool) {
	for _, o := range s.Operators.All() {
		if !o.Removed && o.Credential == hash {
			return o, true
		}
	}
	return Operator{}, false
}

// All yields the operators, removed ones too, by identifier.
func (s State) All() iter.Seq[Operator] {
	var all []Operator
	for _, o := range s.Operators.All() {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b Operator) int { return strings.Compare(a.ID, b.ID) })
	return slices.Values(all)
}

// SamePerson reports whether two operators are one person, as far as their
// records tell.
func (s State) SamePerson(a, b string) bool {
	one, _ := s.Get(a)
	other, _ := s.Get(b)
	return a == b || one.Person == other.Person && one.Person != trust.SubjectKey{} ||
		slices.ContainsFunc(one.Identities, func(i Identity) bool { return slices.Contains(other.Identities, i) })
}

// IsSubject reports whether an operator is the person behind a subject, by this
// account or another of the same person.
func (s State) IsSubject(id string, subject trust.SubjectKey) bool {
	for _, o := range s.Operators.All() {
		known := slices.ContainsFunc(o.Identities, func(i Identity) bool { return i.Subject == subject })
		if known && s.SamePerson(id, o.ID) {
			return true
		}
	}
	return false
}

// IsLocal reports whether an operator is known as a person of self, and as none
// of another participant.
func (s State) IsLocal(id string, self, not trust.ParticipantID) bool {
	local := false
	for _, o := range s.Operators.All() {
		if len(o.Identities) == 0 || !s.SamePerson(id, o.ID) {
			continue
		}
		for _, i := range o.Identities {
			local = local || i.Participant == self
			if i.Participant == not {
				return false
			}
		}
	}
	return local
}

// Serves reports whether an operator is one still, and an admin.
func (s State) Serves(id string) bool {
	o, ok := s.Get(id)
	return ok && o.Has(Admin)
}

// Holders lists the identifiers of those who hold role now, sorted.
func (s State) Holders(role string) []string {
	var ids []string
	for _, o := range s.Operators.All() {
		if o.Has(trust.Role(role)) {
			ids = append(ids, o.ID)
		}
	}
	slices.Sort(ids)
	return ids
}
