package service_test

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/trust"
)

func hash(name string) []byte {
	sum := sha256.Sum256([]byte(name))
	return sum[:]
}

func wards() service.Document {
	return service.Document{
		Kind: "Service", Name: "ward-records", Audience: "https://records.rje.example", EnforcementPoint: "nginx-1",
		Resources: map[trust.ResourceType][]string{"WardRecord": {"consented", "ward"}, "Ward": {}}, Actions: []trust.Action{"read"},
	}
}

func letters() service.Document {
	return service.Document{
		Kind: "Service", Name: "letters", Audience: "https://letters.rje.example", EnforcementPoint: "nginx-1",
		Resources: map[trust.ResourceType][]string{"Letter": {}},
	}
}

func apply(t *testing.T, s service.State) func([]trust.Event, error) service.State {
	return func(events []trust.Event, err error) service.State {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			s = s.Apply(e, trust.Stamp{})
		}
		return s
	}
}

func wants(t *testing.T, what string, kind trust.ErrorKind, events []trust.Event, err error) {
	t.Helper()
	if trust.KindOf(err) != kind || len(events) > 0 {
		t.Errorf("%s: got %v, %v; want %s", what, events, err, kind)
	}
}

// guarded has two enforcement points and the ward records.
func guarded(t *testing.T) service.State {
	t.Helper()
	s := apply(t, service.State{})(service.State{}.AddEnforcementPoint("nginx-1", [32]byte(hash("1")), "o1"))
	s = apply(t, s)(s.AddEnforcementPoint("nginx-2", [32]byte(hash("2")), "o1"))
	return apply(t, s)(s.Register(wards(), "o1"))
}

// R3: a new service needs nothing but its document.
func TestLookups(t *testing.T) {
	s := guarded(t)
	s = apply(t, s)(s.Register(letters(), "o1"))
	if d, ok := s.For("nginx-1", "Letter"); !ok || d.Name != "letters" {
		t.Errorf("letters belong to %+v", d)
	}
	if d, ok := s.For("nginx-1", "WardRecord"); !ok || d.Name != "ward-records" || !slices.Equal(d.Resources["WardRecord"], []string{"consented", "ward"}) {
		t.Errorf("ward records belong to %+v", d)
	}
	for _, c := range [][2]string{{"nginx-2", "WardRecord"}, {"nginx-1", "wardrecord"}, {"nginx-1", ""}, {"", "WardRecord"}, {"nginx-", "1WardRecord"}} {
		if d, ok := s.For(c[0], trust.ResourceType(c[1])); ok {
			t.Errorf("%v belongs to %s", c, d.Name)
		}
	}
	if d, ok := s.Audience("https://letters.rje.example"); !ok || d.Name != "letters" {
		t.Errorf("audience is of %+v", d)
	}
	if _, ok := s.Audience("https://letters.rje.example/"); ok {
		t.Error("an audience matches nearly")
	}
	var names []string
	for d := range s.All() {
		names = append(names, d.Name)
	}
	if !slices.Equal(names, []string{"letters", "ward-records"}) || !slices.Equal(slices.Collect(s.EnforcementPoints()), []string{"nginx-1", "nginx-2"}) {
		t.Errorf("all are %v", names)
	}
}

func TestChangedServiceLeavesNothingBehind(t *testing.T) {
	s := guarded(t)
	if events, err := s.Register(wards(), "o2"); events != nil || err != nil {
		t.Errorf("registering the same gave %v, %v", events, err)
	}
	d := wards()
	d.Audience, d.EnforcementPoint, d.Resources = "https://new.rje.example", "nginx-2", map[trust.ResourceType][]string{"Ward": nil}
	s = apply(t, s)(s.Register(d, "o1"))
	if _, ok := s.For("nginx-1", "WardRecord"); ok {
		t.Error("the old enforcement point still guards it")
	}
	if _, ok := s.Audience(wards().Audience); ok {
		t.Error("the old audience still is its")
	}
	if now, ok := s.For("nginx-2", "Ward"); !ok || now.Audience != d.Audience {
		t.Errorf("got %+v", now)
	}
	s = apply(t, s)(s.Remove("ward-records", "o1"))
	if _, ok := s.Service("ward-records"); ok {
		t.Error("a removed service is still there")
	}
	if _, ok := s.For("nginx-2", "Ward"); ok {
		t.Error("a removed service still has resources")
	}
	events, err := s.Remove("ward-records", "o1")
	wants(t, "removing it again", trust.NotFound, events, err)
}

