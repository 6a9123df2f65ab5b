package edge

import (
	"slices"
	"strconv"
	"strings"

	"github.com/entente-id/entente/trust"
)

// HelloKind is the kind of the message that carries a hello.
const HelloKind = "hello"

// Hello is what a node states that it understands on an edge. Each is a sorted
// set.
type Hello struct {
	Versions   []uint32 `json:"versions"`   // of the protocol, from 1
	Kinds      []string `json:"kinds"`      // of message, each with its version, as in revocation:1
	Algorithms []string `json:"algorithms"` // that a stream key may sign by, by their JOSE names
}

// Speech is what this node itself understands, and cannot do without.
type Speech struct {
	Hello
	// Vital are the kinds without which a partner is not told of an end, or not
	// heard of at all.
	Vital []string
	// Signs is the algorithm of this node's own stream key.
	Signs string
}

// Terms are what both nodes of an edge understand, by what each has stated.
type Terms struct {
	Stated     bool     `json:"stated"`     // false: the partner has not said; it is taken for one of version 1
	Version    uint32   `json:"version"`    // the highest that both understand
	Algorithms []string `json:"algorithms"` // that both accept
	Lacks      []string `json:"lacks"`      // kinds that only this node understands
	Adds       []string `json:"adds"`       // kinds that only the partner does
	// Refused is the rule by which the partner's newest hello was refused.
	Refused string `json:"refused,omitempty"`
}

// The rules by which a hello is refused. Each breaks the edge.
const (
	RuleNoVersion   = "no_common_version"
	RuleNoAlgorithm = "no_common_algorithm" // the partner does not accept what this node signs by
	RuleDeaf        = "deaf_to_vital_kind"  // the partner would not be told of an end
	RuleDowngrade   = "downgrade"           // less than it understood before
)

// Bounds of a hello.
const (
	maxVersions   = 16
	maxKinds      = 256
	maxAlgorithms = 32
	maxWord       = 64 // bytes
)

// Greeted: a partner stated what it understands.
type Greeted struct {
	From  trust.ParticipantID `json:"from"`
	Hello Hello               `json:"hello"`
}

// GreetingRefused: what a partner stated leaves nothing in common, or falls below
// what it stated before. Two people who resume the edge take a fall as it is.
type GreetingRefused struct {
	From  trust.ParticipantID `json:"from"`
	Hello Hello               `json:"hello"`
	Rule  string              `json:"rule"`
}

// Withheld: a message was not sent, since the partner does not understand its kind.
// Its content is the entry's sealed part.
type Withheld struct {
	To    trust.ParticipantID `json:"to"`
	Lane  Lane                `json:"lane"`
	Kind  string              `json:"kind"`
	Owner trust.SubjectKey    `json:"owner,omitzero"` // as of Queued
}

// EventKind is edge.greeted.
func (Greeted) EventKind() trust.Kind { return trust.Kind{Name: "edge.greeted", Version: 1} }

// EventKind is edge.greeting_refused.
func (GreetingRefused) EventKind() trust.Kind {
	return trust.Kind{Name: "edge.greeting_refused", Version: 1}
}

// EventKind is edge.withheld.
func (Withheld) EventKind() trust.Kind { return trust.Kind{Name: "edge.withheld", Version: 1} }

// Greeting is where the hellos of an edge stand.
type Greeting struct {
	Said    string `json:"said,omitempty"`    // the hash of what this node stated last
	Unheard bool   `json:"unheard,omitzero"`  // the partner did not understand that
	Heard   Hello  `json:"heard,omitzero"`    // what the partner stated
	Refused Hello  `json:"refused,omitzero"`  // what it stated after that, and was refused
	Rule    string `json:"rule,omitempty"`    // by which rule
	Held    uint64 `json:"withheld,omitzero"` // messages that were not sent
}

// greet is Apply for what hellos change.
func (s State) greet(partner trust.ParticipantID, change func(*Greeting)) State {
	g := s.greeting(partner)
	change(&g)
	s.Greetings = s.Greetings.With(edgeKey(partner), g)
	return s
}

func (s State) greeting(partner trust.ParticipantID) Greeting {
	g, _ := s.Greetings.Get(edgeKey(partner))
	return g
}

func (s State) applyHello(e trust.Event) State {
	switch e := e.(type) {
	case Greeted:
		return s.greet(e.From, func(g *Greeting) { g.Heard, g.Refused, g.Rule = e.Hello, Hello{}, "" })
	case GreetingRefused:
		return s.greet(e.From, func(g *Greeting) { g.Refused, g.Rule = e.Hello, e.Rule })
	case Withheld:
		return s.greet(e.To, func(g *Greeting) { g.Held++ })
	}
	return s
}

// Greeting gives where the hellos of an edge stand.
func (s State) Greeting(partner trust.ParticipantID) Greeting { return s.greeting(partner) }

// stated reports whether h was ever said.
func (h Hello) stated() bool { return len(h.Versions) > 0 }

func (h Hello) equal(o Hello) bool {
	return slices.Equal(h.Versions, o.Versions) && slices.Equal(h.Kinds, o.Kinds) && slices.Equal(h.Algorithms, o.Algorithms)
}

