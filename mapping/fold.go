package mapping

import "github.com/entente-id/entente/trust"

// Apply gives the state after e. It is total and ignores foreign events, and so
// are moves that no command would have let through.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case Offered:
		return s.offered(e, at)
	case Approved:
		return s.moved(e.Name, Proposed, at, func(m *Mapping) { m.Stage, m.ApprovedBy = Granted, e.By })
	case Closed:
		return s.moved(e.Name, "", at, func(m *Mapping) { m.Stage, m.ClosedBy = Ended, e.By })
	default:
		return s
	}
}

func (s State) offered(e Offered, at trust.Stamp) State {
	if old, ok := s.ByName(e.Document.Name); ok && !old.ended(at.At) {
		return s
	}
	return s.put(&Mapping{Document: e.Document, Agreement: e.Agreement, Stage: Proposed, OfferedBy: e.By, Since: at.At})
}

// moved changes the mapping called name when it stands at from, or, with no
// from, when it has not ended.
func (s State) moved(name string, from Stage, at trust.Stamp, change func(*Mapping)) State {
	old, ok := s.ByName(name)
	if !ok || old.Stage == Ended || from != "" && old.Stage != from {
		return s
	}
	next := *old
	change(&next)
	next.Since = at.At
	return s.put(&next)
}
