package client

import (
	"iter"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is everybody who is or was a client. It is a value that never changes;
// the zero value knows nobody.
type State struct {
	Clients table.Table[*Client] `json:"clients"`

	spiffe table.Table[string] // by SPIFFE ID, of those that have not ended
}

// Client is a client that was registered. One that has ended stays known,
// without means, so that its identifier is never reused.
type Client struct {
	Document Document `json:"document"`
	Ended    bool     `json:"ended,omitzero"`
}

// MayName reports whether the client may ask for a credential for a service, by
// its name.
func (c Client) MayName(service string) bool {
	return !c.Ended && slices.Contains(c.Document.Services, service)
}

// MayReceive reports whether the client may have streams of signals, and gives
// what of.
func (c Client) MayReceive() (Signals, bool) {
	if c.Ended || c.Document.Signals == nil {
		return Signals{}, false
	}
	return *c.Document.Signals, true
}

// Apply gives the state after e. It never fails; an event of another package
// changes nothing.
func (s State) Apply(e trust.Event, _ trust.Stamp) State {
	switch e := e.(type) {
	case Added:
		return s.with(Client{Document: e.Document})
	case Renewed:
		if c, ok := s.Get(e.ID); ok && !c.Ended {
			c.Document.Means = e.Means
			return s.with(c)
		}
	case Ended:
		if c, ok := s.Get(e.ID); ok {
			c.Document.Means, c.Ended = Means{}, true
			return s.with(c)
		}
	}
	return s
}

func (s State) with(c Client) State {
	if old, ok := s.Get(c.Document.ID); ok && old.Document.SPIFFEID != "" {
		s.spiffe = s.spiffe.Without(spiffeKey(old.Document.SPIFFEID))
	}
	s.Clients = s.Clients.With(key(c.Document.ID), &c)
	if id := c.Document.SPIFFEID; id != "" {
		s.spiffe = s.spiffe.With(spiffeKey(id), c.Document.ID)
	}
	return s
}

func key(id string) table.Key       { return table.KeyOf("client", id) }
func spiffeKey(id string) table.Key { return table.KeyOf("client spiffe", id) }

// UnmarshalJSONFrom reads a state that was written as JSON, and finds its index
// again.
func (s *State) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var stored struct {
		Clients table.Table[*Client] `json:"clients"`
	}
	if err := json.UnmarshalDecode(dec, &stored); err != nil {
		return err
	}
	*s = State{}
	for _, c := range stored.Clients.All() {
		if c == nil {
			return trust.Errorf(trust.Invalid, "state of clients has an empty row")
		}
		*s = s.with(*c)
	}
	return nil
}

// Get finds a client by its identifier, also one that has ended.
func (s State) Get(id string) (Client, bool) {
	c, ok := s.Clients.Get(key(id))
	if !ok {
		return Client{}, false
	}
	return *c, true
}

// BySPIFFE finds the client that a SPIFFE ID is of. One that has ended has none.
func (s State) BySPIFFE(id string) (Client, bool) {
	name, ok := s.spiffe.Get(spiffeKey(id))
	if !ok {
		return Client{}, false
	}
	return s.Get(name)
}

// All yields the clients, ended ones too, by identifier.
func (s State) All() iter.Seq[Client] {
	var all []Client
	for _, c := range s.Clients.All() {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Client) int { return strings.Compare(a.Document.ID, b.Document.ID) })
	return slices.Values(all)
}
