package policy

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/entente-id/entente/trust"
)

// Replace puts source in force in place of the policies before it; by is the
// operator. It is refused with Invalid when source does not compile or reads an
// attribute that nobody supplies (see Check), and with Conflict when it is
// already in force.
func (s State) Replace(source string, schema Schema, by string) ([]trust.Event, error) {
	if err := Check(source, schema); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(source))
	hash := hex.EncodeToString(sum[:])
	if s.Hash == hash {
		return nil, trust.Errorf(trust.Conflict, "policy %s is already in force", hash[:12])
	}
	return []trust.Event{Applied{Source: source, Hash: hash, By: by}}, nil
}
