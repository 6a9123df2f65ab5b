package idp

import (
	"crypto/subtle"
	"strconv"

	"github.com/entente-id/entente/trust"
)

// Person is somebody who can log in.
type Person struct {
	Subject  string // the sub claim
	Login    string
	Password string
	// Claims go into access and ID tokens as they are. They cannot replace a
	// claim the provider itself speaks for (iss, sub, aud, exp, client_id, …);
	// acr is theirs to say. The map is kept and must not be changed afterwards.
	Claims map[string]any
}

// Staff describes a member of staff in the way NHS CIS2 does.
type Staff struct {
	Role    string   // role code, "S8000:G8000:R8001"
	RoleID  string   // identifier of this person in this role
	Org     string   // organisation code, "RXW"
	Wards   []string // wards the person works on, "w7"
	Level   int      // identity and authentication assurance, 1 to 3
	Integer bool     // send the two levels as integers, as CIS2 sometimes does
}

// Claims gives the claims of a token of s.
func (s Staff) Claims() map[string]any {
	var level any = strconv.Itoa(s.Level)
	if s.Integer {
		level = s.Level
	}
	return map[string]any{
		"nhsid_nrbac_roles":              []map[string]any{{"person_roleid": s.RoleID, "role_code": s.Role, "org_code": s.Org}},
		"selected_roleid":                s.RoleID,
		"org_code":                       s.Org,
		"ward_ids":                       s.Wards,
		"id_assurance_level":             level,
		"authentication_assurance_level": level,
		"acr":                            "AAL" + strconv.Itoa(s.Level) + "_ANY",
	}
}

// account is a person's or service's standing with the provider. Sessions hold
// on to their account, so that a login given to somebody else, or back to the
// same person after an end, does not revive them. It is guarded by Provider.mu.
type account struct {
	Person
	closed bool
}

// SetPerson adds a person, or changes the one with that login. A changed person
// with the same subject keeps their sessions and shows the new claims at the
// next refresh; another subject, or a person disabled before, starts without
// sessions.
func (p *Provider) SetPerson(person Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.people[person.Login]; a != nil && !a.closed && a.Subject == person.Subject {
		a.Person = person
		return
	} else if a != nil {
		a.closed = true
	}
	p.people[person.Login] = &account{Person: person}
}

// DisablePerson ends the person with that login: they cannot log in, and their
// codes and refresh tokens answer invalid_grant. Tokens already issued live on.
// It fails with NotFound.
func (p *Provider) DisablePerson(login string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.people[login]
	if a == nil {
		return trust.Errorf(trust.NotFound, "nobody at %s has the login %q", p.issuer, login)
	}
	a.closed = true
	return nil
}

// login gives the open account of these credentials, or nil.
func (p *Provider) login(login, password string) *account {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.people[login]
	if a == nil || a.closed || subtle.ConstantTimeCompare([]byte(a.Password), []byte(password)) != 1 {
		return nil
	}
	return a
}

// person gives who stands behind a, and whether the account is open.
func (p *Provider) person(a *account) (Person, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return a.Person, !a.closed
}
