package spectest

import (
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/internal/archtest"
)

// Document is an OpenAPI 3.1 document, as far as ours goes.
type Document struct {
	OpenAPI    string                           `json:"openapi"`
	Info       Info                             `json:"info"`
	Servers    []Server                         `json:"servers"`
	Security   []map[string][]string            `json:"security"`
	Paths      map[string]map[string]*Operation `json:"paths"`
	Components Components                       `json:"components"`
}

// Info is what the interface is called.
type Info struct {
	Title       string `json:"title"`
	Version     string `json:"version"`
	Description string `json:"description"`
}

// Server is where the interface is served.
type Server struct {
	URL         string `json:"url"`
	Description string `json:"description"`
}

// Operation is one method of a path.
type Operation struct {
	ID         string               `json:"operationId"`
	Tags       []string             `json:"tags"`
	Summary    string               `json:"summary"`
	Parameters []*Parameter         `json:"parameters,omitempty"`
	Body       *Body                `json:"requestBody,omitempty"`
	Responses  map[string]*Response `json:"responses"`
}

// Parameter is of the path, the query or the header.
type Parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required,omitzero"`
	Schema      *Schema `json:"schema"`
}

// Body is what a request carries.
type Body struct {
	Required bool             `json:"required"`
	Content  map[string]Media `json:"content"`
}

// Response is an answer, or a reference to one of the components.
type Response struct {
	Ref         string             `json:"$ref,omitempty"`
	Description string             `json:"description,omitempty"`
	Headers     map[string]*Header `json:"headers,omitempty"`
	Content     map[string]Media   `json:"content,omitempty"`
}

// Header is one of an answer.
type Header struct {
	Description string  `json:"description"`
	Schema      *Schema `json:"schema"`
}

// Media is the form of one content type.
type Media struct {
	Schema *Schema `json:"schema"`
}

// Components is what the rest refers to.
type Components struct {
	Schemas         map[string]*Schema        `json:"schemas"`
	Responses       map[string]*Response      `json:"responses"`
	SecuritySchemes map[string]SecurityScheme `json:"securitySchemes"`
}

// SecurityScheme is how callers prove themselves.
type SecurityScheme struct {
	Type        string `json:"type"`
	Scheme      string `json:"scheme"`
	Description string `json:"description"`
}

const about = `How the operators of an Entente node, and their tools, speak to it: JSON over the node's unix socket. ` +
	`A body has no member that is not described here; an answer of a later version may have more. ` +
	`Every refusal is a problem document (RFC 9457).`

// Render makes the document from the table of routes and the source of the module.
// It fails on what it cannot describe.
func Render(source *archtest.Source) (*Document, error) {
	forms := forms{words: wordsOf(source), schemas: map[string]*Schema{}}
	d := &Document{
		OpenAPI:  "3.1.0",
		Info:     Info{Title: "Entente admin interface", Version: "v1", Description: about},
		Servers:  []Server{{"http://admin", "the node's admin socket, whatever host is named"}},
		Security: []map[string][]string{{"operator": {}}},
		Paths:    map[string]map[string]*Operation{},
		Components: Components{
			Schemas:   forms.schemas,
			Responses: problems(&forms),
			SecuritySchemes: map[string]SecurityScheme{
				"operator": {"http", "bearer", "the credential of an operator, " + string(wire.Operator) + "…"},
			},
		},
	}
	for pattern, o := range admin.Operations() {
		method, path, _ := strings.Cut(pattern, " ")
		if d.Paths[path] == nil {
			d.Paths[path] = map[string]*Operation{}
		}
		if o.Says == "" {
			forms.fail("%s does not say what it does", pattern)
		}
		d.Paths[path][strings.ToLower(method)] = forms.operation(method, path, o)
	}
	return d, forms.err
}

// Encode writes the document, always in the same way.
func (d *Document) Encode() ([]byte, error) {
	data, err := json.Marshal(d, json.Deterministic(true), jsontext.WithIndent(" "))
	return append(data, '\n'), err
}

var wildcard = regexp.MustCompile(`\{(\w+)\}`)

func (f *forms) operation(method, path string, from admin.Operation) *Operation {
	o := &Operation{
		ID: operationID(method, path), Tags: []string{strings.Split(path, "/")[2]}, Summary: from.Says,
		Responses: map[string]*Response{},
	}
	for _, m := range wildcard.FindAllStringSubmatch(path, -1) {
		o.Parameters = append(o.Parameters, &Parameter{Name: m[1], In: "path", Required: true, Schema: &Schema{Type: "string"}})
	}
	for _, p := range from.Params {
		o.Parameters = append(o.Parameters, &Parameter{
			Name: p.Name, In: "query", Description: p.Says, Required: p.Required, Schema: f.schema(p.Form),
		})
	}
	if method == http.MethodPost {
		o.Parameters = append(o.Parameters, &Parameter{
			Name: admin.KeyHeader, In: "header", Schema: &Schema{Type: "string"},
			Description: "a name for the request: sent again under it, it is answered as before and not carried out again",
		})
	}
	if from.Replaces {
		o.Parameters = append(o.Parameters, &Parameter{
			Name: "If-Match", In: "header", Schema: &Schema{Type: "string"},
			Description: "the ETag of what is to be replaced, as it was seen",
		})
	}
	if len(from.Takes) > 0 {
		o.Body = &Body{Required: true, Content: map[string]Media{wire.JSON: {f.any(from.Takes)}}}
	}
	if len(from.Gives) > 0 {
		o.Responses["200"] = &Response{Description: "done", Content: map[string]Media{wire.JSON: {f.any(from.Gives)}}}
		if method == http.MethodGet {
			o.Responses["200"].Headers = map[string]*Header{"ETag": {"changes with the answer", &Schema{Type: "string"}}}
		}
	} else {
		o.Responses["204"] = &Response{Description: "done"}
	}
	for _, status := range refusals(from) {
		o.Responses[status] = &Response{Ref: responseRef + status}
	}
	return o
}

// operationID is the method and the path as one word.
func operationID(method, path string) string {
	id := strings.ToLower(method)
	for _, part := range strings.FieldsFunc(strings.TrimPrefix(path, "/v1/"), func(r rune) bool { return strings.ContainsRune("/{}-.", r) }) {
		id += strings.ToUpper(part[:1]) + part[1:]
	}
	return id
}

// any is the form of a value that has one of several.
func (f *forms) any(types []reflect.Type) *Schema {
	if len(types) == 1 {
		return f.schema(types[0])
	}
	s := &Schema{}
	for _, t := range types {
		s.AnyOf = append(s.AnyOf, f.schema(t))
	}
	return s
}

// refusals are the statuses of the problems that an operation may answer.
func refusals(o admin.Operation) []string {
	all := []string{"400", "401", "403", "404", "409", "500", "503"}
	if len(o.Takes) > 0 {
		all = append(all, "413", "415")
	}
	if o.Replaces {
		all = append(all, "412")
	}
	slices.Sort(all)
	return all
}
