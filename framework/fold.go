package framework

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/entente-id/entente/trust"
)

// State is the framework in force here and those that await a local operator.
// It is a value that never changes; in the zero value there is none.
type State struct {
	Current *InForce   `json:"current,omitempty"`
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
			return State{Current: f}
		}
	}
	return s
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
