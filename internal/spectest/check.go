package spectest

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/trust"
)

// Parse reads a document that Encode wrote. It fails on a member it does not know.
func Parse(data []byte) (*Document, error) {
	d := new(Document)
	return d, json.Unmarshal(data, d, json.RejectUnknownMembers(true))
}

// Check gives everything in which a JSON text differs from a schema of the
// document. A member that is not described is a difference.
func (d *Document) Check(s *Schema, text []byte) []string {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return []string{"it is no JSON: " + err.Error()}
	}
	return d.check(s, v, "$")
}

func (d *Document) check(s *Schema, v any, at string) []string {
	if s.Ref != "" {
		of := d.Components.Schemas[strings.TrimPrefix(s.Ref, schemaRef)]
		if of == nil {
			return []string{at + ": " + s.Ref + " is not in the document"}
		}
		return d.check(of, v, at)
	}
	if s.AnyOf != nil {
		return d.checkAny(s.AnyOf, v, at)
	}
	if s.Type != "" && !slices.Contains(typesOf(v), s.Type) {
		return []string{fmt.Sprintf("%s: %v is no %s", at, v, s.Type)}
	}
	var faults []string
	switch v := v.(type) {
	case string:
		if why := s.text(v); why != "" {
			faults = append(faults, fmt.Sprintf("%s: %q %s", at, v, why))
		}
	case float64:
		if s.Minimum != nil && v < float64(*s.Minimum) {
			faults = append(faults, fmt.Sprintf("%s: %v is less than %d", at, v, *s.Minimum))
		}
	case []any:
		for i, item := range v {
			if s.Items != nil {
				faults = append(faults, d.check(s.Items, item, fmt.Sprintf("%s[%d]", at, i))...)
			}
		}
	case map[string]any:
		faults = append(faults, d.members(s, v, at)...)
	}
	return faults
}

// checkAny asks for one form that fits; when none does, it gives what the nearest
// lacks.
func (d *Document) checkAny(forms []*Schema, v any, at string) []string {
	var nearest []string
	for i, form := range forms {
		faults := d.check(form, v, at)
		if len(faults) == 0 {
			return nil
		}
		if i == 0 || len(faults) < len(nearest) {
			nearest = faults
		}
	}
	return nearest
}

func (d *Document) members(s *Schema, v map[string]any, at string) []string {
	var faults []string
	if s.Type == "" {
		return nil // anything
	}
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			faults = append(faults, at+": lacks "+name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		switch of := s.Properties[name]; {
		case of != nil:
			faults = append(faults, d.check(of, v[name], at+"."+name)...)
		case s.Values != nil:
			faults = append(faults, d.check(s.Values, v[name], at+"."+name)...)
		default:
			faults = append(faults, at+": has "+name+", which is not described")
		}
	}
	return faults
}

// text says in what a text differs from its form; empty when in nothing.
func (s *Schema) text(v string) string {
	switch {
	case s.Enum != nil && !slices.Contains(s.Enum, v):
		return "is none of " + strings.Join(s.Enum, ", ")
	case s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v):
		return "is not like " + s.Pattern
	case s.Format == "date-time":
		if _, err := trust.ParseInstant(v); err != nil {
			return "is no time"
		}
	case s.Encoding == "base64":
		if _, err := base64.StdEncoding.DecodeString(v); err != nil {
			return "is no base64"
		}
	}
	return ""
}

// typesOf gives the types that JSON Schema finds in a value.
func typesOf(v any) []string {
	switch v := v.(type) {
	case nil:
		return []string{"null"}
	case bool:
		return []string{"boolean"}
	case string:
		return []string{"string"}
	case float64:
		if v == math.Trunc(v) {
			return []string{"number", "integer"}
		}
		return []string{"number"}
	case []any:
		return []string{"array"}
	default:
		return []string{"object"}
	}
}
