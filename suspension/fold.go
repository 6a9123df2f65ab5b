package suspension

import (
	"cmp"
	"slices"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is everything that is stopped for a time. It is a value that never
// changes; in the zero value nothing is. No row of the table of subjects holds a
// pointer.
type State struct {
	Subjects table.Table[Stop]    `json:"subjects"` // by subject
	Clients  table.Table[Stop]    `json:"clients"`  // by name
	Coverage []Cut                `json:"coverage"` // few: those whose time was not over at the last change
	Asked    table.Table[Request] `json:"asked"`    // by target
	Notices  table.Table[Notice]  `json:"notices"`  // by partner and target
}

// Stop is until when (Unix seconds) a subject or a client is stopped, and by
// which entry: here, and of a subject also by its home.
type Stop struct {
	Until     int64          `json:"until,omitzero"`
	At        trust.Position `json:"at,omitzero"`
	HomeUntil int64          `json:"home_until,omitzero"`
	HomeAt    trust.Position `json:"home_at,omitzero"`
	// Also is the subject's other name, which is stopped and goes on with it.
	Also trust.SubjectKey `json:"also,omitzero"`
}

// Cut is a part of what is accepted that is stopped, here or, where From is set,
// by the other party of its agreement.
type Cut struct {
	Target Target              `json:"target"`
	From   trust.ParticipantID `json:"from,omitzero"`
	Until  int64               `json:"until"`
	At     trust.Position      `json:"at"`
}

// Request is who asked, by the entry at At, that a target goes on, of the stop at
// Of; it counts until Until.
type Request struct {
	Target Target         `json:"target"`
	By     string         `json:"by"`
	Of     trust.Position `json:"of"`
	Until  int64          `json:"until"`
	At     trust.Position `json:"at"`
}

// Notice is what a partner told us that it stopped, by the entry at At.
type Notice struct {
	From   trust.ParticipantID `json:"from"`
	Target Target              `json:"target"`
	Until  int64               `json:"until"`
	At     trust.Position      `json:"at"`
}

// forever is the end of what has none: the end of the year 9999.
const forever = 253402300799

// Apply gives the state after e. It never fails; an event of another package
// changes nothing.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case Suspended:
		return s.suspend(e, at)
	case ResumeAsked:
		s.Asked = s.Asked.With(e.Target.key(), Request{e.Target, e.By, e.Of, e.Until, at.Position})
	case Resumed:
		return s.resume(e)
	case Lapsed:
		return s.lapse(e)
	}
	return s
}

func (s State) suspend(e Suspended, at trust.Stamp) State {
	until := e.Expires
	if until == 0 {
		until = forever
	}
	switch {
	case e.From.IsZero() && e.By == ByRule(RuleAlias):
	case e.From.IsZero():
		s.Asked = s.Asked.Without(e.Target.key()) // what was asked before was about less
	default:
		s.Notices = s.Notices.With(noticeKey(e.From, e.Target), Notice{e.From, e.Target, until, at.Position})
	}
	switch e.Target.Kind {
	case Subject:
		s = s.stop(e.Target.Subject, e.Alias, e, until, at.Position)
		if e.Alias != (trust.SubjectKey{}) {
			first, _ := s.Subjects.Get(table.Key(e.Target.Subject))
			s = s.stop(e.Alias, e.Target.Subject, e, until, cmp.Or(first.At, first.HomeAt))
		}
	case Client:
		stop, _ := s.Clients.Get(clientKey(e.Target.Client))
		s.Clients = s.Clients.With(clientKey(e.Target.Client), Stop{Until: max(stop.Until, until), At: at.Position})
	case Coverage:
		s.Coverage = slices.DeleteFunc(slices.Clone(s.Coverage), func(c Cut) bool {
			same := c.Target == e.Target && c.From == e.From
			if same {
				until = max(until, c.Until)
			}
			return same || c.Until <= at.At
		})
		s.Coverage = append(s.Coverage, Cut{e.Target, e.From, until, at.Position})
	case Participant, Agreement, Edge: // held elsewhere
	}
	return s
}

// stop marks one name of a subject. What a host stopped of ours, it stopped there.
func (s State) stop(key, also trust.SubjectKey, e Suspended, until int64, at trust.Position) State {
	stop, _ := s.Subjects.Get(table.Key(key))
	switch e.From {
	case trust.ParticipantID{}:
		if until > stop.Until {
			stop.Until, stop.At = until, at
		}
	case e.Target.Participant:
		stop.HomeUntil, stop.HomeAt = max(stop.HomeUntil, until), at
	default:
		return s
	}
	if also != (trust.SubjectKey{}) {
		stop.Also = also
	}
	s.Subjects = s.Subjects.With(table.Key(key), stop)
	return s
}

func (s State) resume(e Resumed) State {
	if e.From.IsZero() {
		s.Asked = s.Asked.Without(e.Target.key())
	} else {
		s.Notices = s.Notices.Without(noticeKey(e.From, e.Target))
	}
	switch e.Target.Kind {
	case Subject:
		stop, _ := s.Subjects.Get(table.Key(e.Target.Subject))
		s = s.free(e.Target.Subject, e)
		if stop.Also != (trust.SubjectKey{}) {
			s = s.free(stop.Also, e)
		}
	case Client:
		s.Clients = s.Clients.Without(clientKey(e.Target.Client))
	case Coverage:
		s.Coverage = slices.DeleteFunc(slices.Clone(s.Coverage), func(c Cut) bool { return c.Target == e.Target && c.From == e.From })
	case Participant, Agreement, Edge:
	}
	return s
}

// lapse takes away what has ended by itself, under every name that it has. A
// longer stop stays, and so does what its home says.
func (s State) lapse(e Lapsed) State {
	for _, name := range s.names(e.Target.Subject) {
		if stop, _ := s.Subjects.Get(table.Key(name)); stop.At == e.Of {
			s = s.free(name, Resumed{Target: e.Target})
		}
	}
	return s
}

// names are those by which a stopped subject is known here.
func (s State) names(subject trust.SubjectKey) []trust.SubjectKey {
	if also := s.OtherName(subject); also != (trust.SubjectKey{}) {
		return []trust.SubjectKey{subject, also}
	}
	return []trust.SubjectKey{subject}
}

// free takes one party's mark from a subject; the other's stays.
func (s State) free(key trust.SubjectKey, e Resumed) State {
	stop, ok := s.Subjects.Get(table.Key(key))
	if !ok {
		return s
	}
	switch e.From {
	case trust.ParticipantID{}:
		stop.Until, stop.At = 0, trust.Position{}
	case e.Target.Participant:
		stop.HomeUntil, stop.HomeAt = 0, trust.Position{}
	default:
		return s
	}
	if stop.Until == 0 && stop.HomeUntil == 0 {
		s.Subjects = s.Subjects.Without(table.Key(key))
	} else {
		s.Subjects = s.Subjects.With(table.Key(key), stop)
	}
	return s
}
