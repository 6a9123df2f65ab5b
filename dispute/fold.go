package dispute

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is every dispute there ever was, and what remedies forbid now. It is a
// value that never changes; in the zero value there is none. No row of the tables
// that decisions read holds a pointer.
type State struct {
	Cases   table.Table[Case]   `json:"cases"`   // by id; few
	Watched table.Table[Watch]  `json:"watched"` // by subject
	Persons table.Table[Person] `json:"persons"` // by what a claim's value is known by
	Claims  []Claim             `json:"claims"`  // few: those by which a remedy in force names a person
}

// Watch is the monitoring of a subject until Until (Unix seconds): Limit permits
// an hour, for all of its names together.
type Watch struct {
	Case  table.Key        `json:"case"`
	Also  trust.SubjectKey `json:"also,omitzero"`
	Until int64            `json:"until"`
	Limit int64            `json:"limit"`
}

// Person is somebody who is stopped under every identifier.
type Person struct {
	Case table.Key `json:"case"`
}

// Claim is how a participant's issuers name a person.
type Claim struct {
	Case        table.Key           `json:"case"`
	Participant trust.ParticipantID `json:"participant"`
	Name        string              `json:"name"`
}

// Apply gives the state after e. It never fails; an event of another package
// changes nothing, but for what is stopped or goes on.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case Opened:
		s.Cases = s.Cases.With(key(e.ID), Case{Opened: e, At: at.Position, Entries: []trust.Position{at.Position}, Stage: Direct, Due: e.Since + e.Rules.Stage})
	case Seated:
		return s.seat(e, at)
	case Answered:
		return s.change(e.ID, at, func(c *Case) { c.Answered = true })
	case Exhibited:
		return s.change(e.ID, at, func(c *Case) { c.Exhibits = append(slices.Clone(c.Exhibits), e) })
	case Escalated:
		return s.change(e.ID, at, func(c *Case) { c.escalate(e) })
	case Proposed:
		return s.change(e.ID, at, func(c *Case) { c.propose(Offer{e.From, e.Hash, e.Remedy}) })
	case Accepted:
		return s.change(e.ID, at, func(c *Case) { c.accept(e) })
	case Ruled:
		return s.change(e.ID, at, func(c *Case) { c.Votes = append(slices.Clone(c.Votes), Offer{e.From, e.Hash, e.Remedy}) })
	case Settled:
		return s.settle(e, at)
	case Met:
		return s.change(e.ID, at, func(c *Case) { c.Met = append(slices.Clone(c.Met), e.Condition) })
	case Ended:
		return s.change(e.ID, at, func(c *Case) { c.Stage = Closed })
	case suspension.Resumed:
		return s.resume(e, at)
	case suspension.Suspended:
		return s.stop(e, at)
	}
	return s
}

func (s State) change(id string, at trust.Stamp, f func(*Case)) State {
	if c, ok := s.Get(id); ok {
		f(&c)
		c.Entries = append(slices.Clone(c.Entries), at.Position)
		s.Cases = s.Cases.With(key(id), c)
	}
	return s
}

func (s State) seat(e Seated, at trust.Stamp) State {
	c, ok := s.Get(e.ID)
	if !ok {
		c = Case{Opened: e.Opened, At: at.Position}
	}
	if c.Stage != e.Stage {
		c.Stage, c.Before = e.Stage, nil
	}
	c.Due = max(c.Due, e.Due)
	if e.Stage == Panel {
		c.Panel = e.Thirds
	} else {
		c.Mediator = e.Thirds[0]
	}
	if !slices.Contains(c.Before, e.From) {
		c.Before = append(slices.Clone(c.Before), e.From)
	}
	c.Entries = append(slices.Clone(c.Entries), at.Position)
	s.Cases = s.Cases.With(key(e.ID), c)
	return s
}

func (c *Case) escalate(e Escalated) {
	if e.Due == 0 {
		c.Asked = Third{e.From, e.To, e.Thirds, e.Since}
		return
	}
	c.Stage, c.Due, c.Asked = e.To, e.Due, Third{}
	if e.To == Panel {
		c.Panel = e.Thirds
	} else if len(e.Thirds) > 0 {
		c.Mediator = e.Thirds[0]
	}
}

