package framework

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

const (
	maxRungs   = 16
	maxSigners = 256
)

// Check reports every fault of d at once, in the order of the document. Each is
// Invalid and its text is the path of the member and the rule it breaks. now is
// Unix seconds.
func (d Document) Check(now int64) []error {
	var c checker
	c.head(d, now)
	c.governance(d.Governance)
	c.assurance(d.Assurance)
	for _, t := range slices.Sorted(maps.Keys(d.Tiers)) {
		c.tier("tiers."+string(t), t, d.Tiers[t], d.Assurance)
	}
	c.rule(len(d.Classes) > 0, "classes", "is empty; a framework has at least one class")
	for _, class := range slices.Sorted(maps.Keys(d.Classes)) {
		c.class("classes."+string(class), class, d)
	}
	c.issuers(d.Issuers)
	for i, control := range d.Controls {
		c.rule(control.Catalog != "" && control.ID != "" && len(control.Evidence) > 0, index("controls", i),
			"must have a catalog, an id and kinds of evidence")
	}
	return c.faults
}

// checker gathers faults.
type checker struct{ faults []error }

// rule notes a fault at path unless the rule holds.
func (c *checker) rule(holds bool, path, format string, args ...any) {
	if !holds {
		c.faults = append(c.faults, trust.Errorf(trust.Invalid, "%s: %s", path, fmt.Sprintf(format, args...)))
	}
}

func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

func (c *checker) head(d Document, now int64) {
	c.rule(d.Kind == "Framework", "kind", "is %q, not Framework", d.Kind)
	c.rule(trust.CheckName("framework", d.Name) == nil, "name", "%q is not 1 to 63 of a-z 0-9 . _ -", d.Name)
	c.rule(d.Version >= 1, "version", "is %d; versions begin at 1", d.Version)
	if d.Version <= 1 {
		c.rule(d.Previous == "", "previous", "names a version before the first")
	} else {
		c.rule(isHash(d.Previous), "previous", "is not the hex SHA-256 of the version before")
	}
	c.rule(d.Activates == 0 || d.Activates < d.Expires, "activates", "is %s, not before it expires", d.Activates)
	c.rule(int64(d.Expires) > now, "expires", "is %s, which has passed; it must lie in the future", d.Expires)
}

func isHash(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && hex.EncodeToString(b) == s
}

func (c *checker) governance(g Governance) {
	c.rule(!g.Authority.IsZero(), "governance.authority", "is missing")
	c.rule(len(g.Signers) > 0 && len(g.Signers) <= maxSigners, "governance.signers", "are %d; there must be 1 to %d", len(g.Signers), maxSigners)
	c.rule(g.Threshold >= 1, "governance.threshold", "is %d; it must be at least 1", g.Threshold)
	c.rule(g.Threshold <= len(g.Signers), "governance.threshold", "is %d, more than the %d signers", g.Threshold, len(g.Signers))
	c.rule(g.AdoptWithin >= 0, "governance.adopt_within", "is negative")
	participants := make(map[trust.ParticipantID]bool)
	owners := make(map[string]trust.ParticipantID)
	for i, s := range g.Signers {
		path := index("governance.signers", i)
		c.rule(!s.Participant.IsZero(), path+".participant", "is missing")
		c.rule(!participants[s.Participant], path+".participant", "%s stands twice; the threshold counts participants", s.Participant)
		participants[s.Participant] = true
		key, err := jose.ParseGovernanceKey(s.Key)
		if err != nil {
			c.rule(false, path+".key", "cannot be read: %s", err)
			continue
		}
		other, taken := owners[key.Thumbprint()]
		c.rule(!taken, path+".key", "is that of %s; no two signers share a key", other)
		owners[key.Thumbprint()] = s.Participant
	}
	if d := g.Disputes; d != nil {
		c.rule(d.Direct > 0 && d.Mediated > 0 && d.Panel > 0, "governance.disputes", "must give a limit for direct, mediated and panel")
	}
}

