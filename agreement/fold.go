package agreement

import (
	"maps"
	"slices"

	"github.com/entente-id/entente/trust"
)

// Apply gives the state after e. It is total and ignores foreign events, and so
// are moves that no command would have let through.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case Offered:
		return s.offered(e, at)
	case Countersigned:
		return s.countersigned(e, at)
	case Moved:
		return s.moved(e, at)
	case Resumed:
		return s.resumed(e, at)
	case CaughtUp:
		return s.caughtUp(e)
	default:
		return s
	}
}

func (s State) offered(e Offered, at trust.Stamp) State {
	r, err := Parse(e.Bytes)
	if err != nil {
		return s
	}
	a := &Agreement{
		ID: r.ID, Stage: Proposed, Revision: r, Bytes: e.Bytes, Hash: hashOf(e.Bytes),
		Signatures: map[trust.ParticipantID][]byte{r.Proposer: e.Signature},
		Since:      at.At, Opened: at.Position,
	}
	if old, ok := s.ByID(r.ID); ok {
		if !old.open() || old.Revision.Document.differs(r.Document) {
			return s
		}
		a.Stage, a.Opened = Countered, old.Opened
	}
	return s.put(a)
}

func (s State) countersigned(e Countersigned, at trust.Stamp) State {
	old, ok := s.ByID(e.ID)
	if !ok || !old.open() || old.Hash != e.Hash {
		return s
	}
	next := *old
	next.Signatures = maps.Clone(old.Signatures)
	next.Signatures[old.Other(old.Revision.Proposer)] = e.Signature
	next.Stage, next.Since = Agreed, at.At
	return s.put(&next)
}

func (s State) moved(e Moved, at trust.Stamp) State {
	old, ok := s.ByID(e.ID)
	if !ok {
		return s.movedEarly(e)
	}
	if old.Stage == Ended {
		return s
	}
	next := *old
	switch e.To {
	case Active:
		next.ActiveAt = added(old.ActiveAt, e.From)
		if !e.From.IsZero() {
			return s.put(&next)
		}
		if old.Stage != Agreed {
			return s
		}
	case Suspended:
		next.SuspendedBy = added(old.SuspendedBy, e.From)
	case Ended:
		next.EndedBy = e.From
	default:
		return s
	}
	if next.Stage != e.To {
		next.Stage, next.Since = e.To, at.At
	}
	return s.put(&next)
}

func (s State) resumed(e Resumed, at trust.Stamp) State {
	old, ok := s.ByID(e.ID)
	if !ok || old.Stage != Suspended || !slices.Contains(old.SuspendedBy, e.From) {
		return s
	}
	next := *old
	next.SuspendedBy = slices.DeleteFunc(slices.Clone(old.SuspendedBy), func(p trust.ParticipantID) bool { return p == e.From })
	if len(next.SuspendedBy) == 0 {
		next.Stage, next.Since = old.before(), at.At
	}
	return s.put(&next)
}

func (s State) caughtUp(e CaughtUp) State {
	old, ok := s.ByID(e.ID)
	if !ok {
		return s
	}
	next := *old
	next.CaughtUp = true
	return s.put(&next)
}

// movedEarly remembers a stop that came before its agreement.
func (s State) movedEarly(e Moved) State {
	if !e.From.IsZero() && (e.To == Suspended || e.To == Ended) {
		s.early = s.early.With(earlyKey(e.From, e.ID), e.To)
	}
	return s
}

// before is the stage that a suspended agreement goes back to.
func (a *Agreement) before() Stage {
	switch {
	case slices.Contains(a.ActiveAt, trust.ParticipantID{}):
		return Active
	case len(a.Signatures) == 2:
		return Agreed
	case a.Revision.Revision > 1:
		return Countered
	default:
		return Proposed
	}
}

// open reports whether the agreement still awaits an answer.
func (a *Agreement) open() bool { return a.Stage == Proposed || a.Stage == Countered }

func added(list []trust.ParticipantID, p trust.ParticipantID) []trust.ParticipantID {
	if slices.Contains(list, p) {
		return list
	}
	return append(slices.Clone(list), p)
}
