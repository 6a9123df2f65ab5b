package participant_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// Matching is exact, or typed at a delimiter; a near miss is a miss (R50).
func TestNamespaceHolds(t *testing.T) {
	for _, c := range []struct {
		n    participant.Namespace
		yes  []string
		miss []string
	}{
		{participant.Namespace{}, nil, []string{"", "x", "@", "a@b.example"}},
		{participant.Namespace{Equals: "RXW"}, []string{"RXW"}, []string{"", "rxw", "RXW ", " RXW", "RXWX", "RX", "RXW\x00", "\u0420XW"}},
		{participant.Namespace{Domain: "rxw.example"},
			[]string{"a@rxw.example", "A.b+c@RXW.Example", "a@rXw.exampLE"},
			[]string{"", "rxw.example", "@rxw.example", "a@", "a@x.rxw.example", "a@evilrxw.example", "a@evil-rxw.example", "a@rxw.example.", "a@rxw.example.evil.example",
				"a@rxw.exampl", "a@evil.example@rxw.example", "\"a@evil.example\"@rxw.example", "a@evil.example,b@rxw.example", "a b@rxw.example", "a@rxw.example\n",
				"a@rxw.example ", "a@rxw\u2024example", "a@rxw.exam\u212ale", "a@\u212axw.example", "<a@rxw.example>", "a@[rxw.example]", "a\x00@rxw.example", "a%40evil.example"}},
		{participant.Namespace{Domain: ".rxw.example"},
			[]string{"a@x.rxw.example", "a@y.x.rxw.example"},
			[]string{"a@rxw.example", "a@.rxw.example", "a@evilrxw.example", "a@x..rxw.example", "a@-x.rxw.example", "a@x.rxw.example.evil.example", "a@x/y.rxw.example"}},
		{participant.Namespace{Prefix: "repo:rxw/"},
			[]string{"repo:rxw/app", "repo:rxw/app:ref:refs/heads/main"},
			[]string{"", "repo:rxw/", "repo:rxw", "repo:rxw-evil/app", "xrepo:rxw/app", "REPO:rxw/app", "repo:rxw//app", "repo:rxw/../evil/app", "repo:rxw/:app"}},
	} {
		for _, text := range c.yes {
			if !c.n.Holds(text) {
				t.Errorf("%+v does not hold %q", c.n, text)
			}
		}
		for _, text := range c.miss {
			if c.n.Holds(text) {
				t.Errorf("%+v holds %q", c.n, text)
			}
		}
	}
}

// One changed character of what matches does not match, but for the case of the
// letters of a domain.
func TestNamespaceNearMisses(t *testing.T) {
	kinds := []participant.Namespace{{Equals: "S8000:G8000"}, {Domain: "rxw.example"}, {Prefix: "rxw/"}}
	good := []string{"S8000:G8000", "a@rxw.example", "rxw/a"}
	fixed := []int{0, 1, 0} // where what is compared begins
	rapid.Check(t, func(r *rapid.T) {
		k := rapid.IntRange(0, 2).Draw(r, "kind")
		end := len(good[k])
		if k == 2 {
			end = len(kinds[k].Prefix)
		}
		at := rapid.IntRange(fixed[k], end-1).Draw(r, "at")
		put := rapid.Rune().Draw(r, "put")
		near := good[k][:at] + string(put) + good[k][at+1:]
		if k == 1 && strings.EqualFold(near, good[k]) && put < 0x80 || near == good[k] {
			return
		}
		if kinds[k].Holds(near) {
			r.Fatalf("%+v holds %q", kinds[k], near)
		}
	})
}

func TestNamespacesThatAreRefused(t *testing.T) {
	s := met(t, "r0a")
	for what, n := range map[string]participant.Namespace{
		"empty": {}, "two types": {Equals: "a", Prefix: "a/"}, "top-level domain": {Domain: "example"}, "wildcard domain": {Domain: "*.example.org"},
		"upper case": {Domain: "RXW.example"}, "dot behind": {Domain: "rxw.example."}, "two dots": {Domain: "rxw..example"}, "only a dot": {Domain: "."},
		"address": {Domain: "a@rxw.example"}, "prefix without delimiter": {Prefix: "rxw"}, "prefix of delimiters": {Prefix: "://"},
	} {
		i := own(t, "r0a")
		i.Namespaces = map[string][]participant.Namespace{"org": {n}}
		events, err := s.Accept(facts(t), id(t, "r0a"), statement(t, "r0a", i), now)
		wants(t, what, trust.Invalid, events, err)
	}
	for _, domain := range []string{"", "example", "*.example.org", "@rxw.example"} {
		i := own(t, "r0a")
		i.Domains = []string{domain}
		events, err := s.Accept(facts(t), id(t, "r0a"), statement(t, "r0a", i), now)
		wants(t, "domain "+domain, trust.Invalid, events, err)
	}
}

// An exact text is written as it always was; the typed ones as objects.
func TestNamespaceJSON(t *testing.T) {
	list := append(participant.Exactly("RXW"), participant.Namespace{Domain: "rxw.example"}, participant.Namespace{Prefix: "rxw/"})
	text, err := canonical.Marshal(list)
	if err != nil || string(text) != `["RXW",{"domain":"rxw.example"},{"prefix":"rxw/"}]` {
		t.Fatalf("%s (%v)", text, err)
	}
	var read []participant.Namespace
	if err := canonical.Decode(text, &read); err != nil || len(read) != 3 || read[0] != list[0] || read[1] != list[1] || read[2] != list[2] {
		t.Errorf("read %+v (%v)", read, err)
	}
	for _, bad := range []string{`[1]`, `[null]`, `[["RXW"]]`, `[{"suffix":"x"}]`, `[{"domain":1}]`} {
		if err := canonical.Decode([]byte(bad), &read); err == nil {
			t.Errorf("%s is read as %+v", bad, read)
		}
	}
}
