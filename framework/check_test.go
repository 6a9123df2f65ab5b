package framework_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

func TestCheckAcceptsASoundDocument(t *testing.T) {
	if faults := document(t).Check(now); len(faults) > 0 {
		t.Error(faults)
	}
}

func TestCheckNamesPathAndRule(t *testing.T) {
	tier := func(change func(*framework.TierRule)) func(*framework.Document) {
		return func(d *framework.Document) { r := d.Tiers[trust.High]; change(&r); d.Tiers[trust.High] = r }
	}
	class := func(change func(*framework.ClassRule)) func(*framework.Document) {
		return func(d *framework.Document) { r := d.Classes[trust.Human]; change(&r); d.Classes[trust.Human] = r }
	}
	signers := func(change func([]framework.Signer)) func(*framework.Document) {
		return func(d *framework.Document) { change(d.Governance.Signers) }
	}
	for want, change := range map[string]func(*framework.Document){
		`kind: is "Agreement"`:                           func(d *framework.Document) { d.Kind = "Agreement" },
		`name: "Northern Health"`:                        func(d *framework.Document) { d.Name = "Northern Health" },
		`version: is 0`:                                  func(d *framework.Document) { d.Version = 0 },
		`previous: names a version`:                      func(d *framework.Document) { d.Previous = "00" },
		`previous: is not the hex`:                       func(d *framework.Document) { d.Version = 2 },
		`expires: is`:                                    func(d *framework.Document) { d.Expires = now },
		`governance.authority: is m`:                     func(d *framework.Document) { d.Governance.Authority = trust.ParticipantID{} },
		`governance.threshold: is 0`:                     func(d *framework.Document) { d.Governance.Threshold = 0 },
		`governance.threshold: is 4, more than the 3`:    func(d *framework.Document) { d.Governance.Threshold = 4 },
		`governance.signers: are 0`:                      func(d *framework.Document) { d.Governance.Signers = nil },
		`governance.signers[1].participant: is missing`:  signers(func(s []framework.Signer) { s[1].Participant = trust.ParticipantID{} }),
		`governance.signers[1].participant: https://tru`: signers(func(s []framework.Signer) { s[1].Participant = s[0].Participant }),
		`governance.signers[1].key: cannot be read`:      signers(func(s []framework.Signer) { s[1].Key = "ed25519:AA" }),
		// An intermediate and its subordinate that share a key are refused.
		`governance.signers[2].key: is that of https://trust.rxw.example; no two signers share a key`: signers(func(s []framework.Signer) { s[2].Key = s[0].Key }),
		`governance.disputes: must give`:              func(d *framework.Document) { d.Governance.Disputes = &framework.Disputes{Direct: 1} },
		`assurance.federation: is empty`:              func(d *framework.Document) { d.Assurance.Federation = []framework.Level{} },
		`assurance.identity[1]: "none" is empty or s`: func(d *framework.Document) { d.Assurance.Identity[1] = "none" },
		`assurance.attestation[0]: "" is empty or st`: func(d *framework.Document) { d.Assurance.Attestation[0] = "" },
		`assurance.mapping[0].claim: is missing`:      func(d *framework.Document) { d.Assurance.Mapping[0].Claim = "" },
		`assurance.mapping[0].equals: is missing`:     func(d *framework.Document) { d.Assurance.Mapping[0].Equals = "" },
		`assurance.mapping[1].gives: is empty`:        func(d *framework.Document) { d.Assurance.Mapping[1].Gives = nil },
		`assurance.mapping[0].gives.identity: "top"`:  func(d *framework.Document) { d.Assurance.Mapping[0].Gives[framework.Identity] = "top" },
		`assurance.mapping[0].gives.trust: is not a`:  func(d *framework.Document) { d.Assurance.Mapping[0].Gives["trust"] = "high" },
		`assurance.brokered.identity: "top"`: func(d *framework.Document) {
			d.Assurance.Brokered = map[framework.Ladder]framework.Level{"identity": "top"}
		},
		`assurance.brokered.trust: is not a`: func(d *framework.Document) {
			d.Assurance.Brokered = map[framework.Ladder]framework.Level{"trust": "high"}
		},
		`tiers.gold: is not a tier`: func(d *framework.Document) { d.Tiers["gold"] = d.Tiers[trust.High] },
		// R20: a class without assurance and revocation requirements.
		`tiers.high.max_staleness: is missing`:         tier(func(r *framework.TierRule) { r.MaxStaleness = 0 }),
		`tiers.high.removal_target: is missing`:        tier(func(r *framework.TierRule) { r.RemovalTarget = 0 }),
		`tiers.high.max_credential_ttl: is missing`:    tier(func(r *framework.TierRule) { r.MaxCredentialTTL = 0 }),
		`tiers.high.max_bundle_age: is 89`:             tier(func(r *framework.TierRule) { r.MaxBundleAge = 89 }),
		`tiers.high.max_bundle_age: is -`:              tier(func(r *framework.TierRule) { r.MaxBundleAge = -1 }),
		`tiers.high.sender_constraint: "maybe"`:        tier(func(r *framework.TierRule) { r.SenderConstraint = "maybe" }),
		`tiers.high.attestation: "strong"`:             tier(func(r *framework.TierRule) { r.Attestation = "strong" }),
		`tiers.high.caps: has a negative`:              tier(func(r *framework.TierRule) { r.Caps = &framework.Caps{RequestsPerSecond: -1} }),
		`classes: is empty`:                            func(d *framework.Document) { d.Classes = nil },
		`classes.robot: is not an identity class`:      func(d *framework.Document) { d.Classes["robot"] = d.Classes[trust.Human] },
		`classes.human.needs: is empty`:                class(func(r *framework.ClassRule) { r.Needs = nil }),
		`classes.human.needs.identity: "top"`:          class(func(r *framework.ClassRule) { r.Needs = map[framework.Ladder]framework.Level{"identity": "top"} }),
		`classes.human.needs.federation: "none"`:       class(func(r *framework.ClassRule) { r.Needs = map[framework.Ladder]framework.Level{"federation": "none"} }),
		`classes.human.tier: "" is not among`:          class(func(r *framework.ClassRule) { r.Tier = "" }),
		`classes.human.max_token_lifetime: is missing`: class(func(r *framework.ClassRule) { r.MaxTokenLifetime = 0 }),
		`classes.human.owner: "perhaps"`:               class(func(r *framework.ClassRule) { r.Owner = "perhaps" }),
		`classes.human: has a negative number`:         class(func(r *framework.ClassRule) { r.DelegationDepth = -1 }),
		`issuers[0].issuer: is missing`:                func(d *framework.Document) { d.Issuers[0].Issuer = trust.IssuerID{} },
		`issuers[0].jwks_uri: "http://cis2.exa`:        func(d *framework.Document) { d.Issuers[0].JWKSURI = "http://cis2.example" },
		`issuers[0].discriminator: is missing`:         func(d *framework.Document) { d.Issuers[0].Discriminator = "" },
		`controls[0]: must have a catalog`:             func(d *framework.Document) { d.Controls[0].Evidence = nil },
	} {
		d := document(t)
		change(&d)
		faults := d.Check(now)
		if !slices.ContainsFunc(faults, func(err error) bool {
			return strings.HasPrefix(err.Error(), want) && trust.KindOf(err) == trust.Invalid
		}) {
			t.Errorf("want a fault %q, got %v", want, faults)
		}
		if _, _, err := framework.Draft(d, now); trust.KindOf(err) != trust.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("Draft of a document with %q gave %v", want, err)
		}
	}
}

