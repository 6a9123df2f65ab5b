package policy

import (
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"github.com/entente-id/entente/trust"
)

// Query is one question to the local policy.
type Query struct {
	Principal *Principal
	Action    trust.Action
	Resource  Resource
	Context   Context
}

// Resource is what is asked for, with the attributes that its registered
// attribute source stated, as canonical values.
type Resource struct {
	Type       trust.ResourceType
	ID         string
	Attributes map[string]any
}

// record gives the attributes in Cedar's form; bad names one that Cedar cannot
// hold.
func (r *Resource) record() (_ types.Record, bad string) {
	var space [256]byte
	key, ok := appendAttributes(space[:0], r.Attributes)
	return resources.of(key, ok, func() (types.Record, string) { return record(r.Attributes, nil) })
}

// Outcome is what local policy says.
type Outcome struct {
	Permit bool
	Reason trust.Reason // Permit or one of policy.…
	// Policies are the ids that determined the outcome: the permits of a permit,
	// the forbids of a forbid, the failed ones of an error.
	Policies  []string
	Attribute string // of the first error: the attribute that is absent or unfit, if it was one
	Err       string // of the first error: what went wrong, without any value of the query
}

// Decide asks the policies that may match q. A forbid wins over any permit; a
// policy that fails denies, whatever the others say, since Cedar would leave
// out even a forbid that fails.
func (s *Set) Decide(q Query) Outcome {
	switch {
	case s == nil:
		return Outcome{Reason: trust.NoPolicy}
	case s.broken:
		return Outcome{Reason: trust.PolicyError, Err: "the local policy does not compile"}
	case len(s.policies) == 0:
		return Outcome{Reason: trust.NoPolicy}
	}
	request, entities, bad := prepare(&q)
	if bad != nil {
		return Outcome{Reason: trust.PolicyError, Attribute: bad.attribute, Err: bad.text}
	}
	exact := s.exact[target{request.Action, request.Resource.Type}]
	return outcomeOf(cedar.Authorize(&candidates{s.always, exact}, entities, request))
}

// outcomeOf reads Cedar's diagnostic: its reasons are the forbids that matched,
// or else the permits.
func outcomeOf(decision cedar.Decision, d cedar.Diagnostic) Outcome {
	if len(d.Errors) > 0 {
		o := Outcome{Reason: trust.PolicyError, Policies: make([]string, len(d.Errors))}
		for i, e := range d.Errors {
			o.Policies[i] = string(e.PolicyID)
		}
		o.Attribute, o.Err = describe(d.Errors[0].Message)
		return o
	}
	o := Outcome{Reason: trust.PolicyDenies}
	switch {
	case decision == cedar.Allow:
		o.Permit, o.Reason = true, trust.Permit
	case len(d.Reasons) > 0:
		o.Reason = trust.PolicyForbid
	}
	for _, r := range d.Reasons {
		o.Policies = append(o.Policies, string(r.PolicyID))
	}
	return o
}

// absent is how Cedar words the reading of an attribute that is not there,
// before the attribute's name.
const absent = "does not have the attribute "

// describe takes what may be shown out of an evaluation error: its text quotes
// the caller's and the resource's identifiers, which may look like anything, so
// only its end counts.
func describe(message string) (attribute, text string) {
	quoted := strings.TrimSuffix(message, "`")
	if i := strings.LastIndexByte(quoted, '`'); i >= 0 && strings.HasSuffix(quoted[:i], absent) {
		attribute = quoted[i+1:]
		return attribute, "attribute " + attribute + " is absent"
	}
	if strings.HasPrefix(message, "type error") || message == "integer overflow" {
		return "", message
	}
	return "", "a value could not be read"
}

func prepare(q *Query) (cedar.Request, *entities, *fault) {
	if q.Principal == nil {
		return cedar.Request{}, nil, &fault{text: "there is no caller"}
	}
	if q.Principal.fault != nil {
		return cedar.Request{}, nil, q.Principal.fault
	}
	resource := types.NewEntityUID(types.EntityType(q.Resource.Type), types.String(q.Resource.ID))
	if resource == q.Principal.entity.UID {
		return cedar.Request{}, nil, &fault{text: "the caller and the resource are one entity"}
	}
	attributes, bad := q.Resource.record()
	if bad != "" {
		return cedar.Request{}, nil, unfit(bad)
	}
	context, bad := q.Context.record()
	if bad != "" {
		return cedar.Request{}, nil, unfit(bad)
	}
	request := cedar.Request{
		Principal: q.Principal.entity.UID,
		Action:    types.NewEntityUID(actionType, types.String(q.Action)),
		Resource:  resource,
		Context:   context,
	}
	return request, &entities{&q.Principal.entity, types.Entity{UID: resource, Attributes: attributes}}, nil
}

// entities are the two that a query knows. Roles and actions have neither
// attributes nor parents.
type entities struct {
	principal *types.Entity
	resource  types.Entity
}

// Get finds one of the two.
func (e *entities) Get(uid types.EntityUID) (types.Entity, bool) {
	switch uid {
	case e.principal.UID:
		return *e.principal, true
	case e.resource.UID:
		return e.resource, true
	default:
		return types.Entity{}, false
	}
}
