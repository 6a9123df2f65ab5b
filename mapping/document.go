// Package mapping turns a partner's roles and attributes into this
// participant's own roles. It decides which mapping may be proposed under an
// agreement and who may grant it. It refuses to know what a local role may do.
package mapping

import (
	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/trust"
)

// Document is a mapping as an IAM engineer writes it.
type Document struct {
	Kind      string        `json:"kind"` // "Mapping"
	Name      string        `json:"name"`
	Agreement string        `json:"agreement"` // the agreement's name
	From      From          `json:"from"`
	To        trust.Role    `json:"to"`
	Expires   trust.Instant `json:"expires"`
}

// From is the condition: a caller of Class whose released attribute has exactly
// this value, or an array that contains it.
type From struct {
	Class     trust.Class `json:"class"`
	Attribute string      `json:"attribute,omitempty"` // empty: every caller of the class
	Equals    string      `json:"equals,omitempty"`
	// Workload is what the enforcement point has to have seen of what the caller
	// runs as and on, each exactly (R22).
	Workload map[string]string `json:"workload,omitempty"`
}

// Matches reports whether a caller of class with the released attributes, seen as
// workload (canonical values), meets the condition. Values are compared byte by
// byte and as strings only; an empty value matches nothing.
func (f From) Matches(class trust.Class, attributes, workload map[string]any) bool {
	if f.Class == "" || class != f.Class || !agreement.SeenAs(workload, f.Workload) {
		return false
	}
	if f.Attribute == "" {
		return true
	}
	switch v := attributes[f.Attribute].(type) {
	case string:
		return v != "" && v == f.Equals
	case []any:
		for _, member := range v {
			if text, ok := member.(string); ok && text != "" && text == f.Equals {
				return true
			}
		}
	}
	return false
}
