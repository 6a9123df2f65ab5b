package policy

import (
	"maps"

	"github.com/cedar-policy/cedar-go/types"

	"github.com/entente-id/entente/trust"
)

// Context is what else policies may read.
type Context struct {
	Purpose    trust.Purpose
	BreakGlass bool // a live break-glass stands; otherwise context has no break_glass
	// Attributes are further ones, as canonical values. One called purpose or
	// break_glass is hidden by ours.
	Attributes map[string]any
}

// record gives c in Cedar's form; bad names an attribute that Cedar cannot hold.
func (c *Context) record() (r types.Record, bad string) {
	var space [128]byte
	key, _ := appendValue(appendText(space[:0], string(c.Purpose)), c.BreakGlass)
	key, ok := appendAttributes(key, c.Attributes)
	return contexts.of(key, ok, c.make)
}

func (c *Context) make() (types.Record, string) {
	own := types.RecordMap{"purpose": types.String(c.Purpose)}
	attributes := c.Attributes
	if c.BreakGlass {
		own["break_glass"] = types.True
	} else if _, claimed := attributes["break_glass"]; claimed {
		attributes = maps.Clone(attributes)
		delete(attributes, "break_glass")
	}
	return record(attributes, own)
}