func (c *checker) assurance(a Assurance) {
	for _, l := range ladders {
		rungs := a.rungs(l)
		path := "assurance." + string(l)
		c.rule(rungs == nil || len(rungs) > 0, path, "is empty; a ladder has levels, or is left out")
		c.rule(len(rungs) <= maxRungs, path, "has %d levels; the most is %d", len(rungs), maxRungs)
		for i, level := range rungs {
			c.rule(level != "" && !slices.Contains(rungs[:i], level), index(path, i), "%q is empty or stands twice", level)
		}
	}
	for i, rule := range a.Mapping {
		path := index("assurance.mapping", i)
		c.rule(rule.Claim != "", path+".claim", "is missing")
		c.rule(rule.Equals != "", path+".equals", "is missing; empty never matches")
		c.rule(len(rule.Gives) > 0, path+".gives", "is empty; a rule gives a level")
		c.levels(path+".gives", rule.Gives, a)
	}
	c.levels("assurance.brokered", a.Brokered, a)
}

// levels: every level stands on its ladder.
func (c *checker) levels(path string, levels map[Ladder]Level, a Assurance) {
	for _, l := range slices.Sorted(maps.Keys(levels)) {
		if !l.Valid() {
			c.rule(false, path+"."+string(l), "is not a ladder; those are %v", ladders)
			continue
		}
		_, ok := a.level(l, levels[l])
		c.rule(ok, path+"."+string(l), "%q is not a level of assurance.%s", levels[l], l)
	}
}

func (c *checker) tier(path string, t trust.Tier, r TierRule, a Assurance) {
	c.rule(t.Valid(), path, "is not a tier; those are %v", trust.Tiers())
	c.rule(r.MaxStaleness > 0, path+".max_staleness", "is missing; a tier bounds how old a view may be")
	c.rule(r.RemovalTarget > 0, path+".removal_target", "is missing; a tier says how fast trust ends")
	c.rule(r.MaxCredentialTTL > 0, path+".max_credential_ttl", "is missing")
	c.rule(r.MaxBundleAge == 0 || r.MaxBundleAge >= MinBundleAge, path+".max_bundle_age", "is %s; a node needs %s to have read a bundle again for sure", r.MaxBundleAge, MinBundleAge)
	c.rule(r.MaxException >= 0, path+".max_exception", "is negative")
	c.rule(r.SenderConstraint.rank() <= SenderConstraintRequired.rank(), path+".sender_constraint", "%q is not when_offered, required or empty", r.SenderConstraint)
	if r.Attestation != "" {
		c.levels(path, map[Ladder]Level{Attestation: r.Attestation}, a)
	}
	if r.Caps != nil {
		c.rule(r.Caps.RequestsPerSecond >= 0 && r.Caps.ScopesPerCredential >= 0, path+".caps", "has a negative number")
	}
}

// class holds R20: no class without assurance and revocation requirements.
func (c *checker) class(path string, class trust.Class, d Document) {
	r := d.Classes[class]
	c.rule(class.Valid(), path, "is not an identity class; those are %v", trust.Classes())
	c.rule(len(r.Needs) > 0, path+".needs", "is empty; a class without assurance requirements cannot be published")
	c.levels(path+".needs", r.Needs, d.Assurance)
	_, ok := d.Tiers[r.Tier]
	c.rule(ok, path+".tier", "%q is not among tiers; a class without revocation requirements cannot be published", r.Tier)
	c.rule(r.MaxTokenLifetime > 0, path+".max_token_lifetime", "is missing")
	c.rule(r.MaxAuthAge >= 0 && r.ReviewEvery >= 0 && r.DelegationDepth >= 0, path, "has a negative number")
	c.rule(r.Owner == NotRequired || r.Owner == Required, path+".owner", "%q is not required or empty", r.Owner)
	c.rule(r.Principal == NotRequired || r.Principal == Required, path+".principal", "%q is not required or empty", r.Principal)
}

func (c *checker) issuers(issuers []NationalIssuer) {
	seen := make(map[trust.IssuerID]bool)
	for i, n := range issuers {
		path := index("issuers", i)
		c.rule(!n.Issuer.IsZero() && !seen[n.Issuer], path+".issuer", "is missing or stands twice")
		c.rule(!n.Issuer.TrustDomain(), path+".issuer", "is a trust domain; it speaks for one participant")
		seen[n.Issuer] = true
		u, err := url.Parse(n.JWKSURI)
		c.rule(err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && u.Fragment == "", path+".jwks_uri", "%q is not an https URL", n.JWKSURI)
		c.rule(n.Discriminator != "", path+".discriminator", "is missing; it tells for whom a token speaks")
	}
}
