package participant

import (
	"cmp"
	"maps"
	"slices"

	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

// maxIssuers bounds what one participant states.
const maxIssuers = 64

// Facts is what other rooms know. Framework is the one in force, nil for none.
type Facts struct {
	Framework *framework.InForce
}

func (f Facts) national(id trust.IssuerID) (framework.NationalIssuer, bool) {
	if f.Framework == nil {
		return framework.NationalIssuer{}, false
	}
	return f.Framework.Issuer(id)
}

// checkIssuers decides which issuers may speak for a participant: those with
// keys of their own that nobody else names, and those that the framework
// registers, under a value that nobody else has. It gives them in the order in
// which they are recorded.
func (s State) checkIssuers(owner trust.ParticipantID, f Facts, issuers []Issuer) ([]Issuer, error) {
	if len(issuers) > maxIssuers {
		return nil, trust.Errorf(trust.Invalid, "participant %s states %d issuers; the most is %d", owner, len(issuers), maxIssuers)
	}
	issuers = slices.SortedFunc(slices.Values(issuers), compareIssuers)
	for i, issuer := range issuers {
		if err := issuer.check(f); err != nil {
			return nil, err
		}
		if i > 0 && compareIssuers(issuers[i-1], issuer) == 0 {
			return nil, trust.Errorf(trust.Invalid, "issuer %s stands twice; a participant states it once", issuer.Issuer)
		}
		if err := s.checkFree(owner, issuer); err != nil {
			return nil, err
		}
		issuers[i] = issuer.sorted()
	}
	return issuers, nil
}

func compareIssuers(a, b Issuer) int {
	return cmp.Or(cmp.Compare(a.Issuer.String(), b.Issuer.String()), cmp.Compare(a.value(), b.value()))
}

// value is the discriminator's value, empty without one.
func (i Issuer) value() string {
	if i.Discriminator == nil {
		return ""
	}
	return i.Discriminator.Value
}

// sorted gives i with its sets sorted; the rules of classes are a sequence.
func (i Issuer) sorted() Issuer {
	if i.Namespaces != nil {
		i.Namespaces = maps.Clone(i.Namespaces)
		for claim, allowed := range i.Namespaces {
			i.Namespaces[claim] = slices.SortedFunc(slices.Values(allowed), compareNamespaces)
		}
	}
	i.Domains = slices.Sorted(slices.Values(i.Domains))
	return i
}

func (i Issuer) check(f Facts) error {
	if i.Issuer.IsZero() {
		return trust.Errorf(trust.Invalid, "issuer is missing")
	}
	if err := i.checkKeys(f); err != nil {
		return err
	}
	if i.Subjects != "" {
		if err := trust.CheckName("subject space", i.Subjects); err != nil {
			return err
		}
	}
	for claim, allowed := range i.Namespaces {
		if claim == "" || len(allowed) == 0 {
			return trust.Errorf(trust.Invalid, "issuer %s has a namespace %q without a value; empty never matches", i.Issuer, claim)
		}
		for _, n := range allowed {
			if err := n.check(); err != nil {
				return trust.Errorf(trust.Invalid, "issuer %s, namespace %s: %w", i.Issuer, claim, err)
			}
		}
	}
	for _, domain := range i.Domains {
		if err := checkDomain(domain); err != nil {
			return trust.Errorf(trust.Invalid, "issuer %s: %w", i.Issuer, err)
		}
	}
	if len(i.Presets) > 0 {
		return trust.Errorf(trust.Invalid, "issuer %s is stated with presets; a statement has the conditions themselves", i.Issuer)
	}
	if err := i.Broker.check(i.Issuer); err != nil {
		return err
	}
	if len(i.Classes) == 0 {
		return trust.Errorf(trust.Invalid, "issuer %s has no classes; all its tokens would be unclassified", i.Issuer)
	}
	for n, rule := range i.Classes {
		if err := i.checkPath(rule); err != nil {
			return err
		}
		switch {
		case !rule.Class.Valid():
			return trust.Errorf(trust.Invalid, "issuer %s has a rule for the class %q, which does not exist", i.Issuer, rule.Class)
		case (rule.Claim == "") != (rule.Equals == ""):
			return trust.Errorf(trust.Invalid, "issuer %s has a class rule with a claim and no value, or a value and no claim", i.Issuer)
		case hasEmpty(rule.When):
			return trust.Errorf(trust.Invalid, "issuer %s has a class rule with an empty condition; empty never matches", i.Issuer)
		case rule.Claim == "" && rule.Path == "" && len(rule.When) == 0 && n < len(i.Classes)-1:
			return trust.Errorf(trust.Invalid, "issuer %s has class rules behind one that matches every token", i.Issuer)
		}
	}
	return nil
}

func hasEmpty(when map[string]string) bool {
	for claim, value := range when {
		if claim == "" || value == "" {
			return true
		}
	}
	return false
}

// checkKeys: an issuer has keys at its own address, or it is a national one,
// whose address and discriminator the framework registers.
func (i Issuer) checkKeys(f Facts) error {
	national, registered := f.national(i.Issuer)
	d := i.Discriminator
	switch {
	case i.Issuer.TrustDomain():
		return i.checkBundle()
	case i.Bundle != nil:
		return trust.Errorf(trust.Invalid, "issuer %s has a bundle; only a trust domain, spiffe://name, has one", i.Issuer)
	case d == nil && registered:
		return trust.Errorf(trust.Denied, "issuer %s is a national issuer; it speaks only by its discriminator %s", i.Issuer, national.Discriminator)
	case d == nil:
		if !isFetchable(i.JWKSURI) {
			return trust.Errorf(trust.Invalid, "issuer %s has the jwks_uri %q, which is not an https URL", i.Issuer, i.JWKSURI)
		}
		return nil
	case i.JWKSURI != "":
		return trust.Errorf(trust.Invalid, "issuer %s has a discriminator and a jwks_uri; it has one of them", i.Issuer)
	case !registered:
		return trust.Errorf(trust.Denied, "issuer %s is not registered by the framework in force; only such an issuer has a discriminator", i.Issuer)
	case d.Claim != national.Discriminator:
		return trust.Errorf(trust.Denied, "issuer %s is told apart by the claim %s, not %s", i.Issuer, national.Discriminator, d.Claim)
	case d.Value == "":
		return trust.Errorf(trust.Invalid, "issuer %s has an empty discriminator; empty never matches", i.Issuer)
	default:
		return nil
	}
}

// checkFree: nobody else states the issuer, or the national issuer's value.
func (s State) checkFree(owner trust.ParticipantID, issuer Issuer) error {
	speaker, ok := s.Speaker(issuer.Issuer.String())
	if !ok {
		return nil
	}
	for _, c := range speaker.Candidates {
		shared := issuer.Discriminator != nil && c.Issuer.Discriminator != nil && c.Value != issuer.value()
		if c.Participant != owner && !shared {
			return trust.Errorf(trust.Conflict, "issuer %s speaks for %s already; %s cannot state it too", issuer.Issuer, c.Participant, owner)
		}
	}
	return nil
}
