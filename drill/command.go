package drill

import (
	"encoding/hex"
	"slices"

	"github.com/entente-id/entente/trust"
)

// IDSize is the number of random bytes of a drill's identifier, which is their
// hex.
const IDSize = 16

// Finish takes what was measured, at either end, and gives the events: the drill,
// and its breach if it was one. Signed is the signed result. The same drill twice
// is Conflict, what cannot have been measured Invalid.
func (s State) Finish(f Finished) ([]trust.Event, error) {
	m := &f.Measured
	if err := m.Check(); err != nil {
		return nil, err
	}
	if f.Seen != nil {
		if err := f.Seen.Check(); err != nil {
			return nil, err
		}
	}
	if f.Signed == "" {
		return nil, trust.Errorf(trust.Invalid, "drill %s is not signed; a result is", m.ID)
	}
	link, _ := s.Link(m.Agreement)
	if slices.ContainsFunc(link.Samples, func(x Sample) bool { return x.ID == m.ID }) {
		return nil, trust.Errorf(trust.Conflict, "drill %s is recorded already; it is held once", m.ID)
	}
	events := []trust.Event{f}
	if verdict, side := Judge(m, f.Seen); verdict == Breached {
		events = append(events, Breach{
			ID: m.ID, Home: m.Home, Host: m.Host, Agreement: m.Agreement, Side: side, Took: m.Took(), Limit: m.Limit,
		})
	}
	return events, nil
}

// longest is more than any drill takes: a day in microseconds.
const longest = 86_400_000_000

// Check refuses with Invalid what no home can have measured.
func (m *Measured) Check() error {
	id, err := hex.DecodeString(m.ID)
	switch {
	case err != nil || len(id) != IDSize || hex.EncodeToString(id) != m.ID:
		return trust.Errorf(trust.Invalid, "a drill is named by %d bytes in hex; this one is not", IDSize)
	case m.Home.IsZero() || m.Host.IsZero() || m.Home == m.Host || m.Agreement == "":
		return trust.Errorf(trust.Invalid, "drill %s is of no link; it names home, host and agreement", m.ID)
	case !m.Class.Valid():
		return trust.Errorf(trust.Invalid, "drill %s is of the class %q, which does not exist", m.ID, m.Class)
	case m.Limit <= 0 || m.Limit > longest || m.Calls < 0 || m.Paused < 0 || m.Waited < 0 || m.Waited > longest:
		return trust.Errorf(trust.Invalid, "drill %s has no limit, or a duration that cannot be", m.ID)
	case !within(m.Waited, m.Sent, m.Accepted, m.Denied, m.Paused):
		return trust.Errorf(trust.Invalid, "drill %s has a duration beyond its end, %d µs", m.ID, m.Waited)
	case m.Sent == Never && m.Accepted != Never:
		return trust.Errorf(trust.Invalid, "drill %s has a message that was accepted and never sent", m.ID)
	}
	return nil
}

// Check refuses with Invalid what no host can have measured.
func (s *Seen) Check() error {
	switch {
	case !within(longest, s.Applied, s.Asked, s.Denied), s.Late < 0:
		return trust.Errorf(trust.Invalid, "a host's part of a drill has a duration that cannot be")
	case s.Denied < s.Asked, s.Denied != Never && s.Asked == Never:
		return trust.Errorf(trust.Invalid, "a host's part of a drill has a denial from before the call")
	}
	return nil
}

// within reports whether each duration is Never, or between 0 and most.
func within(most int64, durations ...int64) bool {
	return !slices.ContainsFunc(durations, func(d int64) bool { return d < Never || d > most })
}
