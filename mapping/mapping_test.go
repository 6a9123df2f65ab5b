package mapping_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/trust"
)

const (
	now     = 1_790_000_000
	ends    = 1_806_494_400
	expires = 1_801_396_800
	nurse   = "S8000:G8000:R8001"
)

var (
	home = participant("https://trust.rxw.example")
	host = participant("https://trust.rje.example")
	at   = trust.Stamp{Position: trust.Position{Epoch: 1, N: 1}, At: now}
)

func participant(s string) trust.ParticipantID {
	p, err := trust.ParseParticipantID(s)
	if err != nil {
		panic(err)
	}
	return p
}

func role(p trust.ParticipantID, name string) trust.RoleRef {
	return trust.RoleRef{Participant: p, Role: name}
}

// accepted is an agreement that accepts one role of people, and any workload.
func accepted(id, name string) agreement.Offered {
	data, hash, err := agreement.Render(agreement.Revision{ID: id, Revision: 1, Proposer: home, Document: agreement.Document{
		Kind: "Agreement", Name: name, Home: home, Host: host, Tier: trust.Standard, Ends: ends, ReviewEvery: 86400,
		Accepts:    []agreement.Accept{{Class: trust.Human, Roles: []string{nurse}}, {Class: trust.Human}, {Class: trust.Workload}},
		Attributes: []agreement.Attribute{{Name: "role_code", Purpose: "role mapping"}, {Name: "unit", Purpose: "role mapping"}},
		Authority: agreement.Authority{
			Approves: role(host, "ward_managers"), Revokes: []trust.RoleRef{role(home, "ra"), role(host, "security")},
			Issues: role(home, "ra"), Validates: role(host, "node"),
		},
		Owners: agreement.Owners{Home: role(home, "desk"), Host: role(host, "records")},
	}})
	if err != nil {
		panic(err)
	}
	return agreement.Offered{Bytes: data, Hash: hash}
}

const id = "0123456789abcdef0123456789abcdef"

// facts are the host's: op-1 is a ward manager, op-2 security.
func facts() mapping.Facts {
	return mapping.Facts{
		Self:       host,
		Agreements: agreement.State{}.Apply(accepted(id, "rxw-staff-at-rje"), at),
		Holders: func(role string) []string {
			return map[string][]string{"ward_managers": {"op-1"}, "security": {"op-2"}}[role]
		},
	}
}

func document() mapping.Document {
	return mapping.Document{
		Kind: "Mapping", Name: "rxw-nurse", Agreement: "rxw-staff-at-rje",
		From: mapping.From{Class: trust.Human, Attribute: "role_code", Equals: nurse}, To: "ward-reader", Expires: expires,
	}
}

func offered(t *testing.T, s mapping.State, d mapping.Document) mapping.State {
	t.Helper()
	events, err := s.Offer(facts(), d, "op-3", now)
	return apply(t, s, events, err)
}

func apply(t *testing.T, s mapping.State, events []trust.Event, err error) mapping.State {
	t.Helper()
	if err != nil || len(events) != 1 {
		t.Fatalf("events %v, error %v", events, err)
	}
	return s.Apply(events[0], at)
}

func granted(t *testing.T) mapping.State {
	t.Helper()
	s := offered(t, mapping.State{}, document())
	events, err := s.Approve(facts(), "rxw-nurse", "op-1", now)
	return apply(t, s, events, err)
}

