package edge

import "github.com/entente-id/entente/trust"

// Without is a request to go on without a partner's word; zero for none.
type Without struct {
	By    string `json:"by,omitempty"`
	Until int64  `json:"until,omitzero"` // Unix seconds
}

// People says what is known of operators: Same whether two are one person, Serves
// whether one still is an operator.
type People struct {
	Same   func(a, b string) bool
	Serves func(id string) bool
}

// askedFor is for how many seconds a request to go on without a partner counts.
const askedFor = 24 * 3600

// Awaits reports whether a partner has still to say what it holds of us.
func (g Stage) Awaits() bool { return g == Opened || g == Forgone }

// WithoutOf gives who asked that decisions go on without a partner's word.
func (s State) WithoutOf(partner trust.ParticipantID) Without { return s.edge(partner).Without }

// GoOnWithout lets decisions go on though a partner has not said what it holds of
// us: the first operator asks, and a second one, another person, says so too before
// the request has run out. now is Unix seconds. It fails with Invalid without an
// operator, with Conflict for a partner that is not waited for, and with Denied for
// one person twice.
func (s State) GoOnWithout(p People, from trust.ParticipantID, by string, now int64) ([]trust.Event, error) {
	edge := s.edge(from)
	asked := edge.Without
	switch {
	case by == "":
		return nil, trust.Errorf(trust.Invalid, "decisions go on without %s by nobody's word; an operator must be named", from)
	case edge.Stage != Opened:
		return nil, trust.Errorf(trust.Conflict, "edge with %s is %q in a recovery; decisions go on without a partner only while its edge is %q", from, edge.Stage, Opened)
	case asked.By == "" || now >= asked.Until || !p.Serves(asked.By):
		return []trust.Event{WithoutAsked{From: from, Epoch: s.Recovery.Epoch, By: by, Until: now + askedFor}}, nil
	case p.Same(asked.By, by):
		return nil, trust.Errorf(trust.Denied, "operator %s asked for this already, or is the same person; going on without a partner takes two", by)
	default:
		return []trust.Event{WentOnWithout{From: from, Epoch: s.Recovery.Epoch, Asked: asked.By, By: by}}, nil
	}
}
