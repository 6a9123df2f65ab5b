package agreement_test

import (
	"strings"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// R18: every move at every stage, asked for at the host.
func TestEveryMoveAtEveryStage(t *testing.T) {
	const no = ""
	stages := []agreement.Stage{agreement.Proposed, agreement.Countered, agreement.Agreed, agreement.Active, agreement.Suspended, agreement.Ended}
	moved := func(to agreement.Stage, from trust.ParticipantID) func(*agreement.Agreement) trust.Event {
		return func(*agreement.Agreement) trust.Event {
			return agreement.Moved{ID: id, To: to, From: from, By: by(from)}
		}
	}
	moves := []struct {
		name string
		make func(*agreement.Agreement) trust.Event
		want [6]agreement.Stage // after the move; no: refused
	}{
		// The home made revision 1 and the host revision 2.
		{"counter here", func(a *agreement.Agreement) trust.Event { return offer(counter(a, host), zero) },
			[6]agreement.Stage{agreement.Countered, no, no, no, no, no}},
		{"counter there", func(a *agreement.Agreement) trust.Event { return offer(counter(a, home), home) },
			[6]agreement.Stage{no, agreement.Countered, no, no, no, no}},
		{"countersign here", func(a *agreement.Agreement) trust.Event { return yes(a, host, zero) },
			[6]agreement.Stage{agreement.Agreed, no, no, no, no, no}},
		{"countersign there", func(a *agreement.Agreement) trust.Event { return yes(a, home, home) },
			[6]agreement.Stage{no, agreement.Agreed, no, no, no, no}},
		{"activate here", moved(agreement.Active, zero),
			[6]agreement.Stage{no, no, agreement.Active, no, no, no}},
		{"activate there", moved(agreement.Active, home),
			[6]agreement.Stage{no, no, agreement.Agreed, agreement.Active, agreement.Suspended, no}},
		{"suspend here", moved(agreement.Suspended, zero),
			[6]agreement.Stage{no, no, agreement.Suspended, agreement.Suspended, no, no}},
		{"suspend there", moved(agreement.Suspended, home),
			[6]agreement.Stage{agreement.Suspended, agreement.Suspended, agreement.Suspended, agreement.Suspended, agreement.Suspended, no}},
		{"end here", moved(agreement.Ended, zero),
			[6]agreement.Stage{agreement.Ended, agreement.Ended, agreement.Ended, agreement.Ended, agreement.Ended, no}},
		{"end there", moved(agreement.Ended, home),
			[6]agreement.Stage{agreement.Ended, agreement.Ended, agreement.Ended, agreement.Ended, agreement.Ended, no}},
		{"catch up here", func(*agreement.Agreement) trust.Event { return agreement.CaughtUp{ID: id} },
			[6]agreement.Stage{no, no, no, no, no, no}},
		{"catch up there", func(*agreement.Agreement) trust.Event { return agreement.CaughtUp{ID: id, From: home} },
			[6]agreement.Stage{agreement.Proposed, agreement.Countered, agreement.Agreed, agreement.Active, agreement.Suspended, no}},
		{"back to agreed", moved(agreement.Agreed, zero), [6]agreement.Stage{no, no, no, no, no, no}},
		{"propose again", func(*agreement.Agreement) trust.Event { return offer(first(document(), home), home) },
			[6]agreement.Stage{no, no, no, no, no, no}},
	}
	for _, move := range moves {
		for i, stage := range stages {
			t.Run(move.name+" when "+string(stage), func(t *testing.T) {
				n := at(t, stage)
				before := n.get()
				events, err := n.do(move.make(before))
				if want := move.want[i]; want != no {
					if err != nil || n.get().Stage != want {
						t.Fatalf("agreement is %s (%v), want %s", n.get().Stage, err, want)
					}
					return
				}
				if len(events) != 1 || err == nil {
					t.Fatalf("gives %v, %v, want a refusal", events, err)
				}
				refused, ok := events[0].(agreement.Refused)
				if !ok || refused.ID != id || refused.Stage != stage || !strings.Contains(err.Error(), "rxw-staff-at-rje is "+string(stage)) {
					t.Errorf("refusal is %+v, %v", events[0], err)
				}
				if n.get() != before {
					t.Error("a refusal changed the agreement")
				}
			})
		}
	}
}

// The whole way between two nodes that send each other what they record.
func TestTwoNodesAgree(t *testing.T) {
	h, g := newNode(home), newNode(host)
	exchange := func(from, to *node, e trust.Event) {
		t.Helper()
		events, err := from.do(e)
		if err != nil {
			t.Fatal(err)
		}
		to.must(t, sent(events[0], from.self))
	}
	exchange(h, g, offer(first(document(), home), zero))
	exchange(g, h, offer(counter(g.get(), host), zero))
	exchange(h, g, yes(h.get(), home, zero))
	exchange(h, g, agreement.CaughtUp{ID: id})
	exchange(g, h, agreement.Moved{ID: id, To: agreement.Active, By: "op-1"})
	if a := h.get(); a.Stage != agreement.Agreed || len(a.ActiveAt) != 1 || a.ActiveAt[0] != host {
		t.Errorf("at the home the agreement is %s, active at %v; want agreed, active at the host", a.Stage, a.ActiveAt)
	}
	if _, alive := h.get().Alive(now); alive {
		t.Error("the host's activation put the agreement in force at the home")
	}
	exchange(h, g, agreement.Moved{ID: id, To: agreement.Active, By: "op-1"})
	for _, n := range []*node{h, g} {
		a := n.get()
		if reason, alive := a.Alive(now); !alive || len(a.Signatures) != 2 || len(a.ActiveAt) != 2 {
			t.Errorf("at %s: %s, %d signatures, active at %v", n.self, reason, len(a.Signatures), a.ActiveAt)
		}
	}
	if h.get().Hash != g.get().Hash {
		t.Error("the two sides hold different bytes")
	}
	exchange(h, g, agreement.Moved{ID: id, To: agreement.Suspended, By: "op-1"})
	exchange(g, h, agreement.Moved{ID: id, To: agreement.Suspended, By: "op-1"})
	if a := g.get(); len(a.SuspendedBy) != 2 {
		t.Errorf("suspended by %v, want both", a.SuspendedBy)
	}
	exchange(h, g, agreement.Moved{ID: id, To: agreement.Ended, By: "op-1"})
	if a := g.get(); a.EndedBy != home {
		t.Errorf("ended by %q, want the home", a.EndedBy)
	}
}

// sent is an event as it arrives at the partner.
func sent(e trust.Event, from trust.ParticipantID) trust.Event {
	switch e := e.(type) {
	case agreement.Offered:
		e.From, e.By = from, ""
		return e
	case agreement.Countersigned:
		e.From, e.By = from, ""
		return e
	case agreement.Moved:
		e.From, e.By = from, ""
		return e
	case agreement.CaughtUp:
		e.From = from
		return e
	default:
		return e
	}
}

func TestOfferRefuses(t *testing.T) {
	made := func(change func(*agreement.Revision)) func(*node) agreement.Offered {
		return func(*node) agreement.Offered {
			r := first(document(), home)
			change(&r)
			return offer(r, home)
		}
	}
	plain := made(func(*agreement.Revision) {})
	tests := []struct {
		name  string
		facts func(*agreement.Facts)
		offer func(*node) agreement.Offered
		kind  trust.ErrorKind
		rule  string
	}{
		{"no framework", func(f *agreement.Facts) { f.Framework = nil }, plain, trust.Conflict, agreement.RuleFramework}, // R40
		{"expired framework", func(f *agreement.Facts) {
			late := *rules
			late.Document.Expires = now
			f.Framework = &late
		}, plain, trust.Conflict, agreement.RuleFramework},
		{"another framework", nil, made(func(r *agreement.Revision) { r.Framework = strings.Repeat("0", 64) }), trust.Conflict, agreement.RuleFramework},
		{"unknown partner", func(f *agreement.Facts) { f.PartnerTrusted = false }, plain, trust.Conflict, agreement.RulePartner},
		{"the proposer is somebody else", nil, made(func(r *agreement.Revision) { r.Proposer = host }), trust.Denied, agreement.RuleParty},
		{"sent by a third", nil, func(*node) agreement.Offered { return offer(first(document(), third), third) }, trust.Denied, agreement.RuleParty},
		{"this node is no party", func(f *agreement.Facts) { f.Self = third }, plain, trust.Denied, agreement.RuleParty},
		{"with itself", nil, made(func(r *agreement.Revision) { r.Document.Host = home }), trust.Denied, agreement.RuleParty},
		{"a fault in the document", nil, made(func(r *agreement.Revision) { r.Document.Tier = "strong" }), trust.Invalid, agreement.RuleDocument},
		{"begins at revision 2", nil, made(func(r *agreement.Revision) { r.Revision = 2 }), trust.Conflict, agreement.RuleSequence},
		{"answers nothing we have", nil, made(func(r *agreement.Revision) { r.Answers = strings.Repeat("0", 64) }), trust.Conflict, agreement.RuleSequence},
		{"another's key", func(f *agreement.Facts) { f.HomeKey = f.HostKey }, plain, trust.Denied, agreement.RuleSignature},
		{"no key", func(f *agreement.Facts) { f.HomeKey = "" }, plain, trust.Denied, agreement.RuleSignature},
		{"signature of other bytes", nil, func(*node) agreement.Offered {
			o := plain(nil)
			o.Signature = sign(home, []byte("{}"))
			return o
		}, trust.Denied, agreement.RuleSignature},
		{"no owner here", func(f *agreement.Facts) { f.Holders = holdersBut("records") },
			func(*node) agreement.Offered { return offer(first(document(), host), zero) }, trust.Conflict, agreement.RuleOwner}, // R40
		{"a name in use", nil, func(n *node) agreement.Offered {
			if _, err := n.do(plain(n)); err != nil {
				panic(err)
			}
			return made(func(r *agreement.Revision) { r.ID = strings.Repeat("f", 32) })(n)
		}, trust.Conflict, agreement.RuleName},
		{"a counter under another name", nil, func(n *node) agreement.Offered {
			r := counter(mustPropose(n), host)
			r.Document.Name = "other"
			return offer(r, zero)
		}, trust.Conflict, agreement.RuleSequence},
		{"a counter that turns the parties", nil, func(n *node) agreement.Offered {
			r := counter(mustPropose(n), host)
			r.Document.Home, r.Document.Host = host, home
			return offer(r, zero)
		}, trust.Conflict, agreement.RuleSequence},
		{"a counter to other bytes", nil, func(n *node) agreement.Offered {
			r := counter(mustPropose(n), host)
			r.Answers = strings.Repeat("0", 64)
			return offer(r, zero)
		}, trust.Conflict, agreement.RuleSequence},
		{"a counter that skips a number", nil, func(n *node) agreement.Offered {
			r := counter(mustPropose(n), host)
			r.Revision++
			return offer(r, zero)
		}, trust.Conflict, agreement.RuleSequence},
		{"a counter to oneself", nil, func(n *node) agreement.Offered { return offer(counter(mustPropose(n), home), home) }, trust.Denied, agreement.RuleParty},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newNode(host)
			if tt.facts != nil {
				tt.facts(&n.facts)
			}
			o := tt.offer(n)
			events, err := n.do(o)
			refusedBy(t, events, err, tt.kind, tt.rule)
		})
	}
}

