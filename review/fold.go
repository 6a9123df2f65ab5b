package review

import (
	"cmp"
	"iter"
	"slices"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is every campaign there ever was, and the items of those that are open. It
// is a value that never changes; in the zero value there was none.
type State struct {
	Campaigns table.Table[Campaign] `json:"campaigns"` // by identifier
	Running   []Run                 `json:"running"`   // those that are open, oldest first
	Points    table.Table[Point]    `json:"points"`    // of those, by campaign and item
	Sought    table.Table[[]string] `json:"sought"`    // by client and agreement: the operators who asked for it here
	Confirmed table.Table[int64]    `json:"confirmed"` // by agreement: when somebody last said that it stays, in Unix seconds
}

// Run is a campaign that is open.
type Run struct {
	ID  string `json:"id"`
	Due int64  `json:"due"`
}

// Apply gives the state after e. It never fails; an event that concerns no campaign
// changes nothing. What ends otherwise waits for no answer any more.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case Opened:
		s.Campaigns = s.Campaigns.With(campaignKey(e.ID), Campaign{Opened: e, At: at.Position, Since: at.At})
		s.Running = append(slices.Clone(s.Running), Run{ID: e.ID, Due: e.Due})
	case Listed:
		return s.list(e)
	case Answered:
		if e.Kind == Agreement && e.Said == Keep {
			s.Confirmed = s.Confirmed.With(thingKey(Agreement, e.Name), at.At)
		}
		return s.move(e.ID, e.Item, Point{Stage: stages[e.Said], By: e.By, At: at.Position, On: at.At})
	case Unanswered:
		return s.move(e.ID, e.Item, Point{Stage: Lapsed, At: at.Position, On: at.At})
	case Closed:
		return s.close(e.ID, at)
	case agreement.Offered:
		if r, err := agreement.Parse(e.Bytes); err == nil && e.From.IsZero() {
			return s.seek(Agreement, r.ID, e.By)
		}
	case agreement.Countersigned:
		if e.From.IsZero() {
			return s.seek(Agreement, e.ID, e.By)
		}
	case client.Added:
		return s.seek(Client, e.Document.ID, e.By)
	case mapping.Closed:
		return s.end(Mapping, e.Name, at)
	case client.Ended:
		return s.end(Client, e.ID, at)
	case agreement.Moved:
		if e.To == agreement.Ended {
			return s.end(Agreement, e.ID, at)
		}
	}
	return s
}

func (s State) list(e Listed) State {
	c, ok := s.Get(e.ID)
	if !ok || !c.Open() {
		return s
	}
	points := s.Points.Edit()
	for _, i := range e.Items {
		c.Listed++
		points.Put(pointKey(e.ID, i.Kind, i.Name), Point{Item: i, Campaign: e.ID, N: c.Listed, Stage: Waiting})
	}
	s.Points = points.Table()
	s.Campaigns = s.Campaigns.With(campaignKey(e.ID), c)
	return s
}

// move takes an item that waits on to another stage.
func (s State) move(id string, i Item, to Point) State {
	p, ok := s.Point(id, i.Kind, i.Name)
	c, _ := s.Get(id)
	if !ok || p.Stage != Waiting || to.Stage == "" {
		return s
	}
	to.Item, to.Campaign, to.N = p.Item, p.Campaign, p.N
	c.count(to.Stage)
	s.Points = s.Points.With(pointKey(id, i.Kind, i.Name), to)
	s.Campaigns = s.Campaigns.With(campaignKey(id), c)
	return s
}

func (s State) end(kind Kind, name string, at trust.Stamp) State {
	for _, r := range s.Running {
		s = s.move(r.ID, Item{Kind: kind, Name: name}, Point{Stage: Ended, At: at.Position, On: at.At})
	}
	return s
}

// close keeps of a campaign what it came to; its items stand in the ledger.
func (s State) close(id string, at trust.Stamp) State {
	c, ok := s.Get(id)
	if !ok || !c.Open() {
		return s
	}
	c.Ended += c.Left()
	c.Over, c.Closing = max(at.At, 1), at.Position
	s.Campaigns = s.Campaigns.With(campaignKey(id), c)
	s.Running = slices.DeleteFunc(slices.Clone(s.Running), func(r Run) bool { return r.ID == id })
	points := s.Points.Edit()
	for key, p := range s.Points.All() {
		if p.Campaign == id {
			points.Delete(key)
		}
	}
	s.Points = points.Table()
	return s
}

func (s State) seek(kind Kind, name, by string) State {
	if who := s.SoughtBy(kind, name); by != "" && !slices.Contains(who, by) {
		s.Sought = s.Sought.With(thingKey(kind, name), append(slices.Clone(who), by))
	}
	return s
}

// Get finds a campaign by its identifier.
func (s State) Get(id string) (Campaign, bool) { return s.Campaigns.Get(campaignKey(id)) }

// Point finds an item of a campaign that is open.
func (s State) Point(id string, kind Kind, name string) (Point, bool) {
	return s.Points.Get(pointKey(id, kind, name))
}

// Of lists the items of a campaign that is open, in the order of its list.
func (s State) Of(id string) []Point {
	var all []Point
	for _, p := range s.Points.All() {
		if p.Campaign == id {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Point) int { return cmp.Compare(a.N, b.N) })
	return all
}

// All lists the campaigns in the order in which they were opened.
func (s State) All() iter.Seq[Campaign] {
	var all []Campaign
	for _, c := range s.Campaigns.All() {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Campaign) int { return cmp.Compare(a.N, b.N) })
	return slices.Values(all)
}

// SoughtBy gives the operators who asked here for a client, or who proposed or
// countersigned an agreement.
func (s State) SoughtBy(kind Kind, name string) []string {
	who, _ := s.Sought.Get(thingKey(kind, name))
	return who
}

// ConfirmedAt gives when a review last said that an agreement stays; 0 if none did.
func (s State) ConfirmedAt(agreement string) int64 {
	at, _ := s.Confirmed.Get(thingKey(Agreement, agreement))
	return at
}
