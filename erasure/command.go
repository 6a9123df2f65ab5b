package erasure

import (
	"slices"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// PlaceHold keeps what is sealed about a subject from being erased, until it is ended
// or h.Until. One operator is enough, and several holds of one subject stand each
// for itself. now is Unix seconds. It fails with Invalid.
func (s State) PlaceHold(h HoldPlaced, now int64) ([]trust.Event, error) {
	switch {
	case h.By == "":
		return nil, trust.Errorf(trust.Invalid, "a hold is placed by nobody; an operator must be named")
	case h.Participant.IsZero() || h.Subject == trust.SubjectKey{}:
		return nil, trust.Errorf(trust.Invalid, "a hold is of one subject of a participant; both must be named")
	case h.Until != 0 && h.Until <= now:
		return nil, trust.Errorf(trust.Invalid, "a hold until %s would have run out; its end is in the future", trust.Instant(h.Until))
	}
	h.N = uint64(s.Holds.Len()) + 1
	return []trust.Event{h}, nil
}

// EndHold ends a hold that stands. now is Unix seconds. It fails with Invalid,
// NotFound, or Conflict for one that has ended.
func (s State) EndHold(n uint64, by string, now int64) ([]trust.Event, error) {
	h, known := s.Hold(n)
	switch {
	case by == "":
		return nil, trust.Errorf(trust.Invalid, "%s is ended by nobody; an operator must be named", HoldID(n))
	case !known:
		return nil, trust.Errorf(trust.NotFound, "%s is not known", HoldID(n))
	case h.EndedAt != 0:
		return nil, trust.Errorf(trust.Conflict, "%s was ended at %s; only one that stands is ended", h.ID(), trust.Instant(h.EndedAt))
	case !h.Stands(now):
		return nil, trust.Errorf(trust.Conflict, "%s ran out at %s; only one that stands is ended", h.ID(), h.end())
	}
	return []trust.Event{HoldEnded{N: n, By: by}}, nil
}

// Erase has a subject's data keys destroyed: the first operator asks, and a second
// one, another person, says so too within a day. e names the subject, its other
// names and lists, and who says it. now is Unix seconds. It fails with Invalid, and
// with Conflict or Denied, which are recorded.
func (s State) Erase(f Facts, e Erased, now int64) ([]trust.Event, error) {
	if e.By == "" {
		return nil, trust.Errorf(trust.Invalid, "a subject is erased by nobody's word; an operator must be named")
	}
	if e.Participant.IsZero() || e.Subject == (trust.SubjectKey{}) {
		return nil, trust.Errorf(trust.Invalid, "an erasure is of one subject of a participant; both must be named")
	}
	if rule, err := s.refuse(f, &e, now); err != nil {
		return []trust.Event{Refused{Subject: e.Subject, Rule: rule, By: e.By}}, err
	}
	asked, ok := s.Asked.Get(table.Key(e.Subject))
	switch {
	case !ok || now >= asked.Until || !f.Serves(asked.By):
		return []trust.Event{Asked{Participant: e.Participant, Subject: e.Subject, By: e.By, Until: now + askedFor}}, nil
	case f.Same(asked.By, e.By):
		return []trust.Event{Refused{Subject: e.Subject, Rule: RulePerson, By: e.By}},
			trust.Errorf(trust.Denied, "operator %s asked for this already, or is the same person; erasing a subject takes two", e.By)
	}
	e.Asked = asked.By
	return []trust.Event{e}, nil
}

// refuse says by which rule a subject is not erased now.
func (s State) refuse(f Facts, e *Erased, now int64) (rule string, err error) {
	if f.Self(e.By) {
		return RuleSelf, trust.Errorf(trust.Denied, "operator %s is the subject; what is kept about an operator is erased by others", e.By)
	}
	if h, held := s.Held(e.Subject, now); held {
		return RuleHold, trust.Errorf(trust.Conflict, "subject is on legal %s until %s: %s; what is held is not erased", h.ID(), h.end(), f.Reason(h))
	}
	if f.Engaged {
		return RuleEngaged, trust.Errorf(trust.Conflict, "subject is engaged with %s; only somebody whose engagement has ended is erased", e.Participant)
	}
	if f.Needed != "" {
		return RuleNeeded, trust.Errorf(trust.Conflict, "what is sealed about the subject is still needed: %s", f.Needed)
	}
	return "", nil
}

// foundAtOnce is how many keys one entry names at most.
const foundAtOnce = 10_000

// Find takes over the erasures that the node's keys remember and this ledger does
// not know, since it lost its end.
func (s State) Find(remembered []Count) []trust.Event {
	var lost []Count
	for _, k := range remembered {
		if k.Times > s.Times(k.Key) {
			lost = append(lost, k)
		}
	}
	var events []trust.Event
	for keys := range slices.Chunk(lost, foundAtOnce) {
		events = append(events, Found{Keys: keys})
	}
	return events
}