func mustPropose(n *node) *agreement.Agreement {
	if _, err := n.do(offer(first(document(), home), home)); err != nil {
		panic(err)
	}
	return n.get()
}

// A counter sent by each side for the same revision: the host's stands at both.
func TestCrossedCounters(t *testing.T) {
	r1 := first(document(), home)
	base := agreement.State{}.Apply(offer(r1, zero), trust.Stamp{At: now})
	a, _ := base.ByID(id)
	ofHome, ofHost := counter(a, home), counter(a, host)
	ofHome.Document.ReviewEvery += 86400

	h := &node{self: home, facts: facts(home), state: base.Apply(offer(ofHome, zero), trust.Stamp{At: now})}
	h.must(t, offer(ofHost, host))
	g := &node{self: host, facts: facts(host), state: base.Apply(offer(ofHost, zero), trust.Stamp{At: now})}
	events, err := g.do(offer(ofHome, home))
	refusedBy(t, events, err, trust.Conflict, agreement.RuleCrossed)
	if h.get().Hash != g.get().Hash || h.get().Revision.Proposer != host {
		t.Errorf("the home holds %s's counter, the host %s's; want the host's at both", h.get().Revision.Proposer, g.get().Revision.Proposer)
	}
}

func TestCountersignRefuses(t *testing.T) {
	tests := []struct {
		name   string
		facts  func(*agreement.Facts)
		change func(*agreement.Countersigned)
		kind   trust.ErrorKind
		rule   string
	}{
		{"other bytes", nil, func(c *agreement.Countersigned) { c.Hash = strings.Repeat("0", 64) }, trust.Conflict, agreement.RuleHash},
		{"another's signature", nil, func(c *agreement.Countersigned) { c.Signature = sign(home, []byte("{}")) }, trust.Denied, agreement.RuleSignature},
		{"by the proposer itself", nil, func(c *agreement.Countersigned) { c.From = home }, trust.Denied, agreement.RuleParty},
		{"by a third", nil, func(c *agreement.Countersigned) { c.From = third }, trust.Denied, agreement.RuleParty},
		{"suspended partner", func(f *agreement.Facts) { f.PartnerTrusted = false }, nil, trust.Conflict, agreement.RulePartner},
		{"framework moved on", func(f *agreement.Facts) {
			next := *rules
			next.Hash = strings.Repeat("0", 64)
			f.Framework = &next
		}, nil, trust.Conflict, agreement.RuleFramework},
		{"no framework", func(f *agreement.Facts) { f.Framework = nil }, nil, trust.Conflict, agreement.RuleFramework}, // R40
		{"no owner here", func(f *agreement.Facts) { f.Holders = holdersBut("records") }, nil, trust.Conflict, agreement.RuleOwner},
		{"proposer's key changed", func(f *agreement.Facts) { f.HomeKey = governanceKey(third) }, nil, trust.Denied, agreement.RuleSignature},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newNode(host)
			c := yes(mustPropose(n), host, zero)
			if tt.change != nil {
				tt.change(&c)
			}
			if tt.facts != nil {
				tt.facts(&n.facts)
			}
			events, err := n.do(c)
			refusedBy(t, events, err, tt.kind, tt.rule)
		})
	}
	n := newNode(host)
	if events, err := n.do(agreement.Countersigned{ID: id}); trust.KindOf(err) != trust.NotFound || events != nil {
		t.Errorf("an unknown agreement gives %v, %v, want not found", events, err)
	}
}

