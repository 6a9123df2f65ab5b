package incident

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is the rules in force and every incident there ever was. It is a value
// that never changes; in the zero value the standing rules are in force.
type State struct {
	Set       []Rule                `json:"set"`       // by name: those that operators set
	Removed   []string              `json:"removed"`   // sorted: standing rules that operators took away
	Changes   uint64                `json:"changes"`   // moves with every change of a rule
	Incidents table.Table[Incident] `json:"incidents"` // by number
	Latest    table.Table[int64]    `json:"latest"`    // by rule and whom it counted: Unix seconds
	Lapses    table.Table[Lapse]    `json:"lapses"`    // by what lapsed
}

// Incident is one, and by which entry.
type Incident struct {
	Raised
	At    trust.Position `json:"at"`
	Since int64          `json:"since"` // Unix seconds
}

// Apply gives the state after e. It never fails; an event of another package
// changes nothing.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case RuleSet:
		s = s.without(e.Rule.Name)
		s.Set = append(s.Set, e.Rule)
		slices.SortFunc(s.Set, byName)
	case RuleRemoved:
		s = s.without(e.Name)
		if slices.ContainsFunc(Standing(), named(e.Name)) {
			s.Removed = append(s.Removed, e.Name)
			slices.Sort(s.Removed)
		}
	case Raised:
		s.Incidents = s.Incidents.With(key(e.N), Incident{e, at.Position, at.At})
		s.Latest = s.Latest.With(e.Rule.whom(&e.Figure), at.At)
	case Lapsed:
		s.Lapses = s.Lapses.With(e.key(), Lapse{e, at.At})
	}
	return s
}

func (l *Lapsed) key() table.Key {
	return table.KeyOf("lapsed", string(l.Of), l.Participant.String(), l.Agreement)
}

// without forgets what operators said of a rule.
func (s State) without(name string) State {
	s.Set = slices.DeleteFunc(slices.Clone(s.Set), named(name))
	s.Removed = slices.DeleteFunc(slices.Clone(s.Removed), func(r string) bool { return r == name })
	s.Changes++
	return s
}

func byName(a, b Rule) int { return strings.Compare(a.Name, b.Name) }

func named(name string) func(Rule) bool { return func(r Rule) bool { return r.Name == name } }

func key(n uint64) table.Key { return table.KeyOf("incident", ID(n)) }

// whom is a rule's count of somebody.
func (r *Rule) whom(f *Figure) table.Key {
	return table.KeyOf("counted", r.Name, f.Participant.String(), string(f.Subject[:]), f.Agreement)
}

// Rules gives the rules in force, by name: those that operators set, and the
// standing ones that they left.
func (s State) Rules() []Rule {
	all := slices.Clone(s.Set)
	for _, r := range Standing() {
		if !slices.Contains(s.Removed, r.Name) && !slices.ContainsFunc(s.Set, named(r.Name)) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, byName)
	return all
}

// Rule finds a rule in force by its name.
func (s State) Rule(name string) (Rule, bool) {
	rules := s.Rules()
	if i := slices.IndexFunc(rules, named(name)); i >= 0 {
		return rules[i], true
	}
	return Rule{}, false
}

// Get finds an incident by its number.
func (s State) Get(n uint64) (Incident, bool) { return s.Incidents.Get(key(n)) }

// All lists the incidents in the order in which they were raised.
func (s State) All() iter.Seq[Incident] {
	var all []Incident
	for _, i := range s.Incidents.All() {
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b Incident) int { return cmp.Compare(a.N, b.N) })
	return slices.Values(all)
}
