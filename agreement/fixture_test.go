package agreement_test

import (
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

const (
	now  = 1_790_000_000 // 2026-09-21T13:33:20Z
	ends = 1_806_494_400 // 2027-03-31T12:00:00Z
)

var (
	home  = participant("https://trust.rxw.example")
	host  = participant("https://trust.rje.example")
	third = participant("https://trust.r0a.example")
	zero  trust.ParticipantID // this node, where an event names a sender
)

func participant(s string) trust.ParticipantID {
	p, err := trust.ParseParticipantID(s)
	if err != nil {
		panic(err)
	}
	return p
}

func issuer(s string) trust.IssuerID {
	i, err := trust.ParseIssuerID(s)
	if err != nil {
		panic(err)
	}
	return i
}

func role(p trust.ParticipantID, name string) trust.RoleRef {
	return trust.RoleRef{Participant: p, Role: name}
}

// document is an agreement with everything in it.
func document() agreement.Document {
	return agreement.Document{
		Kind: "Agreement", Name: "rxw-staff-at-rje", Home: home, Host: host,
		Tier: trust.Standard, Starts: now - 100, Ends: ends, ReviewEvery: 90 * 86400,
		Accepts: []agreement.Accept{{
			Class: trust.Human, Issuers: []trust.IssuerID{issuer("https://idp.rxw.example")},
			Audience: "https://records.rje.example", Roles: []string{"S8000:G8000:R8001"},
			Needs:    map[framework.Ladder]framework.Level{framework.Authentication: "high"},
			Purposes: []trust.Purpose{"TREAT", "BTG"}, Actions: []trust.Action{"read"},
			Resources: []agreement.ResourceScope{{Type: "WardRecord"}}, Depth: 1,
		}, {
			Class: trust.Workload, Subjects: []string{"spiffe://rxw.example/discharge-letters"},
			Audience: "https://letters.rje.example", SingleUse: true,
			Purposes: []trust.Purpose{"TREAT"}, Actions: []trust.Action{"write"},
			Resources: []agreement.ResourceScope{{Type: "Letter", IDs: []string{"1", "2"}}},
			Approval:  &agreement.Approval{Actions: []trust.Action{"write"}, People: 2},
		}},
		Attributes: []agreement.Attribute{
			{Name: "role_code", From: "roles[id=$selected].code", Purpose: "role mapping"},
			{Name: "ward_ids", Purpose: "ward check in local policy"},
		},
		Privacy: agreement.Privacy{Population: "clinical staff", Notice: "https://rxw.example/staff-privacy", AuthorisedParty: "rxw#dpo"},
		Authority: agreement.Authority{
			Issues: role(home, "registration_authority"), Validates: role(host, "node"), Approves: role(host, "ward_managers"),
			Revokes:   []trust.RoleRef{role(home, "registration_authority"), role(host, "security")},
			Overrides: role(host, "caldicott_guardian"), Adjudicates: role(third, "panel"),
		},
		Owners:     agreement.Owners{Home: role(home, "locum_desk"), Host: role(host, "records")},
		BreakGlass: &agreement.BreakGlass{TTL: 1800, ReviewWithin: 72 * 3600},
	}
}

// inForce is a framework with what document needs.
func inForce() *framework.InForce {
	d := framework.Document{
		Kind: "Framework", Name: "northern-health", Version: 1, Expires: ends + 86400,
		Assurance: framework.Assurance{
			Identity: []framework.Level{"none", "low", "medium"}, Authentication: []framework.Level{"none", "high"},
		},
		Tiers: map[trust.Tier]framework.TierRule{trust.Standard: {MaxStaleness: 60, RemovalTarget: 5, MaxCredentialTTL: 900}},
		Classes: map[trust.Class]framework.ClassRule{
			trust.Human:    {Needs: map[framework.Ladder]framework.Level{framework.Identity: "low"}, MaxTokenLifetime: 900, DelegationDepth: 1, Tier: trust.Standard},
			trust.Workload: {Needs: map[framework.Ladder]framework.Level{framework.Identity: "low"}, MaxTokenLifetime: 600, Tier: trust.Standard},
		},
	}
	data, err := canonical.Marshal(d)
	if err != nil {
		panic(err)
	}
	return framework.State{}.Apply(framework.Adopted{Signed: framework.Signed{Bytes: data}}, trust.Stamp{}).Current
}

var rules = inForce()

// signers hold each participant's governance key.
var signers = map[trust.ParticipantID]jose.Signer{home: newSigner(home), host: newSigner(host), third: newSigner(third)}

func newSigner(p trust.ParticipantID) jose.Signer {
	seed := []byte(strings.Repeat(p.String(), 2))[8 : 8+ed25519.SeedSize]
	s, err := jose.NewSigner(ed25519.NewKeyFromSeed(seed), "")
	if err != nil {
		panic(err)
	}
	return s
}

func signer(p trust.ParticipantID) jose.Signer { return signers[p] }

func governanceKey(p trust.ParticipantID) string {
	return signer(p).Key().GovernanceText()
}

func sign(p trust.ParticipantID, data []byte) []byte {
	signature, err := jose.SignBytes(signer(p), agreement.Domain, data)
	if err != nil {
		panic(err)
	}
	return signature
}

// facts are those of a node at which everything is in place.
func facts(self trust.ParticipantID) agreement.Facts {
	return agreement.Facts{
		Self: self, Framework: rules, HomeKey: governanceKey(home), HostKey: governanceKey(host),
		PartnerTrusted: true, PartnerFresh: true,
		Holders: func(string) []string { return []string{"op-1"} },
	}
}

func holdersBut(absent string) func(string) []string {
	return func(role string) []string {
		if role == absent {
			return nil
		}
		return []string{"op-1"}
	}
}

const id = "0123456789abcdef0123456789abcdef"

func first(d agreement.Document, proposer trust.ParticipantID) agreement.Revision {
	return agreement.Revision{ID: id, Revision: 1, Framework: rules.Hash, Proposer: proposer, Document: d}
}

func counter(a *agreement.Agreement, proposer trust.ParticipantID) agreement.Revision {
	r := a.Revision
	r.Revision, r.Answers, r.Proposer = r.Revision+1, a.Hash, proposer
	r.Document.ReviewEvery += 86400
	return r
}

// offer is r as its proposer sends it, or as it is made here with from zero.
func offer(r agreement.Revision, from trust.ParticipantID) agreement.Offered {
	data, _, err := agreement.Render(r)
	if err != nil {
		panic(err)
	}
	return agreement.Offered{Bytes: data, Signature: sign(r.Proposer, data), From: from, By: by(from)}
}

func by(from trust.ParticipantID) string {
	if from.IsZero() {
		return "op-1"
	}
	return ""
}

func yes(a *agreement.Agreement, signer, from trust.ParticipantID) agreement.Countersigned {
	return agreement.Countersigned{ID: a.ID, Hash: a.Hash, Signature: sign(signer, a.Bytes), From: from, By: by(from)}
}

// node is one side with its own state, folded from what its commands gave.
type node struct {
	self  trust.ParticipantID
	facts agreement.Facts
	state agreement.State
	n     uint64
}

func newNode(self trust.ParticipantID) *node { return &node{self: self, facts: facts(self)} }

// do judges an event and, whatever came of it, folds what is to be recorded.
func (n *node) do(e trust.Event) ([]trust.Event, error) {
	var events []trust.Event
	var err error
	switch e := e.(type) {
	case agreement.Offered:
		events, err = n.state.Offer(n.facts, e, now)
	case agreement.Countersigned:
		events, err = n.state.Countersign(n.facts, e, now)
	case agreement.Moved:
		events, err = n.state.Move(n.facts, e, now)
	case agreement.CaughtUp:
		events, err = n.state.CatchUp(n.facts, e)
	}
	for _, e := range events {
		n.n++
		n.state = n.state.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: n.n}, At: now})
	}
	return events, err
}

