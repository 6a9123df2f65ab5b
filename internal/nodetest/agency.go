package nodetest

import (
	"crypto/rand"
	"crypto/sha256"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/delegation"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// Agency is a ward in which agents may read for nurses, through two links.
type Agency struct {
	*Ward
	Agents *Issuer
}

// Principal is the nurse whom the agents of an Agency act for.
const Principal = "910000000001"

// NewAgency makes an agency in a world of its own.
func NewAgency(t TB) Agency {
	t.Helper()
	w := NewWorld(t)
	home, host := w.Found(func(d *framework.Document) {
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
	ward := w.Agree(home, host, []*Issuer{people, agents}, func(d *agreement.Document) {
		line := d.Accepts[0]
		d.Accepts[0].Issuers, d.Accepts[0].Depth = line.Issuers[:1], 2
		line.Class, line.Issuers, line.Roles = trust.Agent, line.Issuers[1:], nil
		d.Accepts = append(d.Accepts, line)
	})
	ward.Furnish()
	m := ward.Mapping("agents")
	m.From, m.To = mapping.From{Class: trust.Agent}, "ward-agent"
	check(t, host.OfferMapping(t.Context(), host.Admin, m))
	check(t, host.ApproveMapping(t.Context(), host.Admin, m.Name))
	_, err := host.ApplyPolicy(t.Context(), host.Admin, WardPolicy+`
@id("agents") permit (principal is Agent in Role::"ward-agent", action == Action::"read", resource is WardRecord) when { context has acts_for };`)
	check(t, err)
	return Agency{ward, agents}
}

// Chain is the question of the last of the agents, whom the nurse lets read
// through those before it.
func (a Agency) Chain(agents ...string) node.Ask {
	w := a.Home.World
	w.T.Helper()
	root := w.Token(a.Issuer, Principal, a.Audience, nil)
	ask := a.Ask(root)
	from, signer, before, now := delegation.Party{Issuer: a.Issuer.id(w.T), Subject: Principal}, a.Issuer.Key, root, time.Now().Unix()
	for i, agent := range agents {
		to := delegation.Party{Issuer: a.Agents.id(w.T), Subject: agent}
		link := []byte(Must(delegation.Sign(signer, delegation.Link{
			From: from, To: to, Parent: sha256.Sum256(before), Audience: a.Audience, IssuedAt: now, ExpiresAt: now + 500, Depth: len(agents) - 1 - i, ID: rand.Text(),
			Scope: delegation.Scope{{Type: "WardRecord", Actions: []trust.Action{"read"}}},
		}, map[string]any{"id_assurance_level": "3", "authentication_assurance_level": "3"}))(w.T))
		ask.Evidence = append(ask.Evidence, evidence.Proof{Kind: evidence.Delegation, Token: link})
		from, signer, before = to, a.Agents.Key, link
	}
	proof := w.Token(a.Agents, agents[len(agents)-1], a.Audience, nil)
	ask.Evidence = append(ask.Evidence, evidence.Proof{Kind: evidence.AccessToken, Token: proof})
	return ask
}
