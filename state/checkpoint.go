package state

import (
	"crypto/sha256"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// FoldVersion names what the fold makes of entries. It is raised whenever the
// same entries would fold to another state; older checkpoints are then
// discarded.
const FoldVersion = 34

// saved is a state checkpoint.
type saved struct {
	stamp
	State *Snapshot `json:"state"`
}

// stamp says which fold made a state, of which tree, and its hash.
type stamp struct {
	Fold       int    `json:"fold"`
	Checkpoint []byte `json:"checkpoint"` // the signed checkpoint of the trust log
	Hash       []byte `json:"hash"`       // SHA-256 of the state, canonical
}

// Save renders a state checkpoint of s, which is the state at the signed
// checkpoint of the trust log.
func Save(s *Snapshot, checkpoint []byte) ([]byte, error) {
	text, err := s.text()
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(text)
	out, err := canonical.Marshal(stamp{FoldVersion, checkpoint, hash[:]})
	if err != nil {
		return nil, err
	}
	out = append(out[:len(out)-1], `,"state":`...) // the last of the members, canonical too
	return append(append(out, text...), '}'), nil
}

// Load reads a state checkpoint and gives the state with the signed checkpoint
// of the log it is of. It fails with Conflict for another fold's, Invalid for a
// damaged one.
func Load(data []byte) (*Snapshot, []byte, error) {
	var v saved
	if err := canonical.Decode(data, &v); err != nil {
		return nil, nil, err
	}
	if v.Fold != FoldVersion {
		return nil, nil, trust.Errorf(trust.Conflict, "state checkpoint is of fold %d; this binary folds %d", v.Fold, FoldVersion)
	}
	if v.State == nil {
		return nil, nil, trust.Errorf(trust.Invalid, "state checkpoint holds no state")
	}
	hash, err := v.State.Hash()
	if err != nil {
		return nil, nil, err
	}
	if string(hash) != string(v.Hash) {
		return nil, nil, trust.Errorf(trust.Invalid, "state checkpoint does not have the hash it states")
	}
	return v.State, v.Checkpoint, nil
}

// Hash gives the SHA-256 of the state's canonical form. Two folds of the same
// entries have the same.
func (s *Snapshot) Hash() ([]byte, error) {
	b, err := s.text()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	return sum[:], nil
}

// text is the state's canonical form.
func (s *Snapshot) text() ([]byte, error) {
	b, err := canonical.Marshal(s)
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "rendering the state: %w", err)
	}
	return b, nil
}
