// Package stream knows the streams of security event tokens that receivers have
// opened here (SSF 1.0, section 8.1): whose each is, how it is delivered, which
// events it has, about whom, and whether it runs. It decides what a receiver, an
// operator and this node may change of it. It refuses to know what an event says,
// how one is carried, and who a subject is; it sees hashes.
package stream

import (
	"slices"

	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Method is how events reach a receiver.
type Method string

// The delivery methods of SSF 1.0, section 6.1.
const (
	Push Method = "urn:ietf:rfc:8935"
	Poll Method = "urn:ietf:rfc:8936"
)

// Delivery is a method and, of Push, the address that events are sent to.
type Delivery struct {
	Method   Method `json:"method"`
	Endpoint string `json:"endpoint,omitempty"`
}

// Status says whether a stream runs (SSF 1.0, section 8.1.2). A paused one holds
// its events; what happens while one is disabled is never sent.
type Status string

// The three there are.
const (
	Enabled  Status = "enabled"
	Paused   Status = "paused"
	Disabled Status = "disabled"
)

// Party is who changed something about a stream.
type Party string

// The parties. What an operator stopped, only an operator starts again.
const (
	Receiver    Party = "receiver"
	Operator    Party = "operator"
	Transmitter Party = "transmitter" // this node, by a rule
)

// Rule is why this node paused a stream by itself.
type Rule string

// The rules.
const (
	Refused Rule = "refused" // the receiver answered that it will not take an event
	Behind  Rule = "behind"  // it has not taken an event for too long
)

// Stream is one of them. Numbers are those of trust log entries.
type Stream struct {
	ID       string              `json:"id"`
	Client   string              `json:"client"` // whose it is
	Delivery Delivery            `json:"delivery"`
	Events   []signal.Type       `json:"events"` // those it delivers, sorted
	Status   Status              `json:"status"`
	MovedBy  Party               `json:"moved_by"`
	Rule     Rule                `json:"rule,omitempty"` // of Transmitter
	Moved    uint64              `json:"moved"`          // when its status changed last
	Since    int64               `json:"since"`          // likewise, in Unix seconds
	From     uint64              `json:"from"`           // what came before is never sent
	Settings uint64              `json:"settings"`       // the entry whose sealed part has the rest of its settings
	Subjects table.Table[uint64] `json:"subjects"`       // added, by subject: by which entry
}

// Has reports whether the stream delivers events of a type.
func (s *Stream) Has(t signal.Type) bool { return slices.Contains(s.Events, t) }

// Added finds the entry that added a subject to the stream.
func (s *Stream) Added(subject trust.SubjectKey) (uint64, bool) {
	return s.Subjects.Get(table.Key(subject))
}
