package stream

import (
	"iter"
	"slices"
	"strings"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is the streams there are. It is a value that never changes; the zero
// value has none.
type State struct {
	Streams table.Table[*Stream] `json:"streams"` // by identifier
}

// Apply gives the state after e. It never fails; an event of another package
// changes nothing.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	n := at.Position.N
	switch e := e.(type) {
	case Created:
		return s.with(Stream{
			ID: e.ID, Client: e.Client, Delivery: e.Delivery, Events: e.Events, Status: Enabled, MovedBy: Receiver,
			Moved: n, Since: at.At, From: n, Settings: n,
		})
	case Updated:
		return s.change(e.ID, func(t *Stream) { t.Delivery, t.Events, t.Settings = e.Delivery, e.Events, n })
	case Deleted:
		s.Streams = s.Streams.Without(key(e.ID))
	case Moved:
		return s.change(e.ID, func(t *Stream) {
			if t.Status == Disabled && e.To != Disabled {
				t.From = n
			}
			t.Status, t.MovedBy, t.Rule, t.Moved, t.Since = e.To, e.Party, e.Rule, n, at.At
		})
	case SubjectAdded:
		return s.change(e.ID, func(t *Stream) { t.Subjects = t.Subjects.With(table.Key(e.Subject), n) })
	case SubjectRemoved:
		return s.change(e.ID, func(t *Stream) { t.Subjects = t.Subjects.Without(table.Key(e.Subject)) })
	}
	return s
}

func (s State) change(id string, f func(*Stream)) State {
	old, ok := s.Get(id)
	if !ok {
		return s
	}
	changed := *old
	f(&changed)
	return s.with(changed)
}

func (s State) with(t Stream) State {
	s.Streams = s.Streams.With(key(t.ID), &t)
	return s
}

func key(id string) table.Key { return table.KeyOf("stream", id) }

// Get finds a stream. It is not to be changed.
func (s State) Get(id string) (*Stream, bool) {
	t, ok := s.Streams.Get(key(id))
	return t, ok && t != nil
}

// All yields the streams, by client and identifier.
func (s State) All() iter.Seq[*Stream] {
	all := make([]*Stream, 0, s.Streams.Len())
	for _, t := range s.Streams.All() {
		if t != nil {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b *Stream) int {
		if c := strings.Compare(a.Client, b.Client); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return slices.Values(all)
}

// Of gives the streams of a client.
func (s State) Of(client string) (all []*Stream) {
	for t := range s.All() {
		if t.Client == client {
			all = append(all, t)
		}
	}
	return all
}