// R8: a mapping that exceeds its agreement is refused when it is proposed.
func TestOfferRefuses(t *testing.T) {
	tests := []struct {
		name   string
		facts  func(*mapping.Facts)
		change func(*mapping.Document)
		kind   trust.ErrorKind
		text   string
	}{
		{"no such agreement", nil, func(d *mapping.Document) { d.Agreement = "rxw-staff" }, trust.NotFound, "rxw-staff"},
		{"ended agreement", func(f *mapping.Facts) {
			f.Agreements = f.Agreements.Apply(agreement.Moved{ID: id, To: agreement.Ended}, at)
		}, nil, trust.Conflict, "has ended"},
		{"at the home", func(f *mapping.Facts) { f.Self = home }, nil, trust.Conflict, "only the host"},
		{"kind", nil, func(d *mapping.Document) { d.Kind = "mapping" }, trust.Invalid, "kind: "},
		{"name", nil, func(d *mapping.Document) { d.Name = "" }, trust.Invalid, "name: "},
		{"no local role", nil, func(d *mapping.Document) { d.To = "" }, trust.Invalid, "to: "},
		{"another class", nil, func(d *mapping.Document) { d.From.Class = trust.Agent }, trust.Invalid, "from.class: "},
		{"no class", nil, func(d *mapping.Document) { d.From.Class = "" }, trust.Invalid, "from.class: "},
		{"a role not accepted", nil, func(d *mapping.Document) { d.From.Equals = "S8000:G8000:R8002" }, trust.Invalid, "from.equals: "},
		{"the beginning of a role", nil, func(d *mapping.Document) { d.From.Equals = "S8000:G8000" }, trust.Invalid, "from.equals: "},
		{"every person", nil, func(d *mapping.Document) { d.From.Attribute, d.From.Equals = "", "" }, trust.Invalid, "from.equals: "},
		{"an attribute not released", nil, func(d *mapping.Document) { d.From.Attribute = "ward_ids" }, trust.Invalid, "from.attribute: "},
		{"a value alone", nil, func(d *mapping.Document) { d.From.Attribute = "" }, trust.Invalid, "from: "},
		{"an attribute alone", nil, func(d *mapping.Document) { d.From.Class, d.From.Equals = trust.Workload, "" }, trust.Invalid, "from: "},
		{"past", nil, func(d *mapping.Document) { d.Expires = now }, trust.Invalid, "expires: "},
		{"longer than the agreement", nil, func(d *mapping.Document) { d.Expires = ends + 1 }, trust.Invalid, "expires: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, d := facts(), document()
			if tt.facts != nil {
				tt.facts(&f)
			}
			if tt.change != nil {
				tt.change(&d)
			}
			events, err := mapping.State{}.Offer(f, d, "op-3", now)
			if events != nil || trust.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("gives %v, %v; want %s with %q", events, err, tt.kind, tt.text)
			}
		})
	}
}

func TestOfferAccepts(t *testing.T) {
	for name, change := range map[string]func(*mapping.Document){
		"as it is":           func(*mapping.Document) {},
		"until the very end": func(d *mapping.Document) { d.Expires = ends },
		"every workload":     func(d *mapping.Document) { d.From = mapping.From{Class: trust.Workload} },
		"a workload's own unit": func(d *mapping.Document) {
			d.From = mapping.From{Class: trust.Workload, Attribute: "unit", Equals: "7"}
		},
	} {
		d := document()
		change(&d)
		events, err := mapping.State{}.Offer(facts(), d, "op-3", now)
		if err != nil || len(events) != 1 || !reflect.DeepEqual(events[0], mapping.Offered{Document: d, Agreement: id, By: "op-3"}) {
			t.Errorf("%s gives %v, %v", name, events, err)
		}
	}
}

func TestApproveRefuses(t *testing.T) {
	proposed := offered(t, mapping.State{}, document())
	tests := []struct {
		name  string
		state mapping.State
		facts func(*mapping.Facts)
		by    string
		now   int64
		kind  trust.ErrorKind
		text  string
	}{
		{"unknown", mapping.State{}, nil, "op-1", now, trust.NotFound, "does not exist"},
		{"granted before", granted(t), nil, "op-1", now, trust.Conflict, "is granted"},
		{"by somebody else", proposed, nil, "op-2", now, trust.Denied, "ward_managers"}, // R55
		{"no revoker", proposed, func(f *mapping.Facts) {
			f.Holders = func(role string) []string {
				return map[string][]string{"ward_managers": {"op-1"}, "ra": {"op-1"}}[role]
			}
		}, "op-1", now, trust.Conflict, "revokes"}, // R55; the home's role is no local one
		{"expired", proposed, nil, "op-1", expires, trust.Conflict, "expired"},
		{"agreement ended meanwhile", proposed, func(f *mapping.Facts) {
			f.Agreements = f.Agreements.Apply(agreement.Moved{ID: id, To: agreement.Ended}, at)
		}, "op-1", now, trust.Conflict, "has ended"},
		{"another agreement of that name", proposed, func(f *mapping.Facts) {
			f.Agreements = f.Agreements.Apply(accepted(strings.Repeat("f", 32), "rxw-staff-at-rje"), at)
		}, "op-1", now, trust.Conflict, "earlier agreement"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := facts()
			if tt.facts != nil {
				tt.facts(&f)
			}
			events, err := tt.state.Approve(f, "rxw-nurse", tt.by, tt.now)
			if events != nil || trust.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("gives %v, %v; want %s with %q", events, err, tt.kind, tt.text)
			}
		})
	}
}

