// Package review holds campaigns in which people look again at what was granted:
// mappings, clients and agreements. It decides which of them a campaign asks about,
// who may answer, that each is answered once, and that what nobody answered for
// lapses on the campaign's date. It refuses to know what anything is used for, and
// how it is taken away.
package review

import (
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Kind is what can be reviewed.
type Kind string

const (
	Mapping   Kind = "mapping"   // a partner's role in our own terms, at the host
	Client    Kind = "client"    // what asks for credentials, or hears signals
	Agreement Kind = "agreement" // at either of its parties
)

// Valid reports whether k is one of the kinds.
func (k Kind) Valid() bool {
	switch k {
	case Mapping, Client, Agreement:
		return true
	default:
		return false
	}
}

// Said is what somebody says of an item.
type Said string

const (
	Keep   Said = "keep"   // it stays as it is
	Reduce Said = "reduce" // less of it stays
	Remove Said = "remove" // it goes
)

// Stage is where an item stands in a campaign.
type Stage string

const (
	Waiting Stage = "waiting" // nobody has answered for it
	Kept    Stage = "kept"
	Reduced Stage = "reduced"
	Removed Stage = "removed"
	Lapsed  Stage = "lapsed" // nobody answered for it in time
	Ended   Stage = "ended"  // it ended otherwise before anybody answered
)

// stages are those that an answer leads to.
var stages = map[Said]Stage{Keep: Kept, Reduce: Reduced, Remove: Removed}

// Item is what one answer is about. Name is the mapping's name, the client's
// identifier or the agreement's random identifier.
type Item struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
	// Since is when a mapping was granted, in Unix seconds: a later one of the same
	// name is another.
	Since int64 `json:"since,omitzero"`
}

// Scope is what a campaign asks about: all of a kind, of a partner, or of an
// agreement (its random identifier) and what stands under it. What is empty stands
// for all.
type Scope struct {
	Kind      Kind                `json:"kind,omitempty"`
	Partner   trust.ParticipantID `json:"partner,omitzero"`
	Agreement string              `json:"agreement,omitempty"`
}

// What is bounded: how long a campaign may run, in seconds, how many run at a time,
// and how many items one entry lists.
const (
	MaxRun    = 366 * 86400
	MaxOpen   = 16
	MaxListed = 512
)

// Campaign is one, and what it came to so far. Times are Unix seconds.
type Campaign struct {
	Opened
	At      trust.Position `json:"at"` // of the entry that opened it
	Since   int64          `json:"since"`
	Listed  int            `json:"listed"`
	Kept    int            `json:"kept"`
	Reduced int            `json:"reduced"`
	Removed int            `json:"removed"`
	Lapsed  int            `json:"lapsed"`
	Ended   int            `json:"ended"`
	Over    int64          `json:"over,omitzero"`    // when it closed
	Closing trust.Position `json:"closing,omitzero"` // of the entry that closed it
}

// Open reports whether the campaign has not closed.
func (c *Campaign) Open() bool { return c.Over == 0 }

// Left is of how many items nothing is on record yet.
func (c *Campaign) Left() int {
	return c.Listed - c.Kept - c.Reduced - c.Removed - c.Lapsed - c.Ended
}

// count notes that one more item left Waiting.
func (c *Campaign) count(to Stage) {
	switch to {
	case Kept:
		c.Kept++
	case Reduced:
		c.Reduced++
	case Removed:
		c.Removed++
	case Lapsed:
		c.Lapsed++
	case Ended:
		c.Ended++
	case Waiting:
	}
}

// Point is an item of a campaign that is open, and where it stands.
type Point struct {
	Item
	Campaign string         `json:"campaign"`
	N        int            `json:"n"` // in the order of the list, from 1
	Stage    Stage          `json:"stage"`
	By       string         `json:"by,omitempty"`
	At       trust.Position `json:"at,omitzero"` // of the entry that answered
	On       int64          `json:"on,omitzero"` // Unix seconds, of Stage
}

func campaignKey(id string) table.Key { return table.KeyOf("review", id) }

func pointKey(id string, kind Kind, name string) table.Key {
	return table.KeyOf("review item", id, string(kind), name)
}

func thingKey(kind Kind, name string) table.Key {
	return table.KeyOf("reviewed", string(kind), name)
}
