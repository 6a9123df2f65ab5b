package decision_test

import (
	"crypto/sha256"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/delegation"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// chainOf is what is brought behind the principal's token.
type chainOf struct {
	links []delegation.Link
	more  []object // claims of their issuers
	actor object   // claims of the caller's own token; nil: none is brought
	raw   func([]evidence.Proof) []evidence.Proof
}

func (c *chainOf) proofs(token []byte) (all []evidence.Proof) {
	hash := sha256.Sum256(token)
	for i, l := range c.links {
		l.Parent = hash
		link := []byte(must(delegation.Sign(key(), l, c.more[i])))
		all, hash = append(all, evidence.Proof{Kind: evidence.Delegation, Token: link}), sha256.Sum256(link)
	}
	if c.actor != nil {
		all = append(all, evidence.Proof{Kind: evidence.AccessToken, Token: []byte(must(jose.Sign(key(), "at+jwt", c.actor)))})
	}
	if c.raw != nil {
		all = c.raw(all)
	}
	return all
}

// hopKeys are what the ledger knows the hops by: the principal, agent-a, agent-b.
var hopKeys = []trust.SubjectKey{{7, 15, 3}, {8, 1}, {8, 2}}

// agents has the nurse's request made by an agent: she lets agent-a of another
// issuer act, which lets agent-b, who calls.
func agents(sc *scene) {
	levels := object{"authentication_assurance_level": "3", "id_assurance_level": "3", "attested": "yes"}
	link := func(from, to delegation.Party, depth int) delegation.Link {
		return delegation.Link{From: from, To: to, Audience: records, IssuedAt: now - 30, ExpiresAt: now + 200, Depth: depth, ID: "l",
			Scope: delegation.Scope{{Type: "WardRecord", Actions: []trust.Action{"read"}}}}
	}
	nurse := delegation.Party{Issuer: idp, Subject: "910000000001"}
	a, b := delegation.Party{Issuer: idp2, Subject: "agent-a"}, delegation.Party{Issuer: idp2, Subject: "agent-b"}
	sc.chain = &chainOf{
		links: []delegation.Link{link(nurse, a, 1), link(a, b, 0)},
		more:  []object{nil, maps.Clone(levels)},
		actor: object{"iss": idp2.String(), "sub": "agent-b", "aud": records, "client_id": "agent-b", "jti": "j", "iat": now - 20, "exp": now + 100, "kind": "agent"},
	}
	maps.Copy(sc.chain.actor, levels)
	for _, subject := range hopKeys {
		sc.observed.Chain = append(sc.observed.Chain, decision.Observed{Now: now, Subject: subject, PartnerAge: 12, StatementAge: 720, StatementEnd: now + 3600})
	}
	sc.observed.Chain[2].Subject = hopKeys[2]
	class(sc, trust.Human, func(r *framework.ClassRule) { r.DelegationDepth = 2 })
	class(sc, trust.Agent, func(r *framework.ClassRule) { r.Tier = trust.Standard })
	sc.line().Depth = 2
	sc.agreements[0].Accepts = append(sc.agreements[0].Accepts, agreement.Accept{
		Class: trust.Agent, Issuers: []trust.IssuerID{idp2}, Audience: records, Purposes: []trust.Purpose{"TREAT"},
		Actions: []trust.Action{"read", "write"}, Resources: []agreement.ResourceScope{{Type: "WardRecord"}},
	})
	sc.mappings = append(sc.mappings, mapping.Document{Kind: "Mapping", Name: "agents", Agreement: "rxw-staff-at-rje", To: "ward-agent", Expires: ends,
		From: mapping.From{Class: trust.Agent}})
	sc.policy += `@id("agents") permit (principal is Agent in Role::"ward-agent", action, resource is WardRecord)
when { context has acts_for && context.acts_for.class == "human" };
`
}

func class(sc *scene, c trust.Class, change func(*framework.ClassRule)) {
	rule := sc.framework.Classes[c]
	change(&rule)
	sc.framework.Classes[c] = rule
}

func agentLine(sc *scene) *agreement.Accept {
	return &sc.agreements[0].Accepts[len(sc.agreements[0].Accepts)-1]
}

// with is the agents' scene with one thing changed.
func with(change func(*scene)) func(*scene) {
	return func(sc *scene) {
		agents(sc)
		change(sc)
	}
}

func ended(target revocation.Target) func(*scene) { return with(revoked(target)) }

// direct has agent-b act by the principal's token alone.
func direct(claims object, change func(*scene)) func(*scene) {
	return with(func(sc *scene) {
		sc.chain.links, sc.chain.more, sc.observed.Chain = nil, nil, sc.observed.Chain[2:]
		sc.claim(claims)
		change(sc)
	})
}

func stated(act any, change func(*scene)) func(*scene) {
	return direct(object{"act": act}, func(sc *scene) {
		sc.chain = nil
		sc.line().Issuers = append(sc.line().Issuers, idp)
		agentLine(sc).Issuers = append(agentLine(sc).Issuers, idp)
		change(sc)
	})
}

func nothing(*scene) {}

var agentB = object{"iss": idp2.String(), "sub": "agent-b"}

func actor(more object) object {
	act := object{"sub": "agent-b", "kind": "agent", "authentication_assurance_level": "3", "id_assurance_level": "3", "attested": "yes"}
	maps.Copy(act, more)
	return act
}

var delegating = []deviation{
	{"R71 nurse lets agent-a, agent-a lets agent-b", agents, trust.Permit},
	{"R32 agent without a principal", with(func(sc *scene) { sc.claims, sc.chain, sc.observed.Chain = sc.chain.actor, nil, nil }), trust.NoPrincipal},
	{"R32 agent as the principal of a chain", with(func(sc *scene) { sc.claim(object{"kind": "agent", "attested": "yes", "auth_time": nil}) }), trust.NoPrincipal},

	{"swapped principal", with(func(sc *scene) { sc.claim(object{"sub": "910000000002"}) }), trust.LinkPrincipal},
	{"spliced parent", with(func(sc *scene) {
		other := *sc.chain
		other.links = slices.Clone(sc.chain.links)
		other.links[0].ID = "another"
		sc.chain.raw = func(all []evidence.Proof) []evidence.Proof {
			return slices.Concat(other.proofs([]byte(must(jose.Sign(key(), "at+jwt", sc.claims))))[:1], all[1:])
		}
	}), trust.LinkParent},
	{"removed middle hop", with(func(sc *scene) {
		sc.chain.raw = func(all []evidence.Proof) []evidence.Proof { return slices.Delete(all, 1, 2) }
	}), trust.NotTheActor},
	{"removed first hop", with(func(sc *scene) {
		sc.chain.raw = func(all []evidence.Proof) []evidence.Proof { return all[1:] }
	}), trust.LinkPrincipal},
	{"reordered hops", with(func(sc *scene) {
		sc.chain.raw = func(all []evidence.Proof) []evidence.Proof { all[0], all[1] = all[1], all[0]; return all }
	}), trust.LinkPrincipal},
	{"hop of another", with(func(sc *scene) { sc.chain.links[1].From.Subject = "agent-c" }), trust.LinkHop},
	{"link of an unknown issuer", with(func(sc *scene) { sc.chain.links[1].From.Issuer = must(trust.ParseIssuerID("https://nobody.example")) }), trust.LinkSignature},
	{"link under a key that is gone", with(happened(participant.KeysSeen{Issuer: idp, Keys: []byte(`{"keys":[]}`)})), trust.UnknownKey},
	{"a token among the links", with(func(sc *scene) {
		sc.chain.raw = func(all []evidence.Proof) []evidence.Proof { all[0].Kind = evidence.AccessToken; return all }
	}), trust.LinkMalformed},
	{"link cut short", with(func(sc *scene) {
		sc.chain.raw = func(all []evidence.Proof) []evidence.Proof { all[0].Token = all[0].Token[1:]; return all }
	}), trust.LinkMalformed},
	{"widened scope", with(func(sc *scene) { sc.chain.links[1].Scope[0].Actions = []trust.Action{"read", "write"} }), trust.LinkScope},
	{"another audience", with(func(sc *scene) { sc.chain.links[0].Audience = letters }), trust.LinkAudience},
	{"actor's proof for another audience", with(func(sc *scene) { sc.chain.actor["aud"] = letters }), trust.LinkAudience},
	{"later expiry", with(func(sc *scene) { sc.chain.links[1].ExpiresAt = now + 201 }), trust.LinkExpiry},
	{"expired link", with(func(sc *scene) { sc.chain.links[1].ExpiresAt = now }), trust.LinkExpired},
	{"link from the future", with(func(sc *scene) { sc.chain.links[1].IssuedAt = now + 31 }), trust.LinkNotYetValid},
	{"back to the principal", with(func(sc *scene) { sc.chain.links[1].To = sc.chain.links[0].From }), trust.ChainCycle},
	{"actor that does not show its key", with(func(sc *scene) { sc.chain.links[1].Key = key().Key().Thumbprint() }), trust.LinkKey},
	{"depth that a link does not leave", with(func(sc *scene) { sc.chain.links[0].Depth = 0 }), trust.ChainDepth},
	{"depth beyond the class", with(func(sc *scene) { class(sc, trust.Human, func(r *framework.ClassRule) { r.DelegationDepth = 1 }) }), trust.ChainDepth},
	{"depth beyond the agreement", with(func(sc *scene) { sc.line().Depth = 1 }), trust.ChainNotCovered},
	{"agreement without delegation", with(func(sc *scene) { sc.line().Depth = 0 }), trust.ChainNotCovered},
	{"request beyond the last link", with(func(sc *scene) { sc.chain.links[1].Scope[0].ID = "43" }), trust.OutOfScope},
	{"request within the last link", with(func(sc *scene) { sc.chain.links[1].Scope[0].ID = "42" }), trust.Permit},

	{"another caller than the chain names", with(func(sc *scene) { sc.chain.actor["sub"] = "agent-c" }), trust.NotTheActor},
	{"the same name at another issuer", with(func(sc *scene) { sc.chain.actor["iss"] = idp.String() }), trust.NotTheActor},
	{"chain without a caller's proof", with(func(sc *scene) { sc.chain.actor = nil }), trust.ActorProof},
	{"caller's proof expired", with(func(sc *scene) { sc.chain.actor["exp"] = now }), trust.ActorProof},
	{"caller's proof bound to what is not shown", with(func(sc *scene) { sc.chain.actor["cnf"] = object{"jkt": key().Key().Thumbprint()} }), trust.ActorProof},
	{"caller's proof used by another already", with(func(sc *scene) { sc.chain.actor["act"] = object{"sub": "x"} }), trust.ChainUnsupported},
	{"principal's token bound, the actor calls", with(func(sc *scene) { sc.claim(object{"cnf": object{"jkt": key().Key().Thumbprint()}}) }), trust.Permit},
	{"caller's statement has run out", with(func(sc *scene) { sc.observed.Chain[2].StatementEnd = now }), trust.ActorProof},
	{"observed of another chain", with(func(sc *scene) { sc.observed.Chain = sc.observed.Chain[:2] }), trust.ActorProof},
	{"unclassified actor", with(func(sc *scene) { sc.chain.actor["kind"] = "thing" }), trust.ActorClass},
	{"actor below its class", with(func(sc *scene) { delete(sc.chain.actor, "attested") }), trust.ActorClass},
	{"actor's token lives too long", with(func(sc *scene) { sc.chain.actor["iat"] = now - 201 }), trust.ActorClass},
	{"hop's statement has run out", with(func(sc *scene) { sc.observed.Chain[1].StatementEnd = now }), trust.HopParticipant},

	{"may_act names the caller", direct(object{"may_act": agentB}, nothing), trust.Permit},
	{"may_act names another", direct(object{"may_act": object{"iss": idp2.String(), "sub": "agent-c"}}, nothing), trust.NotTheActor},
	{"may_act names the caller at another issuer", direct(object{"may_act": object{"sub": "agent-b"}}, nothing), trust.NotTheActor},
	{"may_act that names nobody", direct(object{"may_act": "agent-b"}, nothing), trust.NotTheActor},
	{"no may_act and no link", direct(nil, nothing), trust.NotTheActor},
	{"may_act names the first link's delegate", with(func(sc *scene) { sc.claim(object{"may_act": object{"iss": idp2.String(), "sub": "agent-a"}}) }), trust.Permit},
	{"may_act names another than the first link", with(func(sc *scene) { sc.claim(object{"may_act": agentB}) }), trust.NotTheActor},
	{"may_act that names nobody, and links", with(func(sc *scene) { sc.claim(object{"may_act": object{}}) }), trust.NotTheActor},
	{"one actor where the class lets none", direct(object{"may_act": agentB}, func(sc *scene) {
		class(sc, trust.Human, func(r *framework.ClassRule) { r.DelegationDepth = 0 })
	}), trust.ChainDepth},

	{"act states the actor", stated(actor(nil), nothing), trust.Permit},
	{"act with history", stated(actor(object{"act": object{"sub": "x", "act": object{"sub": "y", "act": object{"sub": "z"}}}}), nothing), trust.Permit},
	{"act states another issuer's subject", stated(actor(object{"iss": idp2.String()}), nothing), trust.ActorProof},
	{"act states nobody", stated("agent-b", nothing), trust.ChainUnsupported},
	{"act states no subject", stated(actor(object{"sub": ""}), nothing), trust.ChainUnsupported},
	{"act states no class", stated(object{"sub": "agent-b"}, nothing), trust.ActorClass},
	{"token with act is bound, nothing shown", stated(actor(nil), func(sc *scene) { sc.claim(object{"cnf": object{"jkt": key().Key().Thumbprint()}}) }), trust.ProofMissing},
	{"act and the caller's own proof", direct(object{"act": agentB}, nothing), trust.Permit},
	{"act and another's own proof", direct(object{"act": object{"iss": idp2.String(), "sub": "agent-c"}}, nothing), trust.NotTheActor},
	{"credential asked for by who acts for another", with(order), trust.Permit},
	{"credential for every record on a link for one", with(func(sc *scene) {
		order(sc)
		for i := range sc.chain.links {
			for k := range sc.chain.links[i].Scope {
				sc.chain.links[i].Scope[k].ID = "42"
			}
		}
	}), trust.OutOfScope},
	{"grant for a partner asked for by who acts for another", with(func(sc *scene) { order(sc); sc.request.Order.Partner = r0a }), trust.NotOurs},
	{"act and links", with(func(sc *scene) { sc.claim(object{"act": agentB}) }), trust.ChainUnsupported},

	// The deputy gets the intersection of its own rights and its principal's (scenario 5).
	{"principal may not write, the deputy may", with(func(sc *scene) {
		sc.request.Action = "write"
		for i := range sc.chain.links {
			sc.chain.links[i].Scope[0].Actions = []trust.Action{"read", "write"}
		}
	}), trust.ActionNotCovered},
	{"principal may, no agreement covers the deputy", with(func(sc *scene) { agentLine(sc).Actions = []trust.Action{"write"} }), trust.ActorNotCovered},
	{"principal may, the deputy has no role", with(func(sc *scene) { sc.mappings = sc.mappings[:1] }), trust.ActorEntitled},
	{"principal may, local policy forbids the deputy", with(func(sc *scene) { sc.policy += `@id("no-agents") forbid (principal is Agent, action, resource);` }), trust.PolicyActor},
	{"local policy reads who acts", with(func(sc *scene) {
		sc.policy += `@id("not-by-agents") forbid (principal is Human, action, resource) when { context has actor && context.actor.class == "agent" };`
	}), trust.PolicyForbid},
	{"local policy on who acts, for a caller in her own name", func(sc *scene) {
		sc.policy += `@id("not-by-agents") forbid (principal is Human, action, resource) when { context has actor };`
	}, trust.Permit},
	{"deputy's tier needs what it does not show", with(func(sc *scene) { class(sc, trust.Agent, func(r *framework.ClassRule) { r.Tier = trust.High }) }), trust.ActorNotCovered},
	{"line of the deputy takes each proof once", with(func(sc *scene) { agentLine(sc).SingleUse = true }), trust.ActorNotCovered},

	// Along the path the lowest assurance counts (R13, R26).
	{"actor below what the principal's line needs", with(func(sc *scene) { sc.chain.actor["authentication_assurance_level"] = "2" }), trust.LinkAssurance},
	{"hop below what the principal's line needs", with(func(sc *scene) { sc.chain.more[1]["authentication_assurance_level"] = "2" }), trust.LinkAssurance},
	{"hop that states nothing", with(func(sc *scene) { sc.chain.more[1] = nil }), trust.LinkAssurance},
	{"actor high, principal low", with(func(sc *scene) { sc.claim(object{"authentication_assurance_level": "2"}) }), trust.LinkAssurance},

	{"hop's participant stale", with(func(sc *scene) { sc.observed.Chain[1].PartnerAge = 61 }), trust.HopStale},
	{"hop's participant never proven", with(func(sc *scene) { sc.observed.Chain[1].PartnerAge = -1 }), trust.HopStale},
	{"actor's participant stale", with(func(sc *scene) { sc.observed.Chain[2].PartnerAge = 61 }), trust.HopStale},
	{"everybody's edge broken", with(happened(edge.Broken{From: rxw, Lane: edge.Safety, Rule: "content"})), trust.EdgeBroken},

	{"agent-a revoked", ended(revocation.Target{Kind: revocation.Subject, Subject: hopKeys[1], Engagement: 1}), trust.HopRevoked},
	{"agent-b revoked", ended(revocation.Target{Kind: revocation.Subject, Subject: hopKeys[2], Engagement: 1}), trust.HopRevoked},
	{"agents' issuer revoked", ended(revocation.Target{Kind: revocation.Issuer, Issuer: idp2}), trust.HopRevoked},
	{"agents' key revoked", with(func(sc *scene) {
		revoked(revocation.Target{Kind: revocation.Key, Issuer: idp2, Thumbprint: key().Key().Thumbprint()})(sc)
	}), trust.HopRevoked},
	{"principal revoked", ended(revocation.Target{Kind: revocation.Subject, Subject: hopKeys[0], Engagement: 1}), trust.SubjectRevoked},
	{"a sibling revoked", ended(revocation.Target{Kind: revocation.Subject, Subject: trust.SubjectKey{8, 3}, Engagement: 1}), trust.Permit},
	{"link of an engagement that ended", with(func(sc *scene) {
		sc.more = append(sc.more,
			revocation.Revoked{Target: revocation.Target{Kind: revocation.Subject, Participant: rxw, Subject: hopKeys[1], Engagement: 1}, From: rxw},
			revocation.EngagementOpened{Participant: rxw, Subject: hopKeys[1], Engagement: 2, Since: now - 29, From: rxw},
			revocation.EngagementApproved{Subject: hopKeys[1], Engagement: 2, By: "admin"})
	}), trust.HopRevoked},
}

// A chain's answer is good for no longer than its shortest part.
func TestHowLongAChainIsGood(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*scene)
		want   int64
	}{
		"removal target":  {nothing, 5},
		"link's end":      {func(sc *scene) { sc.chain.links[1].ExpiresAt = now + 3 }, 3},
		"actor's end":     {func(sc *scene) { sc.chain.actor["exp"] = now + 2 }, 2},
		"hop's view":      {func(sc *scene) { sc.observed.Chain[1].PartnerAge = 59 }, 1},
		"actor's view":    {func(sc *scene) { sc.observed.Chain[2].PartnerAge = 56 }, 4},
		"hop's statement": {func(sc *scene) { sc.observed.Chain[1].StatementEnd = now + 4 }, 4},
		"actor's line":    {func(sc *scene) { agentLine(sc).MaxTTL = 3 }, 3},
		"actor's tier": {func(sc *scene) {
			class(sc, trust.Agent, func(r *framework.ClassRule) { r.Tier = trust.High })
			high := sc.framework.Tiers[trust.High]
			high.SenderConstraint, high.MaxStaleness = framework.SenderConstraintNone, 60
			sc.framework.Tiers[trust.High] = high
		}, 1},
	} {
		sc := newScene()
		with(c.change)(sc)
		if d := sc.decide(); !d.Permit || d.TTL != c.want {
			t.Errorf("%s: %s for %d s, want %d", name, d.Reason, d.TTL, c.want)
		}
	}
}

