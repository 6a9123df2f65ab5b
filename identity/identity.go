// Package identity holds the subjects that this organisation answers for: service
// accounts, workloads and agents, and people where that is wanted. It decides which
// of them is active, who owns each, what becomes of one whose owner has left, and
// whose an account or a key is. It refuses to know who a subject is (it sees
// hashes), and how an end travels.
package identity

import (
	"strconv"
	"strings"

	"github.com/entente-id/entente/trust"
)

// Grace is for how many seconds an identity whose owner has left goes on: within
// them it is handed over, or it is stopped.
const Grace = 7 * 86400

// askedFor is for how many seconds the first of two words that somebody comes back
// counts.
const askedFor = 24 * 3600

// Stage is where an identity stands.
type Stage string

const (
	InRegister Stage = "registered" // nobody has activated it yet
	Active     Stage = "active"
	Suspended  Stage = "suspended"  // an account of it is stopped for a time
	Gone       Stage = "offboarded" // for good; who comes back begins a new engagement
)

// Owner answers for an identity: an operator, or whoever holds a role of operators.
// The zero value is nobody.
type Owner struct {
	Operator string     `json:"operator,omitempty"`
	Role     trust.Role `json:"role,omitempty"`
}

const (
	operatorOwner = "operator:"
	roleOwner     = "role:"
)

// ParseOwner reads operator:ID or role:NAME; empty is nobody. It fails with Invalid.
func ParseOwner(text string) (Owner, error) {
	if text == "" {
		return Owner{}, nil
	}
	if id, ok := strings.CutPrefix(text, operatorOwner); ok {
		return Owner{Operator: id}, trust.CheckName("operator", id)
	}
	if role, ok := strings.CutPrefix(text, roleOwner); ok {
		return Owner{Role: trust.Role(role)}, trust.CheckName("role", role)
	}
	return Owner{}, trust.Errorf(trust.Invalid, "owner %q is not operator:ID or role:NAME", text)
}

// String is what ParseOwner reads.
func (o Owner) String() string {
	switch {
	case o.Operator != "":
		return operatorOwner + o.Operator
	case o.Role != "":
		return roleOwner + string(o.Role)
	default:
		return ""
	}
}

// The rules by which a command is refused, as Refused names them.
const (
	RuleStage   = "stage"   // where the identity stands there is no such move
	RuleOwner   = "owner"   // nobody owns it who serves
	RulePurpose = "purpose" // nobody has said what it is for
	RuleEnd     = "end"     // its end has passed
	RuleTaken   = "taken"   // the account or the key is another identity's, or was
	RulePerson  = "person"  // the same person twice
)

// Facts is what other rooms know. Ended reports whether the current engagement of
// an account has ended, Suspended whether it is stopped for a time. Serves reports
// whether an owner is there: the operator has not left, the role is held by
// somebody. Same reports whether two operators are one person, Admin whether one
// still is an admin.
type Facts struct {
	Ended     func(trust.SubjectKey) bool
	Suspended func(trust.SubjectKey) bool
	Serves    func(Owner) bool
	Same      func(a, b string) bool
	Admin     func(id string) bool
}

// ID is how people call identity n.
func ID(n uint32) string { return prefix + strconv.FormatUint(uint64(n), 10) }

const prefix = "identity-"

// ParseID reads what ID gives; NotFound for anything else.
func ParseID(id string) (uint32, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(id, prefix), 10, 32)
	if err != nil || ID(uint32(n)) != id {
		return 0, trust.Errorf(trust.NotFound, "identity %q is not known", id)
	}
	return uint32(n), nil
}

// ID is how people call the identity.
func (i Identity) ID() string { return ID(i.N) }

// NonHuman reports whether the identity must have an owner and a purpose.
func (i Identity) NonHuman() bool { return i.Class() != trust.Human }

// Class is the identity's class.
func (i Identity) Class() trust.Class { return trust.Classes()[i.Kind] }
