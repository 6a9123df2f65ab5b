package edge_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/trust"
)

// speech is what the node of these tests understands.
func speech() edge.Speech {
	return edge.Speech{
		Hello: edge.Hello{Versions: []uint32{1, 2}, Kinds: []string{"dispute:1", "notice:1", "revocation:1"}, Algorithms: []string{"ES256", "EdDSA"}},
		Vital: []string{"notice:1", "revocation:1"}, Signs: "EdDSA",
	}
}

func hello(change func(*edge.Hello)) edge.Hello {
	h := speech().Hello
	change(&h)
	return h
}

func same(*edge.Hello) {}

// hear takes a hello and what follows from it, as a node does.
func hear(t *testing.T, s edge.State, h edge.Hello, kind trust.ErrorKind) (edge.State, int) {
	t.Helper()
	events, err := s.Greet(speech(), edge.Greeted{From: rje(t), Hello: h})
	if trust.KindOf(err) != kind {
		t.Errorf("%+v: %v", h, err)
	}
	for _, e := range events {
		s = s.Apply(e, trust.Stamp{})
	}
	return s, len(events)
}

// Both come to the highest common version and to the kinds and algorithms that both
// know; nothing in common is refused.
func TestTermsOfAnEdge(t *testing.T) {
	var silent edge.State
	for _, c := range []struct {
		what  string
		hello edge.Hello
		rule  string
		terms edge.Terms
	}{
		{"the same", hello(same), "", edge.Terms{Version: 2, Algorithms: []string{"ES256", "EdDSA"}}},
		{"an older one", hello(func(h *edge.Hello) { h.Versions, h.Kinds = []uint32{1}, []string{"notice:1", "revocation:1"} }), "",
			edge.Terms{Version: 1, Algorithms: []string{"ES256", "EdDSA"}, Lacks: []string{"dispute:1"}}},
		{"a newer one", hello(func(h *edge.Hello) {
			h.Versions, h.Kinds, h.Algorithms = []uint32{2, 3}, append(h.Kinds, "revocation:2"), []string{"EdDSA", "ML-DSA-44"}
		}), "", edge.Terms{Version: 2, Algorithms: []string{"EdDSA"}, Adds: []string{"revocation:2"}}},
		{"no version", hello(func(h *edge.Hello) { h.Versions = []uint32{3} }), edge.RuleNoVersion, edge.Terms{}},
		{"no algorithm", hello(func(h *edge.Hello) { h.Algorithms = nil }), edge.RuleNoAlgorithm, edge.Terms{}},
		{"not the one this node signs by", hello(func(h *edge.Hello) { h.Algorithms = []string{"ES256"} }), edge.RuleNoAlgorithm, edge.Terms{}},
		{"no word of an end", hello(func(h *edge.Hello) { h.Kinds = []string{"dispute:1", "notice:1", "revocation:2"} }), edge.RuleDeaf, edge.Terms{}},
	} {
		kind := trust.ErrorKind("")
		if c.rule != "" {
			kind = trust.Conflict
		}
		s, count := hear(t, silent, c.hello, kind)
		got := s.Terms(speech(), rje(t))
		if count != 1 || got.Refused != c.rule || got.Stated != (c.rule == "") {
			t.Errorf("%s: %d events, %+v", c.what, count, got)
		}
		if c.rule != "" {
			c.terms = silent.Terms(speech(), rje(t)) // what is refused changes nothing
		}
		if got.Version != c.terms.Version || !slices.Equal(got.Algorithms, c.terms.Algorithms) || !slices.Equal(got.Lacks, c.terms.Lacks) || !slices.Equal(got.Adds, c.terms.Adds) {
			t.Errorf("%s: %+v, want %+v", c.what, got, c.terms)
		}
		if _, count = hear(t, s, c.hello, kind); count != 0 {
			t.Errorf("%s: said again it is on record again", c.what)
		}
		if (s.MayResume(rje(t)) == nil) != (c.rule == "") {
			t.Errorf("%s: resuming the edge: %v", c.what, s.MayResume(rje(t)))
		}
	}
	if got := silent.Terms(speech(), rje(t)); got.Stated || got.Version != 1 || len(got.Lacks) != 0 || !silent.Sends(rje(t), edge.Governance, "dispute:1", false) {
		t.Errorf("a partner that states nothing is taken for %+v", got)
	}
}

