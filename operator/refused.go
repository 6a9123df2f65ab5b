package operator

import "github.com/entente-id/entente/trust"

// Refused: an operator asked for a change without the role it needs.
type Refused struct {
	ID string `json:"id"`
}

// EventKind is operator.refused.
func (Refused) EventKind() trust.Kind { return trust.Kind{Name: "operator.refused", Version: 1} }
