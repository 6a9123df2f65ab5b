// Package policy holds this participant's own Cedar policies behind an index by
// action and resource type. It decides what local policy says. Any evaluation
// error is a deny. It refuses to know agreements, partners and evidence.
//
// What a policy can read:
//
//   - principal: a Human, ServiceAccount, Workload or Agent, member of
//     Role::"…" for each local role a mapping gave. Its attributes are
//     participant (String), assurance (a Record of ladder to level name) and
//     what the agreement releases.
//   - action: Action::"read". There are no groups of actions.
//   - resource: an entity of the service's resource type with the attributes
//     that the service's enforcement point may state.
//   - context: purpose (String), break_glass (Boolean, only under a live
//     break-glass); along a chain of delegation, of the principal's own request
//     actor and of the actor's acts_for, each a record with class and participant
//     (Strings); and nothing else unless the node says so. There is no time: an answer that turned by itself could not be relied on for a while.
package policy

import "github.com/entente-id/entente/trust"

// Applied: the local policy was replaced. Source is Cedar text; Hash its hex
// SHA-256.
type Applied struct {
	Source string `json:"source"`
	Hash   string `json:"hash"`
	By     string `json:"by"`
}

// EventKind is policy.applied/v1.
func (Applied) EventKind() trust.Kind { return trust.Kind{Name: "policy.applied", Version: 1} }

// Events gives one zero value of each event of this package.
func Events() []trust.Event { return []trust.Event{Applied{}} }
