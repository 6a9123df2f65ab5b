// Package drill knows rehearsed revocations: what the two ends of a link measured
// when a made-up identity, a canary, was ended at home and denied at the host. It
// decides what a drill may claim, whether the agreed limit was kept, and whose
// doing it was if not. It refuses to know how a drill is run, who signs and what
// a clock says: every time here is a duration, between two events that the one
// who states it saw itself.
package drill

import "github.com/entente-id/entente/trust"

// Never is in place of a duration that did not come to its end.
const Never int64 = -1

// Measured is what the home measured. Durations are in microseconds from the
// acknowledgement of the revocation: it was durable at home, and the operator had
// the answer. ID is random and names the canary too.
type Measured struct {
	ID        string              `json:"id"`
	Home      trust.ParticipantID `json:"home"`
	Host      trust.ParticipantID `json:"host"`
	Agreement string              `json:"agreement"` // its id
	Class     trust.Class         `json:"class"`
	Limit     int64               `json:"limit"`    // microseconds: the removal target of class and agreement
	Begun     int64               `json:"begun"`    // Unix seconds by the home's clock; compared with nothing
	Sent      int64               `json:"sent"`     // the message went out first
	Accepted  int64               `json:"accepted"` // its acceptance was here
	Denied    int64               `json:"denied"`   // the first denial was here
	Waited    int64               `json:"waited"`   // the home stopped asking
	Paused    int64               `json:"paused"`   // the longest time between an answer and the next call
	Calls     int                 `json:"calls"`    // of the canary resource, after the acknowledgement
}

// Seen is what the host measured. Durations are in microseconds from the arrival
// of the revocation's message.
type Seen struct {
	Applied int64        `json:"applied"` // the end was durable, and in force
	Asked   int64        `json:"asked"`   // the call that was denied first arrived
	Denied  int64        `json:"denied"`  // that denial was durable
	Late    int          `json:"late"`    // permits for calls that arrived after it was applied
	Reason  trust.Reason `json:"reason"`  // of the first denial; empty without one
}

// Verdict is how a drill came out.
type Verdict string

const (
	Kept     Verdict = "kept"     // denied within the limit
	Breached Verdict = "breached" // denied later, or not as long as the home asked
	Void     Verdict = "void"     // denied within the limit, for another reason than its end
)

// Side is whose doing a breach was (R54).
type Side string

const (
	Home    Side = "home"
	Host    Side = "host"
	Transit Side = "transit" // neither end's: the way between them
)

// Sides lists the sides there are.
func Sides() []Side { return []Side{Home, Host, Transit} }

// Took is how long the canary was let in after its end was acknowledged, at
// least: in microseconds.
func (m *Measured) Took() int64 {
	if m.Denied == Never {
		return m.Waited
	}
	return m.Denied
}

// Judge gives the verdict over what both ends measured; without the host's word
// (nil) over what the home did. A breach names the side with the largest share
// of the time.
func Judge(m *Measured, s *Seen) (Verdict, Side) {
	if m.Denied != Never && m.Denied <= m.Limit {
		if s != nil && !ended[s.Reason] {
			return Void, ""
		}
		return Kept, ""
	}
	home, host := m.share(), m.hostShare(s)
	transit := max(m.Took()-home-host, 0)
	switch {
	case home > host && home > transit:
		return Breached, Home
	case host > transit:
		return Breached, Host
	default:
		return Breached, Transit
	}
}

// ended are the reasons of a denial by which the canary's end was in force.
var ended = map[trust.Reason]bool{
	trust.SubjectRevoked: true, trust.EngagementEnded: true,
}

// share is the home's part of the time: until it sent, and while it did not ask.
func (m *Measured) share() int64 {
	if m.Sent == Never {
		return m.Took()
	}
	return min(m.Sent+m.Paused, m.Took())
}

// hostShare is the host's part: until the end was in force, and then until it
// denied. Of its own word no more counts than fits between the home's sending and
// what came back of it; of a host that gave no word, what lies behind its
// acceptance.
func (m *Measured) hostShare(s *Seen) int64 {
	rest := m.Took() - m.share()
	switch {
	case s == nil && m.Accepted == Never:
		return 0
	case s == nil:
		return min(max(m.Took()-m.Accepted, 0), rest)
	case s.Applied == Never:
		return 0 // the message never came
	case s.Denied == Never && s.Late > 0:
		return rest
	}
	own := s.Applied
	if m.Accepted != Never {
		own = min(own, max(m.Accepted-m.Sent, 0))
	}
	switch {
	case s.Denied == Never:
	case s.Late > 0:
		own += s.Denied - s.Applied
	default:
		own += s.Denied - max(s.Asked, min(s.Applied, s.Denied))
	}
	return min(max(own, 0), rest)
}
