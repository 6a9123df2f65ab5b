package keyring

import (
	"crypto/ed25519"
	"encoding/base64"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/note"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// NoteSigner signs the checkpoints of the log of an origin with the log key that
// is current at a time, in Unix seconds (C2SP signed-note, Ed25519). It fails
// with Conflict when none is valid and with Invalid for an origin that no note
// may carry.
func (k *Keyring) NoteSigner(origin string, at int64) (note.Signer, error) {
	key, err := k.current(participant.LogKey, at)
	if err != nil {
		return nil, err
	}
	name := [3]string{"note", origin, key.record.Key.Thumbprint()}
	if known, ok := k.made.Load(name); ok {
		return known.(note.Signer), nil
	}
	verifier, err := NoteVerifier(origin, key.record.Key)
	if err != nil {
		return nil, err
	}
	signer := noteSigner{verifier, key.signer}
	k.made.Store(name, signer)
	return signer, nil
}

// NoteVerifiers checks the checkpoints of the log of an origin under every log
// key that this node ever had. It fails with Invalid for an origin that no note
// may carry.
func (k *Keyring) NoteVerifiers(origin string) (note.Verifiers, error) {
	var all []note.Verifier
	for _, key := range *k.held.Load() {
		if key.record.Use != participant.LogKey {
			continue
		}
		v, err := NoteVerifier(origin, key.record.Key)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return note.VerifierList(all...), nil
}

// noteSigner has its name and key hash from the verifier of the same key.
type noteSigner struct {
	note.Verifier
	signer jose.Signer
}

func (s noteSigner) Sign(message []byte) ([]byte, error) { return s.signer.Sign(message) }

// NoteVerifier checks the checkpoints of the log of an origin under an EdDSA
// key. It fails with Invalid for another key and for an origin that is empty or
// holds a space or a plus.
func NoteVerifier(origin string, key jose.Key) (note.Verifier, error) {
	public, err := ed25519Public(key)
	if err != nil {
		return nil, err
	}
	text, err := note.NewEd25519VerifierKey(origin, public)
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "log key of %q: %w", origin, err)
	}
	verifier, err := note.NewVerifier(text)
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "log origin %q cannot name a log: %w", origin, err)
	}
	return verifier, nil
}

// ed25519Public reads the public key out of its JWK (RFC 8037, section 2).
func ed25519Public(key jose.Key) (ed25519.PublicKey, error) {
	var jwk struct {
		X string `json:"x"`
	}
	text, err := key.MarshalJSON()
	if err == nil {
		err = json.Unmarshal(text, &jwk)
	}
	public, decodeErr := base64.RawURLEncoding.DecodeString(jwk.X)
	if err != nil || decodeErr != nil || key.Alg() != jose.EdDSA || len(public) != ed25519.PublicKeySize {
		return nil, trust.Errorf(trust.Invalid, "key %q is not for EdDSA; only such a key verifies a log", key.KeyID())
	}
	return public, nil
}