func (n *node) must(t testing.TB, e trust.Event) {
	t.Helper()
	if _, err := n.do(e); err != nil {
		t.Fatal(err)
	}
}

func (n *node) get() *agreement.Agreement {
	a, _ := n.state.ByID(id)
	return a
}

// at brings the host's node to a stage, the home having proposed.
func at(t testing.TB, stage agreement.Stage) *node {
	n := newNode(host)
	steps := []struct {
		stage agreement.Stage
		event func() trust.Event
	}{
		{agreement.Proposed, func() trust.Event { return offer(first(document(), home), home) }},
		{agreement.Countered, func() trust.Event { return offer(counter(n.get(), host), zero) }},
		{agreement.Agreed, func() trust.Event { return yes(n.get(), home, home) }},
		{agreement.Active, func() trust.Event { return agreement.Moved{ID: id, To: agreement.Active, By: "op-1"} }},
		{agreement.Suspended, func() trust.Event { return agreement.Moved{ID: id, To: agreement.Suspended, By: "op-1"} }},
		{agreement.Ended, func() trust.Event { return agreement.Moved{ID: id, To: agreement.Ended, By: "op-1"} }},
	}
	for _, step := range steps {
		n.must(t, step.event())
		if step.stage == agreement.Agreed {
			n.must(t, agreement.CaughtUp{ID: id, From: home})
		}
		if got := n.get().Stage; got != step.stage {
			t.Fatalf("agreement is %s, want %s", got, step.stage)
		}
		if step.stage == stage {
			return n
		}
	}
	t.Fatalf("no way to stage %s", stage)
	return nil
}

// refusedBy checks the shape of a refusal: one Refused with the rule, and an
// error of the kind that names the stage and the rule.
func refusedBy(t testing.TB, events []trust.Event, err error, kind trust.ErrorKind, rule string) {
	t.Helper()
	if trust.KindOf(err) != kind {
		t.Fatalf("error is %v, want kind %s", err, kind)
	}
	if len(events) != 1 {
		t.Fatalf("events are %v, want one refusal", events)
	}
	r, ok := events[0].(agreement.Refused)
	if !ok || r.Rule != rule {
		t.Fatalf("event is %+v (%v), want a refusal by %s", events[0], err, rule)
	}
	if !strings.Contains(err.Error(), "the rule "+rule) {
		t.Errorf("error %q does not name the rule %s", err, rule)
	}
}
