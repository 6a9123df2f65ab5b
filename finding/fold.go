package finding

import (
	"cmp"
	"iter"
	"slices"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is every finding there ever was. It is a value that never changes; in the
// zero value there is none.
type State struct {
	Findings table.Table[Finding] `json:"findings"` // by id
}

// Finding is one, and where it stands.
type Finding struct {
	Raised
	At       trust.Position `json:"at"` // of the entry that raised it
	Since    int64          `json:"since"`
	ClosedAt int64          `json:"closed_at,omitzero"` // 0 while it is open
	ClosedBy string         `json:"closed_by,omitempty"`
	Closing  trust.Position `json:"closing,omitzero"` // of the entry that closed it
}

// Open reports whether nobody has closed it.
func (f Finding) Open() bool { return f.ClosedAt == 0 }

// Apply gives the state after e. It never fails; an event of another package
// changes nothing, nor does the end of a finding that is not open.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case Raised:
		s.Findings = s.Findings.With(key(e.ID), Finding{Raised: e, At: at.Position, Since: at.At})
	case Closed:
		if f, ok := s.Get(e.ID); ok && f.Open() {
			f.ClosedAt, f.ClosedBy, f.Closing = max(at.At, 1), e.By, at.Position
			s.Findings = s.Findings.With(key(e.ID), f)
		}
	}
	return s
}

func key(id string) table.Key { return table.KeyOf("finding", id) }

// Get finds a finding by its id.
func (s State) Get(id string) (Finding, bool) { return s.Findings.Get(key(id)) }

// On finds the open finding about something.
func (s State) On(what Subject) (Finding, bool) {
	for _, f := range s.Findings.All() {
		if f.Open() && f.Subject == what {
			return f, true
		}
	}
	return Finding{}, false
}

// All lists the findings in the order in which they were raised.
func (s State) All() iter.Seq[Finding] {
	var all []Finding
	for _, f := range s.Findings.All() {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.Since, b.Since), a.At.Compare(b.At)) })
	return slices.Values(all)
}
