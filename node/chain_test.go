package node_test

import (
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/delegation"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// agency is a ward in which agents may read for nurses, through two links.
type agency struct {
	*nodetest.Ward
	agents *nodetest.Issuer
}

func newAgency(t *testing.T) agency {
	t.Helper()
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, func(d *framework.Document) {
		human := d.Classes[trust.Human]
		human.DelegationDepth = 2
		d.Classes[trust.Human] = human
		d.Classes[trust.Agent] = framework.ClassRule{
			Needs: human.Needs, MaxTokenLifetime: 900, Principal: framework.Required, Tier: trust.Standard, ReviewEvery: human.ReviewEvery,
		}
	})
	people := w.NewIssuer("https://idp.rxw.example")
	agents := w.NewIssuer("https://agents.rxw.example")
	agents.Classes = []participant.ClassRule{{Class: trust.Agent}}
	ward := w.Agree(home, host, []*nodetest.Issuer{people, agents}, func(d *agreement.Document) {
		line := d.Accepts[0]
		d.Accepts[0].Issuers, d.Accepts[0].Depth = line.Issuers[:1], 2
		line.Class, line.Issuers, line.Roles = trust.Agent, line.Issuers[1:], nil
		d.Accepts = append(d.Accepts, line)
	})
	ward.Furnish()
	m := ward.Mapping("agents")
	m.From, m.To = mapping.From{Class: trust.Agent}, "ward-agent"
	done(t, host.OfferMapping(t.Context(), host.Admin, m))
	done(t, host.ApproveMapping(t.Context(), host.Admin, m.Name))
	_, err := host.ApplyPolicy(t.Context(), host.Admin, nodetest.WardPolicy+`
@id("agents") permit (principal is Agent in Role::"ward-agent", action == Action::"read", resource is WardRecord) when { context has acts_for };`)
	done(t, err)
	return agency{ward, agents}
}

// chain has the nurse let the first agent act, that one the next, and the last
// one call.
func (a agency) chain(t *testing.T, agents ...string) node.Ask {
	t.Helper()
	root := nurse(a.Ward, "910000000001")
	ask := a.Ask(root)
	from := delegation.Party{Issuer: parse(t, a.Issuer.URL), Subject: "910000000001"}
	signer, hash, now := a.Issuer.Key, sha256.Sum256(root), time.Now().Unix()
	for i, agent := range agents {
		to := delegation.Party{Issuer: parse(t, a.agents.URL), Subject: agent}
		link, err := delegation.Sign(signer, delegation.Link{
			From: from, To: to, Parent: hash, Audience: a.Audience, IssuedAt: now, ExpiresAt: now + 500, Depth: len(agents) - 1 - i, ID: rand.Text(),
			Scope: delegation.Scope{{Type: "WardRecord", Actions: []trust.Action{"read"}}},
		}, map[string]any{"id_assurance_level": "3", "authentication_assurance_level": "3"})
		done(t, err)
		ask.Evidence = append(ask.Evidence, evidence.Proof{Kind: evidence.Delegation, Token: []byte(link)})
		from, signer, hash = to, a.agents.Key, sha256.Sum256([]byte(link))
	}
	proof := a.Home.World.Token(a.agents, agents[len(agents)-1], a.Audience, nil)
	ask.Evidence = append(ask.Evidence, evidence.Proof{Kind: evidence.AccessToken, Token: proof})
	return ask
}

func parse(t *testing.T, url string) trust.IssuerID {
	t.Helper()
	id, err := trust.ParseIssuerID(url)
	done(t, err)
	return id
}

// An agent acts for a nurse through another agent (R32, R71); the record names
// all of them, and is explained as it was decided.
func TestAChain(t *testing.T) {
	a := newAgency(t)
	ask := a.chain(t, "agent-a", "agent-b")
	first := answer(t, a.Host, ask)
	if !first.Permit {
		t.Fatalf("the chain is denied: %s", first.Reason)
	}
	again := answer(t, a.Host, ask)
	if made, repeated := count(t, a.Host, decision.EntryKind), count(t, a.Host, decision.AgainKind); !again.Permit || made != 1 || repeated != 1 {
		t.Errorf("%d decisions, %d repeated; the second answer is %s", made, repeated, again.Reason)
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
	if got := answer(t, a.Host, a.Ask(a.Home.World.Token(a.agents, "agent-b", a.Audience, nil))); got.Reason != trust.NoPrincipal {
		t.Errorf("an agent by itself: %s", got.Reason)
	}
	if got := answer(t, a.Host, a.chain(t, "agent-a", "agent-b", "agent-c")); got.Reason != trust.ChainDepth {
		t.Errorf("a third link: %s", got.Reason)
	}
	swapped := a.chain(t, "agent-a", "agent-b")
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
	a := newAgency(t)
	short, long, sibling := a.chain(t, "agent-a"), a.chain(t, "agent-a", "agent-b"), a.chain(t, "agent-s")
	all := []node.Ask{short, long, sibling, a.Ask(nurse(a.Ward, "910000000001"))}
	for i, ask := range all {
		for range 2 { // the second time from memory
			if got := answer(t, a.Host, ask); !got.Permit {
				t.Fatalf("ask %d is denied: %s", i, got.Reason)
			}
		}
	}
	revokeAt(t, a.Home, node.RevokeRequest{Kind: revocation.Subject, Issuer: a.agents.URL, Subject: "agent-a", Reason: "left"})
	nodetest.Eventually(t, "the revocation to arrive", func() bool { return answer(t, a.Host, short).Reason == trust.HopRevoked })
	for i, want := range []trust.Reason{trust.HopRevoked, trust.HopRevoked, trust.Permit, trust.Permit} {
		if got := answer(t, a.Host, all[i]); got.Reason != want {
			t.Errorf("ask %d is answered %s, want %s", i, got.Reason, want)
		}
	}
}
