// Package operator knows the people who run this node locally: an opaque
// identifier, roles, and the hash of a credential. It decides who may do what on
// the admin plane. It refuses to know their names, which stand in sealed parts,
// and how they sign in.
package operator

import (
	"slices"

	"github.com/entente-id/entente/trust"
)

// The roles every node has from the beginning. Business roles, such as those an
// agreement's authority names, stand beside them.
const (
	Admin   trust.Role = "admin"   // may change things
	Auditor trust.Role = "auditor" // may read everything, change nothing
	Revoker trust.Role = "revoker" // may end subjects, keys and issuers, and nothing else
)

// Operator is a local person. ID is opaque and never reused: a removed operator
// stays known, without a credential.
type Operator struct {
	ID         string           `json:"id"`
	Roles      []trust.Role     `json:"roles"`      // sorted
	Credential [32]byte         `json:"credential"` // SHA-256 of a 256-bit random token
	Removed    bool             `json:"removed,omitzero"`
	Person     trust.SubjectKey `json:"person,omitzero"` // the same for two accounts of one name
	// Identities are who the person is elsewhere, as far as an admin has said.
	Identities []Identity `json:"identities,omitempty"`
}

// Identity is a subject that a person is known as, at the participant that
// answers for it: this organisation, or a partner.
type Identity struct {
	Participant trust.ParticipantID `json:"participant"`
	Subject     trust.SubjectKey    `json:"subject"`
}

// Has reports whether o is an operator still and holds role.
func (o Operator) Has(role trust.Role) bool { return !o.Removed && slices.Contains(o.Roles, role) }
