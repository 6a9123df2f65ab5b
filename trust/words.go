package trust

import "regexp"

// Class is an identity class of the framework.
type Class string

const (
	Human          Class = "human"
	ServiceAccount Class = "service_account"
	Workload       Class = "workload"
	Agent          Class = "agent"
)

// Classes lists the identity classes there are.
func Classes() []Class { return []Class{Human, ServiceAccount, Workload, Agent} }

// Valid reports whether c is one of the four classes.
func (c Class) Valid() bool {
	switch c {
	case Human, ServiceAccount, Workload, Agent:
		return true
	default:
		return false
	}
}

// Tier is how strong a link must be.
type Tier string

const (
	High     Tier = "high"
	Standard Tier = "standard"
	Basic    Tier = "basic"
)

// Tiers lists the tiers, strongest first.
func Tiers() []Tier { return []Tier{High, Standard, Basic} }

// Valid reports whether t is one of the three tiers.
func (t Tier) Valid() bool {
	switch t {
	case High, Standard, Basic:
		return true
	default:
		return false
	}
}

// Purpose is a PurposeOfUse code, such as TREAT or BTG.
type Purpose string

// Action is a Cedar action id, such as read.
type Action string

// ResourceType is a Cedar entity type, such as WardRecord.
type ResourceType string

// Role is a role at one participant: foreign in a partner's token, local after
// a mapping, or an operator's.
type Role string

var name = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// CheckName accepts a local object's name: 1 to 63 of a-z, 0-9, '.', '_', '-',
// beginning with a letter or digit. It fails with Invalid and names what.
func CheckName(what, s string) error {
	if !name.MatchString(s) {
		return Errorf(Invalid, "%s name %q is not 1 to 63 of a-z 0-9 . _ - beginning with a letter or digit", what, s)
	}
	return nil
}
