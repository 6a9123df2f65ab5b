package service

import (
	"iter"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is the services and enforcement points there are. It is a value that
// never changes; the zero value has none.
type State struct {
	Services table.Table[*Document]        `json:"services"`
	Points   table.Table[EnforcementPoint] `json:"enforcement_points"`

	audiences   table.Table[*Document] // by audience
	resources   table.Table[*Document] // by enforcement point and resource type
	credentials table.Table[string]    // enforcement points by credential
}

// Apply gives the state after e. It never fails; an event of another package
// changes nothing.
func (s State) Apply(e trust.Event, _ trust.Stamp) State {
	switch e := e.(type) {
	case Registered:
		return s.without(e.Document.Name).with(&e.Document)
	case Removed:
		return s.without(e.Name)
	case EnforcementPointAdded:
		p := EnforcementPoint{Name: e.Name}
		copy(p.Credential[:], e.Credential)
		return s.withoutPoint(e.Name).withPoint(p)
	case EnforcementPointRemoved:
		return s.withoutPoint(e.Name)
	}
	return s
}

func (s State) with(d *Document) State {
	s.Services = s.Services.With(serviceKey(d.Name), d)
	s.audiences = s.audiences.With(audienceKey(d.Audience), d)
	for t := range d.Resources {
		s.resources = s.resources.With(resourceKey(d.EnforcementPoint, t), d)
	}
	return s
}

func (s State) without(name string) State {
	d, ok := s.Services.Get(serviceKey(name))
	if !ok {
		return s
	}
	s.Services = s.Services.Without(serviceKey(name))
	s.audiences = s.audiences.Without(audienceKey(d.Audience))
	for t := range d.Resources {
		s.resources = s.resources.Without(resourceKey(d.EnforcementPoint, t))
	}
	return s
}

func (s State) withPoint(p EnforcementPoint) State {
	s.Points = s.Points.With(pointKey(p.Name), p)
	s.credentials = s.credentials.With(credentialKey(p.Credential), p.Name)
	return s
}

func (s State) withoutPoint(name string) State {
	p, ok := s.Points.Get(pointKey(name))
	if !ok {
		return s
	}
	s.Points = s.Points.Without(pointKey(name))
	s.credentials = s.credentials.Without(credentialKey(p.Credential))
	return s
}

func serviceKey(name string) table.Key      { return table.KeyOf("service", name) }
func audienceKey(audience string) table.Key { return table.KeyOf("audience", audience) }
func pointKey(name string) table.Key        { return table.KeyOf("enforcement point", name) }
func credentialKey(hash [32]byte) table.Key { return table.KeyOf("credential", string(hash[:])) }
func resourceKey(point string, t trust.ResourceType) table.Key {
	return table.KeyOf("resource", point, string(t))
}

// UnmarshalJSONFrom reads a state that was written as JSON, and finds its
// indexes again.
func (s *State) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var stored struct {
		Services table.Table[*Document]        `json:"services"`
		Points   table.Table[EnforcementPoint] `json:"enforcement_points"`
	}
	if err := json.UnmarshalDecode(dec, &stored); err != nil {
		return err
	}
	*s = State{}
	for _, d := range stored.Services.All() {
		if d == nil {
			return trust.Errorf(trust.Invalid, "state of services has an empty row")
		}
		*s = s.with(d)
	}
	for _, p := range stored.Points.All() {
		*s = s.withPoint(p)
	}
	return nil
}

// Service finds a service by name.
func (s State) Service(name string) (Document, bool) { return found(s.Services.Get(serviceKey(name))) }

// For finds the service that an enforcement point guards and that owns
// resources of type t.
func (s State) For(enforcementPoint string, t trust.ResourceType) (Document, bool) {
	return found(s.resources.Get(resourceKey(enforcementPoint, t)))
}

// Audience finds the service whose tokens carry exactly this audience.
func (s State) Audience(audience string) (Document, bool) {
	return found(s.audiences.Get(audienceKey(audience)))
}

func found(d *Document, ok bool) (Document, bool) {
	if !ok {
		return Document{}, false
	}
	return *d, true
}

// All yields the services by name.
func (s State) All() iter.Seq[Document] {
	var all []Document
	for _, d := range s.Services.All() {
		all = append(all, *d)
	}
	slices.SortFunc(all, func(a, b Document) int { return strings.Compare(a.Name, b.Name) })
	return slices.Values(all)
}

// EnforcementPoint names the enforcement point whose token has this SHA-256.
func (s State) EnforcementPoint(credential [32]byte) (name string, ok bool) {
	return s.credentials.Get(credentialKey(credential))
}

// HasEnforcementPoint reports whether one of this name is registered.
func (s State) HasEnforcementPoint(name string) bool {
	_, ok := s.Points.Get(pointKey(name))
	return ok
}

// EnforcementPoints yields the names of the enforcement points in order.
func (s State) EnforcementPoints() iter.Seq[string] {
	var all []string
	for _, p := range s.Points.All() {
		all = append(all, p.Name)
	}
	slices.Sort(all)
	return slices.Values(all)
}
