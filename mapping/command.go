package mapping

import (
	"errors"
	"slices"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/trust"
)

// Facts are what this package needs to know of the others.
type Facts struct {
	Self       trust.ParticipantID
	Agreements agreement.State
	// Holders gives the identifiers of the local operators in a role.
	Holders func(role string) []string
}

// Offer proposes a mapping; by is the operator. One that goes beyond its
// agreement is refused here and not when it is used (R8). It fails with
// Invalid naming every fault, with NotFound or Conflict for the agreement, and
// with Conflict for a name in use.
func (s State) Offer(facts Facts, d Document, by string, now int64) ([]trust.Event, error) {
	a, err := facts.agreement(d, now)
	if err != nil {
		return nil, err
	}
	if faults := d.Check(a.Revision.Document, now); len(faults) > 0 {
		return nil, trust.Errorf(trust.Invalid, "mapping %s: %w", d.Name, errors.Join(faults...))
	}
	if old, ok := s.ByName(d.Name); ok && !old.ended(now) {
		return nil, trust.Errorf(trust.Conflict, "mapping %s is %s already; a name serves one mapping until it ends", d.Name, old.Stage)
	}
	return []trust.Event{Offered{Document: d, Agreement: a.ID, By: by}}, nil
}

// Approve grants a proposed mapping. Only an operator in the role that the
// agreement says approves may do it (Denied), and only while somebody here
// could revoke it again (Conflict, R55).
func (s State) Approve(facts Facts, name, by string, now int64) ([]trust.Event, error) {
	m, ok := s.ByName(name)
	switch {
	case !ok:
		return nil, trust.Errorf(trust.NotFound, "mapping %s does not exist", name)
	case m.Stage != Proposed:
		return nil, trust.Errorf(trust.Conflict, "mapping %s is %s; only a proposed one can be approved", name, m.Stage)
	case m.ended(now):
		return nil, trust.Errorf(trust.Conflict, "mapping %s expired at %s; only a live one can be approved", name, m.Document.Expires)
	}
	a, err := facts.agreement(m.Document, now)
	if err != nil {
		return nil, err
	}
	if a.ID != m.Agreement {
		return nil, trust.Errorf(trust.Conflict, "mapping %s was proposed under an earlier agreement called %s", name, m.Document.Agreement)
	}
	authority := a.Revision.Document.Authority
	if role := authority.Approves.Role; !slices.Contains(facts.Holders(role), by) {
		return nil, trust.Errorf(trust.Denied, "mapping %s is approved by the role %s; operator %s does not hold it", name, role, by)
	}
	if !authority.Revocable(facts.Self, facts.Holders) {
		return nil, trust.Errorf(trust.Conflict, "mapping %s cannot be granted: nobody here holds a role that agreement %s says revokes", name, m.Document.Agreement)
	}
	return []trust.Event{Approved{Name: name, By: by}}, nil
}

// Close ends a mapping. It fails with NotFound, and with Conflict for one that
// was closed before.
func (s State) Close(name, by string) ([]trust.Event, error) {
	m, ok := s.ByName(name)
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "mapping %s does not exist", name)
	}
	if m.Stage == Ended {
		return nil, trust.Errorf(trust.Conflict, "mapping %s has ended", name)
	}
	return []trust.Event{Closed{Name: name, By: by}}, nil
}

// agreement finds the live agreement a mapping names; this node is its host.
func (f Facts) agreement(d Document, now int64) (*agreement.Agreement, error) {
	a, ok := f.Agreements.ByName(d.Agreement)
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "agreement %q does not exist; a mapping stands under one", d.Agreement)
	}
	if a.Ended(now) {
		return nil, trust.Errorf(trust.Conflict, "agreement %s has ended; a mapping stands under a live one", d.Agreement)
	}
	if a.Host() != f.Self {
		return nil, trust.Errorf(trust.Conflict, "agreement %s has its host at %s; only the host maps to its roles", d.Agreement, a.Host())
	}
	return a, nil
}
