package node_test

import (
	"slices"
	"testing"
	"time"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// amended is the next version of what is in force at n.
func amended(n *nodetest.Node, d framework.Document) framework.Document {
	d.Version, d.Previous = n.State().Framework.Current.Version+1, n.State().Framework.Current.Hash
	d.Summary = "amended"
	return d
}

// A document that may not become the framework is refused and recorded, whether
// an operator or a partner brings it (R1).
func TestRefusedFrameworksAreRecorded(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, nil)
	quiet(t, home, host)
	rules := w.Rules(home, host)
	next := amended(host, rules)
	good := w.Sign(next, home, host)

	twice := w.Sign(next, home, home)
	changed := framework.Signed{Bytes: slices.Clone(good.Bytes), Signatures: good.Signatures}
	changed.Bytes[slices.Index(changed.Bytes, 'n')] ^= 1
	renamed := next
	renamed.Name = "northern-heblth"
	elsewhere := framework.Signed{Bytes: w.Sign(renamed).Bytes, Signatures: good.Signatures}
	lower := rules
	lower.Summary = "another version 1"
	old := next
	old.Expires = trust.Instant(time.Now().Add(-time.Minute).Unix())
	data, _, err := framework.Draft(old, time.Now().Add(-time.Hour).Unix())
	done(t, err)
	expired := framework.Signed{Bytes: data}
	for _, n := range []*nodetest.Node{home, host} {
		s, err := framework.Sign(n.Governance, n.ID, data)
		done(t, err)
		expired.Signatures = append(expired.Signatures, s)
	}

	for name, c := range map[string]struct {
		signed framework.Signed
		rules  []framework.Rule
	}{
		"one signer of two":     {w.Sign(next, home), []framework.Rule{framework.Threshold}},
		"the same signer twice": {twice, []framework.Rule{framework.RepeatedSigner}},
		"one changed byte":      {changed, []framework.Rule{framework.Malformed, framework.BadSignature}},
		"one changed letter":    {elsewhere, []framework.Rule{framework.BadSignature}},
		"a lower version":       {w.Sign(lower, home, host), []framework.Rule{framework.NotNewer}},
		"expired":               {expired, []framework.Rule{framework.Expired}},
	} {
		t.Run(name, func(t *testing.T) {
			refusedFramework(t, home, host, c.signed, c.rules)
		})
	}
	if host.State().Framework.Current.Version != 1 {
		t.Error("a refused framework is in force")
	}
}

func refusedFramework(t *testing.T, home, host *nodetest.Node, signed framework.Signed, rules []framework.Rule) {
	t.Helper()
	_, before := newest[framework.Refused](t, host)
	_, err := host.ReceiveFramework(t.Context(), host.Admin, signed)
	if err == nil {
		t.Fatal("an operator brought it in")
	}
	local, count := newest[framework.Refused](t, host)
	if count != before+1 || !slices.Contains(rules, framework.Rule(local.Rule)) || !local.From.IsZero() {
		t.Errorf("an operator's is recorded %d times, the last time %+v", count-before, local)
	}
	number := next(home, host, edge.Governance)
	done(t, host.ReceiveMessage(t.Context(), home.ID, forge(t, home, host, edge.Governance, number, "framework", map[string]any{"signed": signed})))
	partner, count := newest[framework.Refused](t, host)
	if count != before+2 || partner.Rule != local.Rule || partner.From != home.ID {
		t.Errorf("a partner's is recorded %d times, the last time %+v", count-before-1, partner)
	}
	if applied, _ := newest[edge.Applied](t, host); applied.N != number || !applied.Refused {
		t.Errorf("its message is recorded as %+v", applied)
	}
}

