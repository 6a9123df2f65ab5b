package framework_test

import (
	"crypto/ed25519"
	"fmt"
	"testing"

	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// now is the time of the tests, Unix seconds.
const now = 1_780_000_000

var by = "o1"

func participant(t testing.TB, name string) trust.ParticipantID {
	t.Helper()
	id, err := trust.ParseParticipantID("https://trust." + name + ".example")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// signer gives the governance signer of a participant; generation tells its
// successive keys apart.
func signer(t testing.TB, name string, generation byte) jose.Signer {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, name)
	seed[31] = generation
	s, err := jose.NewSigner(ed25519.NewKeyFromSeed(seed), "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func signerOf(t testing.TB, name string, generation byte) framework.Signer {
	t.Helper()
	return framework.Signer{Participant: participant(t, name), Key: signer(t, name, generation).Key().GovernanceText()}
}

// document is a framework of three founders, two of whom may amend it.
func document(t testing.TB) framework.Document {
	t.Helper()
	issuer, err := trust.ParseIssuerID("https://cis2.example")
	if err != nil {
		t.Fatal(err)
	}
	needs := map[framework.Ladder]framework.Level{framework.Identity: "medium", framework.Authentication: "substantial"}
	return framework.Document{
		Kind: "Framework", Name: "northern-health", Version: 1, Expires: now + 1000,
		Governance: framework.Governance{
			Authority: participant(t, "ics"), Threshold: 2,
			Signers: []framework.Signer{signerOf(t, "rxw", 0), signerOf(t, "rje", 0), signerOf(t, "r0a", 0)},
		},
		Assurance: framework.Assurance{
			Identity:       []framework.Level{"none", "low", "medium", "high"},
			Authentication: []framework.Level{"none", "low", "substantial", "high"},
			Attestation:    []framework.Level{"none", "workload", "node_and_workload"},
			Mapping: []framework.LevelRule{
				{Claim: "id_assurance_level", Equals: "3", Gives: map[framework.Ladder]framework.Level{framework.Identity: "high"}},
				{Claim: "id_assurance_level", Equals: "2", Gives: map[framework.Ladder]framework.Level{framework.Identity: "medium"}},
				{Claim: "aal", Equals: "3", Gives: map[framework.Ladder]framework.Level{framework.Authentication: "high"}},
				{Claim: "eduperson_assurance", Equals: "https://refeds.org/assurance/IAP/medium", Gives: map[framework.Ladder]framework.Level{framework.Identity: "medium"}},
			},
		},
		Tiers: map[trust.Tier]framework.TierRule{
			trust.High:     {MaxStaleness: 10, RemovalTarget: 1, MaxCredentialTTL: 300, SenderConstraint: framework.SenderConstraintRequired, Attestation: "workload"},
			trust.Standard: {MaxStaleness: 60, RemovalTarget: 5, MaxCredentialTTL: 900, SenderConstraint: framework.SenderConstraintWhenOffered},
			trust.Basic:    {MaxStaleness: 300, RemovalTarget: 30, MaxCredentialTTL: 1800, Caps: &framework.Caps{RequestsPerSecond: 10, ScopesPerCredential: 2}},
		},
		Classes: map[trust.Class]framework.ClassRule{
			trust.Human:    {Needs: needs, MaxTokenLifetime: 900, MaxAuthAge: 43200, DelegationDepth: 1, Tier: trust.Standard, ReviewEvery: 90 * 86400},
			trust.Workload: {Needs: map[framework.Ladder]framework.Level{framework.Attestation: "workload"}, Owner: framework.Required, MaxTokenLifetime: 600, Tier: trust.High},
		},
		Issuers:  []framework.NationalIssuer{{Issuer: issuer, JWKSURI: "https://cis2.example/jwks", Discriminator: "org_code"}},
		Controls: []framework.Control{{Catalog: "nist-csf-2.0", ID: "PR.AA-04", Evidence: []string{"decision"}}},
	}
}

// sign renders a document and signs it; each name may end in the generation of
// the key to use, as in "rxw/1".
func sign(t testing.TB, d framework.Document, names ...string) framework.Signed {
	t.Helper()
	data, _, err := framework.Draft(d, min(now, int64(d.Expires)-1))
	if err != nil {
		t.Fatal(err)
	}
	return framework.Signed{Bytes: data, Signatures: signatures(t, data, names...)}
}

func signatures(t testing.TB, data []byte, names ...string) []framework.Signature {
	t.Helper()
	var out []framework.Signature
	for _, name := range names {
		var generation byte
		if n := len(name); n > 2 && name[n-2] == '/' {
			name, generation = name[:n-2], name[n-1]-'0'
		}
		s, err := framework.Sign(signer(t, name, generation), participant(t, name), data)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// adopted gives the state in which the document, signed by names, is in force.
func adopted(t testing.TB, s framework.State, d framework.Document, names ...string) framework.State {
	t.Helper()
	signed := sign(t, d, names...)
	s = apply(t, s)(s.Receive(framework.Facts{}, signed, trust.ParticipantID{}, now))
	return apply(t, s)(s.Adopt(framework.Facts{}, framework.Hash(signed.Bytes), by, now))
}

// apply folds what a command gave, which must not have failed.
func apply(t testing.TB, s framework.State) func([]trust.Event, error) framework.State {
	return func(events []trust.Event, err error) framework.State {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: 7}, At: now})
		}
		return s
	}
}

// next gives the version after the one in force, with what change does to it.
func next(s framework.State, change func(*framework.Document)) framework.Document {
	d := s.Current.Document
	d.Version, d.Previous, d.Summary = s.Current.Version+1, s.Current.Hash, fmt.Sprintf("version %d", s.Current.Version+1)
	if change != nil {
		change(&d)
	}
	return d
}
