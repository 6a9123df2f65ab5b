package client

import (
	"slices"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// Facts are what other nouns know.
type Facts struct {
	Participant      func(trust.ParticipantID) bool // ourselves, or a confirmed partner
	Service          func(name string) bool
	EnforcementPoint func(name string) bool
}

// Add registers a client. An identifier is used once, and is no enforcement
// point's: both call the token endpoint. A SPIFFE ID is of one client. It fails
// with Invalid, NotFound or Conflict.
func (s State) Add(f Facts, d Document, by string) ([]trust.Event, error) {
	if err := checkBy(d.ID, by); err != nil {
		return nil, err
	}
	if err := d.Check(); err != nil {
		return nil, trust.Errorf(trust.Invalid, "client %s is refused: %w", d.ID, err)
	}
	if c, known := s.Get(d.ID); known {
		return nil, trust.Errorf(trust.Conflict, "client %s %s; an identifier is never reused", d.ID, c.standing())
	}
	if f.EnforcementPoint(d.ID) {
		return nil, trust.Errorf(trust.Conflict, "client %s has the name of an enforcement point; both call the token endpoint, so each has its own", d.ID)
	}
	if !f.Participant(d.Participant) {
		return nil, trust.Errorf(trust.NotFound, "participant %s of client %s is neither this one nor a confirmed partner", d.Participant, d.ID)
	}
	for _, name := range d.Services {
		if !f.Service(name) {
			return nil, trust.Errorf(trust.NotFound, "service %s of client %s is not known; add it first", name, d.ID)
		}
	}
	if err := s.checkSPIFFE(d.ID, d.Means); err != nil {
		return nil, err
	}
	d.Services = slices.Sorted(slices.Values(d.Services))
	d.Means = sorted(d.Means)
	return []trust.Event{Added{Document: d, By: by}}, nil
}

// Renew gives a client other means to prove itself, in place of those it has. It
// fails with Invalid, NotFound or Conflict.
func (s State) Renew(id string, m Means, by string) ([]trust.Event, error) {
	c, err := s.live(id, by)
	if err != nil {
		return nil, err
	}
	if err := m.Check(); err != nil {
		return nil, trust.Errorf(trust.Invalid, "client %s is refused: %w", id, err)
	}
	if err := s.checkSPIFFE(id, m); err != nil {
		return nil, err
	}
	if m = sorted(m); m.equal(c.Document.Means) {
		return nil, nil
	}
	return []trust.Event{Renewed{ID: id, Means: m, By: by}}, nil
}

// End ends a client for good. It fails with Invalid, NotFound or Conflict.
func (s State) End(id, by string) ([]trust.Event, error) {
	if _, err := s.live(id, by); err != nil {
		return nil, err
	}
	return []trust.Event{Ended{ID: id, By: by}}, nil
}

func (s State) live(id, by string) (Client, error) {
	if err := checkBy(id, by); err != nil {
		return Client{}, err
	}
	c, known := s.Get(id)
	switch {
	case !known:
		return c, trust.Errorf(trust.NotFound, "client %s is not known", id)
	case c.Ended:
		return c, trust.Errorf(trust.Conflict, "client %s has ended; that is for good", id)
	default:
		return c, nil
	}
}

func (s State) checkSPIFFE(id string, m Means) error {
	if other, taken := s.BySPIFFE(m.SPIFFEID); m.SPIFFEID != "" && taken && other.Document.ID != id {
		return trust.Errorf(trust.Conflict, "SPIFFE ID %s of client %s is that of client %s; each has its own", m.SPIFFEID, id, other.Document.ID)
	}
	return nil
}

func (c Client) standing() string {
	if c.Ended {
		return "has ended"
	}
	return "is registered already"
}

func sorted(m Means) Means {
	m.Certificates = slices.Sorted(slices.Values(m.Certificates))
	return m
}

func (m Means) equal(other Means) bool {
	return m.SPIFFEID == other.SPIFFEID && m.Audience == other.Audience && slices.Equal(m.Certificates, other.Certificates) &&
		slices.EqualFunc(m.Keys.Keys(), other.Keys.Keys(), jose.Key.Equal)
}

func checkBy(id, by string) error {
	if by == "" {
		return trust.Errorf(trust.Invalid, "client %s is changed by nobody; an operator must be named", id)
	}
	return nil
}
