package incident

import (
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// SetRule puts a rule in force, in place of one of that name, a standing one too.
// The same rule again changes nothing. It fails with Invalid, and with Conflict
// for one more than MaxRules.
func (s State) SetRule(r Rule, by string) ([]trust.Event, error) {
	if by == "" {
		return nil, trust.Errorf(trust.Invalid, "rule %s is set by nobody; an operator must be named", r.Name)
	}
	if err := r.Check(); err != nil {
		return nil, err
	}
	had, known := s.Rule(r.Name)
	switch {
	case known && had == r:
		return nil, nil
	case !known && len(s.Rules()) >= MaxRules:
		return nil, trust.Errorf(trust.Conflict, "rule %s would be one more than %d, which is the most", r.Name, MaxRules)
	default:
		return []trust.Event{RuleSet{Rule: r, By: by}}, nil
	}
}

// RemoveRule takes a rule out of force, a standing one too. It fails with NotFound
// for a rule that is not in force.
func (s State) RemoveRule(name, by string) ([]trust.Event, error) {
	if by == "" {
		return nil, trust.Errorf(trust.Invalid, "rule %s is removed by nobody; an operator must be named", name)
	}
	if _, known := s.Rule(name); !known {
		return nil, trust.Errorf(trust.NotFound, "rule %q is not in force", name)
	}
	return []trust.Event{RuleRemoved{Name: name, By: by}}, nil
}

// Raise judges what was counted under a rule: nothing where the rule is in force
// no longer as it was, where the figure is outside of it or too small, where an
// alert said the same within the rule's time, and where what it stops is stopped
// already. now is Unix seconds.
func (s State) Raise(r Rule, f Figure, stopped func(suspension.Target) bool, now int64) []Raised {
	if in, known := s.Rule(r.Name); !known || in != r || f.Count < r.Count || !r.Covers(&f) {
		return nil
	}
	raised := Raised{N: uint64(s.Incidents.Len()) + 1, Figure: f, Rule: r}
	if r.Do == Alert {
		if last, said := s.Latest.Get(r.whom(&f)); said && now < last+r.Within {
			return nil
		}
		return []Raised{raised}
	}
	if raised.Target = r.Target(&f); stopped(raised.Target) {
		return nil
	}
	return []Raised{raised}
}
