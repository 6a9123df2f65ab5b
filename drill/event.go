package drill

import "github.com/entente-id/entente/trust"

// Finished: a drill came to its end. Both ends of the link record the same entry.
// Signed is the result as it was signed: by the host around the home's, or by the
// home alone where the host did not answer.
type Finished struct {
	Measured Measured `json:"home"`
	Seen     *Seen    `json:"host,omitempty"`
	Signed   string   `json:"signed"`
}

// Breach: a drill found the agreed limit broken. It follows its Finished.
type Breach struct {
	ID        string              `json:"id"`
	Home      trust.ParticipantID `json:"home"`
	Host      trust.ParticipantID `json:"host"`
	Agreement string              `json:"agreement"`
	Side      Side                `json:"side"`
	Took      int64               `json:"took"`  // microseconds
	Limit     int64               `json:"limit"` // microseconds
}

// EventKind is drill.finished.
func (Finished) EventKind() trust.Kind { return trust.Kind{Name: "drill.finished", Version: 1} }

// EventKind is drill.breached.
func (Breach) EventKind() trust.Kind { return trust.Kind{Name: "drill.breached", Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event { return []trust.Event{Finished{}, Breach{}} }
