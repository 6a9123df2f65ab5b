// Package seal lays out the sealed part of an entry: what only this node may
// read, encrypted under the key of the person it speaks of, while the leaf
// beside it commits to the ciphertext. Destroying the key makes the part
// unreadable for ever and leaves every hash as it was.
//
// It decides the layout and what is bound into it. It refuses to know where
// keys and nonces come from, who may open a part, and what is in it.
package seal

import (
	"crypto/cipher"
	"crypto/sha256"
	"slices"

	"github.com/entente-id/entente/trust"
)

// Version is the first byte of every sealed part of this layout:
//
//	version (1) | nonce | ciphertext and tag
const Version = 1

// Seal encrypts plaintext under aead. The nonce has aead's nonce size and is
// never used again under the same key. Associated is bound to the part, which
// opens only together with it: a part moved to another owner does not open.
// A nonce of another size is a programming error and panics.
func Seal(aead cipher.AEAD, nonce, plaintext, associated []byte) []byte {
	sealed := make([]byte, 0, 1+len(nonce)+len(plaintext)+aead.Overhead())
	sealed = append(sealed, Version)
	sealed = append(sealed, nonce...)
	return aead.Seal(sealed, nonce, plaintext, bind(associated))
}

// Open gives the plaintext of a sealed part. It fails with Invalid when the
// part is no sealed part of a known version, and with Denied when it does not
// open under this key and associated data: another key, another owner, or a
// changed byte.
func Open(aead cipher.AEAD, sealed, associated []byte) ([]byte, error) {
	if len(sealed) < 1+aead.NonceSize()+aead.Overhead() {
		return nil, trust.Errorf(trust.Invalid, "a sealed part of %d bytes is too short to be one", len(sealed))
	}
	if sealed[0] != Version {
		return nil, trust.Errorf(trust.Invalid, "a sealed part has version %d; this binary knows version %d", sealed[0], Version)
	}
	nonce, ciphertext := sealed[1:1+aead.NonceSize()], sealed[1+aead.NonceSize():]
	plaintext, err := aead.Open(nil, nonce, ciphertext, bind(associated))
	if err != nil {
		return nil, trust.Errorf(trust.Denied, "a sealed part does not open under this key for this owner")
	}
	return plaintext, nil
}

// Commitment is what a leaf holds of its sealed part: the SHA-256 of all its
// bytes. It hides the content, since those are ciphertext under a random nonce.
func Commitment(sealed []byte) [32]byte { return sha256.Sum256(sealed) }

// bind puts the version before the associated data, so that no later layout can
// pass for this one.
func bind(associated []byte) []byte { return slices.Concat([]byte{Version}, associated) }