// Check fails with Invalid for a hello that is none, or that says more than anybody
// understands.
func (h Hello) Check() error {
	if n := len(h.Versions); n == 0 || n > maxVersions || h.Versions[0] == 0 || !rising(h.Versions) {
		return trust.Errorf(trust.Invalid, "a hello names 1 to %d versions from 1, sorted, each once; this one has %d", maxVersions, n)
	}
	if len(h.Kinds) > maxKinds || !rising(h.Kinds) {
		return trust.Errorf(trust.Invalid, "a hello names at most %d kinds of message, sorted, each once; this one has %d", maxKinds, len(h.Kinds))
	}
	if len(h.Algorithms) > maxAlgorithms || !rising(h.Algorithms) {
		return trust.Errorf(trust.Invalid, "a hello names at most %d algorithms, sorted, each once; this one has %d", maxAlgorithms, len(h.Algorithms))
	}
	for _, k := range h.Kinds {
		name, version, _ := strings.Cut(k, ":")
		v, _ := strconv.ParseUint(version, 10, 16) // what cannot be read reads back as something else
		if strconv.FormatUint(v, 10) != version || v == 0 || !word(name, "abcdefghijklmnopqrstuvwxyz0123456789-") {
			return trust.Errorf(trust.Invalid, "a kind is its name and its version, as in revocation:1; a hello names %.20q", k)
		}
	}
	for _, a := range h.Algorithms {
		if !word(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") {
			return trust.Errorf(trust.Invalid, "an algorithm goes by its JOSE name; a hello names %.20q", a)
		}
	}
	return nil
}

func rising[V uint32 | string](set []V) bool {
	for i := 1; i < len(set); i++ {
		if set[i] <= set[i-1] {
			return false
		}
	}
	return true
}

func word(s, of string) bool { return s != "" && len(s) <= maxWord && strings.Trim(s, of) == "" }

// meet gives what this node and a partner have in common, and the rule that what
// the partner states breaks, empty for none.
func (own Speech) meet(theirs Hello) (Terms, string) {
	t := Terms{Stated: true, Algorithms: []string{}, Lacks: []string{}, Adds: []string{}}
	for _, v := range theirs.Versions {
		if slices.Contains(own.Versions, v) {
			t.Version = max(t.Version, v)
		}
	}
	for _, a := range theirs.Algorithms {
		if slices.Contains(own.Algorithms, a) {
			t.Algorithms = append(t.Algorithms, a)
		}
	}
	deaf := false
	for _, k := range own.Kinds {
		if !slices.Contains(theirs.Kinds, k) {
			t.Lacks = append(t.Lacks, k)
			deaf = deaf || slices.Contains(own.Vital, k)
		}
	}
	for _, k := range theirs.Kinds {
		if !slices.Contains(own.Kinds, k) {
			t.Adds = append(t.Adds, k)
		}
	}
	switch {
	case t.Version == 0:
		return t, RuleNoVersion
	case !slices.Contains(t.Algorithms, own.Signs):
		return t, RuleNoAlgorithm
	case deaf:
		return t, RuleDeaf
	default:
		return t, ""
	}
}

// below reports whether t falls below what was agreed: to a lower version, or by a
// kind. Algorithms do not count: what signs is chosen by a key, not by a hello.
func (t Terms) below(agreed Terms) bool {
	return t.Version < agreed.Version || slices.ContainsFunc(t.Lacks, func(k string) bool { return !slices.Contains(agreed.Lacks, k) })
}

// Greet takes what a partner states that it understands, if that is news. Where
// nothing is in common, or it falls below what was agreed, it is refused with
// Conflict, and the events say so; the edge is broken then. It fails with Invalid
// for what is no hello.
func (s State) Greet(own Speech, e Greeted) ([]trust.Event, error) {
	if err := e.Hello.Check(); err != nil {
		return nil, err
	}
	g := s.greeting(e.From)
	t, rule := own.meet(e.Hello)
	if rule == "" && t.below(s.agreed(own, e.From)) {
		rule = RuleDowngrade
	}
	if rule == "" {
		if !g.Refused.stated() && g.Heard.equal(e.Hello) {
			return nil, nil
		}
		return []trust.Event{e}, nil
	}
	refused := trust.Errorf(trust.Conflict, "what %s states that it understands is refused (%s); the edge is suspended", e.From, rule)
	if g.Rule == rule && g.Refused.equal(e.Hello) {
		return nil, refused
	}
	return []trust.Event{GreetingRefused{From: e.From, Hello: e.Hello, Rule: rule}}, refused
}

// agreed is what the partner stated last and was taken, or what one that states
// nothing is taken for.
func (s State) agreed(own Speech, partner trust.ParticipantID) Terms {
	heard := s.greeting(partner).Heard
	if !heard.stated() {
		heard = Hello{Versions: []uint32{1}, Kinds: own.Vital, Algorithms: own.Algorithms}
	}
	t, _ := own.meet(heard)
	return t
}

// Terms gives what both nodes of an edge understand. A partner that has stated
// nothing is taken for one of version 1, which understands whatever this node did
// before there were hellos.
func (s State) Terms(own Speech, partner trust.ParticipantID) Terms {
	g := s.greeting(partner)
	if !g.Heard.stated() {
		return Terms{Version: 1, Algorithms: own.Algorithms, Lacks: []string{}, Adds: []string{}, Refused: g.Rule}
	}
	t, _ := own.meet(g.Heard)
	t.Refused = g.Rule
	return t
}

// Sends reports whether a partner is sent a kind of message, as far as it has stated
// what it understands. What takes something away is sent in any case: where it is not
// understood, it suspends what it names. gives says that a kind takes nothing away.
func (s State) Sends(to trust.ParticipantID, lane Lane, kind string, gives bool) bool {
	heard := s.greeting(to).Heard
	return !heard.stated() || lane == Safety && !gives || slices.Contains(heard.Kinds, kind)
}

// Agreeable reports whether what was refused of a partner has come to be in common,
// since this node understands more than it did.
func (s State) Agreeable(own Speech, partner trust.ParticipantID) (Hello, bool) {
	g := s.greeting(partner)
	if g.Rule == "" || g.Rule == RuleDowngrade {
		return Hello{}, false
	}
	_, rule := own.meet(g.Refused)
	return g.Refused, rule == ""
}
