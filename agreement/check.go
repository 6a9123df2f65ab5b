package agreement

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

// Emergency is the purpose by which emergency access is asked for.
const Emergency trust.Purpose = "BTG"

// maxBreakGlass is how many seconds emergency access may last at most, and
// maxReview how many its review may take.
const (
	maxBreakGlass = 24 * 3600
	maxReview     = 30 * 86400
)

// maxApproval is how many seconds an approval may count at most.
const maxApproval = 24 * 3600

// entityType is a Cedar entity type.
var entityType = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(::[A-Za-z_][A-Za-z0-9_]*)*$`)

// Check reports every fault of d under a framework at once. Each is Invalid and
// its text is the path of the member and the rule it breaks. None means that d
// may be offered at now (Unix seconds).
func (d Document) Check(f *framework.InForce, now int64) []error {
	c := checker{framework: f}
	c.head(d, now)
	c.accepts(d)
	c.privacy(d)
	c.authority(d)
	c.breakGlass(d)
	c.disputes(d)
	return c.faults
}

type checker struct {
	framework *framework.InForce
	faults    []error
}

func (c *checker) fault(path, format string, args ...any) {
	c.faults = append(c.faults, trust.Errorf(trust.Invalid, "%s: %s", path, fmt.Sprintf(format, args...)))
}

// require faults an empty value.
func (c *checker) require(path string, empty bool, rule string) {
	if empty {
		c.fault(path, "is missing; %s", rule)
	}
}

func (c *checker) head(d Document, now int64) {
	if d.Kind != "Agreement" {
		c.fault("kind", "is %q; an agreement's is Agreement", d.Kind)
	}
	if err := trust.CheckName("agreement", d.Name); err != nil {
		c.fault("name", "is refused: %s", err)
	}
	c.require("home", d.Home.IsZero(), "it is the participant that answers for the callers")
	c.require("host", d.Host.IsZero(), "it is the participant that owns the resources")
	if d.Home == d.Host {
		c.fault("host", "is the home itself; an agreement has two parties")
	}
	if _, ok := c.framework.Tier(d.Tier); !d.Tier.Valid() || !ok {
		c.fault("tier", "is %q; the framework has no such tier", d.Tier)
	}
	if int64(d.Ends) <= now {
		c.fault("ends", "is %s; it lies in the future", d.Ends)
	}
	if d.Starts != 0 && d.Starts >= d.Ends {
		c.fault("starts", "is %s; it lies before the end", d.Starts)
	}
	c.require("review_every", d.ReviewEvery <= 0, "an agreement is reviewed")
}

func (c *checker) accepts(d Document) {
	c.require("accepts", len(d.Accepts) == 0, "an agreement accepts something")
	seen := map[string]int{}
	for i, line := range d.Accepts {
		path := fmt.Sprintf("accepts[%d]", i)
		c.line(path, line)
		text, err := canonical.Marshal(line)
		if err != nil {
			c.fault(path, "cannot be written: %s", err)
			continue
		}
		if first, ok := seen[string(text)]; ok {
			c.fault(path, "repeats accepts[%d]; each line stands once", first)
		} else {
			seen[string(text)] = i
		}
	}
}

func (c *checker) line(path string, l Accept) {
	class, ok := c.framework.Class(l.Class)
	if !l.Class.Valid() || !ok {
		c.fault(path+".class", "is %q; the framework has no such class", l.Class)
	}
	c.callers(path, l)
	c.require(path+".audience", l.Audience == "", "an edge without an audience cannot be activated")
	c.require(path+".purposes", len(l.Purposes) == 0, "a line names its purposes")
	c.require(path+".actions", len(l.Actions) == 0, "a line names its actions")
	c.require(path+".resources", len(l.Resources) == 0, "a line names its resources")
	c.wildcard(path+".audience", l.Audience)
	c.words(path+".subjects", l.Subjects...)
	c.words(path+".roles", l.Roles...)
	c.words(path+".purposes", texts(l.Purposes)...)
	c.words(path+".actions", texts(l.Actions)...)
	for i, r := range l.Resources {
		at := fmt.Sprintf("%s.resources[%d]", path, i)
		if !entityType.MatchString(string(r.Type)) {
			c.fault(at+".type", "is %q; a resource type is a Cedar type, such as WardRecord", r.Type)
		}
		c.words(at+".ids", r.IDs...)
	}
	c.needs(path, l)
	for name, value := range l.Workload {
		c.require(path+".workload", name == "" || value == "", "what has to be seen has a name and a value; empty never matches")
		c.wildcard(path+".workload", value)
	}
	if l.Depth < 0 || ok && l.Depth > class.DelegationDepth {
		c.fault(path+".delegation_depth", "is %d; class %s allows at most %d", l.Depth, l.Class, class.DelegationDepth)
	}
	if l.MaxTTL < 0 {
		c.fault(path+".max_ttl", "is negative")
	}
	if l.MaxAuthAge < 0 || l.MaxAuthAge > 0 && l.Class != trust.Human {
		c.fault(path+".max_auth_age", "is negative, or about a class that does not sign in")
	}
	c.approval(path+".approval", l)
}

// callers are named by issuer, or, for what is not a person's account, by
// subject alone.
func (c *checker) callers(path string, l Accept) {
	switch l.Class {
	case trust.Human, trust.ServiceAccount:
		c.require(path+".issuers", len(l.Issuers) == 0, "class "+string(l.Class)+" is accepted from named issuers")
	case trust.Workload, trust.Agent:
		c.require(path+".subjects", len(l.Issuers) == 0 && len(l.Subjects) == 0,
			"class "+string(l.Class)+" is accepted by named subjects or issuers")
	}
	if slices.ContainsFunc(l.Issuers, trust.IssuerID.IsZero) {
		c.fault(path+".issuers", "has an empty member")
	}
}

// words refuses members that would match nothing or look as if they matched
// everything.
func (c *checker) words(path string, values ...string) {
	for _, v := range values {
		c.require(path, v == "", "a member is not empty")
		c.wildcard(path, v)
	}
}

func (c *checker) wildcard(path, value string) {
	if strings.Contains(value, "*") {
		c.fault(path, "has %q; matching is exact and knows no wildcard", value)
	}
}

func (c *checker) needs(path string, l Accept) {
	top := framework.Vector{255, 255, 255, 255} // below nothing but what does not exist
	for ladder, level := range l.Needs {
		if _, short := c.framework.Short(top, map[framework.Ladder]framework.Level{ladder: level}); short {
			c.fault(path+".needs."+string(ladder), "is %q; the framework has no such level on this ladder", level)
		}
	}
}

func (c *checker) approval(path string, l Accept) {
	if l.Approval == nil {
		return
	}
	c.require(path+".actions", len(l.Approval.Actions) == 0, "an approval is for named actions")
	for _, a := range l.Approval.Actions {
		if !slices.Contains(l.Actions, a) {
			c.fault(path+".actions", "has %q, which the line does not accept", a)
		}
	}
	if l.Approval.People < 1 {
		c.fault(path+".people", "is %d; at least one person approves", l.Approval.People)
	}
	if l.Approval.TTL < 0 || l.Approval.TTL > maxApproval {
		c.fault(path+".ttl", "is %d s; what is approved ends by itself, within %d s", l.Approval.TTL, maxApproval)
	}
}

func texts[T ~string](values []T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return list
}
