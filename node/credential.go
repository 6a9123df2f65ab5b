package node

import (
	"encoding/base64"
	"io"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// registry is what this node knows of issuers on one snapshot, itself among
// them. It is an evidence.Home, and knows what secrets exceptions let in.
type registry struct {
	*state.Snapshot
	n *Node
}

func (r registry) Issues(iss string) bool { return iss == r.n.self.String() }

func (r registry) TokenKey(kid string, now int64) (jose.Key, bool) {
	for _, k := range tokenKeys(r.Snapshot) {
		if k.Key.KeyID() == kid && k.Window.Contains(now) {
			return k.Key, true
		}
	}
	return jose.Key{}, false
}

func (r registry) OpenGround(id string, sealed []byte) ([]byte, error) {
	return r.n.Keys.OpenGround(id, sealed)
}

// tokenKeys gives the records of the keys for credentials that the node's own
// card certifies.
func tokenKeys(s *state.Snapshot) (records []participant.KeyRecord) {
	for _, k := range s.Participant.Self().Card.Keys {
		if k.Use == participant.TokenKey {
			records = append(records, k)
		}
	}
	return records
}

// tokenSigner gives the key that signs credentials now, and when its time ends.
// What the node's card does not certify would not be believed here either, and
// so signs nothing: Conflict.
func (n *Node) tokenSigner(s *state.Snapshot, now int64) (jose.Signer, int64, error) {
	signer := n.Keys.Signer(participant.TokenKey)
	if key := signer.Key(); !key.IsZero() {
		for _, k := range tokenKeys(s) {
			if k.Key.Equal(key) && k.Window.Contains(now) {
				return signer, k.Window.NotAfter, nil
			}
		}
	}
	return nil, 0, trust.Errorf(trust.Conflict, "the node's token key is not one that its card certifies now; no credential can be issued")
}

// credentialIDSize is the number of random bytes of a jti.
const credentialIDSize = 16

func (n *Node) newCredentialID() (string, error) {
	var random [credentialIDSize]byte
	if _, err := io.ReadFull(n.Rand, random[:]); err != nil {
		return "", trust.Errorf(trust.Internal, "drawing an identifier: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(random[:]), nil
}
