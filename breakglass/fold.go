package breakglass

import (
	"cmp"
	"iter"
	"slices"
	"strconv"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is all emergency access there ever was: here, and of our own people at
// hosts that told of it. It is a value that never changes; in the zero value there
// was none.
type State struct {
	Openings table.Table[Opening] `json:"openings"` // by identifier
	Latest   table.Table[string]  `json:"latest"`   // of each need, the identifier of the newest
	Waiting  []Wait               `json:"waiting"`  // those that nobody has reviewed
	Away     table.Table[Abroad]  `json:"abroad"`   // by host and number
}

// Wait is one that nobody has reviewed.
type Wait struct {
	ID        string           `json:"id"`
	Agreement string           `json:"agreement"`
	Subject   trust.SubjectKey `json:"subject"`
	Due       int64            `json:"due"`
	Late      bool             `json:"late,omitzero"`
}

// Abroad is emergency access of one of our own people at a host, as that tells it.
type Abroad struct {
	Told
	At    trust.Position `json:"at"` // of the entry that told it first, and names who it was
	Since int64          `json:"since"`
}

// Apply gives the state after e. It never fails; an event of another package, or
// about what is not there, changes nothing.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case Opened:
		s.Openings = s.Openings.With(key(e.ID), Opening{Opened: e, At: at.Position, Since: at.At, Used: 1})
		s.Latest = s.Latest.With(e.key(), e.ID)
		s.Waiting = append(slices.Clone(s.Waiting), Wait{ID: e.ID, Agreement: e.Agreement, Subject: e.Subject, Due: e.Due})
	case Used:
		return s.change(e.ID, func(o *Opening) { o.Used++ })
	case Closed:
		return s.change(e.ID, func(o *Opening) { o.Closed = max(at.At, 1) })
	case Reviewed:
		s.Waiting = slices.DeleteFunc(slices.Clone(s.Waiting), func(w Wait) bool { return w.ID == e.ID })
		return s.change(e.ID, func(o *Opening) { o.Came, o.By = e.Came, e.By })
	case Lapsed:
		s.Waiting = slices.Clone(s.Waiting)
		for i := range s.Waiting {
			s.Waiting[i].Late = s.Waiting[i].Late || s.Waiting[i].ID == e.ID
		}
		return s.change(e.ID, func(o *Opening) { o.Late = true })
	case Told:
		one, known := s.Away.Get(awayKey(e.From, e.N))
		if !known {
			one = Abroad{At: at.Position, Since: at.At}
		}
		one.Told = e
		s.Away = s.Away.With(awayKey(e.From, e.N), one)
	}
	return s
}

func (s State) change(id string, f func(*Opening)) State {
	if o, ok := s.Get(id); ok {
		f(&o)
		s.Openings = s.Openings.With(key(id), o)
	}
	return s
}

func key(id string) table.Key { return table.KeyOf("breakglass", id) }

func awayKey(host trust.ParticipantID, n uint64) table.Key {
	return table.KeyOf("breakglass away", host.String(), strconv.FormatUint(n, 10))
}

// Get finds emergency access here by its identifier.
func (s State) Get(id string) (Opening, bool) { return s.Openings.Get(key(id)) }

// For finds the newest of a need, whatever its bounds.
func (s State) For(n *Need) (Opening, bool) {
	id, ok := s.Latest.Get(n.key())
	if !ok {
		return Opening{}, false
	}
	return s.Get(id)
}

// NextReview gives what of an agreement must be reviewed first, and by when (Unix
// seconds): while that has passed, nobody breaks the glass under the agreement
// again.
func (s State) NextReview(agreement string) (id string, due int64, waits bool) {
	for i := range s.Waiting {
		if w := &s.Waiting[i]; w.Agreement == agreement && (!waits || w.Due < due) {
			id, due, waits = w.ID, w.Due, true
		}
	}
	return id, due, waits
}

// Full reports whether as many of a subject, or of everybody, wait for their
// review as may.
func (s State) Full(subject trust.SubjectKey) bool {
	own := 0
	for i := range s.Waiting {
		if s.Waiting[i].Subject == subject {
			own++
		}
	}
	return own >= MaxOfSubject || len(s.Waiting) >= MaxWaiting
}

// Abroad finds what a host told under its number.
func (s State) Abroad(host trust.ParticipantID, n uint64) (Abroad, bool) {
	return s.Away.Get(awayKey(host, n))
}

// All lists the emergency access here, in the order in which it was.
func (s State) All() iter.Seq[Opening] {
	var all []Opening
	for _, o := range s.Openings.All() {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b Opening) int { return cmp.Compare(a.N, b.N) })
	return slices.Values(all)
}

// AllAbroad lists that of our own people at hosts, in the order in which they told
// of it.
func (s State) AllAbroad() iter.Seq[Abroad] {
	var all []Abroad
	for _, a := range s.Away.All() {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b Abroad) int { return a.At.Compare(b.At) })
	return slices.Values(all)
}
