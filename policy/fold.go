package policy

import (
	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/trust"
)

// State is the local policy in force. The zero value has none, which denies
// everything. It is an immutable value.
type State struct {
	Source string `json:"source,omitempty"`
	Hash   string `json:"hash,omitempty"` // hex SHA-256 of Source
	Since  int64  `json:"since,omitempty"`
	// Set is Source compiled. A source that does not compile, which no command
	// lets in, gives a Set that denies everything.
	Set *Set `json:"-"`
}

// Apply gives the state after e. It is total and ignores foreign events.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	if a, ok := e.(Applied); ok {
		return State{Source: a.Source, Hash: a.Hash, Since: at.At, Set: compileOrDeny(a.Source)}
	}
	return s
}

// UnmarshalJSON reads what marshalling wrote and compiles the source again.
func (s *State) UnmarshalJSON(data []byte) error {
	type stored State
	var v stored
	if err := json.Unmarshal(data, &v, json.RejectUnknownMembers(true)); err != nil {
		return err
	}
	*s = State(v)
	if s.Hash != "" {
		s.Set = compileOrDeny(s.Source)
	}
	return nil
}

func compileOrDeny(source string) *Set {
	set, err := Compile(source)
	if err != nil {
		return &Set{broken: true}
	}
	return set
}
