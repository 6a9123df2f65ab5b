package exception

import (
	"iter"
	"slices"
	"strings"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is every exception there is or was. It is a value that never changes; the
// zero value has none.
type State struct {
	Exceptions table.Table[Exception] `json:"exceptions"` // by name
	Secrets    table.Table[string]    `json:"secrets"`    // names, by the secret's hash
}

// Exception is one of them. Times are Unix seconds.
type Exception struct {
	Granted
	At      trust.Position `json:"at"` // of the entry that granted it
	Since   int64          `json:"since"`
	EndedAt int64          `json:"ended_at,omitzero"` // 0: not before its own end
	EndedBy string         `json:"ended_by,omitempty"`
}

// Alive reports whether the exception holds at now: at exactly Expires it has
// ended.
func (x Exception) Alive(now int64) bool { return x.EndedAt == 0 && now < x.Expires }

// Apply gives the state after e. It never fails; an event of another package
// changes nothing.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case Granted:
		s.Exceptions = s.Exceptions.With(nameKey(e.Name), Exception{Granted: e, At: at.Position, Since: at.At})
		if len(e.Hash) > 0 {
			s.Secrets = s.Secrets.With(secretKey(e.Hash), e.Name)
		}
	case Ended:
		if x, ok := s.Get(e.Name); ok && x.EndedAt == 0 {
			x.EndedAt, x.EndedBy = max(at.At, 1), e.By
			s.Exceptions = s.Exceptions.With(nameKey(e.Name), x)
		}
	}
	return s
}

func nameKey(name string) table.Key   { return table.KeyOf("exception", name) }
func secretKey(hash []byte) table.Key { return table.KeyOf("exception secret", string(hash)) }

// Get finds an exception by name, also one that has ended.
func (s State) Get(name string) (Exception, bool) { return s.Exceptions.Get(nameKey(name)) }

// BySecret finds the exception whose secret has this keyed hash, also one that
// has ended.
func (s State) BySecret(hash [16]byte) (Exception, bool) {
	if s.Secrets.Len() == 0 {
		return Exception{}, false
	}
	name, ok := s.Secrets.Get(secretKey(hash[:]))
	if !ok {
		return Exception{}, false
	}
	return s.Get(name)
}

// All yields the exceptions, ended ones too, by name.
func (s State) All() iter.Seq[Exception] {
	var all []Exception
	for _, x := range s.Exceptions.All() {
		all = append(all, x)
	}
	slices.SortFunc(all, func(a, b Exception) int { return strings.Compare(a.Name, b.Name) })
	return slices.Values(all)
}