// The explanation shows the whole chain (R4, R51), and the record says what the
// actor may on its own.
func TestTheWholeChainIsShown(t *testing.T) {
	sc := newScene()
	agents(sc)
	s := sc.snapshot()
	ev := sc.verify(s)
	d := decision.Explain(s, sc.observed, ev, sc.request)
	for check, words := range map[int][]string{
		decision.Delegate: {"human of trust.rxw.example → trust.rxw.example (idp2.rxw.example) → agent of trust.rxw.example (idp2.rxw.example)", "2 of at most 2 links", "authentication high"},
		decision.Entitle:  {"ward-reader", "actor:", "ward-agent"},
	} {
		for _, word := range words {
			if text := d.Checks[check].Text; !strings.Contains(text, word) {
				t.Errorf("line %s does not say %q: %s", d.Checks[check].Name, word, text)
			}
		}
	}
	leaf := must(decision.ParseLeaf(decision.AppendLeaf(nil, &d, &sc.observed, &ev, &sc.request, commit)))
	if leaf.Actor == nil || leaf.Actor.Class != trust.Agent || !slices.Equal(leaf.Actor.Roles, []trust.Role{"ward-agent"}) || *leaf.Actor.Subject != hopKeys[2] ||
		len(leaf.Chain) != 2 || leaf.Chain[1].Subject != hopKeys[1] || leaf.Chain[1].Issuer != idp2 {
		t.Errorf("leaf is %+v", leaf)
	}
}

