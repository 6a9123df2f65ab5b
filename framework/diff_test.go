package framework_test

import (
	"slices"
	"testing"

	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

func TestDiffNamesEveryChangedRule(t *testing.T) {
	before := document(t)
	for what, c := range map[string]struct {
		change func(*framework.Document)
		want   []framework.Change
	}{
		"nothing": {func(*framework.Document) {}, []framework.Change{}},
		"a time and a count": {func(d *framework.Document) {
			tier := d.Tiers[trust.Standard]
			tier.MaxStaleness, tier.MaxException = 300, 60
			d.Tiers = map[trust.Tier]framework.TierRule{trust.High: d.Tiers[trust.High], trust.Standard: tier, trust.Basic: d.Tiers[trust.Basic]}
			d.Governance.Threshold = 1
		}, []framework.Change{
			{"governance.threshold", "2", "1", framework.Looser},
			{"tiers.standard.max_exception", "", "1m", framework.Looser},
			{"tiers.standard.max_staleness", "1m", "5m", framework.Looser},
		}},
		"needs, and what is not limited any more": {func(d *framework.Document) {
			human, workload := d.Classes[trust.Human], d.Classes[trust.Workload]
			human.Needs = map[framework.Ladder]framework.Level{framework.Identity: "high"}
			human.MaxAuthAge = 0
			d.Classes = map[trust.Class]framework.ClassRule{trust.Human: human, trust.Workload: workload}
		}, []framework.Change{
			{"classes.human.max_auth_age", "12h", "", framework.Looser},
			{"classes.human.needs.authentication", "substantial", "", framework.Looser},
			{"classes.human.needs.identity", "medium", "high", framework.Stricter},
		}},
		"a signer's key, whatever its place": {func(d *framework.Document) {
			d.Governance.Signers = []framework.Signer{signerOf(t, "r0a", 0), signerOf(t, "rje", 1), signerOf(t, "rxw", 0)}
		}, []framework.Change{
			{"governance.signers[https://trust.rje.example].key", signerOf(t, "rje", 0).Key, signerOf(t, "rje", 1).Key, framework.Unclear},
		}},
		"one who signs no more, a claim, a constraint": {func(d *framework.Document) {
			d.Governance.Signers = d.Governance.Signers[:2]
			d.Assurance.Mapping = d.Assurance.Mapping[1:]
			d.Activates = now + 60
			high := d.Tiers[trust.High]
			high.SenderConstraint, high.Attestation = "", "node_and_workload"
			d.Tiers = map[trust.Tier]framework.TierRule{trust.High: high, trust.Standard: d.Tiers[trust.Standard], trust.Basic: d.Tiers[trust.Basic]}
		}, []framework.Change{
			{"activates", "", trust.Instant(now + 60).String(), framework.Unclear},
			{"assurance.mapping[id_assurance_level=3].claim", "id_assurance_level", "", framework.Unclear},
			{"assurance.mapping[id_assurance_level=3].equals", "3", "", framework.Unclear},
			{"assurance.mapping[id_assurance_level=3].gives.identity", "high", "", framework.Unclear},
			{"governance.signers[https://trust.r0a.example].key", signerOf(t, "r0a", 0).Key, "", framework.Unclear},
			{"governance.signers[https://trust.r0a.example].participant", "https://trust.r0a.example", "", framework.Unclear},
			{"tiers.high.attestation", "workload", "node_and_workload", framework.Stricter},
			{"tiers.high.sender_constraint", "required", "", framework.Looser},
		}},
		"one of two for the same value of a claim": {func(d *framework.Document) {
			d.Assurance.Mapping = append(slices.Clone(d.Assurance.Mapping), framework.LevelRule{
				Claim: "aal", Equals: "3", Gives: map[framework.Ladder]framework.Level{framework.Identity: "high"},
			})
		}, []framework.Change{
			{"assurance.mapping[aal=3 #2].claim", "", "aal", framework.Unclear},
			{"assurance.mapping[aal=3 #2].equals", "", "3", framework.Unclear},
			{"assurance.mapping[aal=3 #2].gives.identity", "", "high", framework.Unclear},
		}},
	} {
		after := document(t)
		c.change(&after)
		got, err := framework.Diff(before, after)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, %v; want %v", what, got, err, c.want)
		}
	}
}
