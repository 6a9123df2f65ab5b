package agreement_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

func TestActivateRefuses(t *testing.T) {
	tests := []struct {
		name  string
		facts func(*agreement.Facts)
		now   int64
		kind  trust.ErrorKind
		rule  string
	}{
		{"no framework", func(f *agreement.Facts) { f.Framework = nil }, now, trust.Conflict, agreement.RuleFramework}, // R40
		{"no feed", func(f *agreement.Facts) { f.PartnerFresh = false }, now, trust.Conflict, agreement.RuleFeed},      // R25
		{"suspended partner", func(f *agreement.Facts) { f.PartnerTrusted = false }, now, trust.Conflict, agreement.RulePartner},
		{"no approver", func(f *agreement.Facts) { f.Holders = holdersBut("ward_managers") }, now, trust.Conflict, agreement.RuleApprover}, // R55
		{"no revoker", func(f *agreement.Facts) { f.Holders = holdersBut("security") }, now, trust.Conflict, agreement.RuleRevoker},        // R55
		{"no owner", func(f *agreement.Facts) { f.Holders = holdersBut("records") }, now, trust.Conflict, agreement.RuleOwner},             // R40
		{"before its start", nil, now - 101, trust.Conflict, agreement.RuleTime},
		{"at its end", nil, ends, trust.Conflict, agreement.RuleTime},
		{"the class is gone", func(f *agreement.Facts) {
			next := *rules
			next.Document.Classes = nil
			f.Framework = &next
		}, now, trust.Invalid, agreement.RuleDocument},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := at(t, agreement.Agreed)
			if tt.facts != nil {
				tt.facts(&n.facts)
			}
			events, err := n.state.Move(n.facts, agreement.Moved{ID: id, To: agreement.Active, By: "op-1"}, tt.now)
			refusedBy(t, events, err, tt.kind, tt.rule)
		})
	}
}

// A host puts nothing in force before it knows all that the home ended before;
// the word may overtake the signature, and a counter takes it back (R35).
func TestActivateWaitsForTheHome(t *testing.T) {
	n := newNode(host)
	n.must(t, offer(first(document(), home), home))
	n.must(t, agreement.CaughtUp{ID: id, From: home})
	n.must(t, offer(counter(n.get(), host), zero))
	n.must(t, yes(n.get(), home, home))
	activate := agreement.Moved{ID: id, To: agreement.Active, By: "op-1"}
	events, err := n.do(activate)
	refusedBy(t, events, err, trust.Conflict, agreement.RuleCatchUp)
	events, err = n.do(agreement.CaughtUp{ID: id, From: third})
	refusedBy(t, events, err, trust.Denied, agreement.RuleParty)
	if events, err := n.do(agreement.CaughtUp{ID: "none", From: home}); events != nil || trust.KindOf(err) != trust.NotFound {
		t.Errorf("of an unknown agreement: %v, %v", events, err)
	}
	n.must(t, agreement.CaughtUp{ID: id, From: home})
	n.must(t, activate)
}

// At the home nobody approves, and its own revoker counts.
func TestActivateAtHome(t *testing.T) {
	n := newNode(home)
	n.must(t, offer(first(document(), home), zero))
	n.must(t, yes(n.get(), host, host))
	activate := agreement.Moved{ID: id, To: agreement.Active, By: "op-1"}
	n.facts.Holders = holdersBut("registration_authority")
	events, err := n.do(activate)
	refusedBy(t, events, err, trust.Conflict, agreement.RuleRevoker)
	n.facts.Holders = holdersBut("locum_desk")
	events, err = n.do(activate)
	refusedBy(t, events, err, trust.Conflict, agreement.RuleOwner)
	n.facts.Holders = holdersBut("ward_managers")
	n.must(t, activate)
}

func TestAThirdMovesNothing(t *testing.T) {
	for _, to := range []agreement.Stage{agreement.Active, agreement.Suspended, agreement.Ended} {
		n := at(t, agreement.Active)
		events, err := n.do(agreement.Moved{ID: id, To: to, From: third})
		refusedBy(t, events, err, trust.Denied, agreement.RuleParty)
	}
}

