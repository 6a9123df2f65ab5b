package framework

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/entente-id/entente/trust"
)

// State is the framework in force here, the one that was adopted and waits for
// its date, and those that await a local operator. It is a value that never
// changes; in the zero value there is none.
type State struct {
	Current *InForce   `json:"current,omitempty"`
	Next    *InForce   `json:"next,omitempty"`
	Waiting []Received `json:"waiting,omitempty"` // by hash
}

// Hash gives the hex SHA-256 of a framework's bytes, by which it is known.
func Hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Apply gives the state after e. It never fails; an event of another package
// changes nothing, nor does a refusal.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case Received:
		i, found := slices.BinarySearchFunc(s.Waiting, e.Hash, compareHash)
		if !found {
			s.Waiting = slices.Insert(slices.Clone(s.Waiting), i, e)
		}
	case Adopted:
		// What waited was for the version that has just been filled.
		if f, err := inForce(e.Signed, at.At); err == nil {
			return State{Current: s.Current, Next: f}.On(at.At)
		}
	}
	return s
}

// On gives the state at now (Unix seconds): what was adopted is in force from its
// date on.
func (s State) On(now int64) State {
	if s.Due(now) {
		s.Current, s.Next = s.Next, nil
	}
	return s
}

// Due reports whether the date has come of what was adopted.
func (s State) Due(now int64) bool { return s.Next != nil && s.Next.Since <= now }

// Adopted gives what was adopted here: the framework in force, and the one that
// waits for its date.
func (s State) Adopted() (all []*InForce) {
	for _, f := range []*InForce{s.Current, s.Next} {
		if f != nil {
			all = append(all, f)
		}
	}
	return all
}

// Version gives the version of a document that is in force here, was adopted, or
// waits.
func (s State) Version(hash string) (version int, known bool) {
	for _, f := range s.Adopted() {
		if f.Hash == hash {
			return f.Version, true
		}
	}
	waiting, known := s.Pending(hash)
	return waiting.Version, known
}

func compareHash(r Received, hash string) int { return cmp.Compare(r.Hash, hash) }

// Pending gives the received document with this hash that awaits a local
// operator.
func (s State) Pending(hash string) (Received, bool) {
	i, found := slices.BinarySearchFunc(s.Waiting, hash, compareHash)
	if !found {
		return Received{}, false
	}
	return s.Waiting[i], true
}
