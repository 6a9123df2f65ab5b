package review

import (
	"strconv"

	"github.com/entente-id/entente/trust"
)

// Facts is what other rooms know. Find gives who answers for an item that holds
// still, Holds whether an operator holds a local role now, Same whether two
// operators are one person.
type Facts struct {
	Find  func(Item) (Holding, bool)
	Holds func(by, role string) bool
	Same  func(a, b string) bool
}

// Holding is who answers for something: who holds a local role, and is none of
// those who asked for it.
type Holding struct {
	Role   string
	Sought []string
}

// The rules by which an answer is refused, as Refused names them.
const (
	RuleRole   = "role"   // the operator does not hold the role that reviews
	RuleSought = "sought" // the operator is who asked for it
)

// Open asks about items, at now (Unix seconds). It fails with Invalid for a date
// that is none, and with Conflict where there is nothing to ask about, or too much
// is asked already.
func (s State) Open(scope Scope, due int64, items []Item, by string, now int64) ([]trust.Event, error) {
	switch {
	case by == "":
		return nil, trust.Errorf(trust.Invalid, "a review is opened by nobody; an operator must be named")
	case scope.Kind != "" && !scope.Kind.Valid():
		return nil, trust.Errorf(trust.Invalid, "what is reviewed is a mapping, a client or an agreement; %.20q is none of them", scope.Kind)
	case due <= now || due-now > MaxRun:
		return nil, trust.Errorf(trust.Invalid, "a review is due within %d days, and not in the past; this one is due at %s", MaxRun/86400, trust.Instant(due))
	case len(items) == 0:
		return nil, trust.Errorf(trust.Conflict, "nothing of that scope is granted; there is nothing to review")
	case len(s.Running) >= MaxOpen:
		return nil, trust.Errorf(trust.Conflict, "%d reviews are open; as many as may be", len(s.Running))
	}
	number := uint64(s.Campaigns.Len()) + 1
	id := "review-" + strconv.FormatUint(number, 10)
	events := []trust.Event{Opened{ID: id, N: number, Scope: scope, Due: due, By: by}}
	for len(items) > 0 {
		page := min(len(items), MaxListed)
		events = append(events, Listed{ID: id, Items: items[:page]})
		items = items[page:]
	}
	return events, nil
}

// Answer says what becomes of an item, once, and before the campaign's date. It
// fails with Invalid, NotFound or Conflict, or with Denied, which is recorded.
func (s State) Answer(f Facts, id string, kind Kind, name string, said Said, by string, now int64) ([]trust.Event, error) {
	c, ok := s.Get(id)
	switch {
	case by == "":
		return nil, trust.Errorf(trust.Invalid, "review %s is answered by nobody; an operator must be named", id)
	case stages[said] == "":
		return nil, trust.Errorf(trust.Invalid, "review %s is answered with %.20q; the answers are keep, reduce and remove", id, said)
	case !ok:
		return nil, trust.Errorf(trust.NotFound, "review %q is not known here", id)
	case !c.Open():
		return nil, trust.Errorf(trust.Conflict, "review %s closed at %s; it is answered before", id, trust.Instant(c.Over))
	case now >= c.Due:
		return nil, trust.Errorf(trust.Conflict, "review %s was due at %s; what nobody answered for lapses", id, trust.Instant(c.Due))
	}
	p, ok := s.Point(id, kind, name)
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "review %s does not ask about %s %q", id, kind, name)
	}
	holding, holds := f.Find(p.Item)
	switch {
	case p.Stage != Waiting:
		return nil, trust.Errorf(trust.Conflict, "%s %s is %s in review %s; it is answered for once", kind, name, p.Stage, id)
	case !holds:
		return nil, trust.Errorf(trust.Conflict, "%s %s does not hold any more; there is nothing to answer", kind, name)
	case !f.Holds(by, holding.Role):
		return p.refuse(by, RuleRole, "it takes the role "+holding.Role)
	}
	for _, who := range holding.Sought {
		if f.Same(by, who) {
			return p.refuse(by, RuleSought, "whoever asked for it does not review it")
		}
	}
	return []trust.Event{Answered{ID: id, Item: p.Item, Said: said, By: by}}, nil
}

func (p *Point) refuse(by, rule, why string) ([]trust.Event, error) {
	return []trust.Event{Refused{ID: p.Campaign, Item: p.Item, By: by, Rule: rule}},
		trust.Errorf(trust.Denied, "%s %s in review %s is not operator %s's to answer for: %s", p.Kind, p.Name, p.Campaign, by, why)
}

// Due gives the open campaign whose date has come at now, or of which nothing
// waits, the oldest first.
func (s State) Due(now int64) (Campaign, bool) {
	for _, r := range s.Running {
		if c, _ := s.Get(r.ID); now >= r.Due || c.Left() == 0 {
			return c, true
		}
	}
	return Campaign{}, false
}

// Lapse records that nobody answered for an item in time; nothing where it does
// not wait, or the date has not come.
func (s State) Lapse(id string, i Item, now int64) []trust.Event {
	c, ok := s.Get(id)
	if p, waits := s.Point(id, i.Kind, i.Name); !ok || now < c.Due || !waits || p.Stage != Waiting {
		return nil
	}
	return []trust.Event{Unanswered{ID: id, Item: i}}
}

// Close ends a campaign in which nothing waits that holds still; nothing for one
// that is over, or has something left.
func (s State) Close(f Facts, id string) []trust.Event {
	c, ok := s.Get(id)
	if !ok || !c.Open() {
		return nil
	}
	if c.Left() > 0 {
		for _, p := range s.Points.All() {
			if _, holds := f.Find(p.Item); p.Campaign == id && p.Stage == Waiting && holds {
				return nil
			}
		}
	}
	return []trust.Event{Closed{ID: id}}
}
