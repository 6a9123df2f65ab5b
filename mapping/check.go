package mapping

import (
	"fmt"
	"slices"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/trust"
)

// Check reports every fault of d under its agreement at once: a mapping stays
// inside what the agreement accepts and releases (R8). Each is Invalid and its
// text is the path of the member and the rule it breaks. now is Unix seconds.
func (d Document) Check(under agreement.Document, now int64) []error {
	var faults []error
	fault := func(path, format string, args ...any) {
		faults = append(faults, trust.Errorf(trust.Invalid, "%s: %s", path, fmt.Sprintf(format, args...)))
	}
	if d.Kind != "Mapping" {
		fault("kind", "is %q; a mapping's is Mapping", d.Kind)
	}
	if err := trust.CheckName("mapping", d.Name); err != nil {
		fault("name", "is refused: %s", err)
	}
	if err := trust.CheckName("role", string(d.To)); err != nil {
		fault("to", "is refused: %s", err)
	}
	if int64(d.Expires) <= now {
		fault("expires", "is %s; it lies in the future", d.Expires)
	}
	if d.Expires > under.Ends {
		fault("expires", "is %s; agreement %s ends at %s", d.Expires, under.Name, under.Ends)
	}
	d.From.check(under, fault)
	return faults
}

// Within reports whether d gives nothing that wider does not: the same role under
// the same agreement and name, to nobody else and for no longer.
func (d Document) Within(wider Document) bool {
	same := d.Name == wider.Name && d.Agreement == wider.Agreement && d.To == wider.To && d.From.Class == wider.From.Class
	if !same || d.Expires > wider.Expires {
		return false
	}
	if wider.From.Attribute != "" && (d.From.Attribute != wider.From.Attribute || d.From.Equals != wider.From.Equals) {
		return false
	}
	for name, value := range wider.From.Workload {
		if d.From.Workload[name] != value {
			return false
		}
	}
	return true
}

func (f From) check(under agreement.Document, fault func(path, format string, args ...any)) {
	accepted, roles := false, []string(nil)
	for _, line := range under.Accepts {
		if line.Class == f.Class {
			accepted = true
			roles = append(roles, line.Roles...)
		}
	}
	if !accepted {
		fault("from.class", "is %q; agreement %s accepts no such callers", f.Class, under.Name)
		return
	}
	if (f.Attribute == "") != (f.Equals == "") {
		fault("from", "has an attribute or a value alone; name both or neither")
	}
	for name, value := range f.Workload {
		if name == "" || value == "" {
			fault("from.workload", "has an empty name or value; empty never matches")
		}
	}
	released := slices.ContainsFunc(under.Attributes, func(a agreement.Attribute) bool { return a.Name == f.Attribute })
	if f.Attribute != "" && !released {
		fault("from.attribute", "is %q; agreement %s does not release it", f.Attribute, under.Name)
	}
	if len(roles) > 0 && !slices.Contains(roles, f.Equals) {
		fault("from.equals", "is %q; agreement %s accepts only the roles %q of this class", f.Equals, under.Name, roles)
	}
}
