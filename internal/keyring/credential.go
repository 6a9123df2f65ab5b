package keyring

import (
	"crypto/cipher"
	"crypto/rand"

	"github.com/entente-id/entente/seal"
	"github.com/entente-id/entente/trust"
)

// SealGround encrypts what a credential of this node carries for the node alone.
// Each credential's key is derived from its identifier, which is random, so that
// no number of credentials wears a key out, and a part moved into another
// credential does not open there.
func (k *Keyring) SealGround(id string, plaintext []byte) ([]byte, error) {
	aead, err := k.groundKey(id)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	return seal.Seal(aead, nonce, plaintext, nil), nil
}

// OpenGround gives the plaintext of a part that SealGround made for this
// identifier. It fails with Invalid or Denied.
func (k *Keyring) OpenGround(id string, sealed []byte) ([]byte, error) {
	aead, err := k.groundKey(id)
	if err != nil {
		return nil, err
	}
	return seal.Open(aead, sealed, nil)
}

func (k *Keyring) groundKey(id string) (cipher.AEAD, error) {
	if id == "" {
		return nil, trust.Errorf(trust.Invalid, "a credential without an identifier has no key")
	}
	key := k.index.ground.sum(id)
	return newGCM(key[:])
}
