package erasure

import (
	"cmp"
	"iter"
	"slices"
	"strconv"

	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is every hold and erasure there ever was. It is a value that never
// changes; in the zero value there is none. No row of the tables that grow with
// the number of people holds a pointer.
type State struct {
	Holds     table.Table[Hold]    `json:"holds"`     // by number; few
	Asked     table.Table[Request] `json:"asked"`     // by subject: what waits for a second word
	Destroyed table.Table[Mark]    `json:"destroyed"` // by data key
	Lists     table.Table[List]    `json:"lists"`     // by the key that a bulk revocation names
}

// Hold is one, by the entry at At. Times are Unix seconds.
type Hold struct {
	HoldPlaced
	At      trust.Position `json:"at"`
	Since   int64          `json:"since"`
	EndedAt int64          `json:"ended_at,omitzero"` // 0: not before its own end
	EndedBy string         `json:"ended_by,omitempty"`
}

// Request is who asked that a subject is erased, and until when that counts.
type Request struct {
	By    string `json:"by"`
	Until int64  `json:"until"`
}

// Mark is how often a data key was destroyed, last by the entry at At. Subject
// says that it is the key by which the entry names somebody; Back that a new
// engagement has begun since.
type Mark struct {
	Times   int            `json:"times"`
	At      trust.Position `json:"at"`
	Subject bool           `json:"subject,omitzero"`
	Back    bool           `json:"back,omitzero"`
}

// List is where what is left of a list stands: beside the entry at At, under Key.
type List struct {
	Key trust.SubjectKey `json:"key"`
	At  trust.Position   `json:"at"`
}

// Apply gives the state after e. It never fails; an event of another package
// changes nothing, but for a new engagement.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case HoldPlaced:
		s.Holds = s.Holds.With(holdKey(e.N), Hold{HoldPlaced: e, At: at.Position, Since: at.At})
		s.Asked = s.Asked.Without(table.Key(e.Subject))
	case HoldEnded:
		if h, ok := s.Hold(e.N); ok && h.EndedAt == 0 {
			h.EndedAt, h.EndedBy = max(at.At, 1), e.By
			s.Holds = s.Holds.With(holdKey(e.N), h)
		}
	case Asked:
		s.Asked = s.Asked.With(table.Key(e.Subject), Request{e.By, e.Until})
	case Erased:
		s.Asked = s.Asked.Without(table.Key(e.Subject))
		for _, key := range e.keys() {
			s = s.destroy(key, s.Times(key)+1, at.Position, key == e.Subject)
		}
	case Found:
		for _, k := range e.Keys {
			s = s.destroy(k.Key, max(k.Times, s.Times(k.Key)), at.Position, false)
		}
	case ListKept:
		s.Lists = s.Lists.With(table.Key(e.List), List{e.Key, at.Position})
	case revocation.EngagementOpened:
		s = s.back(e.Subject).back(e.Alias)
	}
	return s
}

func (s State) destroy(key trust.SubjectKey, times int, at trust.Position, subject bool) State {
	s.Destroyed = s.Destroyed.With(table.Key(key), Mark{Times: times, At: at, Subject: subject})
	return s
}

func (s State) back(subject trust.SubjectKey) State {
	if m, ok := s.Destroyed.Get(table.Key(subject)); ok && !m.Back {
		m.Back = true
		s.Destroyed = s.Destroyed.With(table.Key(subject), m)
	}
	return s
}

func holdKey(n uint64) table.Key { return table.KeyOf("hold", strconv.FormatUint(n, 10)) }

// Hold finds a hold by its number, also one that has ended.
func (s State) Hold(n uint64) (Hold, bool) { return s.Holds.Get(holdKey(n)) }

// AllHolds yields the holds, ended ones too, in the order in which they were
// placed.
func (s State) AllHolds() iter.Seq[Hold] {
	var all []Hold
	for _, h := range s.Holds.All() {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b Hold) int { return cmp.Compare(a.N, b.N) })
	return slices.Values(all)
}

// Held finds the first hold that stands on a subject at now (Unix seconds).
func (s State) Held(subject trust.SubjectKey, now int64) (Hold, bool) {
	for h := range s.AllHolds() {
		if h.Subject == subject && h.Stands(now) {
			return h, true
		}
	}
	return Hold{}, false
}

// AskedFor gives who asked that a subject is erased, which may have run out.
func (s State) AskedFor(subject trust.SubjectKey) (Request, bool) {
	return s.Asked.Get(table.Key(subject))
}

// Times is how often a data key was destroyed.
func (s State) Times(key trust.SubjectKey) int {
	m, _ := s.Destroyed.Get(table.Key(key))
	return m.Times
}

// Forgotten reports whether a subject was erased and has not come back since: what
// others still tell of before is not written down again.
func (s State) Forgotten(subject trust.SubjectKey) bool {
	m, ok := s.Destroyed.Get(table.Key(subject))
	return ok && !m.Back
}

// Keys yields the data keys that were destroyed, each with how often.
func (s State) Keys() iter.Seq2[trust.SubjectKey, int] {
	return func(yield func(trust.SubjectKey, int) bool) {
		for key, m := range s.Destroyed.All() {
			if !yield(trust.SubjectKey(key), m.Times) {
				return
			}
		}
	}
}

// Of gives the data keys that an erasure destroyed, each with how often by now.
func (s State) Of(e Erased) iter.Seq2[trust.SubjectKey, int] {
	return func(yield func(trust.SubjectKey, int) bool) {
		for _, key := range e.keys() {
			if !yield(key, s.Times(key)) {
				return
			}
		}
	}
}

// Subjects gives, in their order, the entries that erased somebody, the newest of
// each subject.
func (s State) Subjects() []trust.Position {
	var all []trust.Position
	for _, m := range s.Destroyed.All() {
		if m.Subject {
			all = append(all, m.At)
		}
	}
	slices.SortFunc(all, trust.Position.Compare)
	return all
}

// Kept says where what is left of a list stands; false for a list that is as it
// was made.
func (s State) Kept(list trust.SubjectKey) (List, bool) { return s.Lists.Get(table.Key(list)) }
