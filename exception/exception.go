// Package exception holds the recorded, reasoned waivers of single checks, each
// of which ends by itself. It decides which checks may be waived at all, for how
// long, and whether a waiver lives. It refuses to know who asks and for what.
package exception

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/entente-id/entente/trust"
)

// Check is a check that an exception may waive.
type Check string

// SharedSecret is the refusal of secrets that anybody who has seen them can show
// (R21).
const SharedSecret Check = "shared_secret"

// waivable is every check that may be waived, with what else its exception has to
// be like. A signature, a revocation and a tombstone are never among them.
var waivable = map[Check]func(Document) error{
	SharedSecret: Document.checkSecret,
}

// Waivable lists the checks that an exception may waive.
func Waivable() []Check { return slices.Sorted(maps.Keys(waivable)) }

// Secret is what sort of shared secret an exception lets in.
type Secret string

const (
	APIKey Secret = "api_key"
	Basic  Secret = "basic" // RFC 7617: the account and the key as its password
)

// Document is an exception as an operator writes it: whose account, vouched for
// by an issuer of its participant, may use which service of ours without the
// check.
type Document struct {
	Kind                string              `json:"kind"` // "Exception"
	Name                string              `json:"name"`
	Waives              Check               `json:"waives"`
	Secret              Secret              `json:"secret,omitempty"`
	Participant         trust.ParticipantID `json:"participant"`
	Issuer              trust.IssuerID      `json:"issuer"`
	Account             string              `json:"account"` // a program's, never a person's; it stands in the ledger
	Service             string              `json:"service"`
	Owner               string              `json:"owner"` // an operator
	Reason              string              `json:"reason"`
	CompensatingControl string              `json:"compensating_control"`
	Expires             trust.Instant       `json:"expires"`
}

// maxText bounds a reason and a compensating control, in bytes.
const maxText = 2000

// Check reports every fault of d at once, joined; each is Invalid and begins
// with the path of the member.
func (d Document) Check() error {
	var faults []error
	fault := func(path, format string, args ...any) {
		faults = append(faults, trust.Errorf(trust.Invalid, "%s: %w", path, fmt.Errorf(format, args...)))
	}
	if d.Kind != "Exception" {
		fault("kind", "is %q, not Exception", d.Kind)
	}
	for path, name := range map[string]string{"name": d.Name, "account": d.Account, "service": d.Service} {
		if err := trust.CheckName(path, name); err != nil {
			fault(path, "%w", err)
		}
	}
	if rule, ok := waivable[d.Waives]; !ok {
		fault("waives", "%q is never waived; %v may be", d.Waives, Waivable())
	} else if err := rule(d); err != nil {
		fault("secret", "%w", err)
	}
	if d.Participant.IsZero() {
		fault("participant", "is missing; an exception is for one")
	}
	if d.Issuer.IsZero() || d.Issuer.TrustDomain() {
		fault("issuer", "is missing or a trust domain; an issuer of the participant has the account")
	}
	for path, text := range map[string]string{"reason": d.Reason, "compensating_control": d.CompensatingControl} {
		if text == "" || len(text) > maxText {
			fault(path, "has %d bytes; it is 1 to %d", len(text), maxText)
		}
	}
	if d.Owner == "" {
		fault("owner", "is missing; an operator answers for it")
	}
	if d.Expires <= 0 {
		fault("expires", "is missing; an exception ends by itself")
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(faults...)
}

func (d Document) checkSecret() error {
	switch d.Secret {
	case APIKey, Basic:
		return nil
	default:
		return trust.Errorf(trust.Invalid, "is %q; it is %s or %s", d.Secret, APIKey, Basic)
	}
}
