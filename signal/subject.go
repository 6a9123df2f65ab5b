package signal

import (
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// Format is how a subject identifier names its subject (RFC 9493, section 3.2;
// SSF 1.0, section 3).
type Format string

const (
	Account         Format = "account"
	Email           Format = "email"
	IssSub          Format = "iss_sub"
	Opaque          Format = "opaque"
	PhoneNumber     Format = "phone_number"
	DID             Format = "did"
	URI             Format = "uri"
	Aliases         Format = "aliases"
	JWTID           Format = "jwt_id"
	SAMLAssertionID Format = "saml_assertion_id"
	Complex         Format = "complex"
)

// Member is a part of a complex subject (SSF 1.0, section 3.2). One that is not
// there stands for every such thing.
type Member string

const (
	User        Member = "user"
	Device      Member = "device"
	Session     Member = "session"
	Application Member = "application"
	Tenant      Member = "tenant"
	OrgUnit     Member = "org_unit"
	Group       Member = "group"
)

// Members lists the parts that a complex subject may have.
func Members() []Member {
	return []Member{User, Device, Session, Application, Tenant, OrgUnit, Group}
}

const (
	maxName    = 2048 // bytes of one identifier
	maxAliases = 16
)

// SubjectID says whom or what an event is about. The zero value is invalid.
type SubjectID struct {
	Format  Format
	Issuer  string               // of IssSub, JWTID and SAMLAssertionID
	ID      string               // empty of Aliases and Complex
	Aliases []SubjectID          // of Aliases: the same subject by several names
	Parts   map[Member]SubjectID // of Complex
}

// SubjectOf names a subject by its issuer, the one way by which anything is
// linked.
func SubjectOf(issuer, subject string) SubjectID {
	return SubjectID{Format: IssSub, Issuer: issuer, ID: subject}
}

// OpaqueOf names something by an identifier that both ends know.
func OpaqueOf(id string) SubjectID { return SubjectID{Format: Opaque, ID: id} }

// names are the members beside format, of each simple format: the issuer's, where
// it has one, and the identifier's.
var names = map[Format][2]string{
	Account:         {"", "uri"},
	Email:           {"", "email"},
	IssSub:          {"iss", "sub"},
	Opaque:          {"", "id"},
	PhoneNumber:     {"", "phone_number"},
	DID:             {"", "url"},
	URI:             {"", "uri"},
	JWTID:           {"iss", "jti"},
	SAMLAssertionID: {"issuer", "assertion_id"},
}

// ReadSubjectID takes a subject identifier from a parsed object: the members of
// its format, each a text, and no others (RFC 9493, section 3). Aliases hold no
// aliases, and a complex subject holds neither. It fails with Invalid.
func ReadSubjectID(v any) (SubjectID, error) {
	o, ok := v.(canonical.Object)
	if !ok {
		return SubjectID{}, trust.Errorf(trust.Invalid, "subject identifier is not an object")
	}
	switch format, _ := o.Text("format"); Format(format) {
	case Aliases:
		return readAliases(o)
	case Complex:
		return readComplex(o)
	default:
		return readSimple(o, Format(format))
	}
}

func readSimple(o canonical.Object, format Format) (SubjectID, error) {
	members, known := names[format]
	if !known {
		return SubjectID{}, trust.Errorf(trust.Invalid, "subject identifier has a format that is not known here")
	}
	s := SubjectID{Format: format}
	want := 2
	if members[0] != "" {
		s.Issuer, _ = o.Text(members[0])
		want++
	}
	s.ID, _ = o.Text(members[1])
	switch {
	case s.ID == "" || members[0] != "" && s.Issuer == "" || len(o) != want:
		return SubjectID{}, trust.Errorf(trust.Invalid, "subject identifier of format %s has not exactly the members of that format, as texts", format)
	case len(s.ID) > maxName || len(s.Issuer) > maxName:
		return SubjectID{}, trust.Errorf(trust.Invalid, "subject identifier is longer than %d bytes", maxName)
	}
	return s, nil
}

func readAliases(o canonical.Object) (SubjectID, error) {
	list, ok := o["identifiers"].([]any)
	if !ok || len(o) != 2 || len(list) == 0 || len(list) > maxAliases {
		return SubjectID{}, trust.Errorf(trust.Invalid, "subject identifier of format aliases holds 1 to %d identifiers and nothing else", maxAliases)
	}
	s := SubjectID{Format: Aliases}
	for _, v := range list {
		alias, err := readPart(v)
		if err != nil {
			return SubjectID{}, err
		}
		s.Aliases = append(s.Aliases, alias)
	}
	return s, nil
}

func readComplex(o canonical.Object) (SubjectID, error) {
	s := SubjectID{Format: Complex, Parts: make(map[Member]SubjectID, len(o)-1)}
	for name, v := range o {
		if name == "format" {
			continue
		}
		if !slices.Contains(Members(), Member(name)) {
			return SubjectID{}, trust.Errorf(trust.Invalid, "complex subject has a member that is not known here")
		}
		part, err := readPart(v)
		if err != nil {
			return SubjectID{}, err
		}
		s.Parts[Member(name)] = part
	}
	if len(s.Parts) == 0 {
		return SubjectID{}, trust.Errorf(trust.Invalid, "complex subject has no members; it would be everybody")
	}
	return s, nil
}

func readPart(v any) (SubjectID, error) {
	o, ok := v.(canonical.Object)
	if !ok {
		return SubjectID{}, trust.Errorf(trust.Invalid, "part of a subject identifier is not an object")
	}
	format, _ := o.Text("format")
	return readSimple(o, Format(format))
}

// Object gives the identifier as the JSON object that ReadSubjectID reads.
func (s SubjectID) Object() canonical.Object {
	o := canonical.Object{"format": string(s.Format)}
	switch s.Format {
	case Aliases:
		list := make([]any, len(s.Aliases))
		for i, alias := range s.Aliases {
			list[i] = alias.Object()
		}
		o["identifiers"] = list
	case Complex:
		for member, part := range s.Parts {
			o[string(member)] = part.Object()
		}
	default:
		members := names[s.Format]
		if members[0] != "" {
			o[members[0]] = s.Issuer
		}
		if members[1] != "" {
			o[members[1]] = s.ID
		}
	}
	return o
}

// Equal reports whether both name the same in the same way.
func (s SubjectID) Equal(t SubjectID) bool {
	return s.Format == t.Format && s.Issuer == t.Issuer && s.ID == t.ID &&
		slices.EqualFunc(s.Aliases, t.Aliases, SubjectID.Equal) && maps.EqualFunc(s.Parts, t.Parts, SubjectID.Equal)
}

// Covers reports whether an event about s is one about t: where t is complex,
// every part that both have is the same (SSF 1.0, section 3.2.1).
func (s SubjectID) Covers(t SubjectID) bool {
	if s.Format != Complex || t.Format != Complex {
		return s.Equal(t)
	}
	for member, part := range s.Parts {
		if other, there := t.Parts[member]; there && !part.Equal(other) {
			return false
		}
	}
	return true
}

// MarshalJSONTo writes the object.
func (s SubjectID) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, s.Object(), json.Deterministic(true))
}

// UnmarshalJSONFrom reads what ReadSubjectID does.
func (s *SubjectID) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	text, err := dec.ReadValue()
	if err != nil {
		return err
	}
	o, err := canonical.ParseObject(text)
	if err != nil {
		return err
	}
	*s, err = ReadSubjectID(o)
	return err
}
