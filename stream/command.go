package stream

import (
	"slices"

	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

const (
	maxStreams  = 8       // of one receiver
	maxSubjects = 100_000 // of one stream
)

// Facts is what other rooms know. Sends says whether events of a type are ever
// sent here; MayPush whether an operator allowed this client this address.
type Facts struct {
	Sends   func(signal.Type) bool
	MayPush func(client, endpoint string) bool
}

// Create opens a stream. Of the events that are asked for it delivers those that
// are sent here at all. It fails with Invalid, Denied or Conflict.
func (s State) Create(f Facts, c Created) ([]trust.Event, error) {
	if c.ID == "" || c.Client == "" {
		return nil, trust.Errorf(trust.Invalid, "a stream needs an identifier and a receiver")
	}
	if _, used := s.Get(c.ID); used {
		return nil, trust.Errorf(trust.Conflict, "stream %s exists already", c.ID)
	}
	if n := len(s.Of(c.Client)); n >= maxStreams {
		return nil, trust.Errorf(trust.Conflict, "client %s has %d streams; that is the most", c.Client, n)
	}
	if err := f.check(c.Client, c.Delivery); err != nil {
		return nil, err
	}
	c.Events = f.delivered(c.Events)
	return []trust.Event{c}, nil
}

// Update changes how a stream is delivered and which events it has. It fails
// with Invalid, Denied or NotFound.
func (s State) Update(f Facts, u Updated) ([]trust.Event, error) {
	t, err := s.find(u.ID)
	if err != nil {
		return nil, err
	}
	if err := f.check(t.Client, u.Delivery); err != nil {
		return nil, err
	}
	u.Events = f.delivered(u.Events)
	return []trust.Event{u}, nil
}

// Delete ends a stream. It fails with NotFound.
func (s State) Delete(d Deleted) ([]trust.Event, error) {
	if _, err := s.find(d.ID); err != nil {
		return nil, err
	}
	return []trust.Event{d}, nil
}

// Move changes a stream's status; one that has it changes nothing. What an
// operator stopped only an operator starts. It fails with Invalid, NotFound or
// Denied.
func (s State) Move(m Moved) ([]trust.Event, error) {
	t, err := s.find(m.ID)
	if err != nil {
		return nil, err
	}
	if m.To != Enabled && m.To != Paused && m.To != Disabled {
		return nil, trust.Errorf(trust.Invalid, "status %.20q is not enabled, paused or disabled", m.To)
	}
	known := m.Party == Receiver || m.Party == Operator || m.Party == Transmitter
	if !known || (m.Party == Operator) != (m.By != "") || (m.Party == Transmitter) != (m.Rule != "") {
		return nil, trust.Errorf(trust.Invalid, "stream %s is moved by a receiver, a named operator or a rule", m.ID)
	}
	if t.MovedBy == Operator && t.Status != Enabled && m.Party != Operator {
		return nil, trust.Errorf(trust.Denied, "stream %s was %s by an operator; only an operator changes that", m.ID, t.Status)
	}
	if t.Status == m.To && (m.Party != Operator || t.MovedBy == Operator) {
		return nil, nil
	}
	return []trust.Event{m}, nil
}

// AddSubject lets events about a subject be sent; one that was added changes
// nothing. It fails with NotFound or Conflict.
func (s State) AddSubject(id string, subject trust.SubjectKey) ([]trust.Event, error) {
	t, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if _, added := t.Added(subject); added {
		return nil, nil
	}
	if n := t.Subjects.Len(); n >= maxSubjects {
		return nil, trust.Errorf(trust.Conflict, "stream %s has %d subjects; that is the most", id, n)
	}
	return []trust.Event{SubjectAdded{ID: id, Subject: subject}}, nil
}

// RemoveSubject stops events about a subject; one that was not added changes
// nothing. It fails with NotFound.
func (s State) RemoveSubject(id string, subject trust.SubjectKey) ([]trust.Event, error) {
	t, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if _, added := t.Added(subject); !added {
		return nil, nil
	}
	return []trust.Event{SubjectRemoved{ID: id, Subject: subject}}, nil
}

func (s State) find(id string) (*Stream, error) {
	t, ok := s.Get(id)
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "there is no such stream")
	}
	return t, nil
}

func (f Facts) check(client string, d Delivery) error {
	switch {
	case d.Method != Push && d.Method != Poll:
		return trust.Errorf(trust.Invalid, "delivery method %.40q is not %s or %s", d.Method, Push, Poll)
	case d.Method == Poll && d.Endpoint != "":
		return trust.Errorf(trust.Invalid, "the address to poll is the transmitter's; a receiver names none")
	case d.Method == Push && !f.MayPush(client, d.Endpoint):
		return trust.Errorf(trust.Denied, "events may not be pushed there; an operator registers a receiver's addresses")
	default:
		return nil
	}
}

// delivered gives those of the types that are sent here, sorted.
func (f Facts) delivered(asked []signal.Type) []signal.Type {
	out := []signal.Type{}
	for _, t := range asked {
		if f.Sends(t) {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