// Safety never waits for governance: an end that overtook its proposal holds.
func TestStopThatOvertakesItsAgreement(t *testing.T) {
	for _, to := range []agreement.Stage{agreement.Suspended, agreement.Ended} {
		n := newNode(host)
		n.must(t, agreement.Moved{ID: id, To: to, From: home})
		events, err := n.do(offer(first(document(), home), home))
		refusedBy(t, events, err, trust.Conflict, agreement.RuleStopped)
		if n.get() != nil {
			t.Error("the stopped agreement exists")
		}
		if events, err := n.do(agreement.Moved{ID: id, To: to, From: home}); events != nil || trust.KindOf(err) != trust.NotFound {
			t.Errorf("the same stop again gives %v, %v, want not found", events, err)
		}
	}
	n := newNode(host)
	n.must(t, agreement.Moved{ID: id, To: agreement.Ended, From: third})
	n.must(t, offer(first(document(), home), home)) // a third stops nothing of ours
	for _, m := range []agreement.Moved{
		{ID: "f", To: agreement.Ended, From: home},
		{ID: strings.Repeat("f", 32), To: agreement.Active, From: home},
		{ID: strings.Repeat("f", 32), To: agreement.Ended, By: "op-1"},
	} {
		if events, err := n.do(m); events != nil || trust.KindOf(err) != trust.NotFound {
			t.Errorf("%+v gives %v, %v, want not found", m, events, err)
		}
	}
}

func TestAlive(t *testing.T) {
	tests := []struct {
		stage agreement.Stage
		now   int64
		want  trust.Reason
	}{
		{agreement.Proposed, now, trust.AgreementNotActive},
		{agreement.Countered, now, trust.AgreementNotActive},
		{agreement.Agreed, now, trust.AgreementNotActive},
		{agreement.Active, now, ""},
		{agreement.Active, now - 100, ""},
		{agreement.Active, now - 101, trust.AgreementNotActive},
		{agreement.Active, ends - 1, ""},
		{agreement.Active, ends, trust.AgreementEnded}, // scenario 9: at 12:00:00Z it is over
		{agreement.Suspended, now, trust.AgreementSuspended},
		{agreement.Suspended, ends, trust.AgreementEnded},
		{agreement.Ended, now, trust.AgreementEnded},
	}
	for _, tt := range tests {
		reason, alive := at(t, tt.stage).get().Alive(tt.now)
		if reason != tt.want || alive != (tt.want == "") {
			t.Errorf("%s at %d is %q, %t; want %q", tt.stage, tt.now, reason, alive, tt.want)
		}
	}
}

func TestLookups(t *testing.T) {
	n := at(t, agreement.Active)
	second := first(document(), home)
	second.ID, second.Document.Name = strings.Repeat("e", 32), "second"
	n.must(t, offer(second, home))
	list := n.state.Between(home, host)
	if len(list) != 2 || list[0] != n.get() || list[1].Revision.Document.Name != "second" {
		t.Errorf("between home and host stand %v", list)
	}
	if len(n.state.Between(host, home)) != 0 {
		t.Error("home and host are exchanged and something is found")
	}
	if a, ok := n.state.ByName("rxw-staff-at-rje"); !ok || a != n.get() {
		t.Error("the agreement is not found by its name")
	}
	if _, ok := n.state.ByName("rxw-staff"); ok {
		t.Error("the beginning of a name finds an agreement")
	}
	// A name is free again when its agreement has ended.
	n.must(t, agreement.Moved{ID: id, To: agreement.Ended, By: "op-1"})
	again := first(document(), home)
	again.ID = strings.Repeat("d", 32)
	n.must(t, offer(again, home))
	if a, ok := n.state.ByName("rxw-staff-at-rje"); !ok || a.ID != again.ID {
		t.Error("the name does not stand for the new agreement")
	}
}

// The fold lets nothing through that a command would not, and a state stays as
// it was for whoever holds it.
func TestFoldIsTotal(t *testing.T) {
	n := at(t, agreement.Active)
	renamed := counter(n.get(), home)
	renamed.Document.Name = "other"
	for _, e := range []trust.Event{
		offer(counter(n.get(), home), home), offer(renamed, home), agreement.Offered{Bytes: []byte("{}")},
		yes(n.get(), home, home), agreement.Countersigned{ID: "none"}, agreement.Moved{ID: id, To: agreement.Agreed},
		agreement.Moved{ID: "none", To: agreement.Ended}, agreement.CaughtUp{ID: "none"}, agreement.Refused{ID: id}, nil,
	} {
		if got, _ := n.state.Apply(e, trust.Stamp{At: now}).ByID(id); got != n.get() {
			t.Errorf("%+v changed the agreement to %+v", e, got)
		}
	}
	open := at(t, agreement.Proposed)
	if got, _ := open.state.Apply(offer(renamed, host), trust.Stamp{At: now}).ByID(id); got != open.get() {
		t.Error("a counter changed the name")
	}
	before := n.state
	n.must(t, agreement.Moved{ID: id, To: agreement.Suspended, By: "op-1"})
	if got := before.Between(home, host)[0].Stage; got != agreement.Active {
		t.Errorf("in the state before, the agreement is %s", got)
	}
}

