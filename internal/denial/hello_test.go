package denial_test

import (
	"slices"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// What a partner states that it understands, and what of that is refused.
func TestHellos(t *testing.T) {
	rje := must(trust.ParseParticipantID("https://trust.rje.example"))
	own := edge.Speech{
		Hello: edge.Hello{Versions: []uint32{1, 2}, Kinds: []string{"dispute:1", "revocation:1"}, Algorithms: []string{"ES256", "EdDSA"}},
		Vital: []string{"revocation:1"}, Signs: "EdDSA",
	}
	greet := func(s edge.State, h edge.Hello) (edge.State, error) {
		events, err := s.Greet(own, edge.Greeted{From: rje, Hello: h})
		for _, e := range events {
			s = s.Apply(e, trust.Stamp{})
		}
		return s, err
	}
	but := func(change func(*edge.Hello)) edge.Hello {
		h := own.Hello
		change(&h)
		return h
	}
	agreed, err := greet(edge.State{}, own.Hello)
	check(t, err)
	for what, c := range map[string]struct {
		hello edge.Hello
		want  trust.ErrorKind
		rule  string
	}{
		"as before":            {own.Hello, "", ""},
		"no versions":          {but(func(h *edge.Hello) { h.Versions = nil }), trust.Invalid, ""},
		"version 0":            {but(func(h *edge.Hello) { h.Versions = []uint32{0, 2} }), trust.Invalid, ""},
		"a kind of words":      {but(func(h *edge.Hello) { h.Kinds = []string{"ann smith:1"} }), trust.Invalid, ""},
		"a kind of version 0":  {but(func(h *edge.Hello) { h.Kinds = []string{"revocation:0"} }), trust.Invalid, ""},
		"a kind of version 01": {but(func(h *edge.Hello) { h.Kinds = []string{"revocation:01"} }), trust.Invalid, ""},
		"words as algorithm":   {but(func(h *edge.Hello) { h.Algorithms = []string{"Ann Smith"} }), trust.Invalid, ""},
		"kinds out of order":   {but(func(h *edge.Hello) { h.Kinds = []string{"revocation:1", "dispute:1"} }), trust.Invalid, ""},
		"no common version":    {but(func(h *edge.Hello) { h.Versions = []uint32{3} }), trust.Conflict, edge.RuleNoVersion},
		"not what we sign by": {
			but(func(h *edge.Hello) { h.Algorithms = []string{"ES256"} }), trust.Conflict, edge.RuleNoAlgorithm,
		},
		"deaf to an end":  {but(func(h *edge.Hello) { h.Kinds = []string{"dispute:1"} }), trust.Conflict, edge.RuleDeaf},
		"a lower version": {but(func(h *edge.Hello) { h.Versions = []uint32{1} }), trust.Conflict, edge.RuleDowngrade},
		"a kind less":     {but(func(h *edge.Hello) { h.Kinds = []string{"revocation:1"} }), trust.Conflict, edge.RuleDowngrade},
	} {
		after, err := greet(agreed, c.hello)
		if got := after.Terms(own, rje).Refused; trust.KindOf(err) != c.want || got != c.rule {
			t.Errorf("%s: refused by %q: %v", what, got, err)
		}
		nothing := c.rule != "" && c.rule != edge.RuleDowngrade
		if err := after.MayResume(rje); (err != nil) != nothing {
			t.Errorf("%s: resuming the edge: %v", what, err)
		}
		resumed := after.Apply(edge.Resumed{From: rje, By: "o1"}, trust.Stamp{})
		if still := resumed.Terms(own, rje).Refused != ""; still != nothing {
			t.Errorf("%s: resumed, it is refused still: %t", what, still)
		}
	}
	less := agreed.Apply(edge.Greeted{From: rje, Hello: but(func(h *edge.Hello) { h.Kinds = []string{"revocation:1"} })}, trust.Stamp{})
	if less.Sends(rje, edge.Governance, "dispute:1", false) || less.Sends(rje, edge.Safety, "dispute:1", true) || !less.Sends(rje, edge.Safety, "revocation:2", false) {
		t.Error("what is not understood is sent, or an end is withheld")
	}
}

// Two nodes tell each other what they understand. One that falls back suspends the
// edge, and once two people have taken that, is not sent what it does not know, and
// is told of every end.
func TestHellosBetweenNodes(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.Found(nil)
	ward := w.NewWard(home, host, nil)
	l := &loss{World: w, home: home, host: host, ward: ward}
	terms := func(at, of *nodetest.Node) edge.Terms { return at.State().Edge.Terms(at.Speech(), of.ID) }
	for _, pair := range [][2]*nodetest.Node{{home, host}, {host, home}} {
		nodetest.Eventually(t, "both to state what they understand", func() bool { return terms(pair[0], pair[1]).Stated })
		if got := terms(pair[0], pair[1]); got.Version != 1 || len(got.Lacks)+len(got.Adds) != 0 || got.Refused != "" || len(got.Algorithms) == 0 {
			t.Errorf("%s has with %s %+v", pair[0].ID, pair[1].ID, got)
		}
	}
	l.arrived()
	w.Cut(home, host)
	w.Cut(host, home)
	say := func(kind string, content any) {
		t.Helper()
		_, last := host.State().Edge.Position(home.ID, edge.Governance)
		check(t, l.say(home, 1, edge.Governance, last+1, kind, content))
	}
	states := func(change func(*edge.Hello)) {
		t.Helper()
		h := home.Speech().Hello
		change(&h)
		say("hello", canonical.Object{"versions": h.Versions, "kinds": h.Kinds, "algorithms": h.Algorithms, "later": "more"})
	}
	without := func(kinds ...string) func(*edge.Hello) {
		return func(h *edge.Hello) {
			h.Kinds = slices.DeleteFunc(h.Kinds, func(k string) bool { return slices.Contains(kinds, k) })
		}
	}
	broken := func(want string) {
		t.Helper()
		if rule, _ := host.State().Edge.Broken(home.ID); rule != want {
			t.Errorf("the edge is broken by %q, want %q", rule, want)
		}
	}
	other, _, err := host.AddOperator(t.Context(), host.Admin, "L. Marsh", []trust.Role{operator.Admin})
	check(t, err)
	people := []node.Actor{host.Admin, {ID: other, Roles: []trust.Role{operator.Admin}}}
	resume := func(what node.Stoppable) (err error) {
		for _, who := range people {
			if _, err = host.Resume(t.Context(), who, what, "go on"); err != nil {
				return err
			}
		}
		return nil
	}
	whole := node.Stoppable{Kind: suspension.Edge, Participant: home.ID}

	states(without("resumption:1", "dispute:1"))
	broken(edge.RuleDowngrade)
	asked := ward.Ask(w.Token(ward.Issuer, "nurse-9", ward.Audience, nil))
	if got := host.Decide(t.Context(), asked); got.Reason != trust.EdgeBroken || len(terms(host, home).Lacks) != 0 {
		t.Errorf("after a fall: %s, %+v", got.Reason, terms(host, home))
	}
	check(t, resume(whole))
	broken("")
	if got := terms(host, home).Lacks; !slices.Equal(got, []string{"dispute:1", "resumption:1"}) {
		t.Errorf("after two people took it the home lacks %v", got)
	}
	before := host.State().Edge.Next(home.ID, edge.Safety)
	nurse := node.Stoppable{Kind: suspension.Subject, Issuer: ward.Issuer.URL, Subject: "nurse-1"}
	_, err = host.Suspend(t.Context(), host.Admin, node.SuspendRequest{Stoppable: nurse, Why: node.Why{Reason: "looked into"}})
	check(t, err)
	check(t, resume(nurse))
	if now := host.State().Edge; now.Next(home.ID, edge.Safety) != before+1 || now.Greeting(home.ID).Held != 1 {
		t.Errorf("of a suspension and a resumption %d are sent, %d withheld", now.Next(home.ID, edge.Safety)-before, now.Greeting(home.ID).Held)
	}
	for _, c := range []struct {
		rule   string
		change func(*edge.Hello)
	}{
		{edge.RuleNoVersion, func(h *edge.Hello) { h.Versions = []uint32{2} }},
		{edge.RuleNoAlgorithm, func(h *edge.Hello) { h.Algorithms = []string{"XX"} }},
		{edge.RuleDeaf, without("revocation-bulk:1")},
	} {
		states(c.change)
		broken(c.rule)
		if err := resume(whole); trust.KindOf(err) != trust.Conflict {
			t.Errorf("%s: resuming the edge: %v", c.rule, err)
		}
	}
	states(func(*edge.Hello) {})
	check(t, resume(whole))
	broken("")

	// A partner that has learned of hellos since is told again, and so is everybody
	// once this node understands something else.
	spoken := func() uint64 { return host.State().Edge.Next(home.ID, edge.Governance) }
	first := spoken()
	say("unsupported", canonical.Object{"lane": "governance", "n": 1})
	if !host.State().Edge.Greeting(home.ID).Unheard {
		t.Error("the first message is no hello")
	}
	states(func(*edge.Hello) {})
	if now := spoken(); now != first+1 || host.State().Edge.Greeting(home.ID).Unheard {
		t.Errorf("a partner that has learned of hellos is told %d times", now-first)
	}
	host.Stop()
	host.Start()
	host.Bulk(1, func(int) trust.Event {
		return edge.Queued{To: home.ID, Lane: edge.Governance, N: spoken(), Kind: edge.HelloKind, Hash: "aa"}
	})
	nodetest.Eventually(t, "the partner to be told what is new", func() bool { return host.State().Edge.Greeting(home.ID).Said != "aa" })
	if now := spoken(); now != first+3 {
		t.Errorf("a start tells what was told: the next message is %d, want %d", now, first+3)
	}
}
