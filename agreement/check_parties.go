package agreement

import (
	"fmt"
	"slices"

	"github.com/entente-id/entente/trust"
)

// privacy asks for what NIST SP 800-63C wants of a trust agreement: what is
// released and what for, whom it concerns, how they are informed, and who is
// the authorised party.
func (c *checker) privacy(d Document) {
	seen := map[string]bool{}
	for i, a := range d.Attributes {
		path := fmt.Sprintf("attributes[%d]", i)
		c.require(path+".name", a.Name == "", "a released attribute has a name")
		c.require(path+".purpose", a.Purpose == "", "an attribute is released for a purpose (NIST SP 800-63C)")
		c.wildcard(path+".name", a.Name)
		if a.Context && slices.Contains([]string{"purpose", "break_glass", "actor", "acts_for", "workload"}, a.Name) {
			c.fault(path+".name", "is %q, which the context of every request has of our own", a.Name)
		}
		if seen[a.Name] {
			c.fault(path+".name", "is %q again; an attribute is released once", a.Name)
		}
		seen[a.Name] = true
	}
	c.require("privacy.population", d.Privacy.Population == "", "the agreement says whom it concerns (NIST SP 800-63C)")
	c.require("privacy.notice", d.Privacy.Notice == "", "the agreement says how they are informed (NIST SP 800-63C)")
	c.require("privacy.authorised_party", d.Privacy.AuthorisedParty == "", "the agreement names the authorised party (NIST SP 800-63C)")
}

// authority sees that nobody decides for the other side, and that both sides
// can end what they began (R55).
func (c *checker) authority(d Document) {
	c.role("authority.issues", d.Authority.Issues, d.Home, "home")
	c.role("authority.validates", d.Authority.Validates, d.Host, "host")
	c.role("authority.approves", d.Authority.Approves, d.Host, "host")
	if !d.Authority.Overrides.IsZero() {
		c.role("authority.overrides", d.Authority.Overrides, d.Host, "host")
	}
	for _, side := range []trust.ParticipantID{d.Home, d.Host} {
		if !slices.ContainsFunc(d.Authority.Revokes, func(r trust.RoleRef) bool { return r.Participant == side }) {
			c.fault("authority.revokes", "has no role at %s; each side has one", side)
		}
	}
	for i, r := range d.Authority.Revokes {
		if r.Participant != d.Home && r.Participant != d.Host {
			c.fault(fmt.Sprintf("authority.revokes[%d]", i), "is %q; only a party revokes", r)
		}
	}
	c.role("owners.home", d.Owners.Home, d.Home, "home")
	c.role("owners.host", d.Owners.Host, d.Host, "host")
}

func (c *checker) role(path string, r trust.RoleRef, at trust.ParticipantID, side string) {
	switch {
	case r.IsZero():
		c.fault(path, "is missing; it names a role at the %s", side)
	case r.Participant != at:
		c.fault(path, "is %q; it is a role at the %s, and nobody may do it for the other side", r, side)
	}
}

// breakGlass: only people break the glass, and they are not kept waiting for an
// approval then.
func (c *checker) breakGlass(d Document) {
	declared := false
	for i, l := range d.Accepts {
		if !slices.Contains(l.Purposes, Emergency) {
			continue
		}
		declared = true
		path := fmt.Sprintf("accepts[%d].purposes", i)
		if l.Class != trust.Human {
			c.fault(path, "has %s for class %s; only a person is held to account for emergency access", Emergency, l.Class)
		}
		if d.BreakGlass == nil {
			c.fault(path, "has %s, and there is no break_glass, which bounds it", Emergency)
		}
		if l.Approval != nil {
			c.fault(path, "has %s beside an approval; what waits for people is no emergency access, which has a line of its own", Emergency)
		}
	}
	b := d.BreakGlass
	if b == nil {
		return
	}
	if !declared {
		c.fault("break_glass", "stands without the purpose %s in any line; the purpose is the switch", Emergency)
	}
	if b.TTL <= 0 || b.TTL > maxBreakGlass {
		c.fault("break_glass.ttl", "is %d s; emergency access is bounded, by %d s at most", b.TTL, maxBreakGlass)
	}
	if b.ReviewWithin <= 0 || b.ReviewWithin > maxReview {
		c.fault("break_glass.review_within", "is %d s; emergency access is reviewed, within %d s at most", b.ReviewWithin, maxReview)
	}
	if b.Uses < 0 {
		c.fault("break_glass.uses", "is %d; 0 is any number", b.Uses)
	}
}