func TestStateRoundTrip(t *testing.T) {
	states := []agreement.State{{}}
	for _, stage := range []agreement.Stage{agreement.Proposed, agreement.Countered, agreement.Agreed, agreement.Active, agreement.Suspended, agreement.Ended} {
		n := at(t, stage)
		n.must(t, agreement.Moved{ID: strings.Repeat("a", 32), To: agreement.Ended, From: home})
		r := first(document(), home)
		r.ID, r.Document.Name = strings.Repeat("c", 32), "other"
		n.must(t, offer(r, home))
		states = append(states, n.state)
	}
	for _, s := range states {
		data, err := json.Marshal(s, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		var back agreement.State
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(back, json.Deterministic(true))
		if err != nil || string(again) != string(data) {
			t.Fatalf("state came back as\n%s, it was\n%s (%v)", again, data, err)
		}
		for i, a := range s.Between(home, host) {
			b := back.Between(home, host)[i]
			if a.ID != b.ID || a.Stage != b.Stage || a.Hash != b.Hash || b.Revision.Document.Name != a.Revision.Document.Name {
				t.Errorf("agreement %s came back as %+v", a.ID, b)
			}
		}
	}
	var s agreement.State
	if err := json.Unmarshal([]byte(`{"agreements":[{"bytes":"e30="}],"early":[]}`), &s); err == nil {
		t.Error("a state whose agreement has no revision is read")
	}
}

// Whatever two nodes, a third and chance do: what is active was signed by two
// participants, and over the same bytes; and no state before is ever changed.
func TestActiveMeansSignedByBoth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := newNode(rapid.SampledFrom([]trust.ParticipantID{home, host}).Draw(t, "self"))
		for range rapid.IntRange(3, 12).Draw(t, "steps") {
			before, frozen := n.get(), agreement.Agreement{}
			if before != nil {
				frozen = *before
			}
			_, _ = n.do(drawMove(t, n))
			if before != nil && (before.Stage != frozen.Stage || before.Hash != frozen.Hash || len(before.Signatures) > 1 && frozen.Stage == agreement.Proposed) {
				t.Fatalf("an agreement changed in place")
			}
			if a := n.get(); a != nil && (a.Stage == agreement.Active || a.Stage == agreement.Agreed) {
				signedByBoth(t, a)
			}
		}
	})
}

func drawMove(t *rapid.T, n *node) trust.Event {
	parties := []trust.ParticipantID{home, host, third}
	from := rapid.SampledFrom([]trust.ParticipantID{zero, zero, home, host, third}).Draw(t, "from")
	a := n.get()
	if a == nil {
		return offer(first(document(), rapid.SampledFrom(parties).Draw(t, "proposer")), from)
	}
	switch rapid.IntRange(0, 5).Draw(t, "move") {
	case 0:
		return offer(counter(a, rapid.SampledFrom(parties).Draw(t, "proposer")), from)
	case 1, 2:
		return yes(a, rapid.SampledFrom(parties).Draw(t, "signer"), from)
	case 3, 4:
		return agreement.Moved{ID: id, To: agreement.Active, From: from}
	default:
		return agreement.Moved{ID: id, To: rapid.SampledFrom([]agreement.Stage{agreement.Suspended, agreement.Ended}).Draw(t, "to"), From: from}
	}
}

func signedByBoth(t *rapid.T, a *agreement.Agreement) {
	if len(a.Signatures) != 2 {
		t.Fatalf("agreement is %s with %d signatures", a.Stage, len(a.Signatures))
	}
	for _, p := range []trust.ParticipantID{home, host} {
		if err := jose.VerifyBytes(signer(p).Key(), agreement.Domain, a.Bytes, a.Signatures[p]); err != nil {
			t.Fatalf("agreement is %s without a signature of %s: %v", a.Stage, p, err)
		}
	}
}