// R20
func TestClassOfATierThatIsGoneCannotBePublished(t *testing.T) {
	d := document(t)
	delete(d.Tiers, trust.Standard)
	faults := d.Check(now)
	if len(faults) != 1 || !strings.HasPrefix(faults[0].Error(), "classes.human.tier:") {
		t.Errorf("got %v", faults)
	}
}

func TestCheckReportsAllFaultsAtOnce(t *testing.T) {
	d := document(t)
	d.Kind, d.Version, d.Governance.Threshold, d.Issuers[0].Discriminator = "", 0, 9, ""
	if faults := d.Check(now); len(faults) != 4 {
		t.Errorf("got %d faults: %v", len(faults), faults)
	}
}

func TestDraftIsCanonicalAndReadsBack(t *testing.T) {
	data, hash, err := framework.Draft(document(t), now)
	if err != nil {
		t.Fatal(err)
	}
	var back framework.Document
	if err := canonical.Decode(data, &back); err != nil {
		t.Fatal(err)
	}
	again, hashAgain, err := framework.Draft(back, now)
	if err != nil || string(again) != string(data) || hash != hashAgain || hash != framework.Hash(data) {
		t.Errorf("rendering what was read gives other bytes: %v\n%s\n%s", err, data, again)
	}
	if len(slices.Collect(maps.Keys(back.Classes))) != 2 {
		t.Errorf("classes were lost: %s", data)
	}
}

func FuzzReceive(f *testing.F) {
	signed := sign(f, document(f), "rxw", "rje", "r0a")
	f.Add(signed.Bytes)
	f.Add([]byte(`{"kind":"Framework","governance":{"signers":[{}]},"classes":{"human":{}},"tiers":{"high":{}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		events, err := framework.State{}.Receive(framework.Facts{}, framework.Signed{Bytes: data, Signatures: signed.Signatures}, trust.ParticipantID{}, now)
		if (err == nil) != (string(data) == string(signed.Bytes)) || err == nil != (len(events) == 1) {
			t.Errorf("got %v, %v for %s", events, err, data)
		}
		state := framework.State{}
		state.Apply(framework.Adopted{Signed: framework.Signed{Bytes: data}}, trust.Stamp{})
	})
}
