package operator

import (
	"slices"

	"github.com/entente-id/entente/trust"
)

// Add makes a person an operator with roles and the SHA-256 of a credential.
// While there is no admin at all, by may be empty and nobody is asked; from then
// on by must be an admin. An identifier and a credential are used only once. It
// fails with Invalid, Denied or Conflict.
func (s State) Add(id string, roles []trust.Role, credential [32]byte, by string) ([]trust.Event, error) {
	if err := s.checkAdmin(by); err != nil {
		return nil, err
	}
	if err := trust.CheckName("operator", id); err != nil {
		return nil, err
	}
	if _, known := s.Get(id); known {
		return nil, trust.Errorf(trust.Conflict, "operator %s is known already; an identifier is never reused", id)
	}
	roles, err := checkRoles(id, roles)
	if err != nil {
		return nil, err
	}
	if credential == [32]byte{} {
		return nil, trust.Errorf(trust.Invalid, "operator %s has no credential; each needs one", id)
	}
	if other, taken := s.ByCredential(credential); taken {
		return nil, trust.Errorf(trust.Conflict, "credential of operator %s is that of %s; each has its own", id, other.ID)
	}
	return []trust.Event{Added{ID: id, Roles: roles, Credential: credential[:], By: by}}, nil
}

// Remove ends a person's time as an operator. The last admin stays. It fails
// with Denied, NotFound or Conflict.
func (s State) Remove(id, by string) ([]trust.Event, error) {
	if err := s.checkAdmin(by); err != nil {
		return nil, err
	}
	o, ok := s.Get(id)
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "operator %s is not known here", id)
	}
	if o.Removed {
		return nil, nil
	}
	if o.Has(Admin) && len(s.Holders(string(Admin))) == 1 {
		return nil, trust.Errorf(trust.Conflict, "operator %s is the last admin; a node keeps one", id)
	}
	return []trust.Event{Removed{ID: id, By: by}}, nil
}

// Link says that an operator is the person behind a subject. It fails with Denied,
// NotFound, Invalid, or Conflict for what was said before.
func (s State) Link(id string, who Identity, by string) ([]trust.Event, error) {
	if err := s.checkAdmin(by); err != nil {
		return nil, err
	}
	o, ok := s.Get(id)
	switch {
	case !ok || o.Removed:
		return nil, trust.Errorf(trust.NotFound, "operator %s is not known here", id)
	case who.Participant.IsZero() || who.Subject == trust.SubjectKey{}:
		return nil, trust.Errorf(trust.Invalid, "operator %s is linked to nobody; a participant and a subject of it are named", id)
	case slices.Contains(o.Identities, who):
		return nil, trust.Errorf(trust.Conflict, "operator %s is linked to this subject of %s already", id, who.Participant)
	}
	return []trust.Event{Linked{ID: id, Identity: who, By: by}}, nil
}

func (s State) checkAdmin(by string) error {
	if by == "" && len(s.Holders(string(Admin))) == 0 {
		return nil
	}
	if o, ok := s.Get(by); !ok || !o.Has(Admin) {
		return trust.Errorf(trust.Denied, "operator %q is not an admin; only an admin changes operators", by)
	}
	return nil
}

// checkRoles gives the roles sorted.
func checkRoles(id string, roles []trust.Role) ([]trust.Role, error) {
	if len(roles) == 0 {
		return nil, trust.Errorf(trust.Invalid, "operator %s has no role; each needs one", id)
	}
	roles = slices.Sorted(slices.Values(roles))
	for i, role := range roles {
		if err := trust.CheckName("role", string(role)); err != nil {
			return nil, err
		}
		if i > 0 && role == roles[i-1] {
			return nil, trust.Errorf(trust.Invalid, "operator %s has the role %s twice", id, role)
		}
	}
	return roles, nil
}