// An amendment that is adopted at one node reaches the others, waits there for
// a local word, and a newcomer gets the framework it was invited into (R1).
func TestFrameworksTravel(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, nil)
	second := w.Sign(amended(home, w.Rules(home, host)), home, host)
	hash := framework.Hash(second.Bytes)
	home.Adopt(second)
	nodetest.Eventually(t, "version 2 to wait at the host", func() bool { _, ok := host.State().Framework.Pending(hash); return ok })
	if host.State().Framework.Current.Version != 1 {
		t.Fatal("a partner put a framework in force here")
	}
	done(t, host.AdoptFramework(t.Context(), host.Admin, hash))

	newcomer := w.New("trust.rcb.example")
	own := w.Sign(w.Rules(newcomer), newcomer)
	w.Introduce(home, newcomer)
	_, err := newcomer.ReceiveFramework(t.Context(), newcomer.Admin, own)
	refused(t, "a framework nobody was invited into", err, trust.Denied)
	nodetest.Eventually(t, "the framework to reach the newcomer", func() bool { _, ok := newcomer.State().Framework.Pending(hash); return ok })
	if newcomer.State().Framework.Current != nil {
		t.Fatal("the newcomer has a framework that nobody there adopted")
	}
	done(t, newcomer.AdoptFramework(t.Context(), newcomer.Admin, hash))
	for _, n := range []*nodetest.Node{home, host, newcomer} {
		if f := n.State().Framework.Current; f.Version != 2 || f.Hash != hash {
			t.Errorf("%s has version %d", n.ID, f.Version)
		}
	}
}

// An amendment that both signed holds at each node from its date on, if its people
// accepted it; whose people do not within the time it gives is held to the basic
// tier, and shown (R11, R29).
func TestAnAmendmentHoldsFromItsDateOn(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, nil)
	ward := w.NewWard(home, host, nil)
	token := nurse(ward, "910000000001")
	second := amended(host, w.Rules(home, host))
	second.Activates, second.Governance.AdoptWithin = trust.Instant(time.Now().Add(300*time.Second).Unix()), 150
	signed := w.Sign(second, home, host)
	hash := framework.Hash(signed.Bytes)
	by := func(version int, reason trust.Reason) {
		t.Helper()
		nodetest.Eventually(t, string(reason), func() bool {
			a := answer(t, host, ward.Ask(token))
			e, err := host.Explain(t.Context(), host.Admin, a.Reference)
			done(t, err)
			if e.Framework != version {
				t.Fatalf("decided by framework %d, explained by %s; want %d", e.Framework, e.Reason, version)
			}
			return a.Reason == reason
		})
	}
	host.Adopt(signed)
	nodetest.Eventually(t, "the amendment to wait at the home", func() bool { _, waits := home.State().Framework.Pending(hash); return waits })
	host.Stop()
	host.Start()
	if f := host.State().Framework; f.Current.Version != 1 || f.Next == nil || f.Next.Hash != hash {
		t.Fatalf("adopted before its date it stands as %+v", f)
	}
	by(1, trust.Permit)
	before := answer(t, host, ward.Ask(token))

	home.Clock.Shift(301 * time.Second)
	host.Clock.Shift(301 * time.Second)
	by(2, trust.Permit)
	if e, err := host.Explain(t.Context(), host.Admin, before.Reference); err != nil || e.Framework != 1 || !e.Permit {
		t.Errorf("the decision of before is explained as %+v, %v", e, err)
	}
	if v := home.State().Framework.Current.Version; v != 1 {
		t.Errorf("version %d is in force at the home, whose people did not accept it", v)
	}
	if all := host.Adoptions(); all[0].Version != 2 || all[1].Stage != node.Owes || all[1].Version != 1 {
		t.Errorf("in time, who adopted is %+v", all)
	}

	home.Clock.Shift(451 * time.Second)
	host.Clock.Shift(451 * time.Second)
	by(2, trust.NotAdopted)
	if all := host.Adoptions(); all[1].Stage != node.Lags || all[1].Participant != home.ID {
		t.Errorf("too late, who adopted is %+v", all)
	}
	done(t, host.WatchPosture(t.Context(), home.ID))
	if e, _ := newest[incident.Lapsed](t, host); e.Of != incident.Adoption || e.Participant != home.ID || e.Ended != int64(second.Activates)+150 {
		t.Errorf("on record is %+v", e)
	}

	done(t, home.AdoptFramework(t.Context(), home.Admin, hash))
	by(2, trust.Permit)
	if all := host.Adoptions(); all[1].Stage != node.Adopts || all[1].Hash != hash {
		t.Errorf("then, who adopted is %+v", all)
	}
}
