package finding

import "github.com/entente-id/entente/trust"

// Raised: two accounts differ. Owner is the role of this organisation that has to
// look, Due by when, in Unix seconds.
type Raised struct {
	Subject
	ID    string `json:"id"`
	Owner string `json:"owner,omitempty"`
	Due   int64  `json:"due"`
}

// Closed: a person has looked. What it came to stands in the sealed part.
type Closed struct {
	ID string `json:"id"`
	By string `json:"by"`
}

// EventKind is finding.raised.
func (Raised) EventKind() trust.Kind { return trust.Kind{Name: "finding.raised", Version: 1} }

// EventKind is finding.closed.
func (Closed) EventKind() trust.Kind { return trust.Kind{Name: "finding.closed", Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event { return []trust.Event{Raised{}, Closed{}} }
