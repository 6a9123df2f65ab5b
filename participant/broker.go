package participant

import (
	"cmp"

	"github.com/entente-id/entente/trust"
)

// Broker says that an issuer restates sign-ins which took place elsewhere, and
// where its tokens tell so (R63). The word of a broker counts for no more than
// that of the origin it restates.
type Broker struct {
	// Assertion is the claim with the origin's own ID token, as the origin issued
	// it to the broker, whose client identifier there is Audience.
	Assertion string `json:"assertion,omitempty"`
	Audience  string `json:"audience,omitempty"`
	// Origin is the claim in which the broker itself tells the origin: the issuer
	// as a text, or an object of the origin's claims, iss among them. It counts
	// where a token has no assertion, up to what the framework lets a broker say.
	Origin string `json:"origin,omitempty"`
	// Subject is the claim with the subject's identifier at the origin; empty is
	// sub.
	Subject string `json:"subject,omitempty"`
}

// SubjectClaim gives Subject, or "sub" where it is empty.
func (b *Broker) SubjectClaim() string { return cmp.Or(b.Subject, "sub") }

// check: a broker tells its origin in at least one way, and each claim once.
func (b *Broker) check(issuer trust.IssuerID) error {
	switch {
	case b == nil:
		return nil
	case b.Assertion == "" && b.Origin == "":
		return trust.Errorf(trust.Invalid, "issuer %s is a broker that tells its origin in no claim; assertion or origin names one", issuer)
	case (b.Assertion == "") != (b.Audience == ""):
		return trust.Errorf(trust.Invalid, "issuer %s has an assertion of the origin without the audience it is for, or an audience without an assertion", issuer)
	case b.Assertion == b.Origin || b.Assertion == b.SubjectClaim() || b.Origin == b.SubjectClaim():
		return trust.Errorf(trust.Invalid, "issuer %s tells two things about the origin in one claim", issuer)
	case b.Assertion == "iss" || b.Origin == "iss" || b.Subject == "iss":
		return trust.Errorf(trust.Invalid, "issuer %s tells the origin in iss, which names the broker", issuer)
	default:
		return nil
	}
}