func TestParse(t *testing.T) {
	good, hash, err := agreement.Render(first(document(), home))
	if err != nil || len(hash) != 64 {
		t.Fatal(hash, err)
	}
	if _, err := agreement.Parse(good); err != nil {
		t.Fatal(err)
	}
	text := string(good)
	for name, bad := range map[string]string{
		"space":            strings.Replace(text, ":", ": ", 1),
		"other order":      `{"revision":1,` + strings.Replace(text[1:], `"revision":1`, `"answers":""`, 1),
		"unknown member":   strings.Replace(text, `{"document"`, `{"a":1,"document"`, 1),
		"empty optional":   strings.Replace(text, `{"document"`, `{"answers":"","document"`, 1),
		"member twice":     strings.Replace(text, `"revision":1`, `"revision":1,"revision":1`, 1),
		"case variant":     strings.Replace(text, `"revision":1`, `"Revision":1`, 1),
		"short id":         strings.Replace(text, id, id[:31], 1),
		"upper case id":    strings.Replace(text, id, strings.ToUpper(id), 1),
		"participant path": strings.Replace(text, "https://trust.rje.example", "https://trust.rje.example/", 1),
		"trailing":         text + "{}",
		"null":             "null",
		"nothing":          "",
	} {
		if bad == text {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := agreement.Parse([]byte(bad)); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s gives %v, want invalid", name, err)
		}
		n := newNode(host)
		if events, err := n.do(agreement.Offered{Bytes: []byte(bad), From: home}); events != nil || err == nil {
			t.Errorf("%s is offered and gives %v, %v", name, events, err)
		}
	}
}

// R1's sibling for agreements: no changed byte goes unnoticed.
func TestOneChangedByteIsRefused(t *testing.T) {
	o, n := offer(first(document(), home), home), newNode(host)
	for i := range o.Bytes {
		changed := o
		changed.Bytes = append([]byte(nil), o.Bytes...)
		changed.Bytes[i] ^= 1
		if _, err := n.do(changed); err == nil {
			t.Fatalf("byte %d changed and nobody saw it", i)
		}
	}
}

func FuzzParse(f *testing.F) {
	good, _, _ := agreement.Render(first(document(), home))
	f.Add(good)
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := agreement.Parse(data)
		if err != nil {
			return
		}
		again, err := canonical.Marshal(r)
		if err != nil || string(again) != string(data) {
			t.Fatalf("parsed %q renders as %q, %v", data, again, err)
		}
	})
}