// Whoever is revoked, nothing that stands behind them is left, and nothing beside
// them is touched (scenario 6).
func TestRevokingAHopEndsWhatIsBehindIt(t *testing.T) {
	short := func(sc *scene) { // agent-a calls
		agents(sc)
		sc.chain.links, sc.chain.more, sc.observed.Chain = sc.chain.links[:1], sc.chain.more[:1], sc.observed.Chain[:2]
		sc.chain.actor["sub"] = "agent-a"
	}
	sibling := func(sc *scene) { // beside agent-a
		short(sc)
		sc.chain.actor["sub"], sc.chain.links[0].To.Subject, sc.observed.Chain[1].Subject = "agent-s", "agent-s", trust.SubjectKey{8, 3}
	}
	own := func(*scene) {}
	for subject, want := range map[int][4]bool{ // the nurse, agent-a, agent-b, the sibling
		-1: {true, true, true, true}, 0: {}, 1: {true, false, false, true}, 2: {true, true, false, true},
	} {
		var got [4]bool
		for i, who := range []func(*scene){own, short, agents, sibling} {
			sc := newScene()
			who(sc)
			if subject >= 0 {
				revoked(revocation.Target{Kind: revocation.Subject, Subject: hopKeys[subject], Engagement: 1})(sc)
			}
			got[i] = sc.decide().Permit
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("with hop %d revoked %v are permitted, want %v", subject, got, want)
		}
	}
}

