package agreement

import (
	"cmp"
	"iter"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Agreement is one agreement as this node sees it. It is never changed; a move
// makes a new one. Where a participant is named, the zero one is this node.
type Agreement struct {
	ID         string                         `json:"id"`
	Stage      Stage                          `json:"stage"`
	Revision   Revision                       `json:"-"` // parsed from Bytes
	Bytes      []byte                         `json:"bytes"`
	Hash       string                         `json:"hash"`
	Signatures map[trust.ParticipantID][]byte `json:"signatures"` // over Bytes
	// ActiveAt lists who says the agreement is in force on its side.
	ActiveAt    []trust.ParticipantID `json:"active_at,omitempty"`
	SuspendedBy []trust.ParticipantID `json:"suspended_by,omitempty"`
	EndedBy     trust.ParticipantID   `json:"ended_by,omitzero"`
	CaughtUp    bool                  `json:"caught_up,omitzero"` // the home has told the host all that it ended before
	Since       int64                 `json:"since"`              // Unix seconds, of Stage
	Opened      trust.Position        `json:"opened"`
}

// Home is who answers for the people.
func (a *Agreement) Home() trust.ParticipantID { return a.Revision.Document.Home }

// Host is who owns the resources.
func (a *Agreement) Host() trust.ParticipantID { return a.Revision.Document.Host }

// Other gives the party that self is not.
func (a *Agreement) Other(self trust.ParticipantID) trust.ParticipantID {
	return a.Revision.Document.other(self)
}

// Alive is the one answer to "is this link in force here at now?" (Unix
// seconds). When it is not, reason says why. An agreement has ended at exactly
// its document's end, without any entry.
func (a *Agreement) Alive(now int64) (reason trust.Reason, alive bool) {
	d := &a.Revision.Document
	switch {
	case a.Ended(now):
		return trust.AgreementEnded, false
	case a.Stage == Suspended:
		return trust.AgreementSuspended, false
	case a.Stage != Active || now < int64(d.Starts):
		return trust.AgreementNotActive, false
	default:
		return "", true
	}
}

// Ended reports whether the agreement was ended, or its time is over.
func (a *Agreement) Ended(now int64) bool {
	return a.Stage == Ended || now >= int64(a.Revision.Document.Ends)
}

// State is all agreements this node is a party to. The zero value has none. It
// is an immutable value; copies are cheap.
type State struct {
	byID   table.Table[*Agreement]
	byName table.Table[string]       // name to the id that had it last
	byPair table.Table[[]*Agreement] // home and host to theirs, oldest first
	// early holds the ends and suspensions that overtook their agreement on the
	// edge: safety never waits for governance.
	early table.Table[Stage]
}

// ByID finds an agreement by its random identifier.
func (s State) ByID(id string) (*Agreement, bool) { return s.byID.Get(idKey(id)) }

// ByName finds the agreement that bears name, or bore it last.
func (s State) ByName(name string) (*Agreement, bool) {
	id, ok := s.byName.Get(nameKey(name))
	if !ok {
		return nil, false
	}
	return s.ByID(id)
}

// Between gives the agreements of one home and one host in the order of their
// first entries, ended ones too. The slice is shared: read only.
func (s State) Between(home, host trust.ParticipantID) []*Agreement {
	list, _ := s.byPair.Get(pairKey(home, host))
	return list
}

// All yields every agreement, in no order that means anything.
func (s State) All() iter.Seq[*Agreement] {
	return func(yield func(*Agreement) bool) {
		for _, a := range s.byID.All() {
			if !yield(a) {
				return
			}
		}
	}
}

func idKey(id string) table.Key     { return table.KeyOf("agreement", id) }
func nameKey(name string) table.Key { return table.KeyOf("agreement name", name) }

func pairKey(home, host trust.ParticipantID) table.Key {
	return table.KeyOf("agreement pair", home.String(), host.String())
}

func earlyKey(from trust.ParticipantID, id string) table.Key {
	return table.KeyOf("agreement early", from.String(), id)
}

// put gives the state in which a stands under its id and in every index.
func (s State) put(a *Agreement) State {
	s.byID = s.byID.With(idKey(a.ID), a)
	s.byName = s.byName.With(nameKey(a.Revision.Document.Name), a.ID)
	pair := pairKey(a.Home(), a.Host())
	list, _ := s.byPair.Get(pair)
	list = slices.Clone(list)
	if i := slices.IndexFunc(list, func(b *Agreement) bool { return b.ID == a.ID }); i >= 0 {
		list[i] = a
	} else {
		list = append(list, a)
	}
	s.byPair = s.byPair.With(pair, list)
	return s
}

// stored is what of a state is written down; the rest is made from it.
type stored struct {
	Agreements []*Agreement       `json:"agreements"`
	Early      table.Table[Stage] `json:"early"`
}

// MarshalJSONTo writes the state, agreements in the order of their first entry.
func (s State) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, stored{s.inOrder(), s.early})
}

// UnmarshalJSONFrom reads what MarshalJSONTo wrote. It fails with Invalid when
// an agreement's bytes are not a revision.
func (s *State) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var in stored
	if err := json.UnmarshalDecode(dec, &in); err != nil {
		return err
	}
	next := State{early: in.Early}
	for _, a := range in.Agreements {
		r, err := Parse(a.Bytes)
		if err != nil {
			return err
		}
		a.Revision = r
		next = next.put(a)
	}
	*s = next
	return nil
}

func (s State) inOrder() []*Agreement {
	return slices.SortedFunc(s.All(), func(a, b *Agreement) int {
		return cmp.Or(a.Opened.Compare(b.Opened), cmp.Compare(a.ID, b.ID))
	})
}
