package service

import (
	"maps"
	"reflect"
	"slices"

	"github.com/entente-id/entente/trust"
)

// Register makes a service known, or changes the one of its name. A partner is
// not asked: an agreement covers resource types, not services (R3). No two
// services share an audience, and no two of one enforcement point a resource
// type. A document that is registered already changes nothing. It fails with
// Invalid, NotFound or Conflict.
func (s State) Register(d Document, by string) ([]trust.Event, error) {
	if err := checkBy("service "+d.Name, by); err != nil {
		return nil, err
	}
	if err := d.Check(); err != nil {
		return nil, trust.Errorf(trust.Invalid, "service %s is refused: %s", d.Name, err)
	}
	if _, ok := s.Points.Get(pointKey(d.EnforcementPoint)); !ok {
		return nil, trust.Errorf(trust.NotFound, "enforcement point %s of service %s is not known; add it first", d.EnforcementPoint, d.Name)
	}
	if other, taken := s.Audience(d.Audience); taken && other.Name != d.Name {
		return nil, trust.Errorf(trust.Conflict, "audience %s of service %s is that of %s; each has its own", d.Audience, d.Name, other.Name)
	}
	for _, t := range slices.Sorted(maps.Keys(d.Resources)) {
		if other, taken := s.For(d.EnforcementPoint, t); taken && other.Name != d.Name {
			return nil, trust.Errorf(trust.Conflict, "resource type %s of service %s is that of %s behind the same enforcement point %s; it must tell them apart",
				t, d.Name, other.Name, d.EnforcementPoint)
		}
	}
	d = sorted(d)
	if old, ok := s.Service(d.Name); ok && reflect.DeepEqual(old, d) {
		return nil, nil
	}
	return []trust.Event{Registered{Document: d, By: by}}, nil
}

// sorted gives d with its sets sorted, and never nil where it is written.
func sorted(d Document) Document {
	resources := make(map[trust.ResourceType][]string, len(d.Resources))
	for t, attributes := range d.Resources {
		resources[t] = slices.Sorted(slices.Values(attributes))
		if resources[t] == nil {
			resources[t] = []string{}
		}
	}
	d.Resources = resources
	d.Actions = slices.Sorted(slices.Values(d.Actions))
	d.Workload = slices.Sorted(slices.Values(d.Workload))
	return d
}

// Remove ends a service. It fails with Invalid or NotFound.
func (s State) Remove(name, by string) ([]trust.Event, error) {
	if err := checkBy("service "+name, by); err != nil {
		return nil, err
	}
	if _, ok := s.Service(name); !ok {
		return nil, trust.Errorf(trust.NotFound, "service %s is not known", name)
	}
	return []trust.Event{Removed{Name: name, By: by}}, nil
}

// AddEnforcementPoint lets an enforcement point ask, by the SHA-256 of its
// credential; a known one gets a new credential. It fails with Invalid or
// Conflict.
func (s State) AddEnforcementPoint(name string, credential [32]byte, by string) ([]trust.Event, error) {
	if err := checkBy("enforcement point "+name, by); err != nil {
		return nil, err
	}
	if err := trust.CheckName("enforcement point", name); err != nil {
		return nil, err
	}
	if credential == [32]byte{} {
		return nil, trust.Errorf(trust.Invalid, "enforcement point %s has no credential; each needs one", name)
	}
	if other, taken := s.EnforcementPoint(credential); taken && other != name {
		return nil, trust.Errorf(trust.Conflict, "credential of enforcement point %s is that of %s; each has its own", name, other)
	} else if taken {
		return nil, nil
	}
	return []trust.Event{EnforcementPointAdded{Name: name, Credential: credential[:], By: by}}, nil
}

// RemoveEnforcementPoint stops an enforcement point from asking, at once and
// also while services stand behind it. It fails with Invalid or NotFound.
func (s State) RemoveEnforcementPoint(name, by string) ([]trust.Event, error) {
	if err := checkBy("enforcement point "+name, by); err != nil {
		return nil, err
	}
	if _, ok := s.Points.Get(pointKey(name)); !ok {
		return nil, trust.Errorf(trust.NotFound, "enforcement point %s is not known", name)
	}
	return []trust.Event{EnforcementPointRemoved{Name: name, By: by}}, nil
}

func checkBy(what, by string) error {
	if by == "" {
		return trust.Errorf(trust.Invalid, "%s is changed by nobody; an operator must be named", what)
	}
	return nil
}