// Whatever the two are granted and the links say, who acts gets no more than the
// principal may, than it may itself, and than every link lets be done; and all of
// that (scenario 5).
func TestADeputyGetsTheIntersection(t *testing.T) {
	actions := []trust.Action{"read", "write"}
	ids := []string{"42", "43"}
	permits, denials := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		some := func(of string) []trust.Action {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(actions), 1, 2, rapid.ID).Draw(t, "actions of "+of)
		}
		records := func(of string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 0, 2, rapid.ID).Draw(t, "records of "+of)
		}
		principal, deputy := some("the principal"), some("the deputy")
		principals, deputies := records("the principal"), records("the deputy")
		mapped := rapid.IntRange(0, 4).Draw(t, "mapped") > 0
		scopes := []delegation.Grant{
			{Type: "WardRecord", Actions: some("link 1"), ID: rapid.SampledFrom([]string{"", "", "42"}).Draw(t, "record of link 1")},
		}
		second := scopes[0]
		if rapid.Bool().Draw(t, "narrowed") {
			second.Actions, second.ID = second.Actions[:1], "42"
		}
		scopes = append(scopes, second)
		action, id := rapid.SampledFrom(actions).Draw(t, "action"), rapid.SampledFrom(ids).Draw(t, "record")

		sc := newScene()
		agents(sc)
		sc.policy = `@id("all") permit (principal, action, resource);`
		sc.line().Actions, sc.line().Resources[0].IDs = principal, principals
		agentLine(sc).Actions, agentLine(sc).Resources[0].IDs = deputy, deputies
		if !mapped {
			sc.mappings = sc.mappings[:1]
		}
		for i := range sc.chain.links {
			sc.chain.links[i].Scope = delegation.Scope{scopes[i]}
		}
		sc.request.Action, sc.request.ResourceID = action, id
		covers := func(actions []trust.Action, ids []string) bool {
			return slices.Contains(actions, action) && (len(ids) == 0 || slices.Contains(ids, id))
		}
		want := covers(principal, principals) && covers(deputy, deputies) && mapped
		for _, g := range scopes {
			want = want && slices.Contains(g.Actions, action) && (g.ID == "" || g.ID == id)
		}
		d := sc.decide()
		if d.Permit != want {
			t.Fatalf("permit is %t (%s), and the intersection says %t", d.Permit, d.Reason, want)
		}
		if d.Permit {
			permits++
		} else {
			denials++
		}
	})
	if permits == 0 || denials == 0 {
		t.Errorf("%d permits and %d denials were drawn; the property says nothing", permits, denials)
	}
}
