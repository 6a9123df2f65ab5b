package revocation

import (
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Verdict says whether what a token stands on has ended, and why: the issuer as
// the participant's voice, the key with this RFC 7638 thumbprint, the subject,
// or only the engagement in which the token was issued (iat, Unix seconds).
// Every path asks this one predicate. Without an end the reason is empty.
func (s State) Verdict(participant, issuer, thumbprint string, subject trust.SubjectKey, iat int64) (trust.Reason, bool) {
	if s.IssuerRevoked(participant, issuer) {
		return trust.IssuerRevoked, true
	}
	if s.KeyRevoked(issuer, thumbprint) {
		return trust.KeyRevoked, true
	}
	ended, ok := s.Tombstones.Get(table.Key(subject))
	if !ok {
		return "", false
	}
	current, since := s.Current(subject)
	switch {
	case ended >= current:
		return trust.SubjectRevoked, true
	case iat < since:
		return trust.EngagementEnded, true
	default:
		return "", false
	}
}

// Ended gives the highest engagement of the subject that has ended.
func (s State) Ended(subject trust.SubjectKey) (trust.Engagement, bool) {
	ended, _ := s.Tombstones.Get(table.Key(subject))
	return ended, ended > 0
}

// Current gives the engagement that was last accepted here, ended or not, and
// when it began in Unix seconds: 1 and 0 for a subject nothing is known of.
func (s State) Current(subject trust.SubjectKey) (trust.Engagement, int64) {
	back, _ := s.Returns.Get(table.Key(subject))
	return max(back.Engagement, 1), back.Since // the first needs no approval
}

// Opened gives the engagement of the subject that awaits a local approval, and
// when it begins in Unix seconds.
func (s State) Opened(subject trust.SubjectKey) (engagement trust.Engagement, since int64, ok bool) {
	o, ok := s.Openings.Get(table.Key(subject))
	return o.Engagement, o.Since, ok
}

// CredentialRevoked reports whether one of the node's own credentials ended
// before its time. Of one that has expired it may have been forgotten.
func (s State) CredentialRevoked(id string) bool {
	return s.Credentials.has(id) || s.Past.has(id)
}

func (g Given) has(id string) bool {
	if g.Expires.Len() == 0 {
		return false
	}
	_, there := g.Expires.Get(credentialKey(id))
	return there
}

// KeyRevoked reports whether the issuer's key with this RFC 7638 thumbprint is
// revoked, whichever participant it speaks for.
func (s State) KeyRevoked(issuer, thumbprint string) bool {
	if s.Keys.Len() == 0 {
		return false // spares the hash on most nodes
	}
	_, revoked := s.Keys.Get(keyKey(issuer, thumbprint))
	return revoked
}

// AnyKeyRevoked is KeyRevoked for any of several.
func (s State) AnyKeyRevoked(issuer string, thumbprints []string) bool {
	for _, thumbprint := range thumbprints {
		if s.KeyRevoked(issuer, thumbprint) {
			return true
		}
	}
	return false
}

// IssuerRevoked reports whether the issuer speaks for the participant no longer.
func (s State) IssuerRevoked(participant, issuer string) bool {
	if s.Issuers.Len() == 0 {
		return false
	}
	_, revoked := s.Issuers.Get(issuerKey(participant, issuer))
	return revoked
}