func (c *Case) propose(o Offer) {
	if c.Role(o.From) == Mediator {
		c.Proposal = o
	} else {
		c.Offer = o
	}
}

func (c *Case) accept(e Accepted) {
	if c.Stage == Direct || c.Offer.Hash == e.Hash {
		return // it settles, and Settled says so
	}
	final := maps.Clone(c.Final)
	if final == nil {
		final = map[Role]string{}
	}
	final[c.Role(e.From)] = e.Hash
	c.Final = final
}

func (s State) settle(e Settled, at trust.Stamp) State {
	c, ok := s.Get(e.ID)
	if !ok {
		return s
	}
	c.Entries = append(slices.Clone(c.Entries), at.Position)
	c.Stage, c.In, c.Settling, c.Hash, c.Remedy, c.Asked = Decided, e.In, at.Position, e.Hash, e.Remedy, Third{}
	if c.Ours && e.Remedy.Claim != "" {
		s.Persons = s.Persons.With(table.Key(e.Remedy.Person), Person{key(e.ID)})
		s.Claims = append(slices.Clone(s.Claims), Claim{key(e.ID), c.Opener, e.Remedy.Claim})
	}
	if c.Ours && e.Remedy.Monitor > 0 {
		// It begins when the subject goes on; until then the row holds no time.
		s.Watched = s.Watched.With(table.Key(c.Target.Subject), Watch{Case: key(e.ID), Also: e.Also, Limit: e.Remedy.Limit})
	}
	s.Cases = s.Cases.With(key(e.ID), c)
	return s
}

// resume: what a dispute was about goes on, so that it is over.
func (s State) resume(e suspension.Resumed, at trust.Stamp) State {
	for k, c := range s.Cases.All() {
		by := c.Respondent
		if c.Ours {
			by = trust.ParticipantID{}
		}
		if c.Target != e.Target || c.Stage == Closed || c.Third() || e.From != by {
			continue
		}
		decided := c.Stage == Decided
		c.Stage = Closed
		s.Cases = s.Cases.With(k, c)
		if !decided || !c.Ours {
			continue
		}
		if c.Remedy.Claim != "" {
			s.Persons = s.Persons.Without(table.Key(c.Remedy.Person))
			s.Claims = slices.DeleteFunc(slices.Clone(s.Claims), func(o Claim) bool { return o.Case == k })
		}
		if w, ok := s.Watched.Get(table.Key(e.Target.Subject)); ok && w.Case == k {
			w.Until = at.At + c.Remedy.Monitor
			s.Watched = s.Watched.With(table.Key(e.Target.Subject), w)
			if w.Also != (trust.SubjectKey{}) {
				s.Watched = s.Watched.With(table.Key(w.Also), w)
			}
		}
	}
	return s
}

// stop: what is monitored was stopped again, so that the monitoring is over.
func (s State) stop(e suspension.Suspended, at trust.Stamp) State {
	if s.Watched.Len() == 0 || e.Target.Kind != suspension.Subject || !e.From.IsZero() {
		return s
	}
	w, ok := s.Watched.Get(table.Key(e.Target.Subject))
	if !ok || w.Until == 0 {
		return s
	}
	if c, found := s.Cases.Get(w.Case); found && at.At < w.Until {
		c.Again = at.At
		s.Cases = s.Cases.With(w.Case, c)
		s.Watched = s.Watched.Without(table.Key(c.Target.Subject))
	}
	s.Watched = s.Watched.Without(table.Key(e.Target.Subject))
	if w.Also != (trust.SubjectKey{}) {
		s.Watched = s.Watched.Without(table.Key(w.Also))
	}
	return s
}

// Get finds a dispute by its id.
func (s State) Get(id string) (Case, bool) { return s.Cases.Get(key(id)) }

// All lists the disputes in the order in which they came here.
func (s State) All() iter.Seq[Case] {
	var all []Case
	for _, c := range s.Cases.All() {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Case) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return slices.Values(all)
}