// R45: only a granted mapping counts, and only until it expires or is closed.
func TestLife(t *testing.T) {
	s := offered(t, mapping.State{}, document())
	if got := s.For(id); len(got) != 0 {
		t.Fatalf("a proposal counts: %v", got)
	}
	if _, err := s.Offer(facts(), document(), "op-3", now); trust.KindOf(err) != trust.Conflict {
		t.Errorf("a name in use gives %v, want conflict", err)
	}
	s = granted(t)
	list := s.For(id)
	if len(list) != 1 || list[0].ApprovedBy != "op-1" || len(s.For("other")) != 0 {
		t.Fatalf("granted are %v", list)
	}
	m := list[0]
	if !m.Alive(expires-1) || m.Alive(expires) {
		t.Error("the mapping does not end at exactly its expiry")
	}
	if _, err := s.Offer(facts(), document(), "op-3", expires); trust.KindOf(err) != trust.Invalid {
		t.Errorf("at its expiry the name is not free: %v", err)
	}
	events, err := s.Close("rxw-nurse", "op-2")
	closed := apply(t, s, events, err)
	if len(closed.For(id)) != 0 || len(s.For(id)) != 1 || s.For(id)[0] != m {
		t.Error("the closed mapping counts, or the state before was changed")
	}
	if m, _ := closed.ByName("rxw-nurse"); m.Alive(now) || m.Stage != mapping.Ended {
		t.Errorf("the closed mapping is %+v", m)
	}
	if _, err := closed.Close("rxw-nurse", "op-2"); trust.KindOf(err) != trust.Conflict {
		t.Errorf("closing twice gives %v, want conflict", err)
	}
	if _, err := closed.Close("other", "op-2"); trust.KindOf(err) != trust.NotFound {
		t.Errorf("closing nothing gives %v, want not found", err)
	}
	if again := offered(t, closed, document()); len(again.For(id)) != 0 {
		t.Error("an ended mapping came back with its name")
	}
}

// The fold lets nothing through that a command would not.
func TestFoldIsTotal(t *testing.T) {
	s := granted(t)
	other := document()
	other.To = "admin"
	for _, e := range []trust.Event{
		mapping.Offered{Document: other, Agreement: id}, mapping.Approved{Name: "rxw-nurse", By: "x"},
		mapping.Approved{Name: "none"}, mapping.Closed{Name: "none"}, agreement.Moved{ID: id, To: agreement.Ended},
	} {
		next := s.Apply(e, at)
		if m, _ := next.ByName("rxw-nurse"); m.Document.To != "ward-reader" || m.ApprovedBy != "op-1" || len(next.For(id)) != 1 {
			t.Errorf("%+v changed the mapping to %+v", e, m)
		}
	}
}

func TestMatches(t *testing.T) {
	from := mapping.From{Class: trust.Human, Attribute: "role_code", Equals: nurse}
	every := mapping.From{Class: trust.Workload}
	tests := []struct {
		from  mapping.From
		class trust.Class
		value any
		want  bool
	}{
		{from, trust.Human, nurse, true},
		{from, trust.Human, []any{"S1", nurse}, true},
		{from, trust.Agent, nurse, false},
		{from, "", nurse, false},
		{from, trust.Human, nil, false},
		{from, trust.Human, "", false},
		{from, trust.Human, nurse + " ", false},
		{from, trust.Human, "s8000:g8000:r8001", false},
		{from, trust.Human, "S8000:G8000", false},
		{from, trust.Human, []any{"S1", int64(1)}, false},
		{from, trust.Human, []any{[]any{nurse}}, false},
		{from, trust.Human, canonical.Object{nurse: nurse}, false},
		{mapping.From{Class: trust.Human, Attribute: "role_code"}, trust.Human, "", false},
		{mapping.From{Class: trust.Human, Attribute: "role_code"}, trust.Human, []any{""}, false},
		{mapping.From{}, "", nil, false},
		{every, trust.Workload, nil, true},
		{every, trust.Human, nil, false},
	}
	for _, tt := range tests {
		m := &mapping.Mapping{Document: mapping.Document{From: tt.from}}
		if got := m.Matches(tt.class, map[string]any{"role_code": tt.value}, nil); got != tt.want {
			t.Errorf("%+v of %s with %v gives %t, want %t", tt.from, tt.class, tt.value, got, tt.want)
		}
	}
	if from.Matches(trust.Human, nil, nil) {
		t.Error("a caller without attributes matches")
	}
	every.Workload = map[string]string{"device_posture": "managed", "zone": "ward"}
	for _, tt := range []struct {
		seen map[string]any
		want bool
	}{
		{map[string]any{"device_posture": "managed", "zone": "ward", "x": true}, true},
		{nil, false}, {map[string]any{"device_posture": "managed"}, false}, {map[string]any{"device_posture": "managed", "zone": "Ward"}, false},
		{map[string]any{"device_posture": []any{"managed"}, "zone": "ward"}, false}, {map[string]any{"device_posture": true, "zone": "ward"}, false},
	} {
		if got := every.Matches(trust.Workload, nil, tt.seen); got != tt.want { // R22
			t.Errorf("seen as %v it gives %t", tt.seen, got)
		}
	}
	every.Workload = map[string]string{"zone": ""}
	if every.Matches(trust.Workload, nil, map[string]any{"zone": ""}) {
		t.Error("an empty value matches")
	}
}

