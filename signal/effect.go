package signal

import (
	"slices"

	"github.com/entente-id/entente/framework"
)

// Facts is what an effect rests on beside the event: what a level on a foreign
// ladder is on the framework's, by its mapping of a claim named as the namespace;
// whether that mapping speaks of a ladder; and whether a high risk denies here.
type Facts struct {
	Assess   func(claims map[string]any) framework.Vector
	Speaks   func(claim string, ladder framework.Ladder) bool
	HighRisk bool
}

// Effect is what an event does to what it is about: Mark is joined with what
// stands there, and Raises says that it gives back what an earlier one took; Ends
// is the end of its subject's engagement, for good.
type Effect struct {
	Mark   Mark
	Raises bool
	Ends   bool
}

// effects is the whole table, a row an event type: what each does. A type that
// has no row is recorded and does nothing.
var effects = map[Type]func(*Token, *Facts) (Effect, *Refusal){
	SessionRevoked:         signsOut,
	SessionsRevoked:        signsOut,
	CredentialCompromise:   signsOut,
	CredentialChange:       credentialChange,
	TokenClaimsChange:      func(t *Token, _ *Facts) (Effect, *Refusal) { return Effect{Mark: Mark{Issued: t.At}}, nil },
	AssuranceLevelChange:   assuranceChange,
	DeviceComplianceChange: complianceChange,
	RiskLevelChange:        riskChange,
	AccountDisabled:        disabled,
	AccountEnabled: func(t *Token, _ *Facts) (Effect, *Refusal) {
		return Effect{Mark: Mark{Account: Switch{At: t.At}}, Raises: true}, nil
	},
	AccountPurged:                   ends,
	IdentifierChanged:               ends,
	IdentifierRecycled:              ends,
	SessionEstablished:              nothing,
	SessionPresented:                nothing,
	AccountCredentialChangeRequired: nothing,
	RecoveryActivated:               nothing,
	RecoveryInformationChanged:      nothing,
	OptIn:                           nothing,
	OptOutInitiated:                 nothing,
	OptOutCancelled:                 nothing,
	OptOutEffective:                 nothing, // the feed says no more of the subject; its silence is told by verification
	Verification:                    nothing, // about the stream itself
	StreamUpdated:                   nothing,
}

// Types lists the event types that do something here, or are known to do nothing.
func Types() []Type {
	types := make([]Type, 0, len(effects))
	for t := range effects {
		types = append(types, t)
	}
	return types
}

// Known gives t where it is known here, and nothing for any other text.
func (t Type) Known() Type {
	if _, known := effects[t]; !known {
		return ""
	}
	return t
}

// Effect gives what the event does.
func (t *Token) Effect(f *Facts) (Effect, *Refusal) {
	rule, known := effects[t.Type]
	if !known {
		return Effect{}, nil
	}
	return rule(t, f)
}

func nothing(*Token, *Facts) (Effect, *Refusal)      { return Effect{}, nil }
func ends(*Token, *Facts) (Effect, *Refusal)         { return Effect{Ends: true}, nil }
func signsOut(t *Token, _ *Facts) (Effect, *Refusal) { return Effect{Mark: Mark{SignedIn: t.At}}, nil }

// choice reads a member that has one of a few values.
func (t *Token) choice(name string, values ...string) (string, *Refusal) {
	got, _ := t.Content.Text(name)
	for _, v := range values {
		if got == v {
			return got, nil
		}
	}
	return "", Refuse(InvalidRequest, "member %s of an event is none of %v", name, values)
}

// credentialChange: what somebody signed in with is gone (CAEP 1.0, section 3.3).
func credentialChange(t *Token, _ *Facts) (Effect, *Refusal) {
	switch change, r := t.choice("change_type", "create", "revoke", "update", "delete"); {
	case r != nil:
		return Effect{}, r
	case change == "revoke", change == "delete":
		return signsOut(t, nil)
	default:
		return Effect{}, nil
	}
}

// disabled: of a hijacked account whoever is signed in may be the hijacker (RISC
// 1.0, section 2.3).
func disabled(t *Token, _ *Facts) (Effect, *Refusal) {
	e := Effect{Mark: Mark{Account: Switch{At: t.At, Off: true}}}
	if reason, _ := t.Content.Text("reason"); reason == "hijacking" {
		e.Mark.SignedIn = t.At
	}
	return e, nil
}

// complianceChange: CAEP 1.0, section 3.5.
func complianceChange(t *Token, _ *Facts) (Effect, *Refusal) {
	status, r := t.choice("current_status", "compliant", "not-compliant")
	if r != nil {
		return Effect{}, r
	}
	return Effect{Mark: Mark{Device: Switch{At: t.At, Off: status == "not-compliant"}}, Raises: status == "compliant"}, nil
}

// riskChange: CAEP 1.0, section 3.8. What a risk means is a local rule.
func riskChange(t *Token, f *Facts) (Effect, *Refusal) {
	level, r := t.choice("current_level", "LOW", "MEDIUM", "HIGH")
	if r != nil || !f.HighRisk {
		return Effect{}, r
	}
	return Effect{Mark: Mark{Risk: Switch{At: t.At, Off: level == "HIGH"}}, Raises: level != "HIGH"}, nil
}

// assuranceChange: CAEP 1.0, section 3.4. The ladders are those on which the
// framework maps the namespace, the rung the one that it gives for the level; for a
// level that it does not know, the lowest. A token counts for no more than this; what it asserts itself
// is never raised.
func assuranceChange(t *Token, f *Facts) (Effect, *Refusal) {
	namespace, _ := t.Content.Text("namespace")
	level, _ := t.Content.Text("current_level")
	if namespace == "" || level == "" {
		return Effect{}, Refuse(InvalidRequest, "assurance-level-change names no namespace or no current_level")
	}
	direction, _ := t.Content.Text("change_direction")
	e := Effect{Raises: direction == "increase"}
	given := f.Assess(map[string]any{namespace: level})
	speaks := func(ladder framework.Ladder) bool { return f.Speaks(namespace, ladder) }
	if !slices.ContainsFunc(framework.Ladders(), speaks) {
		speaks = func(ladder framework.Ladder) bool { return speaksOf(namespace, ladder) }
	}
	for i, ladder := range framework.Ladders() {
		if speaks(ladder) {
			e.Mark.Caps[i] = Cap{At: t.At, Level: given[i]}
		}
	}
	return e, nil
}

// speaksOf tells of which ladders a namespace speaks that the framework does not
// map. One that is not known here may mean either of those that are about people.
func speaksOf(namespace string, ladder framework.Ladder) bool {
	switch namespace {
	case "NIST-IAL":
		return ladder == framework.Identity
	case "NIST-AAL", "RFC8176":
		return ladder == framework.Authentication
	case "NIST-FAL":
		return ladder == framework.Federation
	default:
		return ladder == framework.Identity || ladder == framework.Authentication
	}
}
