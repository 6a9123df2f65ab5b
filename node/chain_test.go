package node_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// An agent acts for a nurse through another agent (R32, R71); the record names
// all of them, and is explained as it was decided.
func TestAChain(t *testing.T) {
	a := nodetest.NewAgency(t)
	ask := a.Chain("agent-a", "agent-b")
	first := answer(t, a.Host, ask)
	if !first.Permit {
		t.Fatalf("the chain is denied: %s", first.Reason)
	}
	again := answer(t, a.Host, ask)
	if made, repeated := count(t, a.Host, decision.EntryKind), count(t, a.Host, decision.AgainKind); !again.Permit || made != 1 || repeated != 1 {
		t.Errorf("%d decisions, %d repeated; the second answer is %s", made, repeated, again.Reason)
	}
	repeated, err := decision.ParseAgain(decision.AgainKind, entries(t, a.Host, "decisions", decision.AgainKind.String())[0].Body)
	if seen := repeated.Observed; err != nil || len(seen.Chain) != 3 || seen.Chain[2].Now != seen.Now || seen.Chain[2].StatementEnd == 0 {
		t.Errorf("of the hops was observed anew %+v (%v)", seen.Chain, err)
	}
	for _, reference := range []string{first.Reference, again.Reference} {
		e, err := a.Host.Explain(t.Context(), a.Host.Admin, reference)
		done(t, err)
		if !e.Permit || len(e.Chain) != 2 || !strings.HasSuffix(e.Who, " 910000000001") || !strings.HasSuffix(e.Chain[0].Who, " agent-a") ||
			!strings.HasSuffix(e.Chain[1].Who, " agent-b") || e.Chain[1].Class != trust.Agent {
			t.Errorf("explained as %+v", e)
		}
		for _, c := range e.Checks {
			if c.Result != decision.Passed {
				t.Errorf("line %s is %s: %s", c.Name, c.Result, c.Text)
			}
		}
	}
	if got := answer(t, a.Host, a.Ask(a.Home.World.Token(a.Agents, "agent-b", a.Audience, nil))); got.Reason != trust.NoPrincipal {
		t.Errorf("an agent by itself: %s", got.Reason)
	}
	if got := answer(t, a.Host, a.Chain("agent-a", "agent-b", "agent-c")); got.Reason != trust.ChainDepth {
		t.Errorf("a third link: %s", got.Reason)
	}
	swapped := a.Chain("agent-a", "agent-b")
	swapped.Evidence[0].Token = nurse(a.Ward, "910000000002")
	if got := answer(t, a.Host, swapped); got.Reason != trust.LinkPrincipal {
		t.Errorf("another principal: %s", got.Reason)
	}
	e, err := a.Host.Explain(t.Context(), a.Host.Admin, answer(t, a.Host, swapped).Reference)
	done(t, err)
	if i := slices.Index(decision.Names[:], "delegate"); e.Checks[i].Reason != trust.LinkPrincipal || !strings.Contains(e.Checks[i].Text, "link 1 of 2") {
		t.Errorf("explained as %+v", e.Checks[i])
	}
}

func count(t *testing.T, n *nodetest.Node, kind trust.Kind) int {
	t.Helper()
	return len(entries(t, n, "decisions", kind.String()))
}

// Revoking an agent ends at once whatever stands behind it, also what was
// permitted a moment ago, and nothing beside it (scenario 6).
func TestRevokingAnAgent(t *testing.T) {
	a := nodetest.NewAgency(t)
	short, long, sibling := a.Chain("agent-a"), a.Chain("agent-a", "agent-b"), a.Chain("agent-s")
	all := []node.Ask{short, long, sibling, a.Ask(nurse(a.Ward, nodetest.Principal))}
	for i, ask := range all {
		for range 2 { // the second time from memory
			if got := answer(t, a.Host, ask); !got.Permit {
				t.Fatalf("ask %d is denied: %s", i, got.Reason)
			}
		}
	}
	revokeAt(t, a.Home, node.RevokeRequest{Kind: revocation.Subject, Issuer: a.Agents.URL, Subject: "agent-a", Reason: "left"})
	nodetest.Eventually(t, "the revocation to arrive", func() bool { return answer(t, a.Host, short).Reason == trust.HopRevoked })
	for i, want := range []trust.Reason{trust.HopRevoked, trust.HopRevoked, trust.Permit, trust.Permit} {
		if got := answer(t, a.Host, all[i]); got.Reason != want {
			t.Errorf("ask %d is answered %s, want %s", i, got.Reason, want)
		}
	}
}

// Whatever the caller of a chain presents is used up with the decision, also where
// its principal or the chain is refused before it would be heard.
func TestTheActorsProofIsUsedUp(t *testing.T) {
	a := nodetest.NewAgency(t)
	for name, c := range map[string]struct {
		change func(*node.Ask)
		want   trust.Reason
	}{
		"principal's token lives too long": {func(ask *node.Ask) {
			now := time.Now().Unix()
			ask.Evidence[0].Token = a.Home.World.Token(a.Issuer, nodetest.Principal, a.Audience, map[string]any{"iat": now - 10, "exp": now + 86400})
			ask.Evidence = slices.Delete(ask.Evidence, 1, 2)
		}, trust.TokenLifetime},
		"request beyond the link": {func(ask *node.Ask) { ask.Action = "write" }, trust.OutOfScope},
		"another purpose":         {func(ask *node.Ask) { ask.Purpose = "MARKETING" }, trust.PurposeNotCovered},
		"another actor":           {func(ask *node.Ask) { ask.Evidence[1] = a.Chain("agent-b").Evidence[1] }, trust.LinkParent},
		"no link to the actor":    {func(ask *node.Ask) { ask.Evidence = slices.Delete(ask.Evidence, 1, 2) }, trust.NotTheActor},
	} {
		h := a.Home.World.NewHolder()
		good := a.Chain("agent-a")
		token := a.Home.World.Token(a.Agents, "agent-a", a.Audience, map[string]any{"cnf": h.Confirmation()})
		good.Evidence[2] = evidence.Proof{Kind: evidence.AccessToken, Token: token, Shown: h.Shown(token, "GET", recordURL, nil)}
		bad := good
		bad.Evidence = slices.Clone(good.Evidence)
		c.change(&bad)
		if got := answer(t, a.Host, bad); got.Reason != c.want {
			t.Errorf("%s: %s, want %s", name, got.Reason, c.want)
		}
		want := trust.ActorProof
		if c.want == trust.LinkParent { // then nobody looked at the actor's proof
			want = trust.Permit
		}
		if got := answer(t, a.Host, good); got.Reason != want {
			t.Errorf("%s: the same proof again gets %s, want %s", name, got.Reason, want)
		}
		if got := answer(t, a.Host, good); got.Reason != trust.ActorProof {
			t.Errorf("%s: the proof a third time gets %s", name, got.Reason)
		}
	}
}

// Nobody acts for themselves.
func TestTheCallerIsThePrincipal(t *testing.T) {
	a := nodetest.NewAgency(t)
	self := map[string]any{"may_act": map[string]any{"sub": nodetest.Principal}}
	ask := a.Ask(a.Home.World.Token(a.Issuer, nodetest.Principal, a.Audience, self))
	ask.Evidence = append(ask.Evidence, evidence.Proof{Kind: evidence.AccessToken, Token: nurse(a.Ward, nodetest.Principal)})
	if got := answer(t, a.Host, ask); got.Reason != trust.ChainCycle {
		t.Errorf("the caller is the principal: %s", got.Reason)
	}
}
