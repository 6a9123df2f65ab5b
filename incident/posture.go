package incident

import "github.com/entente-id/entente/trust"

// Evidence is by what a partner shows, up to a date, that it is still what was
// agreed with.
type Evidence string

const (
	Statement Evidence = "statement" // its signed word of who speaks for it
	Review    Evidence = "review"    // of an agreement, which both parties owe within its review_every
	Adoption  Evidence = "adoption"  // of the framework in force, within its adopt_within
)

// Lapse is the last time that something lapsed, and when that was seen (Unix
// seconds).
type Lapse struct {
	Lapsed
	At int64 `json:"at"`
}

// Lapse records that something lapsed, once for each date. It fails with Invalid.
func (s State) Lapse(l Lapsed) ([]trust.Event, error) {
	agreed := l.Of == Review
	switch {
	case l.Of != Statement && l.Of != Review && l.Of != Adoption, l.Participant.IsZero(), l.Ended <= 0, agreed != (l.Agreement != ""):
		return nil, trust.Errorf(trust.Invalid, "a lapse is of a participant's statement, an agreement's review or a framework's adoption, and has a date; this one is of %q", l.Of)
	}
	if known, ok := s.Lapses.Get(l.key()); ok && known.Ended >= l.Ended {
		return nil, nil
	}
	return []trust.Event{l}, nil
}
