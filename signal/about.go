package signal

import "slices"

// About is whom or what an event is about, as far as anything here can be linked
// to it: by issuer and subject, and by identifiers of sessions and devices.
type About struct {
	Users    []SubjectID // by IssSub; several are aliases of one
	Session  string
	Device   string
	Tenant   string // everybody in it, where nobody is named
	Narrowed bool   // by something that is not known here: to less than the above
}

// Resolve reads a subject identifier for its meaning. What cannot be linked, such
// as an address, is refused: two people may have had it (RISC 1.0, section 2.5).
// Of the members that a transmitter calls critical each must be understood (SSF
// 1.0, section 7.1).
func Resolve(s SubjectID, critical []string) (About, *Refusal) {
	var a About
	if s.Format != Complex {
		s = SubjectID{Format: Complex, Parts: map[Member]SubjectID{User: s}}
	}
	for member, part := range s.Parts {
		ok := true
		switch member {
		case User:
			a.Users = part.linked()
			ok = len(a.Users) > 0
		case Session:
			a.Session, ok = part.plain()
		case Device:
			a.Device, ok = part.plain()
		case Tenant:
			a.Tenant, ok = part.plain()
		case Application, OrgUnit, Group:
			a.Narrowed = true
			ok = !slices.Contains(critical, string(member))
		}
		if !ok {
			return About{}, Refuse(InvalidRequest, "member %s of a subject, by %s, cannot be linked to anything here", member, part.Format)
		}
	}
	if len(a.Users) == 0 && a.Session == "" && a.Device == "" && a.Tenant == "" {
		return About{}, Refuse(InvalidRequest, "subject names neither a user, a session, a device nor a tenant")
	}
	return a, nil
}

// linked gives the names by which a user can be linked.
func (s SubjectID) linked() []SubjectID {
	switch s.Format {
	case IssSub:
		return []SubjectID{s}
	case Aliases:
		return slices.DeleteFunc(slices.Clone(s.Aliases), func(a SubjectID) bool { return a.Format != IssSub })
	default:
		return nil
	}
}

// plain gives the identifier of what is no person.
func (s SubjectID) plain() (string, bool) {
	return s.ID, s.Format == Opaque || s.Format == IssSub || s.Format == URI
}
