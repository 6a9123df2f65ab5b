package suspension

import (
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Facts is what other rooms know. Self is this node's participant; Party reports
// whether a partner is a party to the target's agreement.
type Facts struct {
	Self  trust.ParticipantID
	Party bool
}

// Suspend stops a target. One local operator, a rule, or a partner within what is
// its own, is enough; what is stopped for as long already changes nothing. now is
// Unix seconds. It fails with Invalid or Denied.
func (s State) Suspend(f Facts, e Suspended, now int64) ([]trust.Event, error) {
	t := e.Target
	if e.From.IsZero() == (e.By == "") {
		return nil, trust.Errorf(trust.Invalid, "suspension of a %s comes from a partner or is decided here; exactly one must be named", t.Kind)
	}
	if err := t.Check(); err != nil {
		return nil, err
	}
	if e.Expires != 0 && e.Expires <= now {
		return nil, trust.Errorf(trust.Invalid, "suspension of a %s ends at %s, which has passed", t.Kind, trust.Instant(e.Expires))
	}
	if !e.From.IsZero() && !f.partnerMay(t, e.From) {
		return nil, trust.Errorf(trust.Denied, "participant %s suspends a %s that is not its own to suspend here", e.From, t.Kind)
	}
	if s.holds(e) {
		return nil, nil
	}
	return []trust.Event{e}, nil
}

// partnerMay: a home stops its own people, and a host tells us that it stopped
// ours; either party takes from its agreement; of itself a partner tells us.
func (f Facts) partnerMay(t Target, from trust.ParticipantID) bool {
	switch t.Kind {
	case Subject:
		return t.Participant == from || t.Participant == f.Self
	case Coverage:
		return t.Agreement != "" && f.Party
	case Agreement:
		return f.Party
	case Participant:
		return t.Participant == f.Self
	case Client, Edge:
	}
	return false
}

// holds reports whether e stops nothing that is not stopped for as long.
func (s State) holds(e Suspended) bool {
	until := e.Expires
	if until == 0 {
		until = forever
	}
	if !e.From.IsZero() {
		n, ok := s.Notices.Get(noticeKey(e.From, e.Target))
		return ok && n.Until >= until
	}
	if e.Alias != (trust.SubjectKey{}) {
		other := e.Target
		other.Subject = e.Alias
		if had, _ := s.until(other); had < until {
			return false
		}
	}
	had, _ := s.until(e.Target)
	return had >= until
}

// until says until when a target is stopped here, and by which entry; 0 for one
// that another room holds.
func (s State) until(t Target) (int64, trust.Position) {
	switch t.Kind {
	case Subject:
		stop, _ := s.Subjects.Get(table.Key(t.Subject))
		return stop.Until, stop.At
	case Client:
		stop, _ := s.Clients.Get(clientKey(t.Client))
		return stop.Until, stop.At
	case Coverage:
		for _, c := range s.Coverage {
			if c.Target == t && c.From.IsZero() {
				return c.Until, c.At
			}
		}
	case Participant, Agreement, Edge:
	}
	return 0, trust.Position{}
}

// askedFor is for how many seconds a request that something goes on counts.
const askedFor = 24 * 3600

// The rules by which going on is refused, as Refused names them.
const (
	RuleParty  = "party"  // a partner stopped it; only that one lets it go on
	RulePerson = "person" // the same person twice
	RuleRemedy = "remedy" // what a dispute came to does not let it go on yet
	RuleDate   = "date"   // a date of the identity has passed
)

// Standing is what other rooms know of a target that is to go on. Stopped says
// that this node stopped it, by the entry at Of, where another room holds that;
// Partner is who else did. Held says why a remedy does not let it go on yet, empty
// where none forbids it, and Dated why a date of the subject's identity does not,
// likewise; what was asked before After does not count. Same reports whether two operators are one person,
// Serves whether one still is an operator.
type Standing struct {
	Stopped bool
	Of      trust.Position
	Partner trust.ParticipantID
	Held    string
	Dated   string
	After   trust.Position
	Same    func(a, b string) bool
	Serves  func(id string) bool
}

// Resume lets a target go on: the first operator asks, and a second one, another
// person, says so too before the request has run out. What this node did not stop
// it does not let go on. now is Unix seconds. It fails with Invalid, Conflict, or
// Denied, which is recorded.
func (s State) Resume(f Standing, t Target, by string, now int64) ([]trust.Event, error) {
	if by == "" {
		return nil, trust.Errorf(trust.Invalid, "a %s goes on by nobody's word; an operator must be named", t.Kind)
	}
	if err := t.Check(); err != nil {
		return nil, err
	}
	if until, at := s.until(t); now < until {
		f.Stopped, f.Of = true, at
	}
	asked, ok := s.Asked.Get(t.key())
	switch {
	case !f.Stopped && !f.Partner.IsZero():
		return []trust.Event{Refused{Target: t, Rule: RuleParty, By: by}},
			trust.Errorf(trust.Denied, "%s is suspended by %s; only the party that suspended it resumes it", t.Kind, f.Partner)
	case !f.Stopped:
		return nil, trust.Errorf(trust.Conflict, "%s is not suspended here; only what is goes on", t.Kind)
	case f.Held != "":
		return []trust.Event{Refused{Target: t, Rule: RuleRemedy, By: by}},
			trust.Errorf(trust.Denied, "%s does not go on: %s", t.Kind, f.Held)
	case f.Dated != "":
		return []trust.Event{Refused{Target: t, Rule: RuleDate, By: by}},
			trust.Errorf(trust.Denied, "%s does not go on: %s", t.Kind, f.Dated)
	case !ok || asked.Of != f.Of || asked.At.Compare(f.After) < 0 || now >= asked.Until || !f.Serves(asked.By):
		return []trust.Event{ResumeAsked{Target: t, Of: f.Of, By: by, Until: now + askedFor}}, nil
	case f.Same(asked.By, by):
		return []trust.Event{Refused{Target: t, Rule: RulePerson, By: by}},
			trust.Errorf(trust.Denied, "operator %s asked for this already, or is the same person; resuming a %s takes two", by, t.Kind)
	default:
		return []trust.Event{Resumed{Target: t, Asked: asked.By, By: by}}, nil
	}
}

// Lapse records that the stop of a subject by the entry at of has ended by itself
// at now (Unix seconds): once, and nothing of one that stands or is longer.
func (s State) Lapse(t Target, of trust.Position, now int64) []trust.Event {
	for _, name := range s.names(t.Subject) {
		if stop, _ := s.Subjects.Get(table.Key(name)); t.Kind == Subject && stop.At == of && stop.ended(now) {
			return []trust.Event{Lapsed{Target: t, Of: of, Ended: stop.Until}}
		}
	}
	return nil
}

// Lift lets go on what the partner itself had stopped. What it had not stopped
// is refused with Denied, and recorded.
func (s State) Lift(f Standing, t Target, from trust.ParticipantID) ([]trust.Event, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	if _, ok := s.Notices.Get(noticeKey(from, t)); !ok && f.Partner != from {
		return []trust.Event{Refused{Target: t, Rule: RuleParty, From: from}},
			trust.Errorf(trust.Denied, "%s resumes a %s that it has not suspended", from, t.Kind)
	}
	return []trust.Event{Resumed{Target: t, From: from}}, nil
}