// A mapping lies within another where it gives nothing that the other does not.
func TestWithin(t *testing.T) {
	wide := document()
	wide.From.Workload = map[string]string{"zone": "ward"}
	for what, c := range map[string]struct {
		change func(*mapping.Document)
		within bool
	}{
		"the same":            {func(*mapping.Document) {}, true},
		"for a shorter time":  {func(d *mapping.Document) { d.Expires-- }, true},
		"with more asked":     {func(d *mapping.Document) { d.From.Workload = map[string]string{"zone": "ward", "posture": "managed"} }, true},
		"for longer":          {func(d *mapping.Document) { d.Expires++ }, false},
		"another name":        {func(d *mapping.Document) { d.Name = "b" }, false},
		"another agreement":   {func(d *mapping.Document) { d.Agreement = "b" }, false},
		"another role":        {func(d *mapping.Document) { d.To = "b" }, false},
		"another class":       {func(d *mapping.Document) { d.From.Class = trust.Workload }, false},
		"another attribute":   {func(d *mapping.Document) { d.From.Attribute = "b" }, false},
		"another value":       {func(d *mapping.Document) { d.From.Equals = "b" }, false},
		"every caller":        {func(d *mapping.Document) { d.From.Attribute, d.From.Equals = "", "" }, false},
		"seen as less":        {func(d *mapping.Document) { d.From.Workload = nil }, false},
		"seen as another one": {func(d *mapping.Document) { d.From.Workload = map[string]string{"zone": "lobby"} }, false},
	} {
		d := wide
		if c.change(&d); d.Within(wide) != c.within {
			t.Errorf("%s: within is %t", what, !c.within)
		}
	}
	anybody := wide
	anybody.From.Attribute, anybody.From.Equals = "", ""
	if !wide.Within(anybody) {
		t.Error("of every caller, those with a role are not some")
	}
}

func TestStateRoundTrip(t *testing.T) {
	second := document()
	second.Name = "a-second"
	for _, s := range []mapping.State{{}, offered(t, granted(t), second)} {
		data, err := json.Marshal(s, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		var back mapping.State
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(back, json.Deterministic(true))
		if err != nil || string(again) != string(data) || len(back.For(id)) != len(s.For(id)) {
			t.Errorf("state came back as %s, it was %s (%v)", again, data, err)
		}
		for m := range s.All() {
			if b, ok := back.ByName(m.Document.Name); !ok || !reflect.DeepEqual(*b, *m) {
				t.Errorf("%+v came back as %+v", m, b)
			}
		}
	}
}

// For gives the granted in the order of their names, whatever came first.
func TestForIsInOrder(t *testing.T) {
	var s mapping.State
	for _, name := range []string{"c", "a", "b", "d"} {
		d := document()
		d.Name = name
		s = offered(t, s, d)
		events, err := s.Approve(facts(), name, "op-1", now)
		s = apply(t, s, events, err)
	}
	events, err := s.Close("b", "op-1")
	s = apply(t, s, events, err)
	var names string
	for _, m := range s.For(id) {
		names += m.Document.Name
	}
	if names != "acd" {
		t.Errorf("order is %s, want acd", names)
	}
}
