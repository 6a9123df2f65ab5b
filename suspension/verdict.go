package suspension

import (
	"slices"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// SubjectSuspended reports whether a subject is stopped at now (Unix seconds),
// here or by its home. At exactly its end a suspension is over.
func (s State) SubjectSuspended(subject trust.SubjectKey, now int64) bool {
	return now < s.SubjectUntil(subject)
}

// SubjectUntil gives until when a subject is, or was, stopped, in Unix seconds; 0
// where it never was.
func (s State) SubjectUntil(subject trust.SubjectKey) int64 {
	if s.Subjects.Len() == 0 {
		return 0
	}
	stop, _ := s.Subjects.Get(table.Key(subject))
	return max(stop.Until, stop.HomeUntil)
}

// StoppedAbroad reports whether a partner told us that it stopped one of our own
// people.
func (s State) StoppedAbroad(by trust.ParticipantID, of trust.ParticipantID, subject trust.SubjectKey, now int64) bool {
	if s.Notices.Len() == 0 {
		return false
	}
	n, ok := s.Notices.Get(noticeKey(by, Target{Kind: Subject, Participant: of, Subject: subject}))
	return ok && now < n.Until
}

// Stopped reports whether this node stopped a target, and until when; 0 is until
// two people let it go on.
func (s State) Stopped(t Target, now int64) (until int64, stopped bool) {
	until, _ = s.until(t)
	stopped = now < until
	if until == forever {
		until = 0
	}
	return until, stopped
}

// Here gives the entries by which this node stopped what it holds here, of those
// that count at now (Unix seconds). A subject with two names is there once.
func (s State) Here(now int64) []trust.Position {
	var all []trust.Position
	for _, stop := range s.Subjects.All() {
		if now < stop.Until && !slices.Contains(all, stop.At) {
			all = append(all, stop.At)
		}
	}
	for _, stop := range s.Clients.All() {
		if now < stop.Until {
			all = append(all, stop.At)
		}
	}
	for _, c := range s.Coverage {
		if now < c.Until && c.From.IsZero() {
			all = append(all, c.At)
		}
	}
	return all
}

// Over gives the entries by which this node stopped subjects whose time was over
// by now (Unix seconds), and of whom no entry says so yet: at most limit of them.
func (s State) Over(now int64, limit int) []trust.Position {
	var all []trust.Position
	for _, stop := range s.Subjects.All() {
		if len(all) == limit {
			break
		}
		if stop.ended(now) && !slices.Contains(all, stop.At) {
			all = append(all, stop.At)
		}
	}
	return all
}

func (s Stop) ended(now int64) bool { return s.Until != 0 && s.Until <= now }

// Stands reports whether this node stopped a subject, and no entry says that it
// goes on: a time that has passed since is not looked at.
func (s State) Stands(subject trust.SubjectKey) bool {
	stop, _ := s.Subjects.Get(table.Key(subject))
	return stop.Until != 0
}

// Request gives who asked that a target goes on, while that counts.
func (s State) Request(t Target, now int64) (Request, bool) {
	r, ok := s.Asked.Get(t.key())
	return r, ok && now < r.Until
}

// StoppedBy gives a partner that told us that it stopped a target, if one did.
func (s State) StoppedBy(t Target, now int64) (trust.ParticipantID, bool) {
	for _, n := range s.Notices.All() {
		if n.Target == t && now < n.Until {
			return n.From, true
		}
	}
	return trust.ParticipantID{}, false
}

// ClientSuspended reports whether a client is stopped at now (Unix seconds).
func (s State) ClientSuspended(name string, now int64) bool {
	return now < s.ClientUntil(name)
}

// ClientUntil is SubjectUntil for a client.
func (s State) ClientUntil(name string) int64 {
	if s.Clients.Len() == 0 {
		return 0
	}
	stop, _ := s.Clients.Get(clientKey(name))
	return stop.Until
}

// Query is what a request asks of an agreement. Service is an audience.
type Query struct {
	Participant trust.ParticipantID
	Agreement   string
	Class       trust.Class
	Service     string
	Action      trust.Action
}

// Reduced says whether what q asks for was taken out of what is accepted, and
// why: within the agreement, a class, or a service. It is until the given time.
// Times are Unix seconds.
func (s State) Reduced(q Query, now int64) (why trust.Reason, until int64, reduced bool) {
	for i := range s.Coverage {
		if c := &s.Coverage[i]; now < c.Until && c.Target.holds(&q) {
			return c.Target.reason(), c.Until, true
		}
	}
	return "", 0, false
}

func (t *Target) holds(q *Query) bool {
	return (t.Participant.IsZero() || t.Participant == q.Participant) &&
		(t.Agreement == "" || t.Agreement == q.Agreement) &&
		(t.Class == "" || t.Class == q.Class) &&
		(t.Service == "" || t.Service == q.Service) &&
		(t.Action == "" || t.Action == q.Action)
}

func (t *Target) reason() trust.Reason {
	switch {
	case t.Agreement != "" || t.Action != "":
		return trust.Reduced
	case t.Service != "":
		return trust.ServiceSuspended
	default:
		return trust.ClassSuspended
	}
}

// OtherName gives the other name by which a stopped subject is known here; zero
// where it has none.
func (s State) OtherName(subject trust.SubjectKey) trust.SubjectKey {
	stop, _ := s.Subjects.Get(table.Key(subject))
	return stop.Also
}
