package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"

	"github.com/entente-id/entente/trust"
)

// Schema is which attributes a decision may carry, beside those that are always
// there (see the package comment).
type Schema struct {
	PrincipalAttributes []string                        // released by any agreement
	ResourceAttributes  map[trust.ResourceType][]string // stated by enforcement points
	ContextAttributes   []string
	WorkloadAttributes  []string // stated by enforcement points of what callers run as and on
}

var (
	principalAttributes = []string{"participant", "assurance"}
	contextAttributes   = []string{"purpose", "break_glass", "actor", "acts_for", "workload"}
)

// Check compiles source and refuses what could only fail or lie idle when used:
// an attribute that nobody supplies, a tag, a type of principal there is not,
// an action that is none. It fails with Invalid and names every such policy,
// attribute and line at once.
func Check(source string, schema Schema) error {
	policies, err := parse(source)
	if err != nil {
		return err
	}
	var faults []string
	for _, p := range policies {
		c := checker{schema: schema, id: p.id, line: p.policy.Position().Line}
		c.policy(p.policy)
		faults = append(faults, c.faults...)
	}
	if len(faults) > 0 {
		return trust.Errorf(trust.Invalid, "%s", strings.Join(faults, "\n"))
	}
	return nil
}

// checker looks at one policy.
type checker struct {
	schema   Schema
	id       cedar.PolicyID
	line     int
	resource []string // attributes of the resources in scope
	faults   []string
}

func (c *checker) policy(p *cedar.Policy) {
	tree := p.AST()
	c.principalScope(tree.Principal)
	c.actionScope(tree.Action)
	c.resource = c.resourceAttributes(tree.Resource)
	for _, condition := range tree.Conditions {
		ast.Inspect(ast.NewNode(condition.Body), c.visit)
	}
}

func (c *checker) principalScope(scope ast.IsScopeNode) {
	switch s := scope.(type) {
	case ast.ScopeTypeEq:
		c.principalType(s.Entity.Type)
	case ast.ScopeTypeIs:
		c.principalType(s.Type)
	case ast.ScopeTypeIsIn:
		c.principalType(s.Type)
		c.group(s.Entity)
	case ast.ScopeTypeIn:
		c.group(s.Entity)
	}
}

func (c *checker) actionScope(scope ast.IsScopeNode) {
	switch s := scope.(type) {
	case ast.ScopeTypeEq:
		c.action(s.Entity)
	case ast.ScopeTypeIn:
		c.action(s.Entity)
	case ast.ScopeTypeInSet:
		for _, e := range s.Entities {
			c.action(e)
		}
	}
}

func (c *checker) principalType(t types.EntityType) {
	if !slices.Contains(slices.Collect(maps.Values(principalTypes)), t) {
		c.fault("speaks of principals of type %s; there are Human, ServiceAccount, Workload and Agent", t)
	}
}

func (c *checker) group(e types.EntityUID) {
	if e.Type != roleType {
		c.fault("speaks of principals in %s; a principal is only in a Role", e)
	}
}

func (c *checker) action(e types.EntityUID) {
	if e.Type != actionType {
		c.fault("speaks of the action %s; an action is written Action::%q", e, e.ID)
	}
}

// resourceAttributes gives those of the one type in scope, or of all types.
func (c *checker) resourceAttributes(scope ast.IsScopeNode) []string {
	if t, ok := typeOf(scope); ok {
		return c.schema.ResourceAttributes[trust.ResourceType(t)]
	}
	return slices.Concat(slices.Collect(maps.Values(c.schema.ResourceAttributes))...)
}

func (c *checker) visit(n ast.IsNode) bool {
	switch n := n.(type) {
	case ast.NodeTypeAccess:
		c.read(n.Arg, string(n.Value))
	case ast.NodeTypeHas:
		c.read(n.Arg, string(n.Value))
	case ast.NodeTypeGetTag, ast.NodeTypeHasTag:
		c.fault("reads a tag; no entity has tags")
	case ast.NodeTypeIs:
		c.is(n)
	case ast.NodeTypeIsIn:
		c.is(n.NodeTypeIs)
	}
	return true
}

func (c *checker) is(n ast.NodeTypeIs) {
	if v, ok := n.Left.(ast.NodeTypeVariable); ok && v.Name == "principal" {
		c.principalType(n.EntityType)
	}
}

// read judges one attribute. What stands inside an attribute that is supplied
// is its supplier's affair; an attribute of a computed value cannot be judged.
func (c *checker) read(base ast.IsNode, attribute string) {
	switch b := base.(type) {
	case ast.NodeTypeVariable:
		if !slices.Contains(c.supplied(string(b.Name)), attribute) {
			c.fault("reads %s.%s, which neither a service nor an agreement supplies", b.Name, attribute)
		}
	case ast.NodeTypeAccess:
		if v, ok := b.Arg.(ast.NodeTypeVariable); ok && v.Name == "context" && b.Value == "workload" && !slices.Contains(c.schema.WorkloadAttributes, attribute) {
			c.fault("reads context.workload.%s, which no service lets its enforcement point state", attribute)
		}
	default:
		c.fault("reads %s of a computed value; read it from principal, resource or context", attribute)
	}
}

func (c *checker) supplied(variable string) []string {
	switch variable {
	case "principal":
		return slices.Concat(principalAttributes, c.schema.PrincipalAttributes)
	case "resource":
		return c.resource
	case "context":
		return slices.Concat(contextAttributes, c.schema.ContextAttributes)
	default:
		return nil
	}
}

func (c *checker) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf("policy %s (line %d) ", c.id, c.line)+fmt.Sprintf(format, args...))
}
