package mapping

import "github.com/entente-id/entente/trust"

// Stage is where a mapping stands.
type Stage string

const (
	Proposed Stage = "proposed"
	Granted  Stage = "granted"
	Ended    Stage = "ended"
)

// Offered: a mapping awaits its local approver.
type Offered struct {
	Document  Document `json:"document"`
	Agreement string   `json:"agreement"` // the agreement's random id
	By        string   `json:"by"`
}

// Approved: a person in the agreement's approving role granted it.
type Approved struct {
	Name string `json:"name"`
	By   string `json:"by"`
}

// Closed: a mapping ended.
type Closed struct {
	Name string `json:"name"`
	By   string `json:"by"`
}

// EventKind is mapping.offered/v1.
func (Offered) EventKind() trust.Kind { return trust.Kind{Name: "mapping.offered", Version: 1} }

// EventKind is mapping.approved/v1.
func (Approved) EventKind() trust.Kind { return trust.Kind{Name: "mapping.approved", Version: 1} }

// EventKind is mapping.closed/v1.
func (Closed) EventKind() trust.Kind { return trust.Kind{Name: "mapping.closed", Version: 1} }

// Events gives one zero value of each event of this package.
func Events() []trust.Event { return []trust.Event{Offered{}, Approved{}, Closed{}} }
