// Package signal reads security event tokens as Shared Signals sends them (SSF
// 1.0, CAEP 1.0, RISC 1.0), and says what each type of event does to trust: one
// table, which marks what was issued, signed in or enabled before. It decides
// what an event means and whether an earlier one still counts beside a later. It
// refuses to know who a subject is (its marks stand at hashes), who carried a
// token here, and what ends for good, which is package revocation's.
package signal

// Type is an event's type, the member name in events (RFC 8417, section 2.2).
type Type string

const (
	caep = "https://schemas.openid.net/secevent/caep/event-type/"
	risc = "https://schemas.openid.net/secevent/risc/event-type/"
	ssf  = "https://schemas.openid.net/secevent/ssf/event-type/"
)

// The event types of CAEP 1.0, section 3.
const (
	SessionRevoked         Type = caep + "session-revoked"
	TokenClaimsChange      Type = caep + "token-claims-change"
	CredentialChange       Type = caep + "credential-change"
	AssuranceLevelChange   Type = caep + "assurance-level-change"
	DeviceComplianceChange Type = caep + "device-compliance-change"
	SessionEstablished     Type = caep + "session-established"
	SessionPresented       Type = caep + "session-presented"
	RiskLevelChange        Type = caep + "risk-level-change"
)

// The event types of RISC 1.0, section 2.
const (
	AccountCredentialChangeRequired Type = risc + "account-credential-change-required"
	AccountPurged                   Type = risc + "account-purged"
	AccountDisabled                 Type = risc + "account-disabled"
	AccountEnabled                  Type = risc + "account-enabled"
	IdentifierChanged               Type = risc + "identifier-changed"
	IdentifierRecycled              Type = risc + "identifier-recycled"
	CredentialCompromise            Type = risc + "credential-compromise"
	OptIn                           Type = risc + "opt-in"
	OptOutInitiated                 Type = risc + "opt-out-initiated"
	OptOutCancelled                 Type = risc + "opt-out-cancelled"
	OptOutEffective                 Type = risc + "opt-out-effective"
	RecoveryActivated               Type = risc + "recovery-activated"
	RecoveryInformationChanged      Type = risc + "recovery-information-changed"
	SessionsRevoked                 Type = risc + "sessions-revoked" // deprecated there; SessionRevoked about a user
)

// The event types of SSF 1.0, sections 8.1.4 and 8.1.5: about a stream itself.
const (
	Verification  Type = ssf + "verification"
	StreamUpdated Type = ssf + "stream-updated"
)

// SETType is the typ of a security event token (RFC 8417, section 2.3).
const SETType = "secevent+jwt"
