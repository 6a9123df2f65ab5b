// Package revocation holds the lasting marks of what has ended: engagements,
// keys and issuers. It decides whether an identifier may still be used. It
// refuses to know who a subject is; it sees hashes only.
package revocation

import (
	"encoding/base64"

	"github.com/entente-id/entente/trust"
)

// TargetKind is what can be revoked.
type TargetKind string

const (
	Subject TargetKind = "subject" // one engagement of a subject
	Key     TargetKind = "key"     // one signing key of an issuer
	Issuer  TargetKind = "issuer"  // everything an issuer says for a participant
)

// Target is what a revocation ends. Participant answers for it. For Subject the
// key and the engagement are set; for Key the issuer and the RFC 7638
// thumbprint; for Issuer the issuer.
type Target struct {
	Kind        TargetKind          `json:"kind"`
	Participant trust.ParticipantID `json:"participant"`
	Subject     trust.SubjectKey    `json:"subject,omitzero"`
	Engagement  trust.Engagement    `json:"engagement,omitzero"`
	Issuer      trust.IssuerID      `json:"issuer,omitzero"`
	Thumbprint  string              `json:"thumbprint,omitempty"`
}

// Check reports what is wrong with the shape of t: exactly the members of its
// kind are set. It fails with Invalid.
func (t Target) Check() error {
	subject := t.Subject != trust.SubjectKey{} || t.Engagement != 0
	var fits bool
	switch t.Kind {
	case Subject:
		fits = t.Subject != trust.SubjectKey{} && t.Engagement != 0 && t.Issuer.IsZero() && t.Thumbprint == ""
	case Key:
		fits = !subject && !t.Issuer.IsZero() && isThumbprint(t.Thumbprint)
	case Issuer:
		fits = !subject && !t.Issuer.IsZero() && t.Thumbprint == ""
	default:
		return trust.Errorf(trust.Invalid, "revocation of a %q is not known; it is of a subject, key or issuer", t.Kind)
	}
	if !fits || t.Participant.IsZero() {
		return trust.Errorf(trust.Invalid, "revocation of a %s must name the participant and exactly what a %s is known by", t.Kind, t.Kind)
	}
	return nil
}

// isThumbprint: a SHA-256 in base64url without padding (RFC 7638, section 3.1).
func isThumbprint(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == 32 && len(s) == 43
}
