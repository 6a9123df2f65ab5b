package mapping

import (
	"iter"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Mapping is one mapping and where it stands. It is never changed; a move makes
// a new one.
type Mapping struct {
	Document   Document `json:"document"`
	Agreement  string   `json:"agreement"` // the agreement's random id
	Stage      Stage    `json:"stage"`
	OfferedBy  string   `json:"offered_by"`
	ApprovedBy string   `json:"approved_by,omitempty"`
	ClosedBy   string   `json:"closed_by,omitempty"`
	Since      int64    `json:"since"` // Unix seconds, of Stage
}

// Alive reports whether the mapping gives its role at now (Unix seconds). It has
// ended at exactly its expiry, without any entry.
func (m *Mapping) Alive(now int64) bool { return m.Stage == Granted && !m.ended(now) }

// Matches reports whether a caller of class with the released attributes, seen as
// workload, meets the mapping's condition. It does not look at the time: see Alive.
func (m *Mapping) Matches(class trust.Class, attributes, workload map[string]any) bool {
	return m.Document.From.Matches(class, attributes, workload)
}

func (m *Mapping) ended(now int64) bool {
	return m.Stage == Ended || now >= int64(m.Document.Expires)
}

// State is all mappings of this node. The zero value has none. It is an
// immutable value; copies are cheap.
type State struct {
	byName      table.Table[*Mapping]
	byAgreement table.Table[[]*Mapping] // the granted ones, by name
}

// ByName finds the mapping that bears name, or bore it last.
func (s State) ByName(name string) (*Mapping, bool) { return s.byName.Get(nameKey(name)) }

// For gives the granted mappings under an agreement's random id in the order of
// their names; some may have expired, see Alive. The slice is shared: read only.
func (s State) For(agreementID string) []*Mapping {
	list, _ := s.byAgreement.Get(agreementKey(agreementID))
	return list
}

// All yields every mapping, in no order that means anything.
func (s State) All() iter.Seq[*Mapping] {
	return func(yield func(*Mapping) bool) {
		for _, m := range s.byName.All() {
			if !yield(m) {
				return
			}
		}
	}
}

func nameKey(name string) table.Key             { return table.KeyOf("mapping", name) }
func agreementKey(agreementID string) table.Key { return table.KeyOf("mapping agreement", agreementID) }

// put gives the state in which m stands under its name and, when granted, under
// its agreement.
func (s State) put(m *Mapping) State {
	if old, ok := s.ByName(m.Document.Name); ok && old.Stage == Granted {
		s = s.regroup(old.Agreement, old.Document.Name, nil)
	}
	s.byName = s.byName.With(nameKey(m.Document.Name), m)
	if m.Stage == Granted {
		s = s.regroup(m.Agreement, m.Document.Name, m)
	}
	return s
}

// regroup takes the mapping called name out of an agreement's granted ones and
// puts m in its place, if there is one.
func (s State) regroup(agreementID, name string, m *Mapping) State {
	list := slices.Clone(s.For(agreementID))
	i, found := slices.BinarySearchFunc(list, name, func(m *Mapping, name string) int {
		return strings.Compare(m.Document.Name, name)
	})
	if found {
		list = slices.Delete(list, i, i+1)
	}
	if m != nil {
		list = slices.Insert(list, i, m)
	}
	s.byAgreement = s.byAgreement.With(agreementKey(agreementID), list)
	return s
}

// MarshalJSONTo writes every mapping in the order of their keys.
func (s State) MarshalJSONTo(enc *jsontext.Encoder) error { return json.MarshalEncode(enc, s.byName) }

// UnmarshalJSONFrom reads what MarshalJSONTo wrote.
func (s *State) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var in table.Table[*Mapping]
	if err := json.UnmarshalDecode(dec, &in); err != nil {
		return err
	}
	var next State
	for _, m := range in.All() {
		next = next.put(m)
	}
	*s = next
	return nil
}
