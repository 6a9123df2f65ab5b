package trust

import (
	"net/url"
	"strings"
)

// maxIdentifier bounds every identifier in bytes.
const maxIdentifier = 2048

// ParticipantID is an organisation's HTTPS entity identifier. It is made only
// by ParseParticipantID; the zero value is invalid. Two are equal when their
// code points are (OpenID Federation 1.0, section 1.2).
type ParticipantID struct{ s string }

// ParseParticipantID accepts an absolute https URL with a host and without
// user information, query, fragment, dot segments or trailing slash.
// It fails with Invalid.
func ParseParticipantID(s string) (ParticipantID, error) {
	if err := checkHTTPS(s); err != nil {
		return ParticipantID{}, Errorf(Invalid, "participant %q %s", s, err.Text)
	}
	if strings.HasSuffix(s, "/") {
		return ParticipantID{}, Errorf(Invalid, "participant %q ends in a slash; an entity identifier does not", s)
	}
	return ParticipantID{s}, nil
}

func (p ParticipantID) String() string { return p.s }

// IsZero reports whether p is the invalid zero value.
func (p ParticipantID) IsZero() bool { return p.s == "" }

// MarshalText gives the identifier as it was parsed.
func (p ParticipantID) MarshalText() ([]byte, error) { return []byte(p.s), nil }

// UnmarshalText parses; the empty text gives the zero value.
func (p *ParticipantID) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*p = ParticipantID{}
		return nil
	}
	*p, err = ParseParticipantID(string(b))
	return err
}

// IssuerID is the iss value of a token issuer, or a SPIFFE trust domain,
// compared code point by code point. It is made only by ParseIssuerID; the zero
// value is invalid.
type IssuerID struct{ s string }

// ParseIssuerID accepts an absolute https URL without query or fragment
// (OpenID Connect Core 1.0, section 2, iss), of which a trailing slash is kept
// and significant, and the SPIFFE ID of a trust domain, spiffe://name. It fails
// with Invalid.
func ParseIssuerID(s string) (IssuerID, error) {
	if domain, ok := strings.CutPrefix(s, spiffeScheme); ok {
		return parseTrustDomain(domain)
	}
	if err := checkHTTPS(s); err != nil {
		return IssuerID{}, Errorf(Invalid, "issuer %q %s", s, err.Text)
	}
	return IssuerID{s}, nil
}

const (
	spiffeScheme   = "spiffe://"
	maxTrustDomain = 255 // bytes
)

// parseTrustDomain takes the name of a trust domain (SPIFFE ID, section 2.1).
func parseTrustDomain(name string) (IssuerID, error) {
	foreign := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
	}
	if name == "" || len(name) > maxTrustDomain || strings.ContainsFunc(name, foreign) {
		return IssuerID{}, Errorf(Invalid, "trust domain %q is not 1 to 255 of a-z 0-9 . - _ and no more", name[:min(len(name), maxTrustDomain)])
	}
	return IssuerID{spiffeScheme + name}, nil
}

// TrustDomain reports whether i is a SPIFFE trust domain and no token issuer.
func (i IssuerID) TrustDomain() bool { return strings.HasPrefix(i.s, spiffeScheme) }

func (i IssuerID) String() string { return i.s }

// IsZero reports whether i is the invalid zero value.
func (i IssuerID) IsZero() bool { return i.s == "" }

// MarshalText gives the identifier as it was parsed.
func (i IssuerID) MarshalText() ([]byte, error) { return []byte(i.s), nil }

// UnmarshalText parses; the empty text gives the zero value.
func (i *IssuerID) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*i = IssuerID{}
		return nil
	}
	*i, err = ParseIssuerID(string(b))
	return err
}

func checkHTTPS(s string) *Error {
	if len(s) > maxIdentifier {
		return Errorf(Invalid, "is longer than %d bytes", maxIdentifier)
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || !strings.HasPrefix(s, "https://"):
		return Errorf(Invalid, "is not an absolute https URL")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(s, "?#\\ "):
		return Errorf(Invalid, "has user information, a query or a fragment; an identifier has none")
	case u.Host != strings.ToLower(u.Host):
		return Errorf(Invalid, "has upper case in its host; identifiers are compared byte by byte")
	case strings.Contains(u.Path, "/./") || strings.Contains(u.Path, "/../") ||
		strings.HasSuffix(u.Path, "/.") || strings.HasSuffix(u.Path, "/..") || strings.Contains(u.Path, "//"):
		return Errorf(Invalid, "has an empty or dot segment in its path")
	}
	return nil
}

// RoleRef names a role at a participant, written participant#role.
type RoleRef struct {
	Participant ParticipantID
	Role        string
}

// ParseRoleRef parses "https://trust.example#role". It fails with Invalid.
func ParseRoleRef(s string) (RoleRef, error) {
	host, role, ok := strings.Cut(s, "#")
	if !ok || role == "" || strings.ContainsAny(role, "# \t\r\n") {
		return RoleRef{}, Errorf(Invalid, "role %q is not written participant#role", s)
	}
	p, err := ParseParticipantID(host)
	if err != nil {
		return RoleRef{}, err
	}
	return RoleRef{p, role}, nil
}

func (r RoleRef) String() string {
	if r.IsZero() {
		return ""
	}
	return r.Participant.s + "#" + r.Role
}

// IsZero reports whether r names nothing.
func (r RoleRef) IsZero() bool { return r.Role == "" }

// MarshalText gives participant#role.
func (r RoleRef) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText parses; the empty text gives the zero value.
func (r *RoleRef) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*r = RoleRef{}
		return nil
	}
	*r, err = ParseRoleRef(string(b))
	return err
}