// What falls below what was agreed is refused until two people take it by resuming
// the edge; what says more, or as much, is taken at once.
func TestAFallBelowWhatWasAgreed(t *testing.T) {
	agreed, _ := hear(t, edge.State{}, hello(same), "")
	less := hello(func(h *edge.Hello) { h.Kinds = []string{"notice:1", "revocation:1"} })
	for what, c := range map[string]struct {
		hello edge.Hello
		kind  trust.ErrorKind
	}{
		"a lower version":     {hello(func(h *edge.Hello) { h.Versions = []uint32{1} }), trust.Conflict},
		"a kind less":         {less, trust.Conflict},
		"more":                {hello(func(h *edge.Hello) { h.Versions, h.Kinds = []uint32{1, 2, 3}, append(h.Kinds, "revocation:2") }), ""},
		"an algorithm less":   {hello(func(h *edge.Hello) { h.Algorithms = []string{"EdDSA"} }), ""},
		"an old version less": {hello(func(h *edge.Hello) { h.Versions = []uint32{2} }), ""},
	} {
		s, _ := hear(t, agreed, c.hello, c.kind)
		if got := s.Terms(speech(), rje(t)).Refused; (got == edge.RuleDowngrade) != (c.kind != "") {
			t.Errorf("%s: refused by %q", what, got)
		}
	}
	fallen, _ := hear(t, agreed, less, trust.Conflict)
	if !fallen.Sends(rje(t), edge.Governance, "dispute:1", false) || fallen.MayResume(rje(t)) != nil {
		t.Error("what is refused counts, or two people cannot take it")
	}
	if back, _ := hear(t, fallen, hello(same), ""); back.Terms(speech(), rje(t)).Refused != "" {
		t.Error("saying as much as before takes nothing back")
	}
	resumed := fallen.Apply(edge.Resumed{From: rje(t), By: "o1"}, trust.Stamp{})
	if got := resumed.Terms(speech(), rje(t)); got.Refused != "" || len(got.Lacks) != 1 {
		t.Errorf("after two people resumed it: %+v", got)
	}
	for _, c := range []struct {
		what  string
		lane  edge.Lane
		kind  string
		gives bool
		want  bool
	}{
		{"what it understands", edge.Governance, "notice:1", false, true},
		{"what it does not", edge.Governance, "dispute:1", false, false},
		{"a later version", edge.Governance, "notice:2", false, false},
		{"an end that it does not", edge.Safety, "revocation:2", false, true},
		{"a resumption that it does not", edge.Safety, "resumption:1", true, false},
		{"a resumption that it does", edge.Safety, "notice:1", true, true},
	} {
		if got := resumed.Sends(rje(t), c.lane, c.kind, c.gives); got != c.want {
			t.Errorf("%s is sent: %t", c.what, got)
		}
	}
	if _, count := hear(t, resumed, less, ""); count != 0 {
		t.Error("what two people took is refused again")
	}
}

// A node that comes to understand more takes what it refused before.
func TestWhatIsRefusedMayComeToBeInCommon(t *testing.T) {
	later := hello(func(h *edge.Hello) { h.Versions = []uint32{3} })
	s, _ := hear(t, edge.State{}, later, trust.Conflict)
	own := speech()
	if _, ok := s.Agreeable(own, rje(t)); ok {
		t.Error("what has no version in common is agreeable")
	}
	own.Versions = append(own.Versions, 3)
	if h, ok := s.Agreeable(own, rje(t)); !ok || !slices.Equal(h.Versions, []uint32{3}) {
		t.Errorf("after an update: %+v, %t", h, ok)
	}
	agreed, _ := hear(t, edge.State{}, hello(same), "")
	fallen, _ := hear(t, agreed, hello(func(h *edge.Hello) { h.Versions = []uint32{1} }), trust.Conflict)
	for what, s := range map[string]edge.State{"a fall": fallen, "what was taken": agreed, "nothing": {}} {
		if _, ok := s.Agreeable(own, rje(t)); ok {
			t.Errorf("%s is agreeable", what)
		}
	}
}

