package framework

import (
	"fmt"

	"github.com/entente-id/entente/trust"
)

// Rule is the word for why a document was refused.
type Rule string

const (
	Malformed        Rule = "malformed"         // its bytes are not a document in canonical form
	Unsound          Rule = "unsound"           // Check finds faults
	Expired          Rule = "expired"           // it has ended already
	NotNewer         Rule = "not_newer"         // its version is not higher than the one in force
	VersionGap       Rule = "version_gap"       // its version is not the next one
	PreviousMismatch Rule = "previous_mismatch" // it builds on another document than the one in force
	Unconfirmed      Rule = "unconfirmed"       // the first here, and no confirmed invitation names it
	UnknownSigner    Rule = "unknown_signer"    // signed by somebody who is no signer
	RepeatedSigner   Rule = "repeated_signer"   // the same participant signed twice
	BadSignature     Rule = "bad_signature"     // a signature does not hold
	Threshold        Rule = "threshold"         // too few participants signed
)

// Refusal is the error of a document that may not become the framework here.
// Event is what to record of it.
type Refusal struct {
	Rule  Rule
	Event Refused
	cause *trust.Error
}

func (r *Refusal) Error() string { return r.cause.Text }

// Unwrap gives the error with its kind: Invalid for a document that is wrong in
// itself, Denied for one that is not allowed here and now.
func (r *Refusal) Unwrap() error { return r.cause }

func refusal(rule Rule, format string, args ...any) *Refusal {
	kind := trust.Denied
	if rule == Malformed || rule == Unsound {
		kind = trust.Invalid
	}
	return &Refusal{Rule: rule, cause: trust.Errorf(kind, format, args...)}
}

// refuse completes r with what was refused.
func refuse(r *Refusal, hash string, version int, from trust.ParticipantID) *Refusal {
	r.Event = Refused{Hash: hash, Version: version, Rule: string(r.Rule), From: from}
	r.cause.Text = fmt.Sprintf("framework version %d (%s) is refused, %s: it %s", version, hash, r.Rule, r.cause.Text)
	return r
}
