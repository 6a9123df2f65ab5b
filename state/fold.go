package state

import "github.com/entente-id/entente/trust"

// Fold gives the snapshot after one entry, from its bytes. It fails, with
// Conflict, only for an entry of a kind the codec does not know.
func Fold(c *Codec, s *Snapshot, name string, version int, body []byte, at trust.Stamp) (*Snapshot, error) {
	e, err := c.Decode(trust.Kind{Name: name, Version: version}, body)
	if err != nil {
		return s, err
	}
	return s.Apply(e, at), nil
}
