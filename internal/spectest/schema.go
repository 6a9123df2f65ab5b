package spectest

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/internal/archtest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/spiffe"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Schema is a JSON Schema of the dialect 2020-12, as far as ours goes.
type Schema struct {
	Ref         string             `json:"$ref,omitempty"`
	Description string             `json:"description,omitempty"`
	Type        string             `json:"type,omitempty"`
	Format      string             `json:"format,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	Encoding    string             `json:"contentEncoding,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Minimum     *int               `json:"minimum,omitzero"`
	Items       *Schema            `json:"items,omitzero"`
	Required    []string           `json:"required,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitzero"`
	Values      *Schema            `json:"additionalProperties,omitzero"` // of a map
	AnyOf       []*Schema          `json:"anyOf,omitzero"`
}

const schemaRef = "#/components/schemas/"

// written are the forms of the types that write themselves.
var written = map[reflect.Type]Schema{
	reflect.TypeFor[trust.ParticipantID]():   {Type: "string"},
	reflect.TypeFor[trust.IssuerID]():        {Type: "string"},
	reflect.TypeFor[trust.RoleRef]():         {Type: "string"},
	reflect.TypeFor[trust.SubjectKey]():      {Type: "string", Pattern: "^[0-9a-f]{32}$"},
	reflect.TypeFor[trust.Instant]():         {Type: "string", Format: "date-time"},
	reflect.TypeFor[trust.Span]():            {Type: "string"},
	reflect.TypeFor[table.Key]():             {Type: "string", Pattern: "^[0-9a-f]+$"},
	reflect.TypeFor[jose.Key]():              {Type: "object", Values: &Schema{}},
	reflect.TypeFor[jose.KeySet]():           {Type: "object", Values: &Schema{}},
	reflect.TypeFor[spiffe.Bundle]():         {Type: "object", Values: &Schema{}},
	reflect.TypeFor[signal.SubjectID]():      {Type: "object", Values: &Schema{}},
	reflect.TypeFor[participant.Namespace](): {},
	reflect.TypeFor[time.Time]():             {Type: "string", Format: "date-time"},
	reflect.TypeFor[jsontext.Value]():        {},
}

// forms makes schemas of Go types. Named structs become components.
type forms struct {
	words   words
	schemas map[string]*Schema
	err     error // the first type that could not be described
}

func (f *forms) schema(t reflect.Type) *Schema {
	if s, ok := written[t]; ok {
		return f.component(t, &s)
	}
	if method := writesItself(t); method != "" {
		f.fail("%s writes itself by %s, and nothing says how", t, method)
		return &Schema{}
	}
	zero := 0
	switch t.Kind() {
	case reflect.Bool:
		return &Schema{Type: "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &Schema{Type: "integer"}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &Schema{Type: "integer", Minimum: &zero}
	case reflect.Float32, reflect.Float64:
		return &Schema{Type: "number"}
	case reflect.String:
		return f.component(t, &Schema{Type: "string", Enum: f.words.values[source(t)]})
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return &Schema{Type: "string", Encoding: "base64"}
		}
		return &Schema{Type: "array", Items: f.schema(t.Elem())}
	case reflect.Map:
		return &Schema{Type: "object", Values: f.schema(t.Elem())}
	case reflect.Pointer:
		return &Schema{AnyOf: []*Schema{f.schema(t.Elem()), {Type: "null"}}}
	case reflect.Struct:
		return f.object(t)
	default:
		f.fail("%s has no form in JSON", t)
		return &Schema{}
	}
}

func (f *forms) fail(format string, values ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, values...)
	}
}

// writesItself gives the method by which a type makes its own JSON.
func writesItself(t reflect.Type) string {
	for _, name := range []string{"MarshalJSONTo", "MarshalJSON", "MarshalText", "AppendText"} {
		if _, ok := reflect.PointerTo(t).MethodByName(name); ok && t.Kind() != reflect.Pointer {
			return name
		}
	}
	return ""
}

// source is "room.Type" of a type of this module.
func source(t reflect.Type) string {
	name, _, _ := strings.Cut(t.Name(), "[")
	return strings.TrimPrefix(t.PkgPath(), archtest.Module+"/") + "." + name
}

var module = regexp.MustCompile(`\[.*/(\w+)\.(\w+)\]$`)

// named is the name of a type among the components: its package and its
// own, and what it is a list of.
func named(t reflect.Type) string {
	if m := module.FindStringSubmatch(t.Name()); m != nil {
		return m[1] + "." + m[2] + "List"
	}
	return t.PkgPath()[strings.LastIndexByte(t.PkgPath(), '/')+1:] + "." + t.Name()
}

// object makes the form of a struct, once.
func (f *forms) object(t reflect.Type) *Schema {
	if s := f.schemas[named(t)]; s != nil {
		return &Schema{Ref: schemaRef + named(t)}
	}
	s := &Schema{Type: "object", Properties: map[string]*Schema{}}
	ref := f.component(t, s) // first, since it may hold itself
	f.members(t, s)
	return ref
}

// component makes the form of a type that has a name a component, and refers to it.
func (f *forms) component(t reflect.Type, s *Schema) *Schema {
	if t.Name() == "" || !strings.HasPrefix(t.PkgPath(), archtest.Module) {
		return s
	}
	if name := named(t); f.schemas[name] == nil {
		s.Description = f.words.types[source(t)]
		f.schemas[name] = s
	}
	return &Schema{Ref: schemaRef + named(t)}
}

// members adds the members of a struct, and of those embedded in it.
func (f *forms) members(t reflect.Type, s *Schema) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-" || !field.IsExported():
			continue
		case field.Anonymous && name == "":
			f.members(field.Type, s)
			continue
		case name == "":
			f.fail("%s.%s has no name in JSON", t, field.Name)
			continue
		}
		optional := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		of := field.Type
		if optional && of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		member := *f.schema(of)
		if says := f.words.fields[source(t)+"."+field.Name]; says != "" {
			member.Description = says
		}
		s.Properties[name] = &member
		if !optional {
			s.Required = append(s.Required, name)
		}
	}
}
