package decision

import (
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// ClientKind is the kind of the entry of a client's assertion that was taken,
// with which its jti is used up.
var ClientKind = trust.Kind{Name: "client.authenticated", Version: 1}

// ClientLeaf is the body of such an entry.
type ClientLeaf struct {
	Client string `json:"client"`
	Signed string `json:"signed"` // the RFC 7638 thumbprint of the key
}

// ParseClientLeaf reads the body of a ClientKind entry. It fails with Invalid.
func ParseClientLeaf(body []byte) (ClientLeaf, error) {
	var c ClientLeaf
	err := canonical.Decode(body, &c)
	return c, err
}

// Vouches says why nothing can be taken from a client now, whatever it proved;
// "" if nothing stands against it: neither it nor its participant may be suspended
// at now (Unix seconds).
func Vouches(s *state.Snapshot, c *client.Client, now int64) trust.Reason {
	if s.Suspension.ClientSuspended(c.Document.ID, now) {
		return trust.ClientSuspended
	}
	whose := c.Document.Participant
	if whose == self(s) {
		return ""
	}
	partner, known := s.Participant.Partner(whose)
	switch {
	case !known:
		return trust.ParticipantUnknown
	case partner.Suspended:
		return trust.ParticipantSuspended
	default:
		return ""
	}
}

// Introduces finds the client that an SVID is of, by what was observed; or why
// there is none. audience is whom the SVID was shown to, "" for a certificate.
// The trust domain must be stated by the client's own participant, seen lately,
// and not ended.
func Introduces(s *state.Snapshot, o Observed, ev Evidence, audience string) (client.Client, trust.Reason) {
	c, registered := s.Client.BySPIFFE(ev.Subject)
	ground := ev.Ground()
	reason, ended := ground.Ended(s, &o)
	_, broken := s.Edge.Broken(ev.Participant)
	switch {
	case ev.Fault != nil:
		return client.Client{}, ev.Fault.Reason
	case !ev.verified() || ev.Chain != nil || ev.Delegated || ev.Origin != nil || o.Subject == trust.SubjectKey{}:
		return client.Client{}, trust.EvidenceKind // a client is who calls, and nobody acts for it
	case !registered || c.Document.Participant != ev.Participant:
		return client.Client{}, trust.UnknownClient
	case ev.Audience != audience:
		return client.Client{}, trust.AudienceForeign
	case ev.Binding.Bound() && !ev.Binding.Shown:
		return client.Client{}, trust.ProofMissing
	case ev.Participant != self(s) && o.Now >= o.StatementEnd:
		return client.Client{}, trust.StatementExpired
	case broken:
		return client.Client{}, trust.EdgeBroken
	case ended:
		return client.Client{}, reason
	}
	if reason := outOfClass(s, &o, &ev); reason != "" {
		return client.Client{}, reason
	}
	return c, Vouches(s, &c, o.Now)
}

// outOfClass holds an SVID to the lifetime of its class, and its bundle to the age
// that the class's tier allows, as for every caller.
func outOfClass(s *state.Snapshot, o *Observed, ev *Evidence) trust.Reason {
	f := s.Framework.Current
	switch {
	case f == nil:
		return trust.NoFramework
	case !f.Alive(o.Now):
		return trust.FrameworkExpired
	}
	class, known := f.Class(ev.Class)
	if !known {
		return trust.UnknownClass
	}
	tier, known := f.Tier(class.Tier)
	switch {
	case !known:
		return trust.UnknownTier
	case ev.ExpiresAt-ev.IssuedAt > int64(class.MaxTokenLifetime):
		return trust.TokenLifetime
	case o.BundleAge <= 0 || o.BundleAge > int64(tier.BundleAge()):
		return trust.BundleStale
	default:
		return ""
	}
}