func TestRegisterRefuses(t *testing.T) {
	s := guarded(t)
	for what, c := range map[string]struct {
		kind   trust.ErrorKind
		change func(*service.Document)
	}{
		"an audience of another":      {trust.Conflict, func(d *service.Document) { d.Audience = wards().Audience }},
		"a resource type of another":  {trust.Conflict, func(d *service.Document) { d.Resources["Ward"] = nil }},
		"an unknown point":            {trust.NotFound, func(d *service.Document) { d.EnforcementPoint = "nginx-9" }},
		"kind: is":                    {trust.Invalid, func(d *service.Document) { d.Kind = "service" }},
		"name: service name":          {trust.Invalid, func(d *service.Document) { d.Name = "" }},
		"audience: ":                  {trust.Invalid, func(d *service.Document) { d.Audience = "letters" }},
		"enforcement_point: ":         {trust.Invalid, func(d *service.Document) { d.EnforcementPoint = "" }},
		"resources: is empty":         {trust.Invalid, func(d *service.Document) { d.Resources = nil }},
		"resources.a b: is not":       {trust.Invalid, func(d *service.Document) { d.Resources["a b"] = nil }},
		"resources.%d: is not":        {trust.Invalid, func(d *service.Document) { d.Resources["%d"] = nil }},
		"resources.Letter: attribute": {trust.Invalid, func(d *service.Document) { d.Resources["Letter"] = []string{"ward", "ward"} }},
		"actions: ":                   {trust.Invalid, func(d *service.Document) { d.Actions = []trust.Action{""} }},
	} {
		d := letters()
		change := c.change
		change(&d)
		events, err := s.Register(d, "o1")
		wants(t, what, c.kind, events, err)
		if c.kind == trust.Invalid && !strings.Contains(err.Error(), what) {
			t.Errorf("%v does not name %q", err, what)
		}
	}
	events, err := s.Register(letters(), "")
	wants(t, "by nobody", trust.Invalid, events, err)
	d := letters()
	d.Kind, d.Audience, d.Resources = "", "", nil
	if err := d.Check(); err == nil || len(strings.Split(err.Error(), "\n")) != 3 {
		t.Errorf("not all faults at once: %v", err)
	}
}

func TestEnforcementPoints(t *testing.T) {
	s := guarded(t)
	if name, ok := s.EnforcementPoint([32]byte(hash("1"))); !ok || name != "nginx-1" {
		t.Errorf("got %q", name)
	}
	for what, credential := range map[string][32]byte{"another": [32]byte(hash("3")), "none": {}} {
		if name, ok := s.EnforcementPoint(credential); ok {
			t.Errorf("%s credential is that of %s", what, name)
		}
	}
	events, err := s.AddEnforcementPoint("nginx-3", [32]byte(hash("1")), "o1")
	wants(t, "another's credential", trust.Conflict, events, err)
	events, err = s.AddEnforcementPoint("nginx-3", [32]byte{}, "o1")
	wants(t, "no credential", trust.Invalid, events, err)
	events, err = s.AddEnforcementPoint("nginx 3", [32]byte(hash("3")), "o1")
	wants(t, "a bad name", trust.Invalid, events, err)
	if events, err := s.AddEnforcementPoint("nginx-1", [32]byte(hash("1")), "o1"); events != nil || err != nil {
		t.Errorf("adding the same gave %v, %v", events, err)
	}
	s = apply(t, s)(s.AddEnforcementPoint("nginx-1", [32]byte(hash("new")), "o1"))
	if _, ok := s.EnforcementPoint([32]byte(hash("1"))); ok {
		t.Error("a replaced credential still holds")
	}
	s = apply(t, s)(s.RemoveEnforcementPoint("nginx-1", "o1"))
	if _, ok := s.EnforcementPoint([32]byte(hash("new"))); ok {
		t.Error("a removed enforcement point may still ask")
	}
	events, err = s.RemoveEnforcementPoint("nginx-1", "o1")
	wants(t, "removing it again", trust.NotFound, events, err)
	events, err = s.Register(letters(), "o1")
	wants(t, "a service behind a removed point", trust.NotFound, events, err)
}

func TestStateReadsBackWithItsIndexes(t *testing.T) {
	s := guarded(t)
	data, err := canonical.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var read service.State
	if err := canonical.Decode(data, &read); err != nil {
		t.Fatal(err)
	}
	if d, ok := read.For("nginx-1", "WardRecord"); !ok || d.Name != "ward-records" {
		t.Errorf("got %+v", d)
	}
	if _, ok := read.Audience(wards().Audience); !ok {
		t.Error("no audience")
	}
	if name, ok := read.EnforcementPoint([32]byte(hash("2"))); !ok || name != "nginx-2" {
		t.Errorf("got %q", name)
	}
	if events, err := read.Register(wards(), "o1"); events != nil || err != nil {
		t.Errorf("registering the same gave %v, %v", events, err)
	}
}
