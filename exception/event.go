package exception

import "github.com/entente-id/entente/trust"

// Granted: a check is waived until the exception ends. Why, and what is done
// instead, is in the sealed part. Hash is the node's keyed hash of the secret.
type Granted struct {
	Name        string              `json:"name"`
	Waives      Check               `json:"waives"`
	Secret      Secret              `json:"secret"`
	Participant trust.ParticipantID `json:"participant"`
	Issuer      trust.IssuerID      `json:"issuer"`
	Account     string              `json:"account"`
	Service     string              `json:"service"`
	Owner       string              `json:"owner"`
	Expires     int64               `json:"expires"` // Unix seconds
	Hash        []byte              `json:"hash"`    // 16 bytes
	By          string              `json:"by"`
}

// Ended: the check is waived no more, before the exception's own end.
type Ended struct {
	Name string `json:"name"`
	By   string `json:"by"`
}

// EventKind is exception.granted.
func (Granted) EventKind() trust.Kind { return trust.Kind{Name: "exception.granted", Version: 1} }

// EventKind is exception.ended.
func (Ended) EventKind() trust.Kind { return trust.Kind{Name: "exception.ended", Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event { return []trust.Event{Granted{}, Ended{}} }