// What this node said last is known, and whether it was understood.
func TestWhatWasSaid(t *testing.T) {
	said := edge.State{}.Apply(edge.Queued{To: rje(t), Lane: edge.Governance, N: 1, Kind: edge.HelloKind, Hash: "aa"}, trust.Stamp{})
	deaf := said.Apply(edge.Unsupported{From: rje(t), Lane: edge.Governance, N: 1, Kind: edge.HelloKind}, trust.Stamp{})
	other := said.Apply(edge.Unsupported{From: rje(t), Lane: edge.Governance, N: 2, Kind: "dispute"}, trust.Stamp{})
	again := deaf.Apply(edge.Queued{To: rje(t), Lane: edge.Governance, N: 2, Kind: edge.HelloKind, Hash: "bb"}, trust.Stamp{})
	for what, c := range map[string]struct {
		s       edge.State
		said    string
		unheard bool
	}{"said": {said, "aa", false}, "not understood": {deaf, "aa", true}, "another kind is not": {other, "aa", false}, "said again": {again, "bb", false}} {
		if g := c.s.Greeting(rje(t)); g.Said != c.said || g.Unheard != c.unheard {
			t.Errorf("%s: %+v", what, g)
		}
	}
}

func TestNoHello(t *testing.T) {
	for what, change := range map[string]func(*edge.Hello){
		"no version":            func(h *edge.Hello) { h.Versions = nil },
		"version 0":             func(h *edge.Hello) { h.Versions = []uint32{0, 1} },
		"versions out of order": func(h *edge.Hello) { h.Versions = []uint32{2, 1} },
		"a version twice":       func(h *edge.Hello) { h.Versions = []uint32{1, 1} },
		"17 versions":           func(h *edge.Hello) { h.Versions = []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17} },
		"kinds out of order":    func(h *edge.Hello) { h.Kinds = []string{"b:1", "a:1"} },
		"257 kinds":             func(h *edge.Hello) { h.Kinds = many(257, ":1") },
		"a kind of no version":  func(h *edge.Hello) { h.Kinds = []string{"notice"} },
		"a kind of version 0":   func(h *edge.Hello) { h.Kinds = []string{"notice:0"} },
		"a kind of version 01":  func(h *edge.Hello) { h.Kinds = []string{"notice:01"} },
		"a kind of no name":     func(h *edge.Hello) { h.Kinds = []string{":1"} },
		"a kind with words":     func(h *edge.Hello) { h.Kinds = []string{"ann smith:1"} },
		"a long kind":           func(h *edge.Hello) { h.Kinds = []string{strings.Repeat("a", 65) + ":1"} },
		"33 algorithms":         func(h *edge.Hello) { h.Algorithms = many(33, "") },
		"an algorithm twice":    func(h *edge.Hello) { h.Algorithms = []string{"ES256", "ES256"} },
		"an algorithm of words": func(h *edge.Hello) { h.Algorithms = []string{"Ann Smith"} },
	} {
		if events, err := (edge.State{}).Greet(speech(), edge.Greeted{From: rje(t), Hello: hello(change)}); trust.KindOf(err) != trust.Invalid || len(events) != 0 {
			t.Errorf("%s: %d events, %v", what, len(events), err)
		}
	}
}

// many gives words that are sorted.
func many(n int, end string) (out []string) {
	for i := range n {
		out = append(out, "a"+string(rune('a'+i/26))+string(rune('a'+i%26))+end)
	}
	return out
}
